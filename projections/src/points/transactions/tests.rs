use super::fold::{Changes, Created, Key, Progress, changes};
use super::write::running;
use super::{TransactionKind, TransactionState};
use crate::points::story::{ACME, ALICE, BOB, Story, id};
use std::collections::{BTreeMap, HashMap};

fn key(transaction: u128) -> Key {
    (ACME.0, id(transaction).0)
}

fn state(created: &Created) -> TransactionState {
    created.progress.state.unwrap()
}

#[test]
fn what_a_batch_creates_and_settles_is_created_settled() {
    let mut story = Story::default();
    story.credit(ALICE, 1, 50).credit(ALICE, 2, 5).resolve(ALICE, 1).hold(ALICE, 3, 20).post(ALICE, 3, 15);
    let Changes { created, progressed, .. } = changes(&story.log).unwrap();
    assert!(progressed.is_empty());
    let credit = &created[&key(1)];
    assert_eq!(
        (credit.kind, state(credit), credit.amount, credit.progress.settled),
        (TransactionKind::Credit, TransactionState::Resolved, 50, 50)
    );
    assert_eq!((credit.position, credit.progress.resolved.unwrap().0), (1, 3));
    assert_eq!((state(&created[&key(2)]), created[&key(2)].progress.resolved), (TransactionState::Pending, None));
    let hold = &created[&key(3)];
    assert_eq!((state(hold), hold.amount, hold.progress.settled, hold.progress.released), (TransactionState::Posted, 20, 15, 5));
}

#[test]
fn a_later_batch_changes_what_an_earlier_one_created() {
    let mut story = Story::default();
    story.credit(ALICE, 1, 50).resolve(ALICE, 1).debit(ALICE, 2, 20);
    let before = story.log.len();
    story.reverse(ALICE, 3, 2, 5).reverse(ALICE, 4, 2, 6);
    let Changes { created, progressed, lines } = changes(&story.log[before..]).unwrap();
    assert_eq!(progressed, BTreeMap::from([(key(2), Progress { reversed: 11, ..Progress::default() })]));
    assert_eq!(created[&key(3)].original_id, Some(id(2).0));
    assert_eq!(
        lines.iter().map(|line| (line.kind, line.amount)).collect::<Vec<_>>(),
        [(TransactionKind::Reversal, 5), (TransactionKind::Reversal, 6)]
    );
}

#[test]
fn a_reversal_shows_what_it_could_not_take_on_itself_and_on_the_credit() {
    let mut story = Story::default();
    story.credit(ALICE, 1, 50).resolve(ALICE, 1).debit(ALICE, 2, 20).reverse(ALICE, 3, 1, 50);
    let Changes { created, .. } = changes(&story.log).unwrap();
    assert_eq!((created[&key(3)].amount, created[&key(3)].progress.shortfall), (30, 20));
    assert_eq!((created[&key(1)].progress.reversed, created[&key(1)].progress.shortfall), (30, 20));
}

#[test]
fn a_transfer_is_one_transaction_and_a_line_for_each_side() {
    let mut story = Story::default();
    story.credit(ALICE, 1, 50).resolve(ALICE, 1).transfer(ALICE, BOB, 2, 30);
    let Changes { created, lines, .. } = changes(&story.log).unwrap();
    let transfer = &created[&key(2)];
    assert_eq!((transfer.holder.user_id, transfer.counterparty_user_id), (ALICE.user_id.0, Some(BOB.user_id.0)));
    let moved: Vec<_> = lines.iter().map(|line| (line.holder.user_id, line.amount)).collect();
    assert_eq!(moved, [(ALICE.user_id.0, 50), (ALICE.user_id.0, -30), (BOB.user_id.0, 30)]);
}

#[test]
fn every_line_has_the_balance_after_it() {
    let story = Story::varied();
    let Changes { lines, .. } = changes(&story.log).unwrap();
    let after: HashMap<Key, i64> =
        story.accounts.values().map(|account| ((ACME.0, account.key().unwrap().id().0), account.posted())).collect();
    let mut balances: HashMap<Key, i64> = HashMap::new();
    for (line, balance) in lines.iter().zip(running(&lines, after)) {
        let expected = balances.entry((line.holder.organization_id, line.holder.account_id)).or_default();
        *expected += line.amount;
        assert_eq!(balance, *expected);
    }
}

#[test]
fn stored_names_are_read_back() {
    for kind in [TransactionKind::Credit, TransactionKind::Hold, TransactionKind::OverdraftRepayment] {
        assert_eq!(TransactionKind::parse(kind.name()), Some(kind));
    }
    assert_eq!(TransactionState::parse(TransactionState::TimedOut.name()), Some(TransactionState::TimedOut));
    assert_eq!(TransactionState::parse("held"), None);
}
