//! A day's total may come in any order and any number of times; the award is the same.

use super::*;
use chrono::NaiveDate;

pub(super) const STEPS: RuleId = RuleId(Uuid::from_u128(7));

pub(super) fn settle(number: u128, on: i64, target: i64) -> SettleEarning {
    SettleEarning {
        transaction_id: id(number),
        rule: RuleStamp { rule_id: STEPS, rule_version: 1 },
        day: local(on),
        target,
        source_id: None,
        expires_at: None,
    }
}

pub(super) fn local(on: i64) -> NaiveDate {
    day(on).date_naive()
}

fn earned(ledger: &Ledger) -> (i64, i64, i64) {
    let earned = ledger.account.earned(STEPS, local(1));
    (earned.target, earned.awarded, earned.shortfall())
}

// covers: W-28, W-32
#[test]
fn a_first_total_is_a_pending_credit_stamped_with_its_rule() {
    let mut ledger = Ledger::new();
    let events = ledger.does(settle(1, 1, 130));
    let [AccountEvent::CreditAccepted(accepted)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((accepted.amount, accepted.target, accepted.earned_on), (130, Some(130), Some(local(1))));
    assert_eq!((accepted.rule_id, accepted.rule_version), (Some(STEPS), Some(1)));
    assert_eq!((earned(&ledger), ledger.balance()), ((130, 130, 0), (0, 0, 0)));
    ledger.does(resolve(1));
    assert_eq!(ledger.balance(), (130, 0, 130));
}

// covers: W-30, W-35
#[test]
fn the_same_total_again_is_nothing() {
    let mut ledger = Ledger::new();
    assert_eq!(ledger.does(settle(1, 1, 0)), []);
    ledger.does(settle(1, 1, 130));
    assert_eq!(ledger.does(settle(1, 1, 130)), []);
    ledger.does(resolve(1));
    assert_eq!(ledger.does(settle(2, 1, 130)), []);
}

#[test]
fn a_higher_total_credits_the_difference() {
    let mut ledger = Ledger::new();
    ledger.does(settle(1, 1, 50));
    ledger.does(resolve(1));
    ledger.does(settle(2, 1, 70));
    ledger.does(resolve(2));
    assert_eq!((ledger.balance(), earned(&ledger)), ((70, 0, 70), (70, 70, 0)));
}

#[test]
fn days_are_settled_apart() {
    let mut ledger = Ledger::new();
    ledger.does(settle(1, 1, 50));
    ledger.does(settle(2, 2, 50));
    assert_eq!(ledger.account.balance().pending, 100);
}

#[test]
fn a_lower_total_voids_what_is_pending_before_it_takes_from_the_balance() {
    let mut ledger = Ledger::new();
    ledger.does(settle(1, 1, 50));
    ledger.does(resolve(1));
    ledger.does(settle(2, 1, 70));
    assert_eq!(event_types(&ledger.does(settle(3, 1, 40))), ["points.credit_voided", "points.credit_reversed"]);
    assert_eq!((ledger.balance(), ledger.account.balance().pending, earned(&ledger)), ((40, 0, 40), 0, (40, 40, 0)));
    assert_eq!(ledger.refuses(resolve(2)), AccountError::CreditVoided);
}

#[test]
fn a_pending_credit_that_was_too_large_gives_way_to_a_smaller_one() {
    let mut ledger = Ledger::new();
    ledger.does(settle(1, 1, 50));
    assert_eq!(event_types(&ledger.does(settle(2, 1, 40))), ["points.credit_voided", "points.credit_accepted"]);
    ledger.does(resolve(2));
    assert_eq!((ledger.balance(), earned(&ledger)), ((40, 0, 40), (40, 40, 0)));
    assert_eq!(event_types(&ledger.does(settle(3, 1, 0))), ["points.credit_reversed"]);
    assert_eq!((ledger.balance(), earned(&ledger)), ((0, 0, 0), (0, 0, 0)));
}

#[test]
fn a_lower_total_takes_the_days_own_points_first() {
    let mut ledger = Ledger::new();
    ledger.earns(8, 10, Some(5));
    ledger.does(settle(1, 1, 50));
    ledger.does(resolve(1));
    ledger.does(settle(2, 1, 40));
    assert_eq!(ledger.lots(), [(lot(8), 10), (lot(1), 40)]);
}

#[test]
fn what_cannot_be_taken_is_a_shortfall_that_a_retry_does_not_collect() {
    let mut ledger = Ledger::new();
    ledger.does(settle(1, 1, 100));
    ledger.does(resolve(1));
    ledger.does(debit(9, 90));
    let events = ledger.does(settle(2, 1, 60));
    let [AccountEvent::CreditReversed(reversed)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((reversed.amount, reversed.shortfall, reversed.target), (10, 30, Some(60)));
    assert_eq!((ledger.balance(), earned(&ledger)), ((0, 0, 0), (60, 90, 30)));
    ledger.earns(8, 50, None);
    assert_eq!(ledger.does(settle(3, 1, 60)), []);
    assert_eq!(ledger.balance(), (50, 0, 50));
}

#[test]
fn a_shortfall_is_set_off_against_a_later_rise() {
    let mut ledger = Ledger::new();
    ledger.does(settle(1, 1, 100));
    ledger.does(resolve(1));
    ledger.does(debit(9, 100));
    ledger.does(settle(2, 1, 60));
    let events = ledger.does(settle(3, 1, 80));
    assert_eq!(event_types(&events), ["points.earning_settled"]);
    assert_eq!(earned(&ledger), (80, 100, 20));
    ledger.does(settle(4, 1, 110));
    ledger.does(resolve(4));
    assert_eq!((ledger.balance(), earned(&ledger)), ((10, 0, 10), (110, 110, 0)));
}

#[test]
fn what_was_withheld_on_purpose_is_neither_given_nor_taken_again() {
    let mut ledger = Ledger::new();
    ledger.earns(8, 50, None);
    ledger.does(settle(1, 1, 50));
    ledger.does(void_credit(1));
    assert_eq!(ledger.does(settle(2, 1, 50)), []);
    assert_eq!(event_types(&ledger.does(settle(2, 1, 40))), ["points.earning_settled"]);
    ledger.does(settle(3, 1, 45));
    ledger.does(resolve(3));
    assert_eq!((ledger.balance(), earned(&ledger)), ((55, 0, 55), (45, 5, 0)));
    ledger.check_replay();
}

#[test]
fn a_reversal_and_a_lower_total_do_not_take_the_same_points_twice() {
    let mut ledger = Ledger::new();
    ledger.earns(8, 50, None);
    ledger.does(settle(1, 1, 50));
    ledger.does(resolve(1));
    ledger.does(reverse(2, 1, Some(30)));
    assert_eq!(event_types(&ledger.does(settle(3, 1, 20))), ["points.earning_settled"]);
    ledger.does(settle(4, 1, 10));
    assert_eq!((ledger.balance(), earned(&ledger)), ((60, 0, 60), (10, 10, 0)));
    assert_eq!(ledger.refuses(reverse(5, 1, Some(11))), AccountError::ExceedsOriginal { left: 10 });
}

#[test]
fn a_target_is_in_range() {
    let ledger = Ledger::new();
    for wrong in [-1, AMOUNT_MAX_POINTS + 1] {
        let refused = ledger.refuses(settle(1, 1, wrong));
        assert_eq!((refused.code(), refused.field()), (Code::ValidationError, Some("target")));
    }
}
