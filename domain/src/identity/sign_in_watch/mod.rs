//! What is known of the places that one user signs in from, and what looks suspicious about the next one
//! (E-101, E-117).
//!
//! A place is a network and a device. Both stand here as keyed hashes that are good for this user only,
//! so they can be compared and say nothing. The rules are few, so that they can be explained to whoever
//! was stopped; there is none about distance, because nothing here knows where a network is.

mod aggregate;
mod commands;
mod errors;
mod events;
mod rules;
#[cfg(test)]
mod tests;

pub use aggregate::SignInWatch;
pub use commands::{Means, Sighting, SignInWatchCommand, WatchAction};
pub use errors::SignInWatchError;
pub use events::{NewPlaceSeen, SessionSeen, SignInDisowned, SignInFailed, SignInWatchEvent, SuspiciousSignInDetected};
pub use rules::{Consequence, FAILED_NETWORKS_MIN, FAILURES_MIN, NETWORKS_MAX, Suspicion, Verdict, WINDOW};
