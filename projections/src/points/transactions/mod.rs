//! Transactions and the statement: what was asked of an account, what became of it, and what it
//! moved.
//!
//! A **transaction** is a row from the event that created it, changed by those that settle it or
//! take it back. A **statement line** is an event that moved posted points; holds that are open and
//! credits that are pending are on no line. One projector fills both, so that a line and its
//! transaction are always of the same position.
//!
//! A **reason** is not copied here: it is opened from the log when it is read.

mod fold;
mod kind;
mod lookup;
mod query;
mod reasons;
mod statement;
#[cfg(test)]
mod tests;
mod write;

pub use kind::{TransactionKind, TransactionState};
pub use lookup::{account_of_transaction, account_version_at};
pub use query::{GetTransaction, TransactionDetails};
pub use statement::{StatementLine, UserStatement};
pub use write::Transactions;

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    write::WRITES[0],
    write::WRITES[1],
    write::WRITES[2],
    write::WRITES[3],
    query::READS[0],
    statement::READS[0],
    reasons::READS[0],
    lookup::READS[0],
    lookup::READS[1],
    lookup::READS[2],
];
