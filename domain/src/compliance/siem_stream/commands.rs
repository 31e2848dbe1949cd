//! What may be asked of a stream.

use super::{SiemFailure, SiemFormat, Topic};
use crate::kernel::{OrganizationId, SiemStreamId};

#[derive(Clone, Debug)]
pub enum SiemStreamCommand {
    Open(OpenSiemStream),
    Pause,
    /// It goes on where it stood.
    Resume,
    /// For good.
    Close,
    /// The forwarder gave up.
    Fail(SiemFailure),
}

/// Has the audit log sent to a sink.
#[derive(Clone, Debug)]
pub struct OpenSiemStream {
    pub stream_id: SiemStreamId,
    pub organization_id: OrganizationId,
    pub url: String,
    pub format: SiemFormat,
    /// The name of the secret that signs what is sent: never the secret itself.
    pub secret_ref: Option<String>,
    /// Everything, where there are none.
    pub topics: Vec<Topic>,
    /// Whether what was recorded before is sent as well.
    pub from_beginning: bool,
    /// Whether a sink on this machine may do without TLS: in development alone.
    pub insecure_loopback: bool,
}
