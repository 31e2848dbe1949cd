//! Activities: batches of normalised records, and the days whose totals stay.

#[cfg(test)]
mod tests;

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::user_stream;
use chrono::NaiveDate;
use palmares_domain::{
    challenges::activity_log::{
        ActivityItem, ActivityLog, ActivityLogCommand, ActivityLogError, BATCH_MAX_ITEMS, ItemOutcome, RecordActivities as RecordOfOne,
        Report,
    },
    challenges::closed_days::{self, ClosedDay, ClosedDays, ClosedDaysCommand},
    identity::user::User,
    kernel::{Admission, MonthId, Refusal, UserId},
};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

crate::capabilities! {
    RecordActivities => permit "challenges.activity.record", throttle Bulk, owner |batch| batch.only_user();
}

/// Records activities, up to 1,000 in one batch. Each item is answered for itself; items that
/// repeat what is known change nothing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordActivities {
    #[serde(deserialize_with = "batch")]
    #[schema(min_items = 1, max_items = 1000)]
    pub items: Vec<Item>,
}

/// One record of one source. What it measures stays text until the item is answered, so that a
/// wrong value refuses the item and not its batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ActivityRecord)]
pub struct Item {
    /// Such as `fitbit`.
    pub source: String,
    /// The source's own id of the record: the same id again is the same record, corrected where it
    /// says something else.
    pub source_record_id: String,
    pub user_id: UserId,
    /// Required, as everything below, unless the record is retracted.
    #[schema(example = "steps")]
    pub metric: Option<String>,
    pub value: Option<i64>,
    /// The day on the person's own calendar.
    #[schema(format = Date)]
    pub local_day: Option<String>,
    /// The person's time zone then, by its IANA name.
    #[schema(example = "Europe/Paris")]
    pub time_zone: Option<String>,
    /// The source takes the record back; what else the item says does not matter then.
    #[serde(default)]
    pub retract: bool,
}

/// A batch of a wrong size is malformed: refused before anything of it is looked at.
fn batch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Item>, D::Error> {
    let items = Vec::<Item>::deserialize(deserializer)?;
    if (1..=BATCH_MAX_ITEMS).contains(&items.len()) { Ok(items) } else { Err(D::Error::custom(ActivityLogError::BatchSize.reason())) }
}

impl Item {
    /// What the log is told, or the field to blame and why.
    fn report(&self) -> Result<ActivityItem, (&'static str, &'static str)> {
        fn required<'a, T>(value: &'a Option<T>, field: &'static str) -> Result<&'a T, (&'static str, &'static str)> {
            value.as_ref().ok_or((field, "required"))
        }
        let report = if self.retract {
            Report::Retracted
        } else {
            Report::Measured {
                metric: required(&self.metric, "metric")?.clone(),
                value: *required(&self.value, "value")?,
                local_day: required(&self.local_day, "local_day")?.parse::<NaiveDate>().map_err(|_| ("local_day", "time"))?,
                time_zone: required(&self.time_zone, "time_zone")?.clone(),
            }
        };
        Ok(ActivityItem { source: self.source.clone(), source_record_id: self.source_record_id.clone(), report })
    }
}

impl RecordActivities {
    fn users(&self) -> BTreeSet<UserId> {
        self.items.iter().map(|item| item.user_id).collect()
    }

    /// The one person that the batch is about, where there is one: people may send their own.
    fn only_user(&self) -> Option<UserId> {
        let users = self.users();
        users.first().copied().filter(|_| users.len() == 1)
    }
}

impl Operation for RecordActivities {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        self.users().into_iter().map(|user| StreamRef::of::<ActivityLog>(admission.organization, user)).collect()
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        self.users().into_iter().map(|user| user_stream(admission, user)).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let mut tally = Tally::new(self.items.len());
        let mut by_user: BTreeMap<UserId, (Vec<usize>, Vec<ActivityItem>)> = BTreeMap::new();
        for (index, item) in self.items.iter().enumerate() {
            match item.report() {
                Ok(report) => {
                    let (places, reports) = by_user.entry(item.user_id).or_default();
                    places.push(index);
                    reports.push(report);
                }
                Err((field, reason)) => tally.refuse(index, reason, Some(field)),
            }
        }
        for (user_id, (places, items)) in by_user {
            if !unit.state::<User>(user_id)?.is_active() {
                places.into_iter().for_each(|index| tally.refuse(index, "challenges.user_unknown", Some("user_id")));
                continue;
            }
            let facts = *unit.facts();
            let outcomes = unit.state::<ActivityLog>(user_id)?.classify(&items, &facts);
            let changes = outcomes.iter().any(|outcome| matches!(outcome, ItemOutcome::Accepted { .. }));
            places.into_iter().zip(outcomes).for_each(|(index, outcome)| tally.take(index, outcome));
            if changes {
                unit.run::<ActivityLog>(user_id, &ActivityLogCommand::Record(RecordOfOne { user_id, items }))?;
            }
        }
        Ok(tally.answer())
    }
}

/// Closes days of one month, before somebody who took part in them is forgotten.
pub struct CloseDays {
    pub month_id: MonthId,
    pub days: Vec<ClosedDay>,
}

impl Operation for CloseDays {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![StreamRef::of::<ClosedDays>(admission.organization, self.month_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let (organization_id, month_id) = (unit.organization(), self.month_id);
        let close = closed_days::CloseDays { organization_id, month_id, days: self.days.clone() };
        unit.run::<ClosedDays>(month_id, &ClosedDaysCommand::Close(close))?;
        Ok(Answer::new("id", month_id, "CLOSED"))
    }
}

/// The answers to the items, each at the place of its item.
struct Tally {
    items: Vec<Value>,
    accepted: u32,
    duplicates: u32,
    refused: u32,
}

impl Tally {
    fn new(count: usize) -> Self {
        Self { items: vec![Value::Null; count], accepted: 0, duplicates: 0, refused: 0 }
    }

    fn refuse(&mut self, index: usize, reason: &str, field: Option<&str>) {
        self.refused += 1;
        let mut answer = json!({ "index": index, "status": "refused", "reason": reason });
        if let Some(field) = field {
            answer["field"] = field.into();
        }
        self.items[index] = answer;
    }

    fn take(&mut self, index: usize, outcome: ItemOutcome) {
        match outcome {
            ItemOutcome::Refused(refusal) => self.refuse(index, refusal.reason(), refusal.field()),
            ItemOutcome::Duplicate => {
                self.duplicates += 1;
                self.items[index] = json!({ "index": index, "status": "duplicate" });
            }
            ItemOutcome::Accepted { corrected, retracted } => {
                self.accepted += 1;
                let mut answer = json!({ "index": index, "status": "accepted" });
                for (name, is_so) in [("corrected", corrected), ("retracted", retracted)] {
                    if is_so {
                        answer[name] = true.into();
                    }
                }
                self.items[index] = answer;
            }
        }
    }

    fn answer(self) -> Answer {
        Answer::default()
            .with("status", "recorded")
            .with("items", self.items)
            .with("accepted", self.accepted)
            .with("duplicates", self.duplicates)
            .with("refused", self.refused)
    }
}
