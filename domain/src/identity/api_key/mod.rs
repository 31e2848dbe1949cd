//! A key by which a program acts for an organization (P-33): what it may, how often, and until when.
//!
//! The stream knows the SHA-256 of the key's secret and never the secret. A new secret takes the
//! place of the old one at once, or after an overlap in which both are good. An expired key needs no
//! event: it is over when its time is.

mod aggregate;
mod commands;
mod errors;
mod events;
mod quota;
#[cfg(test)]
mod tests;

pub use aggregate::{ApiKey, Issued, KeyStatus, OVERLAP_MAX};
pub use commands::{ApiKeyCommand, CreateApiKey, RotateApiKey};
pub use errors::ApiKeyError;
pub use events::{ApiKeyCreated, ApiKeyEvent, ApiKeyQuotaSet, ApiKeyRevoked, ApiKeyRotated};
pub use quota::{Quota, QuotaPeriod};
