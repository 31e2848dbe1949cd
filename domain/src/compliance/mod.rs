//! Compliance: what proves who saw and who was refused what, what people agreed to and ask for, and how
//! people and organizations go.
//!
//! Words: an *access record* is the stream of one user's refusals, reads of sensitive data and
//! exports; accepted commands need none, their events are their record (design 5). A *deletion request*
//! is what one subject's way out is; *erasure* is the destruction of its keys; a *legal hold* stops it;
//! the *retention schedule* says what stays how long. A *consent* is a person's own agreement to a version
//! of a *legal document*. A *subject request* is what a person asks under data protection law, with its due
//! date; a *subject export* is what is recorded of them, sealed to a key that they alone have. A *breach
//! case* is what was done about a breach of personal data, under the clock of the authority.
//!
//! A *saved search* is a search of the audit log that one user keeps. An *audit schedule* has what it finds
//! taken out for them again and again. A *SIEM stream* sends the audit log
//! to a sink of the organization's as it grows. An *anomaly* is something in the log that looks wrong,
//! until somebody looked at it. An *access review* looks at who has which role, one by one.
//!
//! Invariants: a record names routes by their pattern and data by class and subject, never the
//! data itself; recording is never refused for what the user did. Nothing is destroyed before a grace
//! period and a recovery window, nor while a hold is on it, nor before its retention is over. Nobody agrees
//! for another, and what was published or agreed to is never changed, only followed by something newer.
//!
//! Others see the aggregates, the words of deletions, the [`ConsentType`] and the [`DocumentVersion`].

pub mod access_anomaly;
pub mod access_record;
pub mod access_review;
pub mod audit_schedules;
pub mod breach_case;
pub mod consent;
pub mod deletion_request;
pub mod legal_document;
pub mod legal_holds;
pub mod retention_schedule;
pub mod saved_searches;
pub mod siem_stream;
pub mod subject_export;
pub mod subject_request;

pub use consent::{ConsentType, DocumentVersion};
