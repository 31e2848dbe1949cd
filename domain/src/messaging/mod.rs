//! Messaging: what the platform writes to people, and whether it went out.
//!
//! Words: a *letter* is one message to one person, asked for by one event and named after it; it is
//! *sent* when a mail server has taken it, and *undeliverable* when one has refused it for good.
//!
//! Invariants: a letter is sent at most once, and what became of it is final; neither an address nor
//! what stands in a letter enters its events.
//!
//! Others see the [`letter::Letter`] aggregate.

pub mod letter;
