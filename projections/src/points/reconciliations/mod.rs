//! Three-way reconciliation: the fold of the streams, the balances and the ledger, account by account
//! and at one position (T-34, W-31).
//!
//! # One position
//! Balances and ledger are filled by projectors of their own and rarely stand at the same position.
//! Both checkpoints and both tables are read by one statement, a cursor, so they are of one
//! snapshot. The report is about the lower checkpoint, *p*. Whichever stands above it is taken back
//! to *p* by the events in between, which are in the log and few; the streams are folded up to *p*.
//! So an answer compares like with like while everything goes on being written, and a difference is
//! never lag. An account of which an event was set aside differs until the event is repaired.
//!
//! # Memory
//! The cursor is read by the hundred, events come one by one, and one account is folded at a time;
//! only the mismatches are kept, up to [`MISMATCHES_SHOWN`] of them.

mod query;
#[cfg(test)]
mod tests;

pub use query::{Amounts, MISMATCHES_SHOWN, Mismatch, ReconcilePoints, Reconciliation};

pub(super) const STATEMENTS: &[(&str, &str)] = query::READS;
