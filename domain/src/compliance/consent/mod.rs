//! What one person agreed to, to which version of which document, and what they took back (E-175).
//!
//! Whoever agrees does so for themselves. Where they did it from stands sealed beside the event, as
//! of every command; a consent that a newer version replaces keeps its id.

mod aggregate;
mod commands;
mod errors;
mod events;
mod kind;
#[cfg(test)]
mod tests;

pub use aggregate::{Consents, Held};
pub use commands::{ConsentCommand, GiveConsent};
pub use errors::ConsentError;
pub use events::{ConsentEvent, ConsentGranted, ConsentRenewed, ConsentRevoked};
pub use kind::{ConsentType, DocumentVersion, MalformedVersion};
