//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::kernel::{Aggregate, Code, Facts, Refusal, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const ANN: UserId = UserId(Uuid::from_u128(1));
const EVE: UserId = UserId(Uuid::from_u128(2));
const ADMIN: UserId = UserId(Uuid::from_u128(3));

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
}

fn given(events: &[ExpertAssignmentsEvent]) -> ExpertAssignments {
    events.iter().fold(ExpertAssignments::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(
    events: &[ExpertAssignmentsEvent],
    hour: i64,
    command: ExpertAssignmentsCommand,
) -> Result<Vec<ExpertAssignmentsEvent>, ExpertAssignmentsError> {
    given(events).decide(&command, &Facts { now: at(hour), actor: ADMIN })
}

fn assign(expert_id: UserId, until: Option<i64>) -> ExpertAssignmentsCommand {
    ExpertAssignmentsCommand::Assign(AssignExpert { user_id: ANN, expert_id, until: until.map(at) })
}

fn end(expert_id: UserId) -> ExpertAssignmentsCommand {
    ExpertAssignmentsCommand::End(EndAssignment { user_id: ANN, expert_id })
}

fn assigned(expert_id: UserId, until: Option<i64>) -> ExpertAssignmentsEvent {
    ExpertAssigned { user_id: ANN, expert_id, assigned_by: ADMIN, until: until.map(at) }.into()
}

fn ended(expert_id: UserId) -> ExpertAssignmentsEvent {
    AssignmentEnded { user_id: ANN, expert_id, ended_by: ADMIN }.into()
}

/// covers: E-22, E-121
#[test]
fn an_expert_looks_after_a_person_from_their_assignment_to_its_end() {
    assert_eq!(when(&[], 0, assign(EVE, None)), Ok(vec![assigned(EVE, None)]));
    assert!(given(&[assigned(EVE, None)]).holds(EVE, at(1_000_000)));
    assert!(!given(&[assigned(EVE, None)]).holds(ADMIN, at(0)));
    assert_eq!(when(&[assigned(EVE, None)], 1, end(EVE)), Ok(vec![ended(EVE)]));
    assert!(!given(&[assigned(EVE, None), ended(EVE)]).holds(EVE, at(1)));
}

#[test]
fn what_is_over_by_time_gives_nothing_and_can_be_given_anew() {
    let state = given(&[assigned(EVE, Some(5))]);
    assert!(state.holds(EVE, at(4)) && !state.holds(EVE, at(5)));
    assert_eq!(when(&[assigned(EVE, Some(5))], 5, end(EVE)), Err(ExpertAssignmentsError::NotFound));
    assert_eq!(when(&[assigned(EVE, Some(5))], 5, assign(EVE, Some(9))), Ok(vec![assigned(EVE, Some(9))]));
    assert!(given(&[assigned(EVE, Some(5)), assigned(EVE, Some(9))]).holds(EVE, at(8)));
    for over in [0, 5] {
        assert_eq!(when(&[], 5, assign(EVE, Some(over))), Err(ExpertAssignmentsError::Over));
    }
}

#[test]
fn nobody_is_their_own_expert() {
    assert_eq!(when(&[], 0, assign(ANN, None)), Err(ExpertAssignmentsError::OwnExpert));
    assert_eq!(
        (ExpertAssignmentsError::OwnExpert.code(), ExpertAssignmentsError::OwnExpert.field()),
        (Code::ValidationError, Some("expert_id"))
    );
}

/// Whoever may assign experts may give the role Expert too, and would open everyone's records to themselves.
#[test]
fn nobody_assigns_themselves() {
    assert_eq!(when(&[], 0, assign(ADMIN, None)), Err(ExpertAssignmentsError::AssignsOneself));
    assert_eq!(ExpertAssignmentsError::AssignsOneself.code(), Code::AccessDenied);
}

#[test]
fn nobody_is_assigned_twice_at_once() {
    for until in [None, Some(5)] {
        assert_eq!(when(&[assigned(EVE, until)], 4, assign(EVE, None)), Err(ExpertAssignmentsError::AlreadyAssigned));
    }
    assert_eq!(when(&[assigned(EVE, None), ended(EVE)], 4, assign(EVE, None)), Ok(vec![assigned(EVE, None)]));
}

#[test]
fn a_person_has_so_many_experts_and_those_whose_time_is_over_do_not_count() {
    let experts = |until| (0..EXPERTS_MAX).map(|n| assigned(UserId(Uuid::from_u128(100 + n as u128)), until)).collect::<Vec<_>>();
    assert_eq!(when(&experts(None), 0, assign(EVE, None)), Err(ExpertAssignmentsError::TooManyExperts));
    assert!(when(&experts(None)[1..], 0, assign(EVE, None)).is_ok());
    assert!(when(&experts(Some(5)), 5, assign(EVE, None)).is_ok());
}

#[test]
fn what_is_not_there_is_not_ended() {
    for events in [&[][..], &[assigned(EVE, None), ended(EVE)]] {
        assert_eq!(when(events, 0, end(EVE)), Err(ExpertAssignmentsError::NotFound));
    }
    assert_eq!(ExpertAssignmentsError::NotFound.code(), Code::ResourceNotFound);
}
