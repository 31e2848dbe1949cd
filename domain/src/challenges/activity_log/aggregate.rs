//! The rules of an activity log.

use super::{
    ActivitiesRecorded, ActivityItem, ActivityLogCommand, ActivityLogError, ActivityLogEvent, DayTotal, ItemOutcome, ItemRefusal, Measure,
    RecordActivities, RecordChange, RecordedBatch, RecordedItem, Report,
};
use crate::{
    challenges::Metric,
    kernel::{Aggregate, Facts, Personal, Purpose},
};
use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most items that one batch may have.
pub const BATCH_MAX_ITEMS: usize = 1_000;
const SOURCE_MAX_CHARS: usize = 64;
const SOURCE_RECORD_ID_MAX_CHARS: usize = 128;
/// An earlier date is a source's way to say that it has none.
const FIRST_YEAR: i32 = 2000;
/// A day may be this far ahead: devices disagree with us on the zone their owner is in.
const DAYS_AHEAD_MAX: Days = Days::new(1);

/// What one person's sources reported.
///
/// It holds health data in clear, so its snapshot is sealed. A batch that cannot be opened any
/// more was erased: the log forgets everything with it and takes no more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ActivityLog {
    Open(Records),
    Closed,
}

/// The records of an open log.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// By source, then by its record id; `None` once retracted, so that a second retraction is
    /// known as a duplicate.
    by_source: BTreeMap<String, BTreeMap<String, Option<Measure>>>,
    day_totals: BTreeMap<Metric, BTreeMap<NaiveDate, i64>>,
}

impl Default for ActivityLog {
    fn default() -> Self {
        Self::Open(Records::default())
    }
}

impl ActivityLog {
    /// The sum of a metric over the records of one day; 0 of a closed log.
    pub fn day_total(&self, metric: Metric, day: NaiveDate) -> i64 {
        match self {
            Self::Open(records) => records.day_total(metric, day),
            Self::Closed => 0,
        }
    }

    /// Every record that stands, as (source, source record id, measure); none of a closed log.
    pub fn records(&self) -> impl Iterator<Item = (&str, &str, &Measure)> {
        let records = match self {
            Self::Open(records) => Some(records),
            Self::Closed => None,
        };
        records.into_iter().flat_map(|records| &records.by_source).flat_map(|(source, records)| {
            records.iter().filter_map(move |(id, measure)| Some((source.as_str(), id.as_str(), measure.as_ref()?)))
        })
    }

    /// Whether its data was erased.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// The answer to each item, in order: a function of the state, the items and the time, so that
    /// the write side can ask for it beside the decision.
    pub fn classify(&self, items: &[ActivityItem], facts: &Facts) -> Vec<ItemOutcome> {
        match self {
            Self::Open(records) => Intake::of(records, items, facts.now).0,
            Self::Closed => vec![ItemOutcome::Refused(ItemRefusal::LogClosed); items.len()],
        }
    }

    fn record(&self, command: &RecordActivities, facts: &Facts) -> Result<Vec<ActivityLogEvent>, ActivityLogError> {
        let Self::Open(records) = self else {
            return Err(ActivityLogError::Closed);
        };
        if !(1..=BATCH_MAX_ITEMS).contains(&command.items.len()) {
            return Err(ActivityLogError::BatchSize);
        }
        let (_, batch) = Intake::of(records, &command.items, facts.now);
        if batch.records.is_empty() {
            return Ok(Vec::new());
        }
        // A batch is bounded, so the casts are exact.
        let count = |of: fn(&RecordChange) -> bool| batch.records.iter().filter(|item| of(&item.change)).count() as u32;
        Ok(vec![
            ActivitiesRecorded {
                user_id: command.user_id,
                accepted: count(|_| true),
                corrected: count(|change| matches!(change, RecordChange::Corrected { .. })),
                retracted: count(|change| matches!(change, RecordChange::Retracted { .. })),
                records: Personal::Clear(batch),
            }
            .into(),
        ])
    }
}

impl Records {
    fn day_total(&self, metric: Metric, day: NaiveDate) -> i64 {
        self.day_totals.get(&metric).and_then(|days| days.get(&day)).copied().unwrap_or(0)
    }

    /// What is known of a record: nothing, its retraction, or its measure.
    fn known(&self, source: &str, source_record_id: &str) -> Option<Option<&Measure>> {
        self.by_source.get(source)?.get(source_record_id).map(Option::as_ref)
    }

    fn apply(&mut self, batch: &RecordedBatch) {
        for item in &batch.records {
            let of_source = self.by_source.entry(item.source.clone()).or_default();
            of_source.insert(item.source_record_id.clone(), item.change.measure().cloned());
        }
        for total in &batch.day_totals {
            self.day_totals.entry(total.metric).or_default().insert(total.day, total.total);
        }
    }
}

impl Aggregate for ActivityLog {
    const TYPE: &'static str = "activity_log";
    const SHAPE: u16 = 1;
    const DECIDES_ON_PERSONAL_DATA: Option<Purpose> = Some(Purpose::Health);

    type Command = ActivityLogCommand;
    type Event = ActivityLogEvent;
    type Error = ActivityLogError;

