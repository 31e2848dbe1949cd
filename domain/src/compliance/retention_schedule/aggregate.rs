//! The rules of a retention schedule.

use super::{RecordClass, RetentionCommand, RetentionError, RetentionEvent, RetentionPeriodSet, SetRetentionPeriod};
use crate::{
    compliance::deletion_request::{DeletionSubject, Retained},
    kernel::{Aggregate, Facts, Purpose},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an organization set itself; the platform's defaults stand for the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RetentionSchedule(BTreeMap<RecordClass, u32>);

impl RetentionSchedule {
    pub fn days(&self, class: RecordClass) -> u32 {
        self.0.get(&class).copied().unwrap_or_else(|| class.default_days())
    }

    /// The schedule as it would be with another period.
    ///
    /// # Errors
    /// Where the period is out of range.
    pub fn with(&self, set: SetRetentionPeriod) -> Result<Self, RetentionError> {
        let (least, most) = set.class.bounds();
        if !(least..=most).contains(&set.days) {
            return Err(RetentionError::PeriodOutOfRange(set.class));
        }
        let mut changed = self.clone();
        changed.0.insert(set.class, set.days);
        Ok(changed)
    }

    /// Until when something is kept that counts from `since`.
    pub fn until(&self, class: RecordClass, since: DateTime<Utc>) -> DateTime<Utc> {
        since + TimeDelta::days(self.days(class).into())
    }

    /// Until when what is kept of people for `purposes` may stay, of a subject that was there until `ended_at`. Of an
    /// organization, what was written about cases stays as long as its class, and as long as anything that a case may
    /// be about.
    pub fn dates_of(&self, subject: DeletionSubject, purposes: &[Purpose], ended_at: DateTime<Utc>) -> Vec<Retained> {
        let until = |purpose| self.until(RecordClass::of(purpose), ended_at);
        let mut dates: Vec<_> = purposes.iter().map(|purpose| Retained { purpose: *purpose, until: until(*purpose) }).collect();
        if subject.user().is_none() {
            let until = dates.iter().map(|kept| kept.until).fold(until(Purpose::Case), DateTime::max);
            dates.push(Retained { purpose: Purpose::Case, until });
        }
        dates
    }
}

impl Aggregate for RetentionSchedule {
    const TYPE: &'static str = "retention_schedule";
    const SHAPE: u16 = 1;

    type Command = RetentionCommand;
    type Event = RetentionEvent;
    type Error = RetentionError;

    fn decide(&self, command: &RetentionCommand, facts: &Facts) -> Result<Vec<RetentionEvent>, RetentionError> {
        let RetentionCommand::Set(set) = *command;
        self.with(set)?;
        let SetRetentionPeriod { class, days } = set;
        let changes = self.days(class) != days;
        Ok(changes.then(|| RetentionPeriodSet { class, days, set_by: facts.actor }.into()).into_iter().collect())
    }

    fn evolve(&mut self, event: &RetentionEvent) {
        let RetentionEvent::RetentionPeriodSet(set) = event;
        self.0.insert(set.class, set.days);
    }
}
