//! Breaches of personal data: what is open, and how many hours are left to tell the authority.

mod fold;
mod query;

pub use fold::Breaches;
pub use query::{Breach, GetBreach, ListBreaches};

/// The projection's public name.
pub const PROJECTION: &str = "breaches";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.breaches.insert", fold::INSERT),
    ("compliance.breaches.change", fold::CHANGE),
    ("compliance.breaches.list", query::LIST),
    ("compliance.breaches.get", query::GET),
];