    fn decide(&self, command: &ActivityLogCommand, facts: &Facts) -> Result<Vec<ActivityLogEvent>, ActivityLogError> {
        match command {
            ActivityLogCommand::Record(command) => self.record(command, facts),
        }
    }

    fn evolve(&mut self, event: &ActivityLogEvent) {
        let ActivityLogEvent::ActivitiesRecorded(recorded) = event;
        match (&mut *self, recorded.records.clear()) {
            (Self::Open(records), Some(batch)) => records.apply(batch),
            (Self::Open(_), None) => *self = Self::Closed,
            (Self::Closed, _) => {}
        }
    }
}

/// A batch being taken in: the records as its earlier items leave them, over those of the log.
struct Intake<'a> {
    records: &'a Records,
    changed: BTreeMap<(&'a str, &'a str), Option<Measure>>,
    items: Vec<RecordedItem>,
    /// By metric and day: the total before the batch and now.
    totals: BTreeMap<(Metric, NaiveDate), (i64, i64)>,
}

impl<'a> Intake<'a> {
    fn of(records: &'a Records, items: &'a [ActivityItem], now: DateTime<Utc>) -> (Vec<ItemOutcome>, RecordedBatch) {
        let mut intake = Self { records, changed: BTreeMap::new(), items: Vec::new(), totals: BTreeMap::new() };
        let outcomes = items.iter().map(|item| intake.take(item, now).unwrap_or_else(ItemOutcome::Refused)).collect();
        let day_totals = intake.totals.into_iter();
        let day_totals = day_totals.map(|((metric, day), (total_before, total))| DayTotal { metric, day, total_before, total }).collect();
        (outcomes, RecordedBatch { records: intake.items, day_totals })
    }

    fn take(&mut self, item: &'a ActivityItem, now: DateTime<Utc>) -> Result<ItemOutcome, ItemRefusal> {
        check_ids(item)?;
        let reported = measure(&item.report, now)?;
        let key = (item.source.as_str(), item.source_record_id.as_str());
        let known = match self.changed.get(&key) {
            Some(changed) => Some(changed.as_ref()),
            None => self.records.known(key.0, key.1),
        };
        let change = match (known, reported) {
            (None, None) => return Err(ItemRefusal::RecordUnknown),
            (Some(None), None) => return Ok(ItemOutcome::Duplicate),
            (Some(Some(previous)), Some(measure)) if *previous == measure => return Ok(ItemOutcome::Duplicate),
            (Some(Some(previous)), Some(measure)) => RecordChange::Corrected { measure, previous: previous.clone() },
            (Some(Some(previous)), None) => RecordChange::Retracted { previous: previous.clone() },
            (None | Some(None), Some(measure)) => RecordChange::Ingested { measure },
        };
        if let Some(previous) = change.previous() {
            self.add(previous, -previous.value);
        }
        if let Some(measure) = change.measure() {
            self.add(measure, measure.value);
        }
        self.changed.insert(key, change.measure().cloned());
        let outcome = ItemOutcome::Accepted {
            corrected: matches!(change, RecordChange::Corrected { .. }),
            retracted: matches!(change, RecordChange::Retracted { .. }),
        };
        self.items.push(RecordedItem { source: item.source.clone(), source_record_id: item.source_record_id.clone(), change });
        Ok(outcome)
    }

    fn add(&mut self, measure: &Measure, difference: i64) {
        let of_log = self.records.day_total(measure.metric, measure.local_day);
        let (_, total) = self.totals.entry((measure.metric, measure.local_day)).or_insert((of_log, of_log));
        *total += difference;
    }
}

fn check_ids(item: &ActivityItem) -> Result<(), ItemRefusal> {
    let source_fits = (1..=SOURCE_MAX_CHARS).contains(&item.source.len())
        && item.source.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte));
    if !source_fits {
        return Err(ItemRefusal::SourceInvalid);
    }
    let id_fits = (1..=SOURCE_RECORD_ID_MAX_CHARS).contains(&item.source_record_id.len())
        && item.source_record_id.bytes().all(|byte| byte.is_ascii_graphic());
    if !id_fits {
        return Err(ItemRefusal::SourceRecordIdInvalid);
    }
    Ok(())
}

/// What the report says, checked; nothing where it takes the record back.
fn measure(report: &Report, now: DateTime<Utc>) -> Result<Option<Measure>, ItemRefusal> {
    let Report::Measured { metric, value, local_day, time_zone } = report else {
        return Ok(None);
    };
    let metric = Metric::parse(metric).ok_or(ItemRefusal::MetricUnknown)?;
    if !(0..=metric.record_max()).contains(value) {
        return Err(ItemRefusal::ValueOutOfBounds);
    }
    let zone: Tz = time_zone.parse().map_err(|_| ItemRefusal::TimeZoneUnknown)?;
    if local_day.year() < FIRST_YEAR {
        return Err(ItemRefusal::DayTooEarly);
    }
    let today = now.with_timezone(&zone).date_naive();
    if today.checked_add_days(DAYS_AHEAD_MAX).is_none_or(|last| *local_day > last) {
        return Err(ItemRefusal::DayInFuture);
    }
    Ok(Some(Measure { metric, value: *value, local_day: *local_day, time_zone: time_zone.clone() }))
}
