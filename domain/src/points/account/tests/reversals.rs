//! A reversal names its original and never exceeds it.

use super::*;

fn reversed(events: &[AccountEvent]) -> (i64, i64) {
    let [AccountEvent::CreditReversed(reversed), ..] = events else { panic!("{events:?}") };
    (reversed.amount, reversed.shortfall)
}

// covers: T-31
#[test]
fn a_credit_is_taken_back_from_its_own_lot_first() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, Some(10)).earns(2, 20, None);
    let before = ledger.events.clone();
    assert_eq!(reversed(&ledger.does(reverse(3, 2, Some(15)))), (15, 0));
    assert_eq!((ledger.balance(), ledger.lots()), ((15, 0, 15), vec![(lot(1), 10), (lot(2), 5)]));
    assert_eq!(ledger.events[..before.len()], before);
}

#[test]
fn a_credit_whose_lot_is_spent_is_taken_back_from_the_others() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, Some(10)).does(debit(2, 10));
    ledger.earns(3, 20, None);
    assert_eq!(reversed(&ledger.does(reverse(4, 1, None))), (10, 0));
    assert_eq!(ledger.lots(), [(lot(3), 10)]);
}

#[test]
fn a_credit_is_taken_back_down_to_the_floor_and_the_rest_is_a_shortfall() {
    for (floor, taken) in [(0, 40), (-25, 65), (-1_000, 100)] {
        let mut ledger = Ledger::with_floor(floor);
        ledger.earns(1, 100, None).does(debit(2, 60));
        assert_eq!(reversed(&ledger.does(reverse(3, 1, None))), (taken, 100 - taken));
        assert_eq!(ledger.balance().0, 40 - taken);
        assert_eq!(ledger.refuses(reverse(4, 1, None)), AccountError::AlreadyReversed);
    }
}

#[test]
fn held_points_are_not_taken_back() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None).does(hold(2, 100));
    assert_eq!(reversed(&ledger.does(reverse(3, 1, None))), (0, 100));
    assert_eq!(ledger.balance(), (100, 100, 0));
}

#[test]
fn all_reversals_together_do_not_exceed_the_original() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None).does(debit(2, 50));
    ledger.earns(3, 100, None);
    for (number, original, whole) in [(10, 1, 100), (20, 2, 50)] {
        ledger.does(reverse(number, original, Some(30)));
        let refused = ledger.refuses(reverse(number + 1, original, Some(whole - 29)));
        assert_eq!(refused, AccountError::ExceedsOriginal { left: whole - 30 });
        assert_eq!((refused.code(), refused.field()), (Code::ValidationError, Some("amount")));
        ledger.does(reverse(number + 1, original, None));
        let refused = ledger.refuses(reverse(number + 2, original, Some(1)));
        assert_eq!((&refused, refused.code()), (&AccountError::AlreadyReversed, Code::Conflict));
    }
    assert_eq!(ledger.balance(), (100, 0, 100));
}

#[test]
fn a_debit_is_given_back_to_the_same_lots_with_their_expiry() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, Some(10)).earns(2, 10, Some(20)).earns(3, 10, None);
    let before = ledger.account.lots().to_vec();
    ledger.does(debit(4, 25));
    let events = ledger.does(reverse(5, 4, None));
    let member = LedgerAccount::Member(ledger.key.id());
    let (from, to) = (Posting { account: LedgerAccount::Redemption, amount: -25 }, Posting { account: member, amount: 25 });
    assert_eq!(events[0].postings(), [from, to]);
    assert_eq!(ledger.account.lots(), before);
    ledger.check_replay();
}

#[test]
fn a_part_is_given_back_to_the_lots_that_were_spent_last() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, Some(10)).earns(2, 10, Some(20)).does(debit(3, 20));
    ledger.does(reverse(4, 3, Some(12)));
    assert_eq!(ledger.lots(), [(lot(1), 2), (lot(2), 10)]);
    ledger.does(reverse(5, 3, Some(8)));
    assert_eq!(ledger.lots(), [(lot(1), 10), (lot(2), 10)]);
}

#[test]
fn a_posted_hold_is_given_back_as_far_as_it_was_posted() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, Some(10)).earns(2, 10, Some(20)).does(hold(3, 20));
    ledger.does(post(3, Some(15)));
    assert_eq!(ledger.refuses(reverse(4, 3, Some(16))), AccountError::ExceedsOriginal { left: 15 });
    ledger.does(reverse(4, 3, None));
    assert_eq!((ledger.balance(), ledger.lots()), ((20, 0, 20), vec![(lot(1), 10), (lot(2), 10)]));
}

