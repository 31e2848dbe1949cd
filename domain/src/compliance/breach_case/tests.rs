//! Given events, when a command comes, then events or a refusal.

use super::{status::TRANSITIONS, *};
use crate::kernel::{Aggregate, BreachId, Code, Facts, Refusal, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const ID: BreachId = BreachId(Uuid::from_u128(1));
const OFFICER: UserId = UserId(Uuid::from_u128(2));

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
}

fn given(events: &[BreachCaseEvent]) -> BreachCase {
    events.iter().fold(BreachCase::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[BreachCaseEvent], hours: i64, command: BreachCaseCommand) -> Result<Vec<BreachCaseEvent>, BreachCaseError> {
    given(events).decide(&command, &Facts { now: at(hours), actor: OFFICER })
}

fn open() -> BreachCaseCommand {
    let summary = "A backup lay open.".to_owned();
    BreachCaseCommand::Open(OpenBreach { breach_id: ID, nature: BreachNature::Confidentiality, summary, aware_at: at(0) })
}

fn assess(risk: BreachRisk) -> BreachCaseCommand {
    BreachCaseCommand::Assess { risk, subjects: 12 }
}

fn notify(delay_reason: Option<&str>) -> BreachCaseCommand {
    BreachCaseCommand::NotifyAuthority { reference: None, delay_reason: delay_reason.map(str::to_owned) }
}

fn waive() -> BreachCaseCommand {
    BreachCaseCommand::Waive { reason: "It was encrypted.".into() }
}

fn opened() -> BreachCaseEvent {
    let (nature, summary) = (BreachNature::Confidentiality, "A backup lay open.".to_owned());
    BreachOpened { breach_id: ID, nature, summary, aware_at: at(0), due_at: at(NOTIFY_WITHIN_HOURS), opened_by: OFFICER }.into()
}

fn assessed(risk: BreachRisk) -> BreachCaseEvent {
    BreachAssessed { breach_id: ID, risk, subjects: 12, assessed_by: OFFICER }.into()
}

fn notified() -> BreachCaseEvent {
    AuthorityNotified { breach_id: ID, reference: None, delay_reason: None, notified_by: OFFICER }.into()
}

fn waived() -> BreachCaseEvent {
    NotificationWaived { breach_id: ID, reason: "It was encrypted.".into(), waived_by: OFFICER }.into()
}

fn informed() -> BreachCaseEvent {
    SubjectsInformed { breach_id: ID, informed_by: OFFICER }.into()
}

fn closed() -> BreachCaseEvent {
    BreachClosed { breach_id: ID, closed_by: OFFICER }.into()
}

fn overdue() -> BreachCaseEvent {
    BreachOverdue { breach_id: ID, due_at: at(NOTIFY_WITHIN_HOURS) }.into()
}

fn history(status: BreachStatus) -> Vec<BreachCaseEvent> {
    match status {
        BreachStatus::Opened => vec![opened()],
        BreachStatus::Assessed => vec![opened(), assessed(BreachRisk::Unlikely)],
        BreachStatus::Notified => vec![opened(), notified()],
        BreachStatus::NotRequired => vec![opened(), assessed(BreachRisk::Unlikely), waived()],
        BreachStatus::Closed => vec![opened(), notified(), closed()],
    }
}

/// A row is where it stands, a column where it would go, in the order of `BreachStatus::ALL`: opened,
/// assessed, notified, not required, closed.
const MATRIX: [(BreachStatus, &str); 5] = [
    (BreachStatus::Opened, ".AA.."),
    (BreachStatus::Assessed, ".AAA."),
    (BreachStatus::Notified, "....A"),
    (BreachStatus::NotRequired, ".A..A"),
    (BreachStatus::Closed, "....."),
];

#[test]
fn all_25_cells_of_the_life_cycle_are_as_written() {
    let moves = [
        (open(), BreachStatus::Opened),
        (assess(BreachRisk::Unlikely), BreachStatus::Assessed),
        (notify(None), BreachStatus::Notified),
        (waive(), BreachStatus::NotRequired),
        (BreachCaseCommand::Close, BreachStatus::Closed),
    ];
    for (from, row) in MATRIX {
        for ((command, to), cell) in moves.iter().zip(row.chars()) {
            let decided = when(&history(from), 1, command.clone()).unwrap_or_default();
            let reached = decided.last().and_then(BreachCaseEvent::status) == Some(*to);
            assert_eq!(reached, cell == 'A', "{from:?} to {to:?}");
            let after = given(&[history(from), decided].concat());
            assert!(!reached || after.breach().map(|breach| breach.status) == Some(*to), "{from:?} to {to:?}");
            let declared = TRANSITIONS.iter().any(|way| way.leads_from(from) && way.to == *to);
            assert_eq!(declared, cell == 'A', "{from:?} to {to:?} in the table");
        }
    }
    let forbidden = BreachCaseError::TransitionForbidden { from: BreachStatus::Closed, to: BreachStatus::Notified };
    assert_eq!(when(&history(BreachStatus::Closed), 1, notify(None)), Err(forbidden));
    assert!(forbidden.is_attempt() && forbidden.code() == Code::ValidationError);
    assert_eq!(when(&[], 1, notify(None)), Err(BreachCaseError::NotFound));
    assert_eq!(when(&[opened()], 1, open()), Err(BreachCaseError::AlreadyExists));
}

#[test]
fn the_clock_runs_72_hours_from_awareness_and_is_marked_once() {
    assert_eq!(when(&[], 5, open()), Ok(vec![opened()]));
    assert_eq!(when(&[], -1, open()), Err(BreachCaseError::AwareInFuture));
    assert_eq!(when(&[opened()], NOTIFY_WITHIN_HOURS - 1, BreachCaseCommand::MarkOverdue), Ok(vec![]));
    assert_eq!(when(&[opened()], NOTIFY_WITHIN_HOURS, BreachCaseCommand::MarkOverdue), Ok(vec![overdue()]));
    assert_eq!(when(&[opened(), overdue()], 100, BreachCaseCommand::MarkOverdue), Ok(vec![]));
    for status in [BreachStatus::Notified, BreachStatus::NotRequired, BreachStatus::Closed] {
        assert_eq!(when(&history(status), 100, BreachCaseCommand::MarkOverdue), Ok(vec![]), "{status:?}");
    }
    // Whoever is late says why, and it is on record that they were.
    assert_eq!(when(&[opened()], 73, notify(None)), Err(BreachCaseError::DelayReasonMissing));
    let late = AuthorityNotified { breach_id: ID, reference: None, delay_reason: Some("A holiday.".into()), notified_by: OFFICER };
    assert_eq!(when(&[opened()], 73, notify(Some("A holiday."))), Ok(vec![overdue(), late.into()]));
    assert_eq!(when(&[opened()], 1, notify(Some(" "))), Err(BreachCaseError::TextInvalid("delay_reason")));
}

#[test]
fn the_authority_is_told_where_harm_is_likely() {
    for risk in [BreachRisk::Likely, BreachRisk::High] {
        assert_eq!(when(&[opened(), assessed(risk)], 1, waive()), Err(BreachCaseError::HarmLikely));
    }
    let silent = BreachCaseCommand::Waive { reason: " ".into() };
    assert_eq!(when(&history(BreachStatus::Assessed), 1, silent), Err(BreachCaseError::TextInvalid("reason")));
}

#[test]
fn those_whom_a_high_risk_concerns_are_told_before_it_is_closed() {
    let high = [opened(), assessed(BreachRisk::High), notified()];
    assert_eq!(when(&high, 1, BreachCaseCommand::Close), Err(BreachCaseError::SubjectsNotInformed));
    assert_eq!(when(&high, 1, BreachCaseCommand::InformSubjects), Ok(vec![informed()]));
    let told = [high.to_vec(), vec![informed()]].concat();
    assert_eq!(when(&told, 1, BreachCaseCommand::InformSubjects), Err(BreachCaseError::AlreadyInformed));
    assert_eq!(when(&told, 1, BreachCaseCommand::Close), Ok(vec![closed()]));
    let over = when(&history(BreachStatus::Closed), 1, BreachCaseCommand::InformSubjects);
    assert!(matches!(over, Err(BreachCaseError::TransitionForbidden { .. })), "{over:?}");
}
