//! The hook that asks for a telephone.

use super::*;

const PHONE: &str = "+33612345678";
const STEPS: [SignupHook; 3] = [PhoneVerification, AdminApproval, EmailVerification];

fn by(steps: &[SignupHook], phone: Option<&str>) -> SignupCommand {
    let SignupCommand::Request(request) = alice(steps, &[]) else { panic!("a request") };
    SignupCommand::Request(RequestSignup { phone: phone.map(str::to_owned), ..request })
}

fn phone() -> Personal<String> {
    Personal::Clear(PHONE.into())
}

fn given_phone() -> SignupEvent {
    SignupPhoneGiven { user_id: ALICE, phone: phone() }.into()
}

fn code(generation: u32, issued_at: DateTime<Utc>) -> SignupEvent {
    let (valid_until, expires_at) = (issued_at + TimeDelta::minutes(10), issued_at + TimeDelta::hours(1));
    SignupCodeIssued { user_id: ALICE, phone: phone(), generation, issued_at, valid_until, expires_at }.into()
}

fn failed(generation: u32) -> SignupEvent {
    SignupCodeFailed { user_id: ALICE, generation }.into()
}

fn asked() -> Vec<SignupEvent> {
    vec![requested(&STEPS), given_phone(), code(1, START)]
}

fn after_minutes(minutes: i64) -> DateTime<Utc> {
    START + TimeDelta::minutes(minutes)
}

fn prove_phone(generation: u32) -> SignupCommand {
    SignupCommand::ProvePhone { generation }
}

fn fail(generation: u32) -> SignupCommand {
    SignupCommand::FailCode { generation }
}

// covers: T-46
#[test]
fn a_telephone_an_approval_and_the_address_last() {
    assert_eq!(when_at(START, &[], by(&STEPS, Some(PHONE))), Ok(asked()));
    for early in [prove(1), SignupCommand::Approve] {
        assert!(matches!(when_at(after_minutes(1), &asked(), early), Err(SignupError::NotItsTurn(_))));
    }
    let proven = when_at(after_minutes(9), &asked(), prove_phone(1)).unwrap();
    assert_eq!(proven, [passed(PhoneVerification), approval_awaited(after_minutes(9))]);
    let proven = [asked(), proven].concat();
    assert_eq!(when_at(after_minutes(9), &proven, prove_phone(1)), Err(SignupError::NotItsTurn(PhoneVerification)), "a code is good once");
    let approved = [proven.clone(), when(&proven, SignupCommand::Approve).unwrap()].concat();
    assert_eq!(approved[5..], [passed(AdminApproval), link(1, after_hours(1))]);
    assert_eq!(when(&approved, prove(1)), Ok(vec![passed(EmailVerification), completed(None)]));
}

#[test]
fn a_telephone_after_the_address_gets_its_code_when_it_has_its_turn() {
    let steps = [EmailVerification, PhoneVerification];
    let begun = when_at(START, &[], by(&steps, Some(PHONE))).unwrap();
    assert_eq!(begun, [requested(&steps), given_phone(), link(1, START)]);
    let proven = [begun.clone(), when(&begun, prove(1)).unwrap()].concat();
    assert_eq!(proven[3..], [passed(EmailVerification), code(1, after_hours(1))]);
    assert_eq!(when(&proven, prove_phone(1)), Ok(vec![passed(PhoneVerification), completed(None)]));
}

#[test]
fn a_number_is_asked_for_where_a_hook_needs_it_and_kept_nowhere_else() {
    for wrong in
        [None, Some(""), Some("0612345678"), Some("+0612345678"), Some("+33 6 12 34 56 78"), Some("+336"), Some("+3361234567890123")]
    {
        let refused = when(&[], by(&STEPS, wrong)).unwrap_err();
        assert_eq!((refused, refused.field(), refused.reason()), (SignupError::PhoneInvalid, Some("phone"), "identity.phone_invalid"));
    }
    assert_eq!(when_at(START, &[], by(&[EmailVerification], Some(PHONE))), Ok(pending()));
}

#[test]
fn a_code_is_void_after_ten_minutes_and_after_five_wrong_ones() {
    assert!(when_at(after_minutes(10) - TimeDelta::microseconds(1), &asked(), prove_phone(1)).is_ok());
    assert_eq!(when_at(after_minutes(10), &asked(), prove_phone(1)), Err(SignupError::CodeVoid));
    let mut guessed = asked();
    for _ in 0..5 {
        assert_eq!(when_at(after_minutes(1), &guessed, prove_phone(2)), Err(SignupError::Superseded));
        guessed.extend(when_at(after_minutes(1), &guessed, fail(1)).unwrap());
    }
    assert_eq!(guessed[3..], vec![failed(1); 5]);
    for command in [prove_phone(1), fail(1)] {
        assert_eq!(when_at(after_minutes(1), &guessed, command), Err(SignupError::CodeVoid));
    }
    // A fresh one begins to count anew.
    guessed.extend(when_at(after_minutes(1), &guessed, SignupCommand::SendAgain).unwrap());
    assert_eq!(guessed.last(), Some(&code(2, after_minutes(1))));
    assert_eq!(when_at(after_minutes(1), &guessed, prove_phone(1)), Err(SignupError::Superseded));
    assert!(when_at(after_minutes(1), &guessed, prove_phone(2)).is_ok());
}

#[test]
fn a_code_is_sent_again_once_a_minute_and_five_times() {
    assert_eq!(when_at(START + TimeDelta::seconds(59), &asked(), SignupCommand::SendAgain), Err(SignupError::CodeTooSoon));
    let mut history = asked();
    for generation in 2..=6 {
        history.extend(when_at(after_minutes(generation.into()), &history, SignupCommand::SendAgain).unwrap());
        assert_eq!(given(&history).terms().unwrap().code.unwrap().generation, generation);
    }
    assert_eq!(when_at(after_minutes(7), &history, SignupCommand::SendAgain), Err(SignupError::CodeTooOften));
}

#[test]
fn a_sign_up_that_waits_for_a_code_ends_after_an_hour() {
    assert_eq!(when_at(after_minutes(60), &asked(), prove_phone(1)), Err(SignupError::TimeRunOut));
    assert_eq!(when_at(after_minutes(59), &asked(), SignupCommand::Expire), Err(SignupError::NotDue));
    assert_eq!(when_at(after_minutes(60), &asked(), SignupCommand::Expire), Ok(vec![expired()]));
}

#[test]
fn nobody_proves_the_telephone_of_who_was_erased_or_of_another_state() {
    let SignupEvent::SignupRequested(mut erased) = requested(&STEPS) else { panic!("a request") };
    erased.email = Personal::Sealed(Digest([7; 32]));
    let SignupEvent::SignupPhoneGiven(mut number) = given_phone() else { panic!("a number") };
    number.phone = Personal::Sealed(Digest([7; 32]));
    let pending = vec![erased.into(), number.into(), code(1, START)];
    for command in [prove_phone(1), fail(1), SignupCommand::SendAgain] {
        assert_eq!(when_at(after_minutes(2), &pending, command), Err(SignupError::Erased));
    }
    assert_eq!(when(&[], prove_phone(1)), Err(SignupError::NotFound));
    for status in [SignupStatus::Active, SignupStatus::Refused, SignupStatus::Expired] {
        let refused = SignupError::TransitionForbidden { from: status, to: SignupStatus::Active };
        assert_eq!(when(&history(status), prove_phone(1)), Err(refused), "{status:?}");
    }
    assert!(!format!("{:?} {:?}", by(&STEPS, Some(PHONE)), given(&asked())).contains("612345678"));
}