#[test]
fn what_is_given_back_past_its_expiry_expires_at_once() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 10, Some(10)).earns(2, 10, None).does(debit(3, 15));
    let events = ledger.at(11).does(reverse(4, 3, None));
    assert_eq!(event_types(&events), ["points.spending_reversed", "points.lots_expired"]);
    assert_eq!((ledger.balance(), ledger.lots()), ((10, 0, 10), vec![(lot(2), 10)]));
}

#[test]
fn what_was_spent_on_overdraft_shrinks_it() {
    let mut ledger = Ledger::with_floor(-50);
    ledger.earns(1, 10, None).does(debit(2, 50));
    ledger.does(reverse(3, 2, Some(30)));
    assert_eq!((ledger.balance(), ledger.account.overdrawn(), ledger.lots()), ((-10, 0, -10), 10, vec![]));
    ledger.does(reverse(4, 2, None));
    assert_eq!((ledger.balance(), ledger.account.overdrawn(), ledger.lots()), ((10, 0, 10), 0, vec![(lot(1), 10)]));
}

#[test]
fn what_was_spent_on_overdraft_and_paid_back_opens_a_lot() {
    let mut ledger = Ledger::with_floor(-50);
    ledger.does(debit(1, 40));
    ledger.earns(2, 100, None);
    let past = ledger.refuses(Reverse { expires_at: Some(day(0)), ..reverse(3, 1, None) });
    assert_eq!(past.field(), Some("expires_at"));
    ledger.does(Reverse { expires_at: Some(day(90)), ..reverse(3, 1, None) });
    assert_eq!((ledger.balance(), ledger.lots()), ((100, 0, 100), vec![(lot(3), 40), (lot(2), 60)]));
    assert_eq!(ledger.account.next_due(), Some(day(90)));
    ledger.check_replay();
}

#[test]
fn what_is_open_is_voided_and_not_reversed() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None).does(credit(2, 10));
    ledger.does(hold(3, 10));
    assert_eq!(ledger.refuses(reverse(9, 2, None)), AccountError::CreditPending);
    assert_eq!(ledger.refuses(reverse(9, 3, None)), AccountError::HoldOpen);
    ledger.does(void_credit(2));
    ledger.does(void_hold(3));
    assert_eq!(ledger.refuses(reverse(9, 2, None)), AccountError::NotReversible);
    assert_eq!(ledger.refuses(reverse(9, 3, None)), AccountError::NotReversible);
    assert_eq!(ledger.refuses(reverse(9, 8, None)).code(), Code::ResourceNotFound);
}

#[test]
fn a_reversal_is_not_reversed() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None).does(reverse(2, 1, Some(10)));
    ledger.does(debit(3, 10));
    ledger.does(reverse(4, 3, None));
    assert_eq!(ledger.refuses(reverse(5, 2, None)), AccountError::NotReversible);
    assert_eq!(ledger.refuses(reverse(5, 4, None)), AccountError::NotReversible);
}

#[test]
fn the_state_remembers_so_many_transactions_and_no_more() {
    let mut ledger = Ledger::new();
    ledger.earns(1, 100, None);
    let bulk = u128::try_from(HISTORY_MAX_TRANSACTIONS).unwrap();
    for number in 2..=bulk {
        ledger.account.evolve(&ledger.decide(debit(number, 1)).unwrap_or_else(|_| ledger.decide(credit(number, 5)).unwrap())[0]);
        if ledger.account.status(id(number)) == Some(TransactionStatus::Pending) {
            ledger.account.evolve(&ledger.decide(resolve(number)).unwrap()[0]);
        }
    }
    assert!(ledger.decide(reverse(bulk + 2, 1, Some(1))).is_ok());
    ledger.account.evolve(&ledger.decide(credit(bulk + 1, 5)).unwrap()[0]);
    ledger.account.evolve(&ledger.decide(resolve(bulk + 1)).unwrap()[0]);
    assert_eq!(ledger.refuses(reverse(bulk + 2, 1, Some(1))), AccountError::UnknownTransaction);
    assert!(ledger.decide(reverse(bulk + 2, 2, Some(1))).is_ok());
}
