//! A telephone as a second factor.

use super::*;

const NUMBER: &str = "+33612345678";
const OTHER: &str = "+4915112345678";

fn begin_phone(number: u128, phone: &str, minutes: i64) -> CredentialAction {
    BeginPhone(crate::identity::credential::IssuePhoneCode { pass_id: pass_id(number), phone: phone.into(), expires_at: at(minutes + 10) })
}

fn send(number: u128, minutes: i64) -> CredentialAction {
    SendPhoneCode { pass_id: pass_id(number), expires_at: at(minutes + 10) }
}

fn confirm(number: u128) -> CredentialAction {
    ConfirmPhone { pass_id: pass_id(number) }
}

fn with_phone() -> Credential {
    given(vec![begin_phone(1, NUMBER, 0), confirm(1)])
}

// covers: E-112
#[test]
fn a_telephone_is_enrolled_once_its_code_came_back() {
    let begun = given(vec![begin_phone(1, NUMBER, 0)]);
    assert_eq!((begun.phone(), begun.pass(PassKind::PhoneEnrolment, at(1)).map(|pass| pass.to.as_str())), (None, Some(NUMBER)));
    let used: CredentialEvent = PassUsed { user_id: ALICE, pass_id: pass_id(1) }.into();
    let enrolled: CredentialEvent = PhoneEnrolled { user_id: ALICE, phone: Personal::Clear(NUMBER.into()) }.into();
    assert_eq!(when(&begun, 1, confirm(1)), Ok(vec![used, enrolled]));
    assert_eq!(when(&begun, 1, confirm(2)), Err(PassNotValid));
    assert_eq!(when(&begun, 10, confirm(1)), Err(PassExpired));
    let credential = with_phone();
    assert_eq!((credential.phone(), credential.has_totp()), (Some(NUMBER), false));
    assert_eq!(when(&credential, 2, confirm(1)), Err(PassNotValid), "a code is good once");
    assert!(credential.verified_email().is_none(), "a telephone tells nothing about a mailbox");
}

// covers: E-112
#[test]
fn a_code_to_a_telephone_is_void_after_five_wrong_ones_and_sent_a_minute_apart() {
    let mut credential = given(vec![begin_phone(1, NUMBER, 0)]);
    assert_eq!(when(&credential, 0, begin_phone(2, OTHER, 0)), Err(TooManyPasses));
    for _ in 0..PASS_FAILURES_MAX {
        then(&mut credential, 0, fail(1, PassKind::PhoneEnrolment));
    }
    assert_eq!(when(&credential, 0, confirm(1)), Err(PassNotValid));
    then(&mut credential, 1, begin_phone(2, OTHER, 1));
    assert_eq!(when(&credential, 1, confirm(1)), Err(PassNotValid), "the newer one counts");
    then(&mut credential, 1, confirm(2));
    assert_eq!(credential.phone(), Some(OTHER));
}

// covers: E-112
#[test]
fn an_enrolled_telephone_gets_codes_that_prove_and_change_nothing_else() {
    let mut credential = with_phone();
    then(&mut credential, 5, send(2, 5));
    for kind in [PassKind::PhoneEnrolment, PassKind::EmailCode] {
        assert_eq!(when(&credential, 6, use_pass(2, kind)), Err(PassNotValid), "{kind:?}");
    }
    let used: CredentialEvent = PassUsed { user_id: ALICE, pass_id: pass_id(2) }.into();
    assert_eq!(when(&credential, 6, use_pass(2, PassKind::PhoneCode)), Ok(vec![used]));
    assert_eq!(when(&credential, 15, use_pass(2, PassKind::PhoneCode)), Err(PassExpired));
    assert_eq!(when(&Credential::default(), 0, send(1, 0)), Err(PhoneNotEnrolled));
    assert_eq!(when(&credential, 20, send(3, 0)), Err(PassOver));
}

// covers: E-112
#[test]
fn a_number_is_removed_before_another_one_is_proven() {
    let mut credential = with_phone();
    assert_eq!(when(&credential, 5, begin_phone(2, OTHER, 5)), Err(PhoneEnrolledAlready));
    then(&mut credential, 5, send(2, 5));
    assert_eq!(when(&credential, 5, RemovePhone), Ok(vec![PhoneRemoved { user_id: ALICE }.into()]));
    then(&mut credential, 5, RemovePhone);
    assert!(credential.phone().is_none() && credential.pass(PassKind::PhoneCode, at(5)).is_none());
    assert_eq!(when(&credential, 5, use_pass(2, PassKind::PhoneCode)), Err(PassNotValid));
    assert_eq!(when(&credential, 5, RemovePhone), Err(PhoneNotEnrolled));
    then(&mut credential, 5, begin_phone(3, OTHER, 5));
}

#[test]
fn a_number_is_one_in_e164_and_no_mailbox() {
    for wrong in ["0612345678", "+33 6 12", "", "+0612345678", "a@acme.example"] {
        assert_eq!(when(&Credential::default(), 0, begin_phone(1, wrong, 0)), Err(PhoneInvalid), "{wrong}");
    }
    let pass =
        crate::identity::credential::IssuePass { pass_id: pass_id(1), kind: PassKind::PhoneCode, email: NUMBER.into(), expires_at: at(10) };
    assert_eq!(when(&with_phone(), 3, IssuePass(pass)), Err(EmailInvalid));
    assert_eq!((PhoneInvalid.code(), PhoneInvalid.field()), (Code::ValidationError, Some("phone")));
}

// covers: E-112
#[test]
fn a_number_that_was_erased_closes_the_credential_and_is_never_logged() {
    let sealed = || Personal::Sealed(Digest([1; 32]));
    let issued = PhoneCodeIssued {
        user_id: ALICE,
        pass_id: pass_id(1),
        kind: PassKind::PhoneCode,
        phone: sealed(),
        issued_at: at(0),
        expires_at: at(10),
    };
    for event in [issued.into(), PhoneEnrolled { user_id: ALICE, phone: sealed() }.into()] {
        let mut credential = with_phone();
        credential.evolve(&event);
        assert!(credential.is_closed() && credential.phone().is_none());
        assert_eq!(when(&credential, 5, send(2, 5)), Err(Closed));
    }
    let action = begin_phone(1, NUMBER, 0);
    let events = when(&Credential::default(), 0, action.clone()).unwrap();
    assert!(!format!("{:?} {events:?}", CredentialCommand { user_id: ALICE, action }).contains(NUMBER));
}
