//! What a member has: the balance of each account, in points.
//!
//! `posted` is the sum of resolved transactions, `held` what open holds reserve, `pending` what is
//! credited and not resolved (W-31, T-32). `available = posted − held` is computed when it is read.

mod fold;
mod query;
#[cfg(test)]
mod tests;

pub use fold::Balances;
pub(super) use fold::Change;
pub use query::{AccountPoints, Expiry, PointsOfUser, ProgramPoints, UserPoints};

pub(super) const STATEMENTS: &[(&str, &str)] = &[fold::WRITES[0], query::READS[0], query::READS[1], query::READS[2]];
