//! Given events, when a command comes, then events or a refusal.

mod phone;

use super::{status::TRANSITIONS, *};
use crate::{
    identity::signup_policy::SignupHook::{self, *},
    kernel::{Aggregate, Code, Digest, Facts, Personal, Refusal, UserId},
};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

const ALICE: UserId = UserId(Uuid::from_u128(2));
const ADMIN: UserId = UserId(Uuid::from_u128(3));
const EMAIL: &str = "alice@acme.example";
const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn given(events: &[SignupEvent]) -> Signup {
    events.iter().fold(Signup::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when_at(now: DateTime<Utc>, events: &[SignupEvent], command: SignupCommand) -> Result<Vec<SignupEvent>, SignupError> {
    given(events).decide(&command, &Facts { now, actor: ADMIN })
}

/// An hour after it was requested.
fn when(events: &[SignupEvent], command: SignupCommand) -> Result<Vec<SignupEvent>, SignupError> {
    when_at(after_hours(1), events, command)
}

fn after_hours(hours: i64) -> DateTime<Utc> {
    START + TimeDelta::hours(hours)
}

fn alice(steps: &[SignupHook], shown: &[SignupHook]) -> SignupCommand {
    SignupCommand::Request(RequestSignup {
        user_id: ALICE,
        email: EMAIL.into(),
        display_name: Some("Alice".into()),
        phone: None,
        steps: steps.to_vec(),
        shown: shown.iter().copied().collect(),
    })
}

fn prove(generation: u32) -> SignupCommand {
    SignupCommand::ProveEmail { generation: Some(generation) }
}

fn refuse() -> SignupCommand {
    SignupCommand::Refuse { reason: Some("We know nobody of this name.".into()) }
}

fn email() -> Personal<String> {
    Personal::Clear(EMAIL.into())
}

fn requested(steps: &[SignupHook]) -> SignupEvent {
    let display_name = Some(Personal::Clear("Alice".into()));
    SignupRequested { user_id: ALICE, email: email(), display_name, steps: steps.to_vec() }.into()
}

fn passed(hook: SignupHook) -> SignupEvent {
    SignupHookPassed { user_id: ALICE, hook }.into()
}

fn link(generation: u32, issued_at: DateTime<Utc>) -> SignupEvent {
    let expires_at = issued_at + TimeDelta::hours(48);
    SignupLinkIssued { user_id: ALICE, email: email(), generation, issued_at, expires_at }.into()
}

fn approval_awaited(since: DateTime<Utc>) -> SignupEvent {
    SignupApprovalAwaited { user_id: ALICE, expires_at: since + TimeDelta::days(30) }.into()
}

fn completed(approved_by: Option<UserId>) -> SignupEvent {
    SignupCompleted { user_id: ALICE, email: email(), approved_by }.into()
}

fn refused() -> SignupEvent {
    let reason = Some(Personal::Clear("We know nobody of this name.".into()));
    SignupRefused { user_id: ALICE, email: Some(email()), reason, refused_by: ADMIN }.into()
}

fn expired() -> SignupEvent {
    SignupExpired { user_id: ALICE }.into()
}

fn pending() -> Vec<SignupEvent> {
    vec![requested(&[EmailVerification]), link(1, START)]
}

fn awaiting() -> Vec<SignupEvent> {
    let steps = [EmailVerification, AdminApproval];
    vec![requested(&steps), link(1, START), passed(EmailVerification), approval_awaited(START)]
}

/// A history that leads to a state.
fn history(status: SignupStatus) -> Vec<SignupEvent> {
    let and = |event: SignupEvent| [pending(), vec![event]].concat();
    match status {
        SignupStatus::Pending => pending(),
        SignupStatus::AwaitingApproval => awaiting(),
        SignupStatus::Active => and(completed(None)),
        SignupStatus::Refused => and(refused()),
        SignupStatus::Expired => and(expired()),
    }
}

// covers: T-44
#[test]
fn every_way_of_a_sign_up_that_is_not_in_the_table_is_refused() {
    let late = after_hours(24 * 31);
    let moves: [(SignupCommand, SignupStatus, DateTime<Utc>); 5] = [
        (SignupCommand::SendAgain, SignupStatus::Pending, after_hours(1)),
        (prove(1), SignupStatus::Active, after_hours(1)),
        (SignupCommand::Approve, SignupStatus::Active, after_hours(1)),
        (refuse(), SignupStatus::Refused, after_hours(1)),
        (SignupCommand::Expire, SignupStatus::Expired, late),
    ];
    for (command, to, now) in moves {
        assert_eq!(when_at(now, &[], command.clone()), Err(SignupError::NotFound), "{command:?}");
        for from in SignupStatus::ALL {
            let decided = when_at(now, &history(from), command.clone());
            let leads = TRANSITIONS.iter().any(|way| way.to == to && way.leads_from(from));
            match decided {
                Ok(events) => {
                    assert!(leads, "{command:?} from {from:?}");
                    assert_eq!(given(&[history(from), events].concat()).terms().unwrap().status, to, "{command:?} from {from:?}");
                }
                // It goes on, and something else has its turn.
                Err(SignupError::NotItsTurn(_)) => assert!(leads && from.is_open(), "{command:?} from {from:?}"),
                Err(error) => {
                    assert_eq!(error, SignupError::TransitionForbidden { from, to }, "{command:?} from {from:?}");
                    assert!(!leads, "{command:?} from {from:?}");
                }
            }
        }
    }
}

#[test]
fn what_is_over_stays_as_it_is() {
    for (from, to) in SignupStatus::ALL.into_iter().flat_map(|from| SignupStatus::ALL.map(|to| (from, to))) {
        let leads = TRANSITIONS.iter().any(|way| way.to == to && way.leads_from(from));
        assert!(from.is_open() || !leads, "{from:?} to {to:?}");
    }
}

// covers: T-44, T-45
#[test]
fn a_link_that_comes_back_is_all_that_is_asked() {
    assert_eq!(when_at(START, &[], alice(&[EmailVerification], &[])), Ok(pending()));
    assert_eq!(when(&pending(), prove(1)), Ok(vec![passed(EmailVerification), completed(None)]));
    let terms = given(&pending()).terms().unwrap().clone();
    assert_eq!((terms.status, terms.awaits(), terms.is_email_proven()), (SignupStatus::Pending, Some(EmailVerification), false));
    assert_eq!(terms.expires_at, Some(after_hours(48)));
}

// covers: T-44, T-46
#[test]
fn hooks_are_passed_in_their_order_and_all_of_them() {
    let steps = [Captcha, DomainAutoJoin, EmailVerification, AdminApproval];
    let begun = when_at(START, &[], alice(&steps, &[Captcha, DomainAutoJoin])).unwrap();
    assert_eq!(begun, [requested(&steps), passed(Captcha), passed(DomainAutoJoin), link(1, START)]);
    assert_eq!(when(&begun, SignupCommand::Approve), Err(SignupError::NotItsTurn(AdminApproval)));
    let proven = [begun, when(&given_events(&steps), prove(1)).unwrap()].concat();
    assert_eq!(proven[4..], [passed(EmailVerification), approval_awaited(after_hours(1))]);
    let terms = given(&proven).terms().unwrap().clone();
    assert_eq!((terms.status, terms.is_email_proven()), (SignupStatus::AwaitingApproval, true));
    assert_eq!(when(&proven, prove(1)), Err(SignupError::NotItsTurn(EmailVerification)), "a link is good once");
    assert_eq!(when(&proven, SignupCommand::SendAgain), Err(SignupError::NotItsTurn(EmailVerification)));
    assert_eq!(when(&proven, SignupCommand::Approve), Ok(vec![passed(AdminApproval), completed(Some(ADMIN))]));
}

fn given_events(steps: &[SignupHook]) -> Vec<SignupEvent> {
    vec![requested(steps), passed(Captcha), passed(DomainAutoJoin), link(1, START)]
}

#[test]
fn whoever_is_approved_first_proves_the_address_last() {
    let steps = [AdminApproval, EmailVerification];
    let begun = when_at(START, &[], alice(&steps, &[])).unwrap();
    assert_eq!(begun, [requested(&steps), approval_awaited(START)]);
    assert_eq!(when(&begun, prove(1)), Err(SignupError::NotItsTurn(EmailVerification)));
    let approved = [begun, when(&[requested(&steps), approval_awaited(START)], SignupCommand::Approve).unwrap()].concat();
    assert_eq!(approved[2..], [passed(AdminApproval), link(1, after_hours(1))]);
    assert_eq!(given(&approved).terms().unwrap().status, SignupStatus::Pending, "not active on an address that nobody proved");
    assert_eq!(when(&approved, prove(1)), Ok(vec![passed(EmailVerification), completed(None)]));
}

#[test]
fn a_mailbox_for_which_somebody_vouches_needs_no_link() {
    let steps = [DomainAutoJoin, EmailVerification, AdminApproval];
    let begun = when_at(START, &[], alice(&steps, &[DomainAutoJoin, EmailVerification])).unwrap();
    assert_eq!(begun, [requested(&steps), passed(DomainAutoJoin), passed(EmailVerification), approval_awaited(START)]);
    let vouched = SignupCommand::ProveEmail { generation: None };
    assert_eq!(when(&pending(), vouched), Ok(vec![passed(EmailVerification), completed(None)]));
}

// covers: T-44
#[test]
fn a_request_that_does_not_show_what_it_has_to_records_nothing() {
    for hook in [Captcha, DomainAutoJoin] {
        let steps = [hook, EmailVerification];
        assert_eq!(when(&[], alice(&steps, &[])), Err(SignupError::NotShown(hook)));
        assert!(when(&[], alice(&steps, &[hook])).is_ok());
    }
    assert_eq!(when(&[], alice(&[Captcha, DomainAutoJoin, EmailVerification], &[DomainAutoJoin])), Err(SignupError::NotShown(Captcha)));
}

#[test]
fn a_sign_up_is_requested_once_for_a_mailbox_and_a_name() {
    let with = |email: &str, name: &str| {
        let SignupCommand::Request(request) = alice(&[EmailVerification], &[]) else { panic!("a request") };
        when(&[], SignupCommand::Request(RequestSignup { email: email.into(), display_name: Some(name.into()), ..request }))
    };
    assert_eq!(with("alice", "Alice"), Err(SignupError::EmailInvalid));
    assert_eq!(with(EMAIL, " "), Err(SignupError::DisplayNameInvalid));
    for status in SignupStatus::ALL {
        assert_eq!(when(&history(status), alice(&[EmailVerification], &[])), Err(SignupError::AlreadyExists), "{status:?}");
    }
}

#[test]
fn a_link_that_is_sent_again_ends_the_ones_before_it() {
    let again = link(2, after_hours(1));
    assert_eq!(when(&pending(), SignupCommand::SendAgain), Ok(vec![again.clone()]));
    let both = [pending(), vec![again]].concat();
    assert_eq!(when(&both, prove(1)), Err(SignupError::Superseded));
    assert_eq!(when(&both, prove(3)), Err(SignupError::Superseded));
    assert_eq!(when_at(after_hours(48), &both, prove(2)), Ok(vec![passed(EmailVerification), completed(None)]));
}

#[test]
fn a_link_is_sent_again_once_a_minute_and_five_times() {
    let soon = START + TimeDelta::seconds(59);
    assert_eq!(when_at(soon, &pending(), SignupCommand::SendAgain), Err(SignupError::LinkTooSoon));
    let mut history = pending();
    for generation in 2..=6 {
        history.extend(when_at(after_hours(generation.into()), &history, SignupCommand::SendAgain).unwrap());
        assert_eq!(given(&history).terms().unwrap().generation, generation);
    }
    assert_eq!(when_at(after_hours(7), &history, SignupCommand::SendAgain), Err(SignupError::LinkTooOften));
}

#[test]
fn a_sign_up_ends_when_nobody_goes_on_with_it_whether_or_not_that_was_recorded() {
    let last = after_hours(48) - TimeDelta::microseconds(1);
    assert!(when_at(last, &pending(), prove(1)).is_ok());
    assert_eq!(when_at(after_hours(48), &pending(), prove(1)), Err(SignupError::TimeRunOut));
    assert_eq!(when_at(last, &pending(), SignupCommand::Expire), Err(SignupError::NotDue));
    assert_eq!(when_at(after_hours(48), &pending(), SignupCommand::Expire), Ok(vec![expired()]));
    assert!(given(&pending()).is_due(after_hours(48)) && !given(&pending()).is_due(last));
    // Whoever waits for somebody else waits longer.
    let month = START + TimeDelta::days(30);
    assert_eq!(when_at(after_hours(48), &awaiting(), SignupCommand::Expire), Err(SignupError::NotDue));
    assert_eq!(when_at(month, &awaiting(), SignupCommand::Approve), Err(SignupError::TimeRunOut));
    assert_eq!(when_at(month, &awaiting(), SignupCommand::Expire), Ok(vec![expired()]));
    for over in [SignupStatus::Active, SignupStatus::Refused, SignupStatus::Expired] {
        assert!(!given(&history(over)).is_due(month), "{over:?}");
    }
}

#[test]
fn who_says_no_says_why_to_the_person() {
    let failed = SignupHookFailed { user_id: ALICE, hook: AdminApproval }.into();
    assert_eq!(when(&awaiting(), refuse()), Ok(vec![failed, refused()]));
    assert_eq!(when(&pending(), refuse()), Ok(vec![refused()]), "nobody has to wait for the link");
    let without = SignupRefused { user_id: ALICE, email: Some(email()), reason: None, refused_by: ADMIN }.into();
    assert_eq!(when(&pending(), SignupCommand::Refuse { reason: None }), Ok(vec![without]));
    let endless = SignupCommand::Refuse { reason: Some("x".repeat(501)) };
    assert_eq!(when(&pending(), endless), Err(SignupError::ReasonInvalid));
}

#[test]
fn nobody_becomes_a_user_who_was_erased() {
    let SignupEvent::SignupRequested(mut erased) = requested(&[EmailVerification, AdminApproval]) else { panic!("a request") };
    erased.email = Personal::Sealed(Digest([7; 32]));
    let pending = vec![erased.clone().into(), link(1, START)];
    assert_eq!(when(&pending, prove(1)), Err(SignupError::Erased));
    assert_eq!(when(&pending, SignupCommand::SendAgain), Err(SignupError::Erased));
    let awaiting = [pending.clone(), vec![passed(EmailVerification), approval_awaited(START)]].concat();
    assert_eq!(when(&awaiting, SignupCommand::Approve), Err(SignupError::Erased));
    let ended = when(&awaiting, SignupCommand::Refuse { reason: None }).unwrap();
    assert!(matches!(&ended[1], SignupEvent::SignupRefused(refused) if refused.email.is_none()));
    assert_eq!(when_at(after_hours(48), &pending, SignupCommand::Expire), Ok(vec![expired()]));
}

#[test]
fn debug_output_holds_nobody() {
    let debug = format!("{:?} {:?} {:?}", alice(&[EmailVerification], &[]), given(&pending()), requested(&[EmailVerification]));
    assert!(!debug.contains("acme.example") && !debug.contains("Alice"), "{debug}");
}

#[test]
fn refusals_say_their_code_and_field() {
    let forbidden = SignupError::TransitionForbidden { from: SignupStatus::Refused, to: SignupStatus::Active };
    assert_eq!((forbidden.code(), forbidden.field(), forbidden.is_attempt()), (Code::ValidationError, Some("status"), true));
    assert_eq!(forbidden.to_string(), "a sign-up that is REFUSED cannot become ACTIVE");
    assert_eq!((SignupError::NotFound.code(), SignupError::LinkTooSoon.code()), (Code::ResourceNotFound, Code::RateLimited));
    let fields: BTreeSet<_> = [Captcha, DomainAutoJoin].map(|hook| SignupError::NotShown(hook).field()).into();
    assert_eq!(fields, BTreeSet::from([Some("captcha"), Some("email")]));
}
