//! What people agreed to: now and at any moment of the past, and the receipt of it.

mod fold;
mod query;
mod receipt;

pub use fold::Consents;
pub use query::{ConsentRecord, ConsentsOfUser, UserConsents};
pub use receipt::{ConsentReceipt, GetConsentReceipt};

pub(super) use query::consents_of;

/// The projection's public name.
pub const PROJECTION: &str = "consents";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.consents.insert", fold::INSERT),
    ("compliance.consents.states", query::STATES),
    ("compliance.consents.documents", query::DOCUMENTS),
    ("compliance.consents.required", query::REQUIRED),
    ("compliance.consents.recorded_at", query::RECORDED_AT),
    ("compliance.consents.history", receipt::HISTORY),
    ("compliance.consents.notice", receipt::NOTICE),
];
