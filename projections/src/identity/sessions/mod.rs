//! Where is or was this user signed in, since when, and why not any more?
//!
//! Rows hold nothing personal: the name of the device stands beside the event that started the
//! session, address and user agent in the client context.

mod fold;
mod query;

pub use fold::Sessions;
pub use query::{Session, UserSessions};

pub(super) use fold::STATEMENTS;

/// The projection's public name.
pub const PROJECTION: &str = "sessions";

pub(super) const READS: &[(&str, &str)] = &[("identity.sessions.list", query::LIST), ("identity.sessions.sealed", query::SEALED)];
