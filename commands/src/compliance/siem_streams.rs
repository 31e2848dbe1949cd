//! Where an organization's audit log is sent as it grows.

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use palmares_domain::{
    compliance::siem_stream::{self, SiemFailure, SiemFormat, SiemStream, SiemStreamCommand, SiemStreamStatus, Topic},
    kernel::{Admission, SiemStreamId},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    OpenSiemStream => permit "compliance.siem_stream.open", throttle Write;
    PauseSiemStream => permit "compliance.siem_stream.pause", throttle Write;
    ResumeSiemStream => permit "compliance.siem_stream.resume", throttle Write;
}

/// Has the audit log sent to a sink, entry by entry, in order and without gaps: what the sink does not
/// take is sent again, however long it is away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenSiemStream {
    /// Reached by https at a public name: `https://siem.your.company/in`.
    #[schema(max_length = 500)]
    pub url: String,
    pub format: SiemFormat,
    /// The name under which the operator keeps the secret that signs what is sent.
    #[schema(min_length = 1, max_length = 100)]
    pub secret_ref: Option<String>,
    /// Names of events and permissions, or what stands above them, such as `identity`; everything,
    /// where there are none.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    pub topics: Vec<Topic>,
    /// Whether what was recorded before is sent as well.
    #[serde(default)]
    pub from_beginning: bool,
    /// Whether a sink on this machine may do without TLS, as the settings say.
    #[serde(skip)]
    #[schema(ignore)]
    pub insecure_loopback: bool,
}

fn stream_of(admission: &Admission, stream: SiemStreamId) -> StreamRef {
    StreamRef::of::<SiemStream>(admission.organization, stream)
}

impl OpenSiemStream {
    fn id(admission: &Admission) -> SiemStreamId {
        SiemStreamId(new_id(admission, "siem-stream"))
    }
}

impl Operation for OpenSiemStream {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![stream_of(admission, Self::id(admission))]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let stream_id = Self::id(unit.admission());
        let open = siem_stream::OpenSiemStream {
            stream_id,
            organization_id: unit.organization(),
            url: self.url.clone(),
            format: self.format,
            secret_ref: self.secret_ref.clone(),
            topics: self.topics.clone(),
            from_beginning: self.from_beginning,
            insecure_loopback: self.insecure_loopback,
        };
        unit.run::<SiemStream>(stream_id, &SiemStreamCommand::Open(open))?;
        Ok(Answer::new("id", stream_id, SiemStreamStatus::Active.name()))
    }
}

crate::life_cycle::steps! { SiemStream, stream_id: SiemStreamId, stream_of;
    /// Sends nothing more, until it is resumed.
    PauseSiemStream => |_| SiemStreamCommand::Pause, |_| SiemStreamStatus::Paused.name();

    /// Goes on where it stood: what was recorded meanwhile is sent.
    ResumeSiemStream => |_| SiemStreamCommand::Resume, |_| SiemStreamStatus::Active.name();

    /// Gives up: the forwarder asks for it, no route does.
    FailSiemStream { reason: SiemFailure } => |step| SiemStreamCommand::Fail(step.reason), |_| SiemStreamStatus::Failed.name();
}
