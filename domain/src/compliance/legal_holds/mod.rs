//! The legal holds of an organization: what has to be kept, whatever anyone asks for (E-162).
//!
//! A hold is on people, or on everybody; and it may be on a span of time, whether that lies in the past
//! or not: then it is on whoever has something recorded in it. It stops destruction, not hiding.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::{Hold, LegalHolds, SUBJECTS_MAX};
pub use commands::{LegalHoldsCommand, PlaceHold};
pub use errors::LegalHoldsError;
pub use events::{HoldScope, LegalHoldExtended, LegalHoldPlaced, LegalHoldReleased, LegalHoldsEvent, Span};
