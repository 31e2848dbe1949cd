//! Given events, when a command comes, then events or a refusal.

use super::{status::TRANSITIONS, *};
use crate::{
    identity::{Role, RoleRef},
    kernel::{Aggregate, Code, ElevationId, Event, Facts, OrganizationId, Personal, Refusal, UserId},
};
use chrono::{DateTime, TimeDelta, Utc};
use std::slice::from_ref;
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
const ID: ElevationId = ElevationId(Uuid::from_u128(2));
const ALICE: UserId = UserId(Uuid::from_u128(3));
const BOB: UserId = UserId(Uuid::from_u128(4));
const ADMIN: UserId = UserId(Uuid::from_u128(5));
const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
const ANALYST: RoleRef = RoleRef::BuiltIn(Role::Analyst);

fn given(events: &[ElevationEvent]) -> Elevation {
    events.iter().fold(Elevation::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn at(seconds: i64) -> DateTime<Utc> {
    NOW + TimeDelta::seconds(seconds)
}

fn when(events: &[ElevationEvent], actor: UserId, seconds: i64, command: ElevationCommand) -> Result<Vec<ElevationEvent>, ElevationError> {
    given(events).decide(&command, &Facts { now: at(seconds), actor })
}

fn ask(scope: Scope, roles: &[RoleRef], duration_seconds: u32) -> RequestElevation {
    RequestElevation { elevation_id: ID, organization_id: ACME, scope, roles: roles.to_vec(), duration_seconds, reason: "audit".into() }
}

fn request(command: RequestElevation) -> ElevationCommand {
    ElevationCommand::Request(command)
}

fn requested_for(scope: Scope) -> ElevationEvent {
    let reason = Personal::Clear("audit".into());
    let concerns = scope.concerns(ALICE);
    ElevationRequested { elevation_id: ID, requested_by: ALICE, scope, roles: vec![ANALYST], duration_seconds: 600, concerns, reason }
        .into()
}

fn requested() -> ElevationEvent {
    requested_for(Scope::Role(ANALYST))
}

fn approved() -> ElevationEvent {
    ElevationApproved { elevation_id: ID, approved_by: ADMIN, start_by: at(START_WITHIN_HOURS * 3600), concerns: Some(ALICE) }.into()
}

fn started() -> ElevationEvent {
    ElevationStarted { elevation_id: ID, expires_at: at(600), concerns: Some(ALICE) }.into()
}

fn ended() -> ElevationEvent {
    ElevationEnded { elevation_id: ID, ended_by: ALICE, concerns: Some(ALICE) }.into()
}

fn expired() -> ElevationEvent {
    ElevationExpired { elevation_id: ID, concerns: Some(ALICE) }.into()
}

/// A history that leads to a state.
fn history(status: ElevationStatus) -> Vec<ElevationEvent> {
    let reviewed = ElevationReviewed { elevation_id: ID, requested_by: ALICE, reviewed_by: ADMIN, concerns: ALICE, note: None };
    match status {
        ElevationStatus::Requested => vec![requested()],
        ElevationStatus::Approved => vec![requested(), approved()],
        ElevationStatus::Active => vec![requested(), approved(), started()],
        ElevationStatus::Ended => vec![requested(), approved(), started(), ended()],
        ElevationStatus::Expired => vec![requested(), approved(), started(), expired()],
        ElevationStatus::Refused => {
            vec![
                requested(),
                ElevationRefused { elevation_id: ID, requested_by: ALICE, refused_by: ADMIN, concerns: ALICE, reason: None }.into(),
            ]
        }
        ElevationStatus::Withdrawn => vec![requested(), ElevationWithdrawn { elevation_id: ID, concerns: Some(ALICE) }.into()],
        ElevationStatus::Reviewed => vec![requested(), approved(), started(), ended(), reviewed.into()],
    }
}

/// Every command that moves it, by whom and when, with the state it leads to.
fn moves() -> Vec<(UserId, i64, ElevationCommand, ElevationStatus)> {
    vec![
        (ALICE, 0, request(ask(Scope::Role(ANALYST), &[ANALYST], 600)), ElevationStatus::Requested),
        (ADMIN, 0, ElevationCommand::Approve, ElevationStatus::Approved),
        (ADMIN, 0, ElevationCommand::Refuse { reason: None }, ElevationStatus::Refused),
        (ALICE, 0, ElevationCommand::Withdraw, ElevationStatus::Withdrawn),
        (ALICE, 0, ElevationCommand::Start, ElevationStatus::Active),
        (ALICE, 0, ElevationCommand::End { supervising: false }, ElevationStatus::Ended),
        (ADMIN, 0, ElevationCommand::Review { note: None }, ElevationStatus::Reviewed),
        (ADMIN, START_WITHIN_HOURS * 3600, ElevationCommand::Expire, ElevationStatus::Expired),
    ]
}

/// A row is where it stands, a column where it would go, in the order of `ElevationStatus::ALL`:
/// requested, approved, active, ended, expired, refused, withdrawn, reviewed.
const MATRIX: [(ElevationStatus, &str); 8] = [
    (ElevationStatus::Requested, ".A...AA."),
    (ElevationStatus::Approved, "..A.A..."),
    (ElevationStatus::Active, "...AA..."),
    (ElevationStatus::Ended, ".......A"),
    (ElevationStatus::Expired, ".......A"),
    (ElevationStatus::Refused, "........"),
    (ElevationStatus::Withdrawn, "........"),
    (ElevationStatus::Reviewed, "........"),
];

/// covers: E-254
#[test]
fn all_64_cells_of_the_life_cycle_are_as_written() {
    let mut cells = 0;
    for (from, row) in MATRIX {
        for (to, cell) in ElevationStatus::ALL.into_iter().zip(row.chars()) {
            let reached = moves().into_iter().filter(|(.., leads_to)| *leads_to == to).any(|(actor, seconds, command, _)| {
                let events = when(&history(from), actor, seconds, command.clone()).unwrap_or_default();
                let after = given(&[history(from), events.clone()].concat());
                let moved = events.last().is_some_and(|event| event.status() == to);
                assert!(!moved || after.status_at(at(seconds)) == Some(to), "{from:?} by {command:?}");
                moved
            });
            assert_eq!(reached, cell == 'A', "{from:?} to {to:?}");
            let declared = TRANSITIONS.iter().any(|way| way.leads_from(from) && way.to == to);
            assert_eq!(declared, cell == 'A', "{from:?} to {to:?} in the table");
            cells += 1;
        }
    }
    assert_eq!(cells, 64);
}

#[test]
fn a_way_that_is_not_there_is_refused_as_an_attempt() {
    let refused = when(&history(ElevationStatus::Refused), ALICE, 0, ElevationCommand::Start);
    let forbidden = ElevationError::TransitionForbidden { from: ElevationStatus::Refused, to: ElevationStatus::Active };
    assert_eq!(refused, Err(forbidden));
    assert!(forbidden.is_attempt() && forbidden.code() == Code::ValidationError);
}

/// covers: E-33, E-247
#[test]
fn nobody_decides_their_own_request_nor_one_to_act_as_them() {
    let acting = [requested_for(Scope::ActingAs(BOB))];
    for actor in [ALICE, BOB] {
        assert_eq!(when(&acting, actor, 0, ElevationCommand::Approve), Err(ElevationError::OwnRequest));
        assert_eq!(when(&acting, actor, 0, ElevationCommand::Refuse { reason: None }), Err(ElevationError::OwnRequest));
        let over = [acting.to_vec(), vec![approved(), started(), ended()]].concat();
        assert_eq!(when(&over, actor, 0, ElevationCommand::Review { note: None }), Err(ElevationError::OwnRequest));
    }
    let start_by = at(START_WITHIN_HOURS * 3600);
    let approved = ElevationApproved { elevation_id: ID, approved_by: ADMIN, start_by, concerns: Some(BOB) };
    assert_eq!(when(&acting, ADMIN, 0, ElevationCommand::Approve), Ok(vec![approved.into()]));
    assert!(ElevationError::OwnRequest.is_attempt());
}

#[test]
fn what_is_anothers_looks_as_if_it_were_not_there() {
    for (status, command) in [
        (ElevationStatus::Requested, ElevationCommand::Withdraw),
        (ElevationStatus::Approved, ElevationCommand::Start),
        (ElevationStatus::Active, ElevationCommand::End { supervising: false }),
    ] {
        assert_eq!(when(&history(status), BOB, 0, command), Err(ElevationError::NotFound));
    }
    let stopped = when(&history(ElevationStatus::Active), ADMIN, 0, ElevationCommand::End { supervising: true });
    assert_eq!(stopped, Ok(vec![ElevationEnded { elevation_id: ID, ended_by: ADMIN, concerns: Some(ALICE) }.into()]));
    assert_eq!(when(&[], ADMIN, 0, ElevationCommand::Approve), Err(ElevationError::NotFound));
}

/// covers: E-33
#[test]
fn nobody_acts_as_themselves_or_as_the_platforms_people() {
    let as_oneself = ask(Scope::ActingAs(ALICE), &[ANALYST], 600);
    assert_eq!(when(&[], ALICE, 0, request(as_oneself)), Err(ElevationError::ActingAsOneself));
    for role in Role::ALL {
        let as_bob = RequestElevation { organization_id: OrganizationId::PLATFORM, ..ask(Scope::ActingAs(BOB), &[role.into()], 600) };
        let asked = when(&[], ALICE, 0, request(as_bob));
        assert_eq!(asked.err(), role.is_platform().then_some(ElevationError::ActingAsPlatform), "{role:?}");
    }
}

#[test]
fn a_platform_role_is_asked_for_at_the_platform_only() {
    let support = RoleRef::from(Role::PlatformSupport);
    let elsewhere = ask(Scope::Role(support), &[support], 600);
    assert_eq!(when(&[], ALICE, 0, request(elsewhere.clone())), Err(ElevationError::PlatformRoleElsewhere));
    assert!(when(&[], ALICE, 0, request(RequestElevation { organization_id: OrganizationId::PLATFORM, ..elsewhere })).is_ok());
}

#[test]
fn a_role_lasts_eight_hours_at_most_and_acting_as_another_one() {
    for (scope, longest) in [(Scope::Role(ANALYST), 8 * 3600), (Scope::ActingAs(BOB), 3600)] {
        for (seconds, fits) in [(0, false), (1, true), (longest, true), (longest + 1, false)] {
            let asked = when(&[], ALICE, 0, request(ask(scope, &[ANALYST], seconds)));
            assert_eq!(asked.err(), (!fits).then_some(ElevationError::DurationInvalid), "{scope:?} for {seconds} s");
        }
    }
    let silent = RequestElevation { reason: " ".into(), ..ask(Scope::Role(ANALYST), &[ANALYST], 600) };
    assert_eq!(when(&[], ALICE, 0, request(silent)), Err(ElevationError::ReasonInvalid));
    let noted = ElevationCommand::Review { note: Some(" ".into()) };
    assert_eq!(when(&history(ElevationStatus::Ended), ADMIN, 0, noted), Err(ElevationError::ReasonInvalid));
}

/// Whoever is acted as is erased with what was written about it.
#[test]
fn what_is_written_is_of_whoever_is_acted_as_and_else_of_the_requester() {
    for (scope, concerns) in [(Scope::ActingAs(BOB), BOB), (Scope::Role(ANALYST), ALICE)] {
        let asked = vec![requested_for(scope)];
        assert_eq!(when(&[], ALICE, 0, request(ask(scope, &[ANALYST], 600))), Ok(asked.clone()));
        let written = || Some(Personal::Clear("no need".to_owned()));
        let refused = ElevationRefused { elevation_id: ID, requested_by: ALICE, refused_by: ADMIN, concerns, reason: written() };
        let refuse = ElevationCommand::Refuse { reason: Some("no need".into()) };
        assert_eq!(when(&asked, ADMIN, 0, refuse), Ok(vec![refused.into()]));
        let over = [asked, vec![approved(), started(), ended()]].concat();
        let reviewed = ElevationReviewed { elevation_id: ID, requested_by: ALICE, reviewed_by: ADMIN, concerns, note: written() };
        assert_eq!(when(&over, ADMIN, 0, ElevationCommand::Review { note: Some("no need".into()) }), Ok(vec![reviewed.into()]));
    }
}

/// covers: E-254
#[test]
fn its_time_is_over_whether_or_not_anyone_recorded_that() {
    let active = history(ElevationStatus::Active);
    assert_eq!(given(&active).in_force(ALICE, at(599)), Some(Scope::Role(ANALYST)));
    assert_eq!(given(&active).in_force(ALICE, at(600)), None);
    let over = ElevationError::TransitionForbidden { from: ElevationStatus::Expired, to: ElevationStatus::Ended };
    assert_eq!(when(&active, ALICE, 600, ElevationCommand::End { supervising: false }), Err(over));
    let reviewed = ElevationReviewed { elevation_id: ID, requested_by: ALICE, reviewed_by: ADMIN, concerns: ALICE, note: None };
    assert_eq!(when(&active, ADMIN, 600, ElevationCommand::Review { note: None }), Ok(vec![expired(), reviewed.into()]));
    assert_eq!(when(&active, ADMIN, 600, ElevationCommand::Expire), Ok(vec![expired()]));
    assert_eq!(when(&active, ADMIN, 599, ElevationCommand::Expire), Ok(vec![]));
}

#[test]
fn an_approval_that_nobody_uses_is_over_after_a_day() {
    let approved = history(ElevationStatus::Approved);
    assert_eq!(
        when(&approved, ALICE, 5, ElevationCommand::Start),
        Ok(vec![ElevationStarted { elevation_id: ID, expires_at: at(605), concerns: Some(ALICE) }.into()])
    );
    let late = when(&approved, ALICE, START_WITHIN_HOURS * 3600, ElevationCommand::Start);
    assert_eq!(late, Err(ElevationError::TransitionForbidden { from: ElevationStatus::Expired, to: ElevationStatus::Active }));
}

#[test]
fn it_gives_something_to_its_requester_only_and_only_while_it_is_active() {
    for status in ElevationStatus::ALL {
        let state = given(&history(status));
        assert_eq!(state.in_force(ALICE, NOW).is_some(), status == ElevationStatus::Active, "{status:?}");
        assert_eq!(state.in_force(BOB, NOW), None);
    }
}

/// covers: E-59
#[test]
fn every_step_names_whom_somebody_acts_as() {
    let acting = requested_for(Scope::ActingAs(BOB));
    let taken = |events: &[ElevationEvent], actor, command| when(events, actor, 0, command).unwrap().pop().unwrap();
    let approved = taken(from_ref(&acting), ADMIN, ElevationCommand::Approve);
    let started = taken(&[acting.clone(), approved.clone()], ALICE, ElevationCommand::Start);
    let ended = taken(&[acting.clone(), approved.clone(), started.clone()], ALICE, ElevationCommand::End { supervising: false });
    let withdrawn = taken(from_ref(&acting), ALICE, ElevationCommand::Withdraw);
    let expired = when(&[acting, approved.clone()], ADMIN, START_WITHIN_HOURS * 3600, ElevationCommand::Expire).unwrap().remove(0);
    for event in [approved, started, ended, withdrawn, expired] {
        let payload: serde_json::Value = serde_json::from_slice(&event.to_payload().unwrap()).unwrap();
        assert_eq!(payload["concerns"], BOB.0.to_string(), "{}", event.event_type());
    }
}

#[test]
fn steps_that_were_recorded_before_they_named_anybody_are_read() {
    let old = |name: &str, payload: String| ElevationEvent::from_payload(name, 1, payload.as_bytes()).unwrap();
    let id = ID.0;
    assert_eq!(
        old("identity.elevation_started", format!(r#"{{"elevation_id":"{id}","expires_at":"1970-01-01T00:10:00Z"}}"#)),
        ElevationStarted { elevation_id: ID, expires_at: at(600), concerns: None }.into()
    );
    assert_eq!(
        old("identity.elevation_expired", format!(r#"{{"elevation_id":"{id}"}}"#)),
        ElevationExpired { elevation_id: ID, concerns: None }.into()
    );
}
