//! Given events, when a command comes, then events or a refusal.

use super::{status::TRANSITIONS, *};
use crate::{
    identity::{Role, RoleRef},
    kernel::{Aggregate, Code, Facts, InvitationId, Personal, Refusal, UserId},
};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const INVITATION: InvitationId = InvitationId(Uuid::from_u128(1));
const ALICE: UserId = UserId(Uuid::from_u128(2));
const ADMIN: UserId = UserId(Uuid::from_u128(3));
const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn given(events: &[InvitationEvent]) -> Invitation {
    events.iter().fold(Invitation::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when_at(now: DateTime<Utc>, events: &[InvitationEvent], command: InvitationCommand) -> Result<Vec<InvitationEvent>, InvitationError> {
    given(events).decide(&command, &Facts { now, actor: ADMIN })
}

/// A day after the first one was sent.
fn when(events: &[InvitationEvent], command: InvitationCommand) -> Result<Vec<InvitationEvent>, InvitationError> {
    when_at(after_hours(24), events, command)
}

fn after_hours(hours: i64) -> DateTime<Utc> {
    START + TimeDelta::hours(hours)
}

fn alice() -> IssueInvitation {
    IssueInvitation {
        invitation_id: INVITATION,
        user_id: ALICE,
        email: "alice@acme.example".into(),
        role: Role::Analyst.into(),
        valid_for_hours: None,
    }
}

fn reissue() -> InvitationCommand {
    InvitationCommand::Reissue(ReissueInvitation { email: "alice@acme.example".into(), valid_for_hours: None })
}

fn accept(generation: u32) -> InvitationCommand {
    InvitationCommand::Accept { generation }
}

fn issued_at(generation: u32, at: DateTime<Utc>, hours: i64) -> InvitationEvent {
    InvitationIssued {
        invitation_id: INVITATION,
        user_id: ALICE,
        email: Personal::Clear("alice@acme.example".into()),
        role: Role::Analyst.into(),
        generation,
        issued_at: at,
        expires_at: at + TimeDelta::hours(hours),
        invited_by: ADMIN,
    }
    .into()
}

fn issued() -> InvitationEvent {
    issued_at(1, START, 168)
}

fn accepted(generation: u32) -> InvitationEvent {
    InvitationAccepted { invitation_id: INVITATION, user_id: ALICE, generation }.into()
}

fn completed() -> InvitationEvent {
    InvitationCompleted { invitation_id: INVITATION, user_id: ALICE }.into()
}

fn expired() -> InvitationEvent {
    InvitationExpired { invitation_id: INVITATION, user_id: ALICE }.into()
}

fn revoked() -> InvitationEvent {
    InvitationRevoked { invitation_id: INVITATION, user_id: ALICE }.into()
}

/// A history that leads to a state.
fn history(status: InvitationStatus) -> Vec<InvitationEvent> {
    match status {
        InvitationStatus::Pending => vec![issued()],
        InvitationStatus::Accepted => vec![issued(), accepted(1)],
        InvitationStatus::Active => vec![issued(), accepted(1), completed()],
        InvitationStatus::Expired => vec![issued(), expired()],
        InvitationStatus::Revoked => vec![issued(), revoked()],
    }
}

/// Every command that changes the state of an issued invitation, with the state it leads to and the
/// hour at which only the state can be what refuses.
fn moves() -> [(InvitationCommand, InvitationStatus, i64); 5] {
    [
        (reissue(), InvitationStatus::Pending, 24),
        (accept(1), InvitationStatus::Accepted, 24),
        (InvitationCommand::Complete, InvitationStatus::Active, 24),
        (InvitationCommand::Expire, InvitationStatus::Expired, 168),
        (InvitationCommand::Revoke, InvitationStatus::Revoked, 24),
    ]
}

/// B.3 as it is written there: a row is where the invitation stands, a column where it would go.
/// `PENDING` to `PENDING` and `EXPIRED` to `PENDING` is a new token each.
const MATRIX: [(InvitationStatus, &str); 5] = [
    (InvitationStatus::Pending, "AA.AA"),
    (InvitationStatus::Accepted, "..A.."),
    (InvitationStatus::Active, "....."),
    (InvitationStatus::Expired, "A...."),
    (InvitationStatus::Revoked, "....."),
];

// covers: E-128, E-130
#[test]
fn all_25_cells_of_the_matrix_are_as_b_3_has_them() {
    let mut cells = 0;
    for (from, row) in MATRIX {
        for (to, cell) in InvitationStatus::ALL.into_iter().zip(row.chars()) {
            let (command, _, hour) = moves().into_iter().find(|(_, leads_to, _)| *leads_to == to).unwrap();
            let decided = when_at(after_hours(hour), &history(from), command);
            let allowed = cell == 'A';
            match &decided {
                Ok(events) => {
                    let after = given(&[history(from), events.clone()].concat());
                    assert_eq!(after.terms().map(|terms| terms.status), Some(to), "from {from:?}");
                }
                Err(error) => assert_eq!(*error, InvitationError::TransitionForbidden { from, to }),
            }
            assert_eq!(decided.is_ok(), allowed, "from {from:?} to {to:?}");
            let ways = TRANSITIONS.iter().filter(|way| way.to == to && way.leads_from(from)).count();
            assert_eq!(ways, usize::from(allowed), "from {from:?} to {to:?}");
            cells += 1;
        }
    }
    assert_eq!(cells, 25);
}

#[test]
fn nothing_happens_to_an_invitation_that_is_not_there() {
    for (command, _, hour) in moves() {
        assert_eq!(when_at(after_hours(hour), &[], command), Err(InvitationError::NotFound));
    }
}

// covers: E-118, E-119
#[test]
fn an_invitation_says_for_whom_as_what_and_until_when() {
    let issue = InvitationCommand::Issue(alice());
    assert_eq!(when_at(START, &[], issue.clone()), Ok(vec![issued()]));
    let state = given(&[issued()]);
    let terms = state.terms().unwrap();
    assert_eq!((terms.user_id, terms.role, terms.generation), (ALICE, RoleRef::from(Role::Analyst), 1));
    assert_eq!((terms.status, terms.expires_at), (InvitationStatus::Pending, after_hours(168)));
    for status in InvitationStatus::ALL {
        assert_eq!(when(&history(status), issue.clone()), Err(InvitationError::AlreadyExists), "{status:?}");
    }
}

// covers: E-118
#[test]
fn an_invitation_is_accepted_once() {
    assert_eq!(when(&[issued()], accept(1)), Ok(vec![accepted(1)]));
    let again = InvitationError::TransitionForbidden { from: InvitationStatus::Accepted, to: InvitationStatus::Accepted };
    assert_eq!(when(&[issued(), accepted(1)], accept(1)), Err(again));
}

// covers: E-129
#[test]
fn an_invitation_is_good_until_it_expires_whether_or_not_that_was_recorded() {
    let history = [issued_at(1, START, 1)];
    let last = after_hours(1) - TimeDelta::microseconds(1);
    assert_eq!(when_at(last, &history, accept(1)), Ok(vec![accepted(1)]));
    assert_eq!(when_at(after_hours(1), &history, accept(1)), Err(InvitationError::TimeRunOut));
    assert_eq!(when_at(last, &history, InvitationCommand::Expire), Err(InvitationError::NotDue));
    assert_eq!(when_at(after_hours(1), &history, InvitationCommand::Expire), Ok(vec![expired()]));
    let state = given(&history);
    assert!(!state.is_due(last) && state.is_due(after_hours(1)));
    assert!(!given(&[issued(), accepted(1)]).is_due(after_hours(1_000)));
}

// covers: E-130
#[test]
fn one_that_is_sent_again_ends_the_ones_before_it() {
    let second = issued_at(2, after_hours(24), 168);
    assert_eq!(when(&[issued()], reissue()), Ok(vec![second.clone()]));
    assert_eq!(when(&[issued(), second.clone()], accept(1)), Err(InvitationError::Superseded));
    assert_eq!(when(&[issued(), second.clone()], accept(3)), Err(InvitationError::Superseded));
    assert_eq!(when(&[issued(), second.clone()], accept(2)), Ok(vec![accepted(2)]));
    // Its time is its own, too.
    assert_eq!(when_at(after_hours(168), &[issued(), second.clone()], InvitationCommand::Expire), Err(InvitationError::NotDue));

    let late = after_hours(200);
    assert_eq!(when_at(late, &[issued(), expired()], reissue()), Ok(vec![issued_at(2, late, 168)]));
    assert_eq!(
        when_at(late, &[issued(), expired()], accept(1)),
        Err(InvitationError::TransitionForbidden { from: InvitationStatus::Expired, to: InvitationStatus::Accepted })
    );
    assert_eq!(when_at(late, &[issued(), expired(), issued_at(2, late, 168)], accept(1)), Err(InvitationError::Superseded));
}

// covers: E-132
#[test]
fn an_invitation_is_sent_again_once_a_minute_and_ten_times() {
    let soon = START + TimeDelta::seconds(59);
    assert_eq!(when_at(soon, &[issued()], reissue()), Err(InvitationError::ReissuedTooSoon));
    assert!(when_at(START + TimeDelta::seconds(60), &[issued()], reissue()).is_ok());
    let mut history = vec![issued()];
    for generation in 2..=REISSUES_MAX + 1 {
        let at = after_hours(generation.into());
        history.extend(when_at(at, &history, reissue()).unwrap());
        assert_eq!(given(&history).terms().unwrap().generation, generation);
    }
    assert_eq!(when(&history, reissue()), Err(InvitationError::ReissuedTooOften));
}

#[test]
fn an_invitation_ends_at_a_full_second_as_its_token_does() {
    let issue = InvitationCommand::Issue(alice());
    let events = when_at(START + TimeDelta::nanoseconds(1_234_567_891), &[], issue).unwrap();
    assert_eq!(given(&events).terms().unwrap().expires_at, after_hours(168) + TimeDelta::seconds(1));
}

// covers: E-129
#[test]
fn the_time_is_an_hour_to_thirty_days() {
    let lasting = |hours| InvitationCommand::Issue(IssueInvitation { valid_for_hours: Some(hours), ..alice() });
    for hours in [0, 721, u32::MAX] {
        assert_eq!(when(&[], lasting(hours)), Err(InvitationError::ValidityInvalid), "{hours}");
    }
    for hours in [1, 720] {
        assert_eq!(when_at(START, &[], lasting(hours)), Ok(vec![issued_at(1, START, hours.into())]), "{hours}");
    }
    let again = ReissueInvitation { email: "alice@acme.example".into(), valid_for_hours: Some(721) };
    assert_eq!(when(&[issued()], InvitationCommand::Reissue(again)), Err(InvitationError::ValidityInvalid));
}

#[test]
fn an_invitation_goes_to_the_address_of_a_mailbox() {
    let issue = InvitationCommand::Issue(IssueInvitation { email: "alice".into(), ..alice() });
    assert_eq!(when(&[], issue), Err(InvitationError::EmailInvalid));
}

#[test]
fn neither_state_nor_debug_output_holds_the_address() {
    let state = serde_json::to_string(&given(&[issued()])).unwrap();
    let debug = format!("{:?} {:?} {:?}", InvitationCommand::Issue(alice()), reissue(), issued());
    assert!(!state.contains("acme.example") && !debug.contains("acme.example"), "{state} {debug}");
}

#[test]
fn refusals_say_their_code_and_field() {
    let forbidden = InvitationError::TransitionForbidden { from: InvitationStatus::Pending, to: InvitationStatus::Active };
    assert_eq!((forbidden.code(), forbidden.field(), forbidden.is_attempt()), (Code::ValidationError, Some("status"), true));
    assert_eq!(forbidden.to_string(), "an invitation that is PENDING cannot become ACTIVE");
    assert_eq!(InvitationError::NotFound.code(), Code::ResourceNotFound);
    assert_eq!(InvitationError::ReissuedTooSoon.code(), Code::RateLimited);
    assert_eq!(InvitationError::ValidityInvalid.field(), Some("valid_for_hours"));
}
