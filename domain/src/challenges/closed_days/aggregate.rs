//! The rules of closed days.

use super::{CloseDays, ClosedDaysCommand, ClosedDaysError, ClosedDaysEvent, DaysClosed};
use crate::{
    challenges::Metric,
    kernel::{Aggregate, Facts, MonthId, OrganizationId, derive_uuid},
};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// So many people at least are behind a figure.
pub const SUBJECTS_MIN: usize = 5;

/// What an organization's people did together on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedDay {
    pub day: NaiveDate,
    pub metric: Metric,
    /// How many took part.
    pub participants: i64,
    /// In the unit of the metric.
    pub total: i64,
}

/// Which days of a month are closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClosedDays(BTreeSet<(NaiveDate, Metric)>);

impl MonthId {
    /// The month of a day.
    pub fn of(organization: OrganizationId, day: NaiveDate) -> Self {
        let (year, month) = (day.year().to_be_bytes(), day.month().to_be_bytes());
        MonthId(derive_uuid("closed-days", &[organization.0.as_bytes(), &year, &month]))
    }
}

impl ClosedDays {
    /// A day is closed once: what comes later may lack somebody who was in it.
    fn close(&self, command: &CloseDays) -> Result<Vec<ClosedDaysEvent>, ClosedDaysError> {
        let of_month = |day: NaiveDate| MonthId::of(command.organization_id, day) == command.month_id;
        if command.days.iter().any(|closed| !of_month(closed.day)) {
            return Err(ClosedDaysError::OutsideOfMonth);
        }
        if !command.days.iter().all(|closed| usize::try_from(closed.participants).is_ok_and(|people| people >= SUBJECTS_MIN)) {
            return Err(ClosedDaysError::TooFewParticipants);
        }
        let mut known = self.0.clone();
        let days: Vec<ClosedDay> = command.days.iter().filter(|closed| known.insert((closed.day, closed.metric))).copied().collect();
        let CloseDays { organization_id, month_id, .. } = *command;
        Ok((!days.is_empty()).then(|| DaysClosed { organization_id, month_id, days }.into()).into_iter().collect())
    }
}

impl Aggregate for ClosedDays {
    const TYPE: &'static str = "closed_days";
    const SHAPE: u16 = 1;

    type Command = ClosedDaysCommand;
    type Event = ClosedDaysEvent;
    type Error = ClosedDaysError;

    fn decide(&self, command: &ClosedDaysCommand, _facts: &Facts) -> Result<Vec<ClosedDaysEvent>, ClosedDaysError> {
        let ClosedDaysCommand::Close(command) = command;
        self.close(command)
    }

    fn evolve(&mut self, event: &ClosedDaysEvent) {
        let ClosedDaysEvent::DaysClosed(closed) = event;
        self.0.extend(closed.days.iter().map(|closed| (closed.day, closed.metric)));
    }
}
