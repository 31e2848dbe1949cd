//! Any sequence of commands keeps the promises, and any order of totals ends in the same award.

use super::earnings::{STEPS, local, settle};
use super::*;
use proptest::prelude::*;

/// A command with what it needs to be made again and again, or time that goes by.
#[derive(Clone, Debug)]
enum Step {
    Wait(i64),
    Act(AccountAction),
}

/// Few ids, so that commands meet each other's transactions.
fn any_id() -> impl Strategy<Value = u128> {
    1..24_u128
}

/// A few days ahead, or past by the time that it is used.
fn any_expiry() -> impl Strategy<Value = Option<i64>> {
    proptest::option::of(1..40_i64)
}

fn step() -> impl Strategy<Value = Step> {
    let amount = 1..60_i64;
    let part = proptest::option::of(1..40_i64);
    let act = prop_oneof![
        4 => (any_id(), amount.clone(), any_expiry()).prop_map(|(number, amount, expiry)| Credit { expires_at: expiry.map(day), ..credit(number, amount) }.into()),
        5 => any_id().prop_map(|number| resolve(number).into()),
        1 => any_id().prop_map(|number| void_credit(number).into()),
        3 => (any_id(), amount.clone(), any_expiry()).prop_map(|(number, amount, expiry)| PlaceHold { expires_at: expiry.map(day), ..hold(number, amount) }.into()),
        3 => (any_id(), part.clone()).prop_map(|(number, part)| post(number, part).into()),
        1 => any_id().prop_map(|number| void_hold(number).into()),
        1 => any_id().prop_map(|number| time_out(number).into()),
        3 => (any_id(), amount.clone()).prop_map(|(number, amount)| debit(number, amount).into()),
        4 => (any_id(), any_id(), part, any_expiry()).prop_map(|(number, original, part, expiry)| Reverse { expires_at: expiry.map(day), ..reverse(number, original, part) }.into()),
        2 => (any_id(), amount.clone()).prop_map(|(number, amount)| send(number, amount).into()),
        2 => (any_id(), proptest::collection::vec((amount, any_expiry()), 1..4)).prop_map(|(number, portions)| receive(number, &portions).into()),
        1 => Just(AccountAction::ExpireLots),
        1 => Just(freeze().into()),
        2 => Just(unfreeze().into()),
        4 => (any_id(), 0..3_i64, 0..60_i64).prop_map(|(number, on, target)| settle(number, on, target).into()),
    ];
    prop_oneof![1 => (0..4_i64).prop_map(Step::Wait), 6 => act.prop_map(Step::Act)]
}

proptest! {
    // covers: W-16, W-31, T-18, T-33, T-58
    #[test]
    fn any_sequence_of_commands_keeps_every_promise(
        floor in prop_oneof![Just(0_i64), Just(-30), Just(-1_000)],
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut ledger = Ledger::with_floor(floor);
        for step in steps {
            match step {
                Step::Wait(days) => ledger.now += TimeDelta::days(days),
                Step::Act(action) => {
                    let before = ledger.account.clone();
                    if ledger.attempt(action.clone()).is_err() {
                        prop_assert_eq!(&ledger.account, &before);
                    }
                    for on in 0..3 {
                        let earned = ledger.account.earned(STEPS, local(on));
                        prop_assert!(earned.awarded >= 0 && earned.target >= 0, "{:?} after {:?}", earned, action);
                    }
                }
            }
        }
        ledger.check_replay();
    }

    // covers: T-31
    #[test]
    fn reversals_of_a_spending_restore_every_lot_as_it_was(
        lots in proptest::collection::vec((1..50_i64, any_expiry()), 1..8), share in 1..100_i64, parts in proptest::collection::vec(1..30_i64, 0..6),
    ) {
        let mut ledger = Ledger::new();
        for (number, (amount, expiry)) in (100..).zip(lots) {
            ledger.earns(number, amount, expiry);
        }
        let before = ledger.account.lots().to_vec();
        ledger.does(debit(1, (ledger.balance().0 * share / 100).max(1)));
        for (number, part) in (200..).zip(parts) {
            let _ = ledger.attempt(reverse(number, 1, Some(part)));
        }
        let _ = ledger.attempt(reverse(2, 1, None));
        prop_assert_eq!(ledger.account.lots(), &before);
    }

    // covers: W-28, W-30
    #[test]
    fn totals_in_any_order_with_any_retries_end_in_the_last_ones_award(
        totals in proptest::collection::vec((0..3_i64, 0..100_i64, any::<bool>(), any::<bool>()), 1..40),
    ) {
        let mut ledger = Ledger::new();
        let mut last = BTreeMap::new();
        for (number, (on, target, is_repeated, is_resolved)) in (1..).zip(totals) {
            ledger.does(settle(number, on, target));
            if is_repeated {
                prop_assert_eq!(ledger.does(settle(number, on, target)), []);
            }
            if is_resolved {
                let _ = ledger.attempt(resolve(number));
            }
            last.insert(on, target);
        }
        for number in 1..=40 {
            let _ = ledger.attempt(resolve(number));
        }
        prop_assert_eq!(ledger.balance().0, last.values().sum::<i64>());
        prop_assert_eq!(ledger.account.balance().pending, 0);
    }

    #[test]
    fn with_spending_between_them_totals_never_award_more_than_the_day_and_its_shortfall(
        steps in proptest::collection::vec((0..100_i64, 0..80_i64), 1..30),
    ) {
        let mut ledger = Ledger::new();
        for (number, (target, spent)) in (1..).zip(steps) {
            ledger.does(settle(number, 1, target));
            let _ = ledger.attempt(resolve(number));
            let _ = ledger.attempt(debit(number + 1_000, spent));
            let earned = ledger.account.earned(STEPS, local(1));
            prop_assert_eq!(earned.target, target);
            prop_assert_eq!(earned.awarded, target + earned.shortfall());
        }
    }
}
