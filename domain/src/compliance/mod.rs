//! Compliance: what proves who saw and who was refused what, and how people and organizations go.
//!
//! Words: an *access record* is the stream of one user's refusals, reads of sensitive data and
//! exports; accepted commands need none, their events are their record (design 5). A *deletion request*
//! is what one subject's way out is; *erasure* is the destruction of its keys; a *legal hold* stops it;
//! the *retention schedule* says what stays how long.
//!
//! Invariants: a record names routes by their pattern and data by class and subject, never the
//! data itself; recording is never refused for what the user did. Nothing is destroyed before a grace
//! period and a recovery window, nor while a hold is on it, nor before its retention is over.
//!
//! Others see the aggregates and the words of deletions.

pub mod access_record;
pub mod deletion_request;
pub mod legal_holds;
pub mod retention_schedule;
