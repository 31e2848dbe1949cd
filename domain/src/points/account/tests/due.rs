//! The command that arrives first records what is due, before its own events.

use super::*;

#[test]
fn lots_past_their_expiry_expire_together() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, Some(5)).earns(2, 20, Some(6)).earns(3, 40, Some(7)).earns(4, 80, None);
    let events = ledger.at(6).does(AccountAction::ExpireLots);
    let [AccountEvent::LotsExpired(expired)] = &events[..] else { panic!("{events:?}") };
    let member = LedgerAccount::Member(ledger.key.id());
    let (from, to) = (Posting { account: member, amount: -30 }, Posting { account: LedgerAccount::Expiry, amount: 30 });
    assert_eq!((expired.amount, &expired.postings[..]), (30, &[from, to][..]));
    assert_eq!((ledger.balance(), ledger.account.next_due()), ((120, 0, 120), Some(day(7))));
    assert_eq!(ledger.does(AccountAction::ExpireLots), []);
}

#[test]
fn a_lot_expires_at_its_moment_and_not_before() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, Some(5));
    ledger.now = day(5) - TimeDelta::microseconds(1);
    assert_eq!(ledger.does(AccountAction::ExpireLots), []);
    assert_eq!(ledger.at(5).does(AccountAction::ExpireLots).len(), 1);
}

#[test]
fn any_command_records_what_is_due_before_its_own_events() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, Some(5)).earns(2, 20, None).does(PlaceHold { expires_at: Some(day(4)), ..hold(3, 15) });
    let events = ledger.at(5).does(debit(4, 20));
    assert_eq!(event_types(&events), ["points.hold_timed_out", "points.lots_expired", "points.points_debited"]);
    assert_eq!(ledger.balance(), (0, 0, 0));
    ledger.check_replay();
}

#[test]
fn expired_points_cannot_be_spent_and_a_refusal_records_nothing() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, Some(5));
    assert_eq!(ledger.at(5).refuses(debit(2, 1)), AccountError::InsufficientPoints { wanted: 1, spendable: 0 });
    assert_eq!(ledger.refuses(send(2, 1)), AccountError::InsufficientPoints { wanted: 1, spendable: 0 });
}

#[test]
fn a_hold_past_its_time_cannot_be_posted() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, None).does(PlaceHold { expires_at: Some(day(4)), ..hold(2, 10) });
    assert_eq!(ledger.at(4).refuses(post(2, None)), AccountError::HoldReleased);
}

#[test]
fn reserved_points_outlive_their_lot_and_expire_when_they_come_free() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, Some(5)).does(hold(2, 6));
    assert_eq!(event_types(&ledger.at(5).does(AccountAction::ExpireLots)), ["points.lots_expired"]);
    assert_eq!(ledger.balance(), (6, 6, 0));
    assert_eq!(event_types(&ledger.at(6).does(post(2, Some(4)))), ["points.hold_posted", "points.lots_expired"]);
    assert_eq!((ledger.balance(), ledger.lots()), ((0, 0, 0), vec![]));
    ledger.check_replay();
}

#[test]
fn a_credit_that_is_resolved_too_late_expires_at_once() {
    let mut ledger = Ledger::new();
    ledger.does(Credit { expires_at: Some(day(5)), ..credit(1, 10) });
    assert_eq!(event_types(&ledger.at(6).does(resolve(1))), ["points.credit_resolved", "points.lots_expired"]);
    assert_eq!(ledger.balance(), (0, 0, 0));
}

#[test]
fn entries_that_nobody_asked_for_have_ids_of_their_own() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, Some(5)).earns(2, 10, Some(6));
    let mut ids = Vec::new();
    for on in [5, 6] {
        let events = ledger.at(on).does(AccountAction::ExpireLots);
        let [AccountEvent::LotsExpired(expired)] = &events[..] else { panic!("{events:?}") };
        ids.push(expired.transaction_id);
    }
    assert_ne!(ids[0], ids[1]);
}
