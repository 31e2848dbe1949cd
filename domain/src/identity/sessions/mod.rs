//! The devices on which one user is signed in.
//!
//! A refresh token is a session's id, the secret of its family and a secret that changes with each
//! use; only digests of the secrets are kept. A token of the family that was used before shows that
//! two have it, so the session ends (E-109, RFC 9700, 4.14).

mod aggregate;
mod commands;
mod errors;
mod events;
mod method;
#[cfg(test)]
mod tests;

pub use aggregate::{LIVE_SESSIONS_MAX, Session, Sessions};
pub use commands::{RotateRefresh, SessionsAction, SessionsCommand, StartSession};
pub use errors::SessionsError;
pub use events::{RefreshReuseDetected, RefreshRotated, SessionRevoked, SessionStarted, SessionsEvent, SessionsRevoked};
pub use method::{Carrier, Factor, RevocationReason, SignInMethod};
