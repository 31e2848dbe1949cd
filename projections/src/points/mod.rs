//! Points: what members have, what happened to it, and whether the books agree.
//!
//! | Read model | The reader's question |
//! |---|---|
//! | [`programs`] | Which programs are there, and by which rules does one earn? |
//! | [`balances`] | What does a member have, now or at a past position? |
//! | [`lots`] | Which points expire when, of a member and of a whole program? |
//! | [`transactions`] | What became of a transaction, and what is on a member's statement? |
//! | [`ledger`] | Do the postings sum to zero (the trial balance)? |
//! | [`due`] | (none: timers) When is something due on an account? |
//! | [`recorded_days`] | (none: a reactor) Which recorded days does an earning rule reach? |
//! | [`reconciliations`] | Do streams, balances and ledger say the same of every account? |
//!
//! The folds take what events say and decide nothing again: which lots were spent and what was
//! posted stands in the event. Nothing personal is copied: a reason is opened from the log when it
//! is read, and reads as absent once its key is destroyed.

mod account_events;
mod members;
mod past;

pub mod balances;
pub mod due;
pub mod ledger;
pub mod lots;
pub mod programs;
pub mod reconciliations;
pub mod recorded_days;
pub mod transactions;

#[cfg(test)]
mod story;

use crate::engine::Projector;
use std::sync::Arc;

/// Every projector of the context.
pub fn projectors() -> Vec<Arc<dyn Projector>> {
    vec![
        Arc::new(programs::Programs),
        Arc::new(balances::Balances),
        Arc::new(lots::Lots),
        Arc::new(transactions::Transactions),
        Arc::new(ledger::Ledger),
        Arc::new(due::ACCOUNTS),
    ]
}

/// Every statement of the context by name; a table in braces stands for that of a slot.
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        members::STATEMENTS,
        past::STATEMENTS,
        programs::STATEMENTS,
        recorded_days::STATEMENTS,
        balances::STATEMENTS,
        lots::STATEMENTS,
        transactions::STATEMENTS,
        ledger::STATEMENTS,
        reconciliations::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}
