//! Compliance: what proves who saw and who was refused what.
//!
//! Words: an *access record* is the stream of one user's refusals, reads of sensitive data and
//! exports; accepted commands need none, their events are their record (design 5).
//!
//! Invariants: a record names routes by their pattern and data by class and subject, never the
//! data itself; recording is never refused for what the user did.
//!
//! Others see the [`access_record::AccessRecord`] aggregate.

pub mod access_record;
