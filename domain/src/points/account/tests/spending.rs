//! Debits, the order of lots, the floor, and frozen accounts.

use super::*;

// covers: W-05, T-91
#[test]
fn a_debit_spends_at_once() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None);
    let events = ledger.does(debit(2, 60));
    let member = LedgerAccount::Member(ledger.key.id());
    let (from, to) = (Posting { account: member, amount: -60 }, Posting { account: LedgerAccount::Redemption, amount: 60 });
    assert_eq!(events[0].postings(), [from, to]);
    assert_eq!(ledger.balance(), (40, 0, 40));
    assert_eq!(ledger.refuses(debit(3, 41)), AccountError::InsufficientPoints { wanted: 41, spendable: 40 });
}

#[test]
fn lots_are_spent_earliest_expiry_first_then_oldest_first() {
    let mut ledger = Ledger::new();
    ledger.earns(9, 10, None).earns(8, 10, Some(30)).earns(7, 10, Some(20)).earns(6, 10, Some(30));
    assert_eq!(ledger.lots(), [(lot(7), 10), (lot(8), 10), (lot(6), 10), (lot(9), 10)]);
    let spent = ledger.does(debit(1, 25));
    let changes: Vec<_> = spent[0].lots().iter().map(|change| (change.lot, change.amount)).collect();
    assert_eq!(changes, [(lot(7), -10), (lot(8), -10), (lot(6), -5)]);
    assert_eq!(ledger.lots(), [(lot(6), 5), (lot(9), 10)]);
}

#[test]
fn a_reserved_lot_is_passed_over() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, Some(10)).earns(2, 10, Some(20)).does(hold(3, 15));
    ledger.does(debit(4, 5));
    assert_eq!(ledger.lots(), [(lot(1), 10), (lot(2), 5)]);
    ledger.does(post(3, None));
    assert_eq!((ledger.lots(), ledger.balance()), (vec![], (0, 0, 0)));
}

// covers: T-33
#[test]
fn a_floor_below_zero_lets_an_account_go_as_low() {
    let mut ledger = Ledger::with_floor(-50);
    ledger.earns(1, 30, None).does(debit(2, 60));
    assert_eq!((ledger.balance(), ledger.account.overdrawn(), ledger.lots()), ((-30, 0, -30), 30, vec![]));
    assert_eq!(ledger.refuses(debit(3, 21)), AccountError::InsufficientPoints { wanted: 21, spendable: 20 });
    ledger.does(hold(3, 20));
    assert_eq!(ledger.balance(), (-30, 20, -50));
    ledger.does(post(3, None));
    assert_eq!((ledger.balance(), ledger.account.overdrawn()), ((-50, 0, -50), 50));
}

#[test]
fn what_arrives_pays_the_overdraft_back_first() {
    let mut ledger = Ledger::with_floor(-50);
    ledger.does(debit(1, 40));
    ledger.does(credit(2, 100));
    assert_eq!(event_types(&ledger.does(resolve(2))), ["points.credit_resolved", "points.overdraft_repaid"]);
    assert_eq!((ledger.balance(), ledger.account.overdrawn(), ledger.lots()), ((60, 0, 60), 0, vec![(lot(2), 60)]));
    ledger.check_replay();
}

#[test]
fn what_was_held_on_overdraft_takes_lots_that_came_since() {
    let mut ledger = Ledger::with_floor(-50);
    ledger.earns(1, 10, None).does(hold(2, 40));
    ledger.earns(3, 100, None);
    assert_eq!((ledger.balance(), ledger.account.overdrawn()), ((110, 40, 70), 0));
    ledger.does(post(2, None));
    assert_eq!((ledger.balance(), ledger.lots(), ledger.account.overdrawn()), ((70, 0, 70), vec![(lot(3), 70)], 0));
}

#[test]
fn a_raised_floor_takes_nothing_and_lets_nothing_go() {
    let mut ledger = Ledger::with_floor(-50);
    ledger.does(debit(1, 40));
    ledger.floor = 0;
    assert_eq!(ledger.refuses(debit(2, 1)), AccountError::InsufficientPoints { wanted: 1, spendable: 0 });
    assert!(ledger.decide(credit(2, 10)).is_ok());
}

#[test]
fn a_frozen_account_spends_nothing() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None).does(hold(2, 10));
    assert_eq!(event_types(&ledger.does(freeze())), ["points.account_frozen"]);
    assert!(ledger.account.is_frozen());
    let refusals = [ledger.refuses(hold(3, 1)), ledger.refuses(post(2, None)), ledger.refuses(debit(3, 1)), ledger.refuses(send(3, 1))];
    for refused in refusals {
        assert_eq!((&refused, refused.code()), (&AccountError::Frozen, Code::Conflict));
    }
    assert_eq!(ledger.refuses(freeze()), AccountError::AlreadyFrozen);
}

#[test]
fn a_frozen_account_still_receives_releases_expires_and_is_corrected() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, Some(5)).does(hold(2, 10));
    ledger.does(debit(3, 10));
    ledger.does(freeze());
    ledger.earns(4, 10, None);
    ledger.does(receive(5, &[(10, None)]));
    ledger.does(credit(6, 10));
    ledger.does(void_credit(6));
    ledger.does(void_hold(2));
    ledger.does(reverse(7, 3, None));
    ledger.does(reverse(8, 4, None));
    assert_eq!(event_types(&ledger.at(5).does(AccountAction::ExpireLots)), ["points.lots_expired"]);
    assert_eq!(ledger.balance(), (10, 0, 10));
}

#[test]
fn an_unfrozen_account_spends_again() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None);
    assert_eq!(ledger.refuses(unfreeze()), AccountError::NotFrozen);
    ledger.does(freeze());
    assert_eq!(event_types(&ledger.does(unfreeze())), ["points.account_unfrozen"]);
    ledger.does(debit(2, 100));
}
