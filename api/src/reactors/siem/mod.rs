//! Sends audit logs to the sinks of organizations: in order, without gaps, again where a sink was away.

mod forwarder;
mod sink;

pub use forwarder::{AT_A_TIME, Forwarder};
pub use sink::Sinks;
