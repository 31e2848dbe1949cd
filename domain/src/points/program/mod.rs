//! A points program: one asset with its rules (T-91).
//!
//! Rules are versions. A version holds from its `effective_from` day until a later version or the
//! rule's retirement, and stays the answer for those days for ever: what was earned on a day is
//! always computed by the rule of that day, however late it arrives. So a new version must begin
//! after the one before it.

mod aggregate;
mod commands;
mod errors;
mod events;
mod rules;
#[cfg(test)]
mod tests;

pub use aggregate::Program;
pub use commands::*;
pub use errors::ProgramError;
pub use events::*;
pub use rules::{EarningKind, EarningRule, ExpiryRule};
