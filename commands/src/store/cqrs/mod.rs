//! The port as cqrs-es knows it: its repository and its event store, over any adapter.
//!
//! Two ways of the library are not used, and should not be: its snapshot and aggregate stores apply
//! events twice (cqrs-es 0.5). [`Repository`] offers no snapshots, so `new_event_store` is the way.

mod event_store;
mod foreign;
mod hosted;
pub mod import;
mod repository;

pub use event_store::{HostedContext, HostedStore};
pub use foreign::ForeignError;
pub use hosted::{Hosted, HostedEvent};
pub use repository::Repository;
