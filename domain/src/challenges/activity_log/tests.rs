//! Given batches, when another comes, then an answer per item and at most one event.

use super::*;
use crate::{
    challenges::Metric,
    kernel::{Aggregate, Code, Digest, Facts, Personal, Refusal, UserId},
};
use chrono::NaiveDate;
use proptest::prelude::*;
use uuid::Uuid;

const ALICE: UserId = UserId(Uuid::from_u128(2));
const ACCEPTED: ItemOutcome = ItemOutcome::Accepted { corrected: false, retracted: false };
const CORRECTED: ItemOutcome = ItemOutcome::Accepted { corrected: true, retracted: false };
const RETRACTED: ItemOutcome = ItemOutcome::Accepted { corrected: false, retracted: true };

fn facts() -> Facts {
    Facts { now: "2016-04-20T23:30:00Z".parse().unwrap(), actor: ALICE }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn item(id: &str, report: Report) -> ActivityItem {
    ActivityItem { source: "fitbit".into(), source_record_id: id.into(), report }
}

fn measured(id: &str, metric: &str, value: i64, local_day: &str) -> ActivityItem {
    item(id, Report::Measured { metric: metric.into(), value, local_day: day(local_day), time_zone: "Europe/Paris".into() })
}

fn steps(id: &str, value: i64) -> ActivityItem {
    measured(id, "steps", value, "2016-04-12")
}

fn retracted(id: &str) -> ActivityItem {
    item(id, Report::Retracted)
}

fn decide(log: &ActivityLog, items: &[ActivityItem]) -> Result<Vec<ActivityLogEvent>, ActivityLogError> {
    log.decide(&ActivityLogCommand::Record(RecordActivities { user_id: ALICE, items: items.to_vec() }), &facts())
}

/// Takes a batch in and answers what it recorded, if anything.
fn take(log: &mut ActivityLog, items: &[ActivityItem]) -> (Vec<ItemOutcome>, Option<ActivitiesRecorded>) {
    let outcomes = log.classify(items, &facts());
    let events = decide(log, items).unwrap();
    assert!(events.len() <= 1);
    events.iter().for_each(|event| log.evolve(event));
    (outcomes, events.into_iter().next().map(|ActivityLogEvent::ActivitiesRecorded(recorded)| recorded))
}

fn given(batches: &[&[ActivityItem]]) -> ActivityLog {
    batches.iter().fold(ActivityLog::default(), |mut log, batch| {
        take(&mut log, batch);
        log
    })
}

fn steps_of_day(log: &ActivityLog) -> i64 {
    log.day_total(Metric::Steps, day("2016-04-12"))
}

#[test]
fn new_records_add_up_to_the_day() {
    let mut log = ActivityLog::default();
    let (outcomes, recorded) = take(&mut log, &[steps("a", 100), steps("b", 50), measured("c", "steps", 7, "2016-04-13")]);
    assert_eq!(outcomes, [ACCEPTED; 3]);
    let recorded = recorded.unwrap();
    assert_eq!((recorded.user_id, recorded.accepted, recorded.corrected, recorded.retracted), (ALICE, 3, 0, 0));
    let totals: Vec<_> =
        recorded.records.clear().unwrap().day_totals.iter().map(|t| (t.day.to_string(), t.total_before, t.total)).collect();
    assert_eq!(totals, [("2016-04-12".to_owned(), 0, 150), ("2016-04-13".to_owned(), 0, 7)]);
    assert_eq!(steps_of_day(&log), 150);
    assert_eq!(log.records().count(), 3);
}

#[test]
fn the_same_content_again_is_a_duplicate_and_records_nothing() {
    let mut log = given(&[&[steps("a", 100)]]);
    let (outcomes, recorded) = take(&mut log, &[steps("a", 100)]);
    assert_eq!(outcomes, [ItemOutcome::Duplicate]);
    assert!(recorded.is_none());
    assert_eq!(steps_of_day(&log), 100);
}

#[test]
fn the_same_id_of_another_source_is_another_record() {
    let mut log = given(&[&[steps("a", 100)]]);
    let other = ActivityItem { source: "garmin".into(), ..steps("a", 100) };
    assert_eq!(take(&mut log, &[other]).0, [ACCEPTED]);
    assert_eq!(steps_of_day(&log), 200);
}

#[test]
fn other_content_under_the_same_id_is_a_correction_and_the_newest_wins() {
    let mut log = given(&[&[steps("a", 100), steps("b", 5)]]);
    let (outcomes, recorded) = take(&mut log, &[steps("a", 130)]);
    assert_eq!(outcomes, [CORRECTED]);
    let recorded = recorded.unwrap();
    assert_eq!((recorded.accepted, recorded.corrected, recorded.retracted), (1, 1, 0));
    let batch = recorded.records.clear().unwrap();
    assert_eq!(batch.records[0].change.previous().map(|previous| previous.value), Some(100));
    assert_eq!((batch.day_totals[0].total_before, batch.day_totals[0].total), (105, 135));
    assert_eq!(steps_of_day(&log), 135);
}

#[test]
fn a_correction_may_move_a_record_to_another_day_and_metric() {
    let mut log = given(&[&[steps("a", 100)]]);
    let (_, recorded) = take(&mut log, &[measured("a", "floors", 3, "2016-04-13")]);
    assert_eq!(recorded.unwrap().records.clear().unwrap().day_totals.len(), 2);
    assert_eq!((steps_of_day(&log), log.day_total(Metric::Floors, day("2016-04-13"))), (0, 3));
}

#[test]
fn a_retraction_takes_a_record_back_once() {
    let mut log = given(&[&[steps("a", 100), steps("b", 5)]]);
    let (outcomes, recorded) = take(&mut log, &[retracted("a"), retracted("a"), retracted("never")]);
    assert_eq!(outcomes, [RETRACTED, ItemOutcome::Duplicate, ItemOutcome::Refused(ItemRefusal::RecordUnknown)]);
    let recorded = recorded.unwrap();
    assert_eq!((recorded.accepted, recorded.corrected, recorded.retracted), (1, 0, 1));
    assert_eq!((steps_of_day(&log), log.records().count()), (5, 1));
    assert_eq!(take(&mut log, &[retracted("a")]).0, [ItemOutcome::Duplicate]);
    assert_eq!(take(&mut log, &[steps("a", 60)]).0, [ACCEPTED], "a retracted record may come back");
    assert_eq!(steps_of_day(&log), 65);
}

#[test]
fn repeats_within_one_batch_are_taken_in_their_order() {
    let mut log = ActivityLog::default();
    let batch = [steps("a", 10), steps("a", 10), steps("a", 20), retracted("a"), steps("a", 30), steps("a", 10)];
    let (outcomes, recorded) = take(&mut log, &batch);
    assert_eq!(outcomes, [ACCEPTED, ItemOutcome::Duplicate, CORRECTED, RETRACTED, ACCEPTED, CORRECTED]);
    let recorded = recorded.unwrap();
    let totals = &recorded.records.clear().unwrap().day_totals;
    assert_eq!((totals.len(), totals[0].total_before, totals[0].total), (1, 0, 10));
    assert_eq!(steps_of_day(&log), 10);
}

#[test]
fn a_refused_item_does_not_stop_its_neighbours() {
    use ItemRefusal::*;
    let with = |change: fn(&mut ActivityItem)| {
        let mut item = steps("x", 1);
        change(&mut item);
        item
    };
    let zone = |name: &str, local_day: &str| {
        item("z", Report::Measured { metric: "steps".into(), value: 1, local_day: day(local_day), time_zone: name.into() })
    };
    for (bad, refusal) in [
        (with(|item| item.source = String::new()), SourceInvalid),
        (with(|item| item.source = "Fitbit".into()), SourceInvalid),
        (with(|item| item.source = "f".repeat(65)), SourceInvalid),
        (with(|item| item.source_record_id = String::new()), SourceRecordIdInvalid),
        (with(|item| item.source_record_id = "a b".into()), SourceRecordIdInvalid),
        (with(|item| item.source_record_id = "é".into()), SourceRecordIdInvalid),
        (with(|item| item.source_record_id = "a".repeat(129)), SourceRecordIdInvalid),
        (measured("x", "Steps", 1, "2016-04-12"), MetricUnknown),
        (measured("x", "points", 1, "2016-04-12"), MetricUnknown),
        (steps("x", -1), ValueOutOfBounds),
        (steps("x", Metric::Steps.record_max() + 1), ValueOutOfBounds),
        (measured("x", "sleep_minutes", 1_441, "2016-04-12"), ValueOutOfBounds),
        (steps("x", i64::MAX), ValueOutOfBounds),
        (zone("Europe/Nowhere", "2016-04-12"), TimeZoneUnknown),
        (zone("", "2016-04-12"), TimeZoneUnknown),
        (measured("x", "steps", 1, "1999-12-31"), DayTooEarly),
        (measured("x", "steps", 1, "0001-01-01"), DayTooEarly),
        (measured("x", "steps", 1, "2016-04-23"), DayInFuture),
    ] {
        let mut log = ActivityLog::default();
        let (outcomes, recorded) = take(&mut log, &[bad, steps("good", 1)]);
        assert_eq!(outcomes, [ItemOutcome::Refused(refusal), ACCEPTED]);
        assert_eq!(recorded.unwrap().accepted, 1);
    }
}

#[test]
fn the_future_begins_a_day_after_tomorrow_begins_in_the_items_zone() {
    // 2016-04-20T23:30Z is the 21st in Paris and still the 20th in Honolulu.
    for (zone, last) in [("Europe/Paris", "2016-04-22"), ("Pacific/Honolulu", "2016-04-21"), ("UTC", "2016-04-21")] {
        let on = |local_day: NaiveDate| item("z", Report::Measured { metric: "steps".into(), value: 1, local_day, time_zone: zone.into() });
        let outcomes = ActivityLog::default().classify(&[on(day(last)), on(day(last).succ_opt().unwrap())], &facts());
        assert_eq!(outcomes, [ACCEPTED, ItemOutcome::Refused(ItemRefusal::DayInFuture)], "{zone}");
    }
}

#[test]
fn bounds_themselves_are_accepted() {
    for metric in Metric::ALL {
        for value in [0, metric.record_max()] {
            let outcomes = ActivityLog::default().classify(&[measured("a", metric.name(), value, "2000-01-01")], &facts());
            assert_eq!(outcomes, [ACCEPTED], "{} {value}", metric.name());
        }
    }
}

#[test]
fn a_batch_has_one_to_a_thousand_items() {
    let log = ActivityLog::default();
    let batch: Vec<_> = (0..=BATCH_MAX_ITEMS).map(|n| steps(&n.to_string(), 1)).collect();
    assert_eq!(decide(&log, &[]), Err(ActivityLogError::BatchSize));
    assert_eq!(decide(&log, &batch), Err(ActivityLogError::BatchSize));
    assert!(decide(&log, &batch[1..]).is_ok());
}

#[test]
fn an_erased_batch_closes_the_log_for_good() {
    let mut log = given(&[&[steps("a", 100)]]);
    let erased = ActivitiesRecorded { user_id: ALICE, records: Personal::Sealed(Digest([7; 32])), accepted: 1, corrected: 0, retracted: 0 };
    log.evolve(&erased.into());
    assert!(log.is_closed());
    assert_eq!((steps_of_day(&log), log.records().count()), (0, 0));
    let error = decide(&log, &[steps("b", 1)]).unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::Conflict, "challenges.activity_log_closed"));
    assert_eq!(log.classify(&[steps("b", 1)], &facts()), [ItemOutcome::Refused(ItemRefusal::LogClosed)]);
    for event in decide(&ActivityLog::default(), &[steps("b", 1)]).unwrap() {
        log.evolve(&event);
    }
    assert!(log.is_closed(), "a later readable batch does not reopen it");
}

