//! Who signs up, how far are they, and who waits for an approval?
//!
//! Rows hold nothing personal: who somebody is, is opened from beside the event when it is read.

mod fold;
mod person;
mod query;

pub use fold::Signups;
pub use query::{ListSignups, Signup};

pub(super) use fold::STATEMENTS;

/// The projection's public name.
pub const PROJECTION: &str = "signups";

pub(super) const READS: &[(&str, &str)] =
    &[("identity.signups.list", query::LIST), ("identity.signups.sealed", person::SEALED), ("identity.signups.numbers", person::NUMBERS)];
