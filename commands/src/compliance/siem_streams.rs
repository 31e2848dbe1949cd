//! Where an organization's audit log is sent as it grows.

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use crate::store::ClaimKey;
use palmares_domain::{
    compliance::siem_stream::{
        self, STREAMS_MAX, SiemFailure, SiemFormat, SiemStream, SiemStreamCommand, SiemStreamError, SiemStreamStatus, Topic,
    },
    kernel::{Admission, DataClass, SiemStreamId, derive_uuid},
    registry::AGGREGATES,
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    OpenSiemStream => permit "compliance.siem_stream.open", throttle Write;
    PauseSiemStream => permit "compliance.siem_stream.pause", throttle Write;
    ResumeSiemStream => permit "compliance.siem_stream.resume", throttle Write;
    CloseSiemStream => permit "compliance.siem_stream.close", throttle Write;
}

/// What a sink may be sent, and whoever opens a stream may read.
pub const SENT_TO_SINKS: DataClass = DataClass::Confidential;

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

/// What active streams hold, one each: so many may be active at a time.
fn places(admission: &Admission) -> Vec<ClaimKey> {
    let organization = admission.organization;
    let place = |number: usize| ClaimKey { organization, key: derive_uuid("siem-stream-place", &[&number.to_be_bytes()]) };
    (0..STREAMS_MAX).map(place).collect()
}

fn take_place(unit: &mut Unit<'_>, stream: SiemStreamId) -> Result<(), Refused> {
    let free = places(unit.admission()).into_iter().find(|place| unit.holder(*place).is_none());
    unit.claim(free.ok_or(SiemStreamError::TooManyStreams)?, stream);
    Ok(())
}

fn leave_place(unit: &mut Unit<'_>, stream: SiemStreamId) -> Result<(), Refused> {
    let held = places(unit.admission()).into_iter().find(|place| unit.holder(*place) == Some(stream.0));
    // A stream that was opened before places were counted holds none.
    held.into_iter().for_each(|place| unit.release(place));
    Ok(())
}

/// Whether some event or permission has this name, or one below it.
fn is_known(unit: &Unit<'_>, topic: &Topic) -> bool {
    let mut events = AGGREGATES.iter().flat_map(|aggregate| aggregate.catalogue).map(|event| event.name);
    events.any(|name| topic.covers(name)) || unit.permissions().permissions().any(|name| topic.covers(name))
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

    fn claims(&self, admission: &Admission) -> Vec<ClaimKey> {
        places(admission)
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        // Or whoever may open a stream would read at its sink what is kept from them here.
        if unit.admission().rights.clearance() < SENT_TO_SINKS {
            return Err(SiemStreamError::AboveClearance.into());
        }
        // A topic of which there will never be an entry is a slip of the pen: nothing would arrive, and nobody would know.
        if let Some(index) = self.topics.iter().position(|topic| !is_known(unit, topic)) {
            return Err(Refused::field(format!("topics[{index}]"), "compliance.topic_unknown"));
        }
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
        take_place(unit, stream_id)?;
        Ok(Answer::new("id", stream_id, SiemStreamStatus::Active.name()))
    }
}

/// Sends nothing more, until it is resumed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseSiemStream {
    pub stream_id: SiemStreamId,
}

/// Goes on where it stood: what was recorded meanwhile is sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeSiemStream {
    pub stream_id: SiemStreamId,
}

/// Closes a stream for good: nothing is ever sent again, and how far it came is forgotten.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseSiemStream {
    pub stream_id: SiemStreamId,
}

/// Gives up: the forwarder asks for it, no route does.
pub struct FailSiemStream {
    pub stream_id: SiemStreamId,
    pub reason: SiemFailure,
}

/// Each step, with what becomes of the stream's place.
macro_rules! steps {
    ($($step:ident => $command:expr, $place:expr, $status:ident;)*) => {$(
        impl Operation for $step {
            fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
                vec![stream_of(admission, self.stream_id)]
            }

            fn claims(&self, admission: &Admission) -> Vec<ClaimKey> {
                places(admission)
            }

            fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
                let command: fn(&Self) -> SiemStreamCommand = $command;
                let place: fn(&mut Unit<'_>, SiemStreamId) -> Result<(), Refused> = $place;
                unit.run::<SiemStream>(self.stream_id, &command(self))?;
                place(unit, self.stream_id)?;
                Ok(Answer::new("id", self.stream_id, SiemStreamStatus::$status.name()))
            }
        }
    )*};
}

steps! {
    PauseSiemStream => |_| SiemStreamCommand::Pause, leave_place, Paused;
    ResumeSiemStream => |_| SiemStreamCommand::Resume, take_place, Active;
    CloseSiemStream => |_| SiemStreamCommand::Close, leave_place, Closed;
    FailSiemStream => |step| SiemStreamCommand::Fail(step.reason), leave_place, Failed;
}

#[cfg(test)]
#[path = "siem_streams_tests.rs"]
mod tests;