#[test]
fn the_sealed_part_reads_back_and_debug_output_shows_none_of_it() {
    let command = RecordActivities { user_id: ALICE, items: vec![steps("secret", 4242)] };
    assert!(!format!("{command:?}").contains("secret"));
    let event = decide(&ActivityLog::default(), &command.items).unwrap().remove(0);
    assert!(!format!("{event:?}").contains("4242"));
    let ActivityLogEvent::ActivitiesRecorded(recorded) = event;
    let json = serde_json::to_value(recorded.records.clear().unwrap()).unwrap();
    assert_eq!(
        json["records"][0],
        serde_json::json!({
            "source": "fitbit", "source_record_id": "secret", "kind": "ingested",
            "measure": {"metric": "steps", "value": 4242, "local_day": "2016-04-12", "time_zone": "Europe/Paris"},
        })
    );
    let back: RecordedBatch = serde_json::from_value(json).unwrap();
    assert!(Some(&back) == recorded.records.clear());
}

/// Few keys, days and values, so that repeats and corrections happen often.
fn some_item() -> impl Strategy<Value = (u8, Option<(usize, i64, u8)>)> {
    (0..6_u8, proptest::option::weighted(0.8, (0..Metric::ALL.len(), 0..5_i64, 1..5_u8)))
}

