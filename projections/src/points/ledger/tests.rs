use super::fold::{Entries, Sides, entries};
use crate::points::story::{ALICE, Story};

fn amount(sides: &Sides) -> i64 {
    sides.credit - sides.debit
}

#[test]
fn the_books_of_any_batch_sum_to_zero() {
    let story = Story::varied();
    for size in 1..=story.log.len() {
        for batch in story.log.chunks(size) {
            let Entries { accounts, .. } = entries(batch).unwrap();
            assert_eq!(accounts.values().map(amount).sum::<i64>(), 0, "in batches of {size}");
        }
    }
}

#[test]
fn a_members_postings_sum_to_the_posted_balance() {
    let story = Story::varied();
    let Entries { accounts, members } = entries(&story.log).unwrap();
    for account in story.accounts.values() {
        let sum: i64 = members.iter().filter(|((_, id), _)| *id == account.key().unwrap().id().0).map(|(_, sides)| amount(sides)).sum();
        assert_eq!(sum, account.posted());
    }
    let of_members = accounts.iter().filter(|((_, _, kind), _)| *kind == "member").map(|(_, sides)| amount(sides));
    assert_eq!(of_members.sum::<i64>(), members.values().map(amount).sum::<i64>());
}

#[test]
fn both_sides_are_kept() {
    let mut story = Story::default();
    story.credit(ALICE, 1, 50).resolve(ALICE, 1).debit(ALICE, 2, 20);
    let Entries { accounts, .. } = entries(&story.log).unwrap();
    let shown: Vec<_> = accounts.iter().map(|((_, _, kind), sides)| (*kind, sides.debit, sides.credit)).collect();
    assert_eq!(shown, [("issuance", 50, 0), ("member", 20, 50), ("pending", 50, 50), ("redemption", 0, 20)]);
}
