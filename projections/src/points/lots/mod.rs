//! Lots: which points expire when, of one member and of whole programs.

mod fold;
mod liability;
mod query;
#[cfg(test)]
mod tests;

pub use fold::Lots;
pub use liability::{ExpiryMonth, Liability, PointsLiability, ProgramLiability};
pub use query::{OpenLot, UserLots};

pub(super) const STATEMENTS: &[(&str, &str)] = &[fold::WRITES[0], fold::WRITES[1], fold::WRITES[2], query::READS[0], liability::READS[0]];
