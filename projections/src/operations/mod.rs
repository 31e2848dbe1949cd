//! Read models of operations: history for analysts.
//!
//! It has no table of its own: [`history`] reads the log through the index that the audit log keeps
//! of it. Where every projection stands is the engine's to say, since its rows know no tenant.

pub mod history;

/// Every SQL statement of this context, by name.
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    history::STATEMENTS.iter().copied()
}
