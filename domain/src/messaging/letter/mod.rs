//! One message to one person: waiting, until it was sent or cannot be delivered.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::Letter;
pub use commands::{Channel, Envelope, LetterCommand, LetterKind, RecordSent, RecordUndeliverable, UndeliverableReason};
pub use errors::LetterError;
pub use events::{LetterEvent, LetterSent, LetterUndeliverable};
