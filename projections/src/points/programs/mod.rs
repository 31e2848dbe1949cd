//! Programs with their rules: which there are, and by which rules one earns and loses points.

mod fold;
mod query;

pub use fold::Programs;
pub use query::{EarningRuleVersion, ExpiryRuleVersion, GetProgram, ListPrograms, ProgramDetails};

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    fold::WRITES[0],
    fold::WRITES[1],
    fold::WRITES[2],
    fold::WRITES[3],
    fold::WRITES[4],
    query::READS[0],
    query::READS[1],
    query::READS[2],
    query::READS[3],
];
