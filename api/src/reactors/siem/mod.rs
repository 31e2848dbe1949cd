//! Sends audit logs to the sinks of organizations: in order, without gaps, again where a sink was away.

mod forwarder;
mod pauses;
mod sink;
mod turns;

pub use forwarder::{AT_A_TIME, Forwarder};
pub use pauses::{Growing, Pauses};
pub use sink::Sinks;
