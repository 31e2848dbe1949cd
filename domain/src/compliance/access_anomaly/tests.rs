//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::kernel::{Aggregate, AnomalyId, Code, Facts, Refusal, UserId};
use chrono::DateTime;
use uuid::Uuid;

const ANOMALY: AnomalyId = AnomalyId(Uuid::from_u128(1));
const ANN: UserId = UserId(Uuid::from_u128(2));
const BOB: UserId = UserId(Uuid::from_u128(3));

fn when(given: &[AccessAnomalyEvent], actor: UserId) -> Result<Vec<AccessAnomalyEvent>, AccessAnomalyError> {
    let mut state = AccessAnomaly::default();
    given.iter().for_each(|event| state.evolve(event));
    let command = AcknowledgeAnomaly { anomaly_id: ANOMALY, about: BOB, verdict: AnomalyVerdict::Handled };
    state.decide(&AccessAnomalyCommand::Acknowledge(command), &Facts { now: DateTime::UNIX_EPOCH, actor })
}

fn acknowledged() -> AccessAnomalyEvent {
    AnomalyAcknowledged { anomaly_id: ANOMALY, about: BOB, verdict: AnomalyVerdict::Handled, acknowledged_by: ANN }.into()
}

#[test]
fn somebody_else_looks_at_it_once() {
    assert_eq!(when(&[], ANN), Ok(vec![acknowledged()]));
    assert_eq!(when(&[acknowledged()], ANN), Err(AccessAnomalyError::AlreadyAcknowledged));
}

#[test]
fn nobody_judges_themselves_and_trying_is_remembered() {
    let refused = when(&[], BOB).unwrap_err();
    assert_eq!((refused, refused.code(), refused.is_attempt()), (AccessAnomalyError::OwnAnomaly, Code::AccessDenied, true));
    assert_eq!(when(&[acknowledged()], BOB), Err(AccessAnomalyError::OwnAnomaly));
}
