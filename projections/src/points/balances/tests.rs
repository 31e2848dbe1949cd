use super::fold::{Change, changes};
use crate::points::story::{ALICE, BOB, Story};
use palmares_domain::points::account::{AccountAction, Freeze, Unfreeze};
use std::collections::BTreeMap;

#[test]
fn a_batch_becomes_one_row_for_each_account_in_the_order_of_the_key() {
    let mut story = Story::default();
    story.credit(BOB, 1, 30).credit(ALICE, 2, 50).resolve(ALICE, 2).hold(ALICE, 3, 20);
    let rows = changes(&story.log).unwrap();
    let shown: Vec<_> =
        rows.iter().map(|(holder, change, position)| (holder.user_id, change.posted, change.held, change.pending, *position)).collect();
    assert_eq!(shown, [(ALICE.user_id.0, 50, 20, 0, 4), (BOB.user_id.0, 0, 0, 30, 1)]);
}

#[test]
fn whatever_the_batches_the_sums_are_the_fold() {
    let story = Story::varied();
    for size in 1..=story.log.len() {
        let mut sums: BTreeMap<_, Change> = BTreeMap::new();
        for batch in story.log.chunks(size) {
            for (holder, change, _) in changes(batch).unwrap() {
                *sums.entry(holder.account_id).or_default() += change;
            }
        }
        for account in story.accounts.values() {
            let (balance, sum) = (account.balance(), sums[&account.key().unwrap().id().0]);
            assert_eq!((sum.posted, sum.held, sum.pending), (balance.posted, balance.held, balance.pending), "in batches of {size}");
        }
    }
}

#[test]
fn freezing_adds_up_like_the_rest() {
    let mut story = Story::default();
    story.act(ALICE, AccountAction::Freeze(Freeze { reason: None })).act(ALICE, AccountAction::Unfreeze(Unfreeze { reason: None }));
    story.act(ALICE, AccountAction::Freeze(Freeze { reason: None }));
    let freezes: Vec<i32> = story.log.iter().map(|delivered| changes(std::slice::from_ref(delivered)).unwrap()[0].1.freezes).collect();
    assert_eq!(freezes, [1, -1, 1]);
    assert_eq!(changes(&story.log).unwrap()[0].1.freezes, 1);
}
