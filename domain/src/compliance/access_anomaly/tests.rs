//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::kernel::{Aggregate, AnomalyId, Code, Facts, Refusal, UserId};
use chrono::DateTime;
use uuid::Uuid;

const ANOMALY: AnomalyId = AnomalyId(Uuid::from_u128(1));
const ANN: UserId = UserId(Uuid::from_u128(2));
const BOB: UserId = UserId(Uuid::from_u128(3));

fn decided(
    given: &[AccessAnomalyEvent],
    command: &AccessAnomalyCommand,
    actor: UserId,
) -> Result<Vec<AccessAnomalyEvent>, AccessAnomalyError> {
    let mut state = AccessAnomaly::default();
    given.iter().for_each(|event| state.evolve(event));
    state.decide(command, &Facts { now: DateTime::UNIX_EPOCH, actor })
}

fn when(given: &[AccessAnomalyEvent], actor: UserId) -> Result<Vec<AccessAnomalyEvent>, AccessAnomalyError> {
    let command = AcknowledgeAnomaly { anomaly_id: ANOMALY, about: BOB, verdict: AnomalyVerdict::Handled, note: None };
    decided(given, &AccessAnomalyCommand::Acknowledge(command), actor)
}

fn raised_after(given: &[AccessAnomalyEvent]) -> Vec<AccessAnomalyEvent> {
    let (rule, told) = (AnomalyRule::MassReads, [ANN].into());
    let raise = RaiseAnomaly { anomaly_id: ANOMALY, rule, about: BOB, sightings: 25, told };
    decided(given, &AccessAnomalyCommand::Raise(raise), UserId(Uuid::nil())).unwrap()
}

fn raised() -> AccessAnomalyEvent {
    AnomalyRaised { anomaly_id: ANOMALY, rule: AnomalyRule::MassReads, about: BOB, sightings: 25, told: vec![ANN] }.into()
}

fn acknowledged() -> AccessAnomalyEvent {
    AnomalyAcknowledged { anomaly_id: ANOMALY, about: BOB, verdict: AnomalyVerdict::Handled, acknowledged_by: ANN, note: None }.into()
}

#[test]
fn somebody_else_looks_at_it_once() {
    assert_eq!(when(&[], ANN), Ok(vec![acknowledged()]));
    assert_eq!(when(&[acknowledged()], ANN), Err(AccessAnomalyError::AlreadyAcknowledged));
}

// covers: E-87
#[test]
fn a_verdict_carries_a_note_that_is_a_text() {
    let noted = |note: &str| {
        let note = Some(note.to_owned());
        let command = AcknowledgeAnomaly { anomaly_id: ANOMALY, about: BOB, verdict: AnomalyVerdict::Expected, note };
        decided(&[], &AccessAnomalyCommand::Acknowledge(command), ANN)
    };
    let events = noted("A quarterly report.").unwrap();
    let [AccessAnomalyEvent::AnomalyAcknowledged(said)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(said.note.as_ref().and_then(|note| note.clear()), Some(&"A quarterly report.".to_owned()));
    for refused in ["", "  ", &"x".repeat(501)] {
        let error = noted(refused).unwrap_err();
        assert_eq!((error, error.field(), error.code()), (AccessAnomalyError::NoteInvalid, Some("note"), Code::ValidationError));
    }
}

#[test]
fn nobody_judges_themselves_and_trying_is_remembered() {
    let refused = when(&[], BOB).unwrap_err();
    assert_eq!((refused, refused.code(), refused.is_attempt()), (AccessAnomalyError::OwnAnomaly, Code::AccessDenied, true));
    assert_eq!(when(&[acknowledged()], BOB), Err(AccessAnomalyError::OwnAnomaly));
}

// covers: E-87
#[test]
fn people_are_told_once_and_not_of_what_somebody_looked_at() {
    assert_eq!(raised_after(&[]), [raised()]);
    assert_eq!(raised_after(&[raised()]), []);
    assert_eq!(raised_after(&[acknowledged()]), []);
    assert_eq!(when(&[raised()], ANN), Ok(vec![acknowledged()]));
}
