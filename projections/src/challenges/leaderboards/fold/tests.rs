//! From events to versions of rows, without a database.

use super::*;
use crate::testing::{activities_recorded, recorded, recorded_at};
use palmares_domain::{
    challenges::{
        Metric,
        activity_log::{DayTotal, RecordedBatch},
    },
    kernel::{AccountId, ProgramId, RuleId},
    points::{
        LedgerAccount, Posting,
        account::{CreditResolved, CreditReversed},
    },
};
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
const ALICE: UserId = UserId(Uuid::from_u128(2));
const BOB: UserId = UserId(Uuid::from_u128(3));
const WELLNESS: ProgramId = ProgramId(Uuid::from_u128(4));
const CREDIT: TransactionId = TransactionId(Uuid::from_u128(5));

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn steps_of(user: UserId, position: i64, days: &[(&str, i64, i64)]) -> Delivered {
    let day_totals = days.iter().map(|(on, total_before, total)| DayTotal {
        metric: Metric::Steps,
        day: day(on),
        total_before: *total_before,
        total: *total,
    });
    activities_recorded(ACME, user, position, Some(RecordedBatch { records: Vec::new(), day_totals: day_totals.collect() }))
}

fn points(position: i64, event: impl Into<AccountEvent>) -> Delivered {
    let account = AccountId::of(WELLNESS, ALICE, None);
    recorded(ACME, ("points_account", account.0, position), position, &event.into())
}

fn postings(amount: i64) -> Vec<Posting> {
    let member = LedgerAccount::Member(AccountId::of(WELLNESS, ALICE, None));
    vec![Posting { account: LedgerAccount::Pending, amount: -amount }, Posting { account: member, amount }]
}

fn credit(amount: i64, earned: Option<(RuleId, NaiveDate)>) -> CreditResolved {
    CreditResolved {
        program_id: WELLNESS,
        user_id: ALICE,
        team_id: None,
        transaction_id: CREDIT,
        amount,
        rule_id: earned.map(|(rule, _)| rule),
        earned_on: earned.map(|(_, day)| day),
        expires_at: None,
        lots: Vec::new(),
        postings: postings(amount),
    }
}

/// `asked` points are taken back, of which the account had `taken`.
fn reversal(asked: i64, taken: i64, earned_on: Option<NaiveDate>) -> CreditReversed {
    CreditReversed {
        program_id: WELLNESS,
        user_id: ALICE,
        team_id: None,
        transaction_id: TransactionId(Uuid::from_u128(6)),
        original_id: Some(CREDIT),
        amount: taken,
        shortfall: asked - taken,
        rule_id: None,
        rule_version: None,
        earned_on,
        target: None,
        source_id: None,
        reason: None,
        lots: Vec::new(),
        postings: postings(-taken),
    }
}

fn fold(standing: &BTreeMap<Key, Standing>, batch: &[Delivered]) -> Rows {
    rows(standing, Earned::of(batch).unwrap().steps(&BTreeMap::new()))
}

fn key(user: UserId, metric: &'static str, window: &str) -> Key {
    Key { organization: ACME, metric, window: window.to_owned(), user }
}

/// The versions of one row, as (from, to, score).
fn versions(rows: &Rows, key: &Key) -> Vec<(i64, Option<i64>, i64)> {
    rows.begun.iter().filter(|version| version.key == *key).map(|version| (version.from, version.to, version.score)).collect()
}

#[test]
fn a_day_counts_in_every_window_that_holds_it() {
    let rows = fold(&BTreeMap::new(), &[steps_of(ALICE, 7, &[("2016-04-12", 0, 100), ("2016-04-13", 0, 50)])]);
    for (window, score) in [
        ("day:2016-04-12", 100),
        ("day:2016-04-13", 50),
        ("week:2016-W15", 150),
        ("month:2016-04", 150),
        ("season:2016-Q2", 150),
        ("all", 150),
    ] {
        assert_eq!(versions(&rows, &key(ALICE, "steps", window)), [(7, None, score)], "{window}");
    }
    assert!(rows.ended.is_empty());
    assert!(rows.begun.iter().all(|version| version.reached_at == recorded_at(7)));
}