fn item_of((id, measure): (u8, Option<(usize, i64, u8)>)) -> ActivityItem {
    match measure {
        Some((metric, value, day)) => measured(&id.to_string(), Metric::ALL[metric].name(), value, &format!("2016-04-0{day}")),
        None => retracted(&id.to_string()),
    }
}

proptest! {
    #[test]
    fn day_totals_are_the_sum_of_the_records_and_a_snapshot_continues_alike(
        batches in prop::collection::vec(prop::collection::vec(some_item(), 1..12), 1..12),
    ) {
        let mut log = ActivityLog::default();
        let mut from_snapshots = ActivityLog::default();
        for batch in batches {
            let items: Vec<_> = batch.into_iter().map(item_of).collect();
            let before = log.clone();
            let (outcomes, recorded) = take(&mut log, &items);
            from_snapshots = serde_json::from_slice(&serde_json::to_vec(&from_snapshots).unwrap()).unwrap();
            take(&mut from_snapshots, &items);
            prop_assert!(log == from_snapshots);

            let accepted = outcomes.iter().filter(|outcome| matches!(outcome, ItemOutcome::Accepted { .. })).count();
            prop_assert_eq!(accepted, recorded.as_ref().map_or(0, |recorded| recorded.accepted as usize));
            for total in recorded.iter().flat_map(|recorded| &recorded.records.clear().unwrap().day_totals) {
                prop_assert_eq!(total.total_before, before.day_total(total.metric, total.day));
                prop_assert_eq!(total.total, log.day_total(total.metric, total.day));
            }
            for metric in Metric::ALL {
                for date in (1..5).map(|number| day(&format!("2016-04-0{number}"))) {
                    let sum: i64 = log.records().filter(|(_, _, of)| of.metric == *metric && of.local_day == date).map(|(_, _, of)| of.value).sum();
                    prop_assert_eq!(log.day_total(*metric, date), sum);
                }
            }
        }
    }

    #[test]
    fn neither_the_order_of_arrival_nor_a_retry_changes_the_totals(
        values in prop::collection::btree_map(0..50_u8, 0..1000_i64, 1..20),
        cut in 0..20_usize,
    ) {
        let items: Vec<_> = values.iter().map(|(id, value)| measured(&id.to_string(), "steps", *value, &format!("2016-04-0{}", id % 4 + 1))).collect();
        let mut at_once = given(&[&items]);
        let (early, late) = items.split_at(cut.min(items.len()));
        let reversed: Vec<_> = late.iter().rev().cloned().collect();
        let piecemeal = [&reversed[..], early, early].into_iter().filter(|batch| !batch.is_empty()).collect::<Vec<_>>();
        prop_assert!(given(&piecemeal) == at_once);
        let (outcomes, recorded) = take(&mut at_once, &items);
        prop_assert!(recorded.is_none() && outcomes.iter().all(|outcome| *outcome == ItemOutcome::Duplicate));
    }
}
