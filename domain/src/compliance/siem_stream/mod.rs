//! Where an organization's audit log is sent as it grows: the sink of a SIEM, in a stream of its own.
//!
//! The secret that signs what is sent stands in no event, only the name under which the operator keeps
//! it. How far the sending came is no event either: it is the forwarder's cursor.

mod aggregate;
mod commands;
mod errors;
mod events;
mod status;
#[cfg(test)]
mod tests;
mod topic;

pub use aggregate::{STREAMS_MAX, SiemSink, SiemStream};
pub use commands::{OpenSiemStream, SiemStreamCommand};
pub use errors::SiemStreamError;
pub use events::{SiemStreamClosed, SiemStreamEvent, SiemStreamFailed, SiemStreamOpened, SiemStreamPaused, SiemStreamResumed};
pub use status::{SiemFailure, SiemFormat, SiemStreamStatus};
pub use topic::{MalformedTopic, Topic};