#[test]
fn each_event_of_a_batch_has_its_own_version() {
    let standing = [(key(ALICE, "steps", "all"), Standing { from: 3, score: 1_000 })].into();
    let batch = [
        steps_of(ALICE, 7, &[("2016-04-12", 0, 100)]),
        steps_of(BOB, 8, &[("2016-04-12", 0, 5)]),
        steps_of(ALICE, 9, &[("2016-04-12", 100, 130)]),
    ];
    let rows = fold(&standing, &batch);
    assert_eq!(rows.ended, [(key(ALICE, "steps", "all"), 3, 7)]);
    assert_eq!(versions(&rows, &key(ALICE, "steps", "all")), [(7, Some(9), 1_100), (9, None, 1_130)]);
    assert_eq!(versions(&rows, &key(ALICE, "steps", "day:2016-04-12")), [(7, Some(9), 100), (9, None, 130)]);
    assert_eq!(versions(&rows, &key(BOB, "steps", "all")), [(8, None, 5)]);
}

#[test]
fn an_event_that_leaves_a_score_leaves_who_reached_it_first() {
    let moved = [steps_of(ALICE, 7, &[("2016-04-12", 100, 60), ("2016-04-13", 0, 40)]), steps_of(ALICE, 8, &[("2016-04-13", 40, 40)])];
    let standing = [(key(ALICE, "steps", "all"), Standing { from: 3, score: 100 })].into();
    let rows = fold(&standing, &moved);
    assert!(versions(&rows, &key(ALICE, "steps", "all")).is_empty() && rows.ended.is_empty());
    assert_eq!(versions(&rows, &key(ALICE, "steps", "day:2016-04-13")), [(7, None, 40)]);
    assert!(fold(&BTreeMap::new(), &[steps_of(ALICE, 7, &[("2016-04-12", 0, 0)])]).begun.is_empty(), "a zero day is no score");
}

#[test]
fn what_was_erased_is_left_out() {
    assert!(fold(&BTreeMap::new(), &[activities_recorded(ACME, ALICE, 1, None)]).begun.is_empty());
}

#[test]
fn points_count_on_the_day_they_were_earned() {
    let rule = RuleId(Uuid::from_u128(9));
    let rows = fold(&BTreeMap::new(), &[points(7, credit(90, Some((rule, day("2016-04-12")))))]);
    assert_eq!(versions(&rows, &key(ALICE, POINTS, "day:2016-04-12")), [(7, None, 90)]);
    let recorded_on = recorded_at(7).date_naive();
    let rows = fold(&BTreeMap::new(), &[points(7, credit(90, None))]);
    assert_eq!(versions(&rows, &key(ALICE, POINTS, &format!("day:{recorded_on}"))), [(7, None, 90)]);
}

#[test]
fn a_reversal_takes_back_what_the_ledger_took_on_the_day_of_its_credit() {
    let day_of_credit = day("2016-04-12");
    let batch = [points(7, reversal(50, 30, None))];
    let earned = Earned::of(&batch).unwrap();
    assert_eq!(earned.unknown_credits(), [(ACME, CREDIT)]);
    let standing: BTreeMap<_, _> = [(key(ALICE, POINTS, "day:2016-04-12"), Standing { from: 3, score: 90 })].into();
    let rows = rows(&standing, earned.steps(&[((ACME, CREDIT), day_of_credit)].into()));
    assert_eq!(versions(&rows, &key(ALICE, POINTS, "day:2016-04-12")), [(7, None, 60)], "the shortfall stays with the member");
}

#[test]
fn a_credit_and_its_reversal_may_come_in_one_batch() {
    let batch = [points(7, credit(90, None)), points(8, reversal(90, 90, None))];
    let earned = Earned::of(&batch).unwrap();
    assert!(earned.unknown_credits().is_empty());
    assert_eq!(earned.credit_days.len(), 1);
    assert_eq!(versions(&fold(&BTreeMap::new(), &batch), &key(ALICE, POINTS, "all")), [(7, Some(8), 90), (8, None, 0)]);
}
