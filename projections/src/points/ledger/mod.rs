//! The books: postings added up, apart from every other fold.
//!
//! The sums know nothing of balances, holds or lots, so that a fold which is wrong shows as a
//! difference between the two (T-34).

mod fold;
mod query;
#[cfg(test)]
mod tests;

pub use fold::Ledger;
pub use query::{Books, LedgerLine, TrialBalance};

pub(super) const STATEMENTS: &[(&str, &str)] = &[fold::WRITES[0], fold::WRITES[1], query::READS[0]];
