use super::fold::changes;
use super::liability::{ExpiryMonth, Months, liabilities};
use crate::points::story::{ALICE, Story, id};
use std::collections::BTreeMap;
use uuid::Uuid;

#[test]
fn whatever_the_batches_the_lots_are_those_of_the_account() {
    let story = Story::varied();
    for size in 1..=story.log.len() {
        let mut sums: BTreeMap<Uuid, BTreeMap<Uuid, (i64, i64)>> = BTreeMap::new();
        for batch in story.log.chunks(size) {
            for ((holder, lot), change) in changes(batch).unwrap() {
                let (remaining, held) = sums.entry(holder.account_id).or_default().entry(lot).or_default();
                *remaining += change.remaining;
                *held += change.held;
            }
        }
        for account in story.accounts.values() {
            let expected: BTreeMap<_, _> = account.lots().iter().map(|lot| (lot.id.0, (lot.remaining, lot.held))).collect();
            let lots = sums.get_mut(&account.key().unwrap().id().0).unwrap();
            lots.retain(|_, (remaining, _)| *remaining != 0);
            assert_eq!(*lots, expected, "in batches of {size}");
        }
    }
}

#[test]
fn a_batch_knows_which_lots_open_and_which_may_be_used_up() {
    let mut story = Story::default();
    story.credit(ALICE, 1, 50).resolve(ALICE, 1).hold(ALICE, 2, 20);
    let opened = changes(&story.log).unwrap();
    let (_, lot) = opened.iter().find(|((_, lot), _)| *lot == id(1).0).unwrap();
    assert_eq!((lot.remaining, lot.held, lot.terms.unwrap().number, lot.takes), (50, 20, 1, false));
    let before = story.log.len();
    story.post(ALICE, 2, 15);
    let taken = changes(&story.log[before..]).unwrap();
    let (_, lot) = taken.iter().find(|((_, lot), _)| *lot == id(1).0).unwrap();
    assert_eq!((lot.remaining, lot.held, lot.terms, lot.takes), (-15, -20, None, true));
}

#[test]
fn a_liability_shows_months_in_order_and_never_last() {
    let program = Uuid::from_u128(2);
    let month = |text: &str| (program, Some(text.to_owned()));
    let months = Months::from([(month("2027-01"), (5, 0)), ((program, None), (7, 2)), (month("2026-12"), (3, 1))]);
    let found = liabilities(months);
    assert_eq!((found.len(), found[0].outstanding, found[0].held), (1, 15, 3));
    let bucket = |month: Option<&str>, points| ExpiryMonth { month: month.map(str::to_owned), points };
    assert_eq!(found[0].buckets, [bucket(Some("2026-12"), 3), bucket(Some("2027-01"), 5), bucket(None, 7)]);
}
