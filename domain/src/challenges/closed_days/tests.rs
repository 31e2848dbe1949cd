//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::{
    challenges::Metric,
    kernel::{Aggregate, Facts, MonthId, OrganizationId, UserId},
};
use chrono::{DateTime, NaiveDate};
use uuid::Uuid;

const ORGANIZATION: OrganizationId = OrganizationId(Uuid::from_u128(7));

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn closed(on: &str, participants: i64, total: i64) -> ClosedDay {
    ClosedDay { day: day(on), metric: Metric::Steps, participants, total }
}

fn given(events: &[ClosedDaysEvent]) -> ClosedDays {
    events.iter().fold(ClosedDays::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn close(state: &ClosedDays, days: &[ClosedDay]) -> Result<Vec<ClosedDaysEvent>, ClosedDaysError> {
    let command = CloseDays { organization_id: ORGANIZATION, month_id: january(), days: days.to_vec() };
    state.decide(&ClosedDaysCommand::Close(command), &Facts { now: DateTime::UNIX_EPOCH, actor: UserId(Uuid::nil()) })
}

fn january() -> MonthId {
    MonthId::of(ORGANIZATION, day("2026-01-01"))
}

fn were_closed(days: &[ClosedDay]) -> ClosedDaysEvent {
    DaysClosed { organization_id: ORGANIZATION, month_id: january(), days: days.to_vec() }.into()
}

// covers: E-164, E-173
#[test]
fn days_on_which_enough_took_part_are_closed() {
    let days = [closed("2026-01-05", 5, 500), closed("2026-01-31", 9, 90)];
    assert_eq!(close(&given(&[]), &days), Ok(vec![were_closed(&days)]));
    let minutes = ClosedDay { metric: Metric::ActiveMinutes, ..days[0] };
    assert_eq!(close(&given(&[were_closed(&days)]), &[minutes]), Ok(vec![were_closed(&[minutes])]));
}

#[test]
fn a_day_that_is_closed_stays_as_it_is() {
    let first = closed("2026-01-05", 6, 600);
    let state = given(&[were_closed(&[first])]);
    assert_eq!(close(&state, &[closed("2026-01-05", 5, 500)]), Ok(Vec::new()));
    let next = closed("2026-01-06", 5, 50);
    assert_eq!(close(&state, &[closed("2026-01-05", 5, 500), next, closed("2026-01-06", 7, 70)]), Ok(vec![were_closed(&[next])]));
    assert_eq!(close(&state, &[]), Ok(Vec::new()));
}

#[test]
fn a_day_of_fewer_than_five_is_refused() {
    for participants in [-1, 0, 1, 4] {
        let refused = close(&given(&[]), &[closed("2026-01-04", 5, 1), closed("2026-01-05", participants, 500)]);
        assert_eq!(refused, Err(ClosedDaysError::TooFewParticipants), "{participants}");
    }
}

#[test]
fn a_day_of_another_month_is_refused() {
    for other in ["2025-12-31", "2026-02-01", "2025-01-05"] {
        assert_eq!(close(&given(&[]), &[closed(other, 5, 500)]), Err(ClosedDaysError::OutsideOfMonth), "{other}");
    }
    assert_ne!(MonthId::of(OrganizationId(Uuid::from_u128(8)), day("2026-01-01")), january());
}
