//! The rules of a stream.

use super::{
    OpenSiemStream, SiemFailure, SiemFormat, SiemStreamClosed, SiemStreamCommand, SiemStreamError, SiemStreamEvent, SiemStreamFailed,
    SiemStreamOpened, SiemStreamPaused, SiemStreamResumed, SiemStreamStatus, Topic,
    status::{CLOSE, FAIL, PAUSE, RESUME},
};
use crate::{
    identity::connection::Issuer,
    kernel::{Aggregate, Facts, OrganizationId, SiemStreamId, UserId},
};
use serde::{Deserialize, Serialize};

/// Topics of one stream.
pub const TOPICS_MAX: usize = 100;
/// Streams of an organization that are active at a time.
pub const STREAMS_MAX: usize = 10;
const SECRET_REF_MAX: usize = 100;

/// Where it is sent, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiemSink {
    pub stream_id: SiemStreamId,
    pub organization_id: OrganizationId,
    pub url: Issuer,
    pub format: SiemFormat,
    pub secret_ref: Option<String>,
    pub topics: Vec<Topic>,
    pub status: SiemStreamStatus,
    /// Why it failed, where it did.
    pub failure: Option<SiemFailure>,
    /// Who opened it, or resumed it last.
    pub answerable: UserId,
}

/// One stream: nothing, until it is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SiemStream(Option<SiemSink>);

impl SiemStream {
    pub fn sink(&self) -> Option<&SiemSink> {
        self.0.as_ref()
    }

    fn known(&self) -> Result<&SiemSink, SiemStreamError> {
        self.0.as_ref().ok_or(SiemStreamError::NotFound)
    }

    /// The stream, unless it was closed for good.
    fn lasting(&self) -> Result<&SiemSink, SiemStreamError> {
        let sink = self.known()?;
        if CLOSE.leads_from(sink.status) { Ok(sink) } else { Err(SiemStreamError::Closed) }
    }

    fn open(&self, command: &OpenSiemStream, facts: &Facts) -> Result<SiemStreamEvent, SiemStreamError> {
        if self.0.is_some() {
            return Err(SiemStreamError::AlreadyOpen);
        }
        let OpenSiemStream { stream_id, organization_id, url, format, secret_ref, topics, from_beginning, insecure_loopback } = command;
        let url: Issuer = url.parse().map_err(|_| SiemStreamError::UrlInvalid)?;
        if !url.is_acceptable(*insecure_loopback) {
            return Err(SiemStreamError::UrlInsecure);
        }
        // It becomes the name of a file: nothing in it may lead elsewhere.
        let is_name = |name: &String| {
            (1..=SECRET_REF_MAX).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
        };
        if !secret_ref.as_ref().is_none_or(is_name) {
            return Err(SiemStreamError::SecretRefInvalid);
        }
        if topics.len() > TOPICS_MAX {
            return Err(SiemStreamError::TooManyTopics);
        }
        let opened = SiemStreamOpened {
            stream_id: *stream_id,
            organization_id: *organization_id,
            url,
            format: *format,
            secret_ref: secret_ref.clone(),
            topics: topics.clone(),
            from_beginning: *from_beginning,
            opened_by: facts.actor,
        };
        Ok(opened.into())
    }

    fn set(&mut self, status: SiemStreamStatus, failure: Option<SiemFailure>) {
        if let Some(sink) = &mut self.0 {
            (sink.status, sink.failure) = (status, failure);
        }
    }
}

impl Aggregate for SiemStream {
    const TYPE: &'static str = "siem_stream";
    const SHAPE: u16 = 2;

    type Command = SiemStreamCommand;
    type Event = SiemStreamEvent;
    type Error = SiemStreamError;

    fn decide(&self, command: &SiemStreamCommand, facts: &Facts) -> Result<Vec<SiemStreamEvent>, SiemStreamError> {
        let event = match command {
            SiemStreamCommand::Open(command) => self.open(command, facts)?,
            SiemStreamCommand::Pause => {
                let SiemSink { stream_id, status, .. } = *self.lasting()?;
                if !PAUSE.leads_from(status) {
                    return Err(SiemStreamError::NotActive);
                }
                SiemStreamPaused { stream_id, paused_by: facts.actor }.into()
            }
            SiemStreamCommand::Resume => {
                let SiemSink { stream_id, status, .. } = *self.lasting()?;
                if !RESUME.leads_from(status) {
                    return Err(SiemStreamError::NotStopped);
                }
                SiemStreamResumed { stream_id, resumed_by: facts.actor }.into()
            }
            SiemStreamCommand::Close => SiemStreamClosed { stream_id: self.lasting()?.stream_id, closed_by: facts.actor }.into(),
            SiemStreamCommand::Fail(reason) => {
                let SiemSink { stream_id, status, answerable, .. } = *self.lasting()?;
                if !FAIL.leads_from(status) {
                    return Err(SiemStreamError::NotActive);
                }
                SiemStreamFailed { stream_id, reason: *reason, told: Some(answerable) }.into()
            }
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &SiemStreamEvent) {
        match event {
            SiemStreamEvent::SiemStreamOpened(opened) => {
                let SiemStreamOpened { stream_id, organization_id, url, format, secret_ref, topics, opened_by, .. } = opened.clone();
                let (status, failure) = (SiemStreamStatus::Active, None);
                let answerable = opened_by;
                self.0 = Some(SiemSink { stream_id, organization_id, url, format, secret_ref, topics, status, failure, answerable });
            }
            SiemStreamEvent::SiemStreamPaused(_) => self.set(PAUSE.to, None),
            SiemStreamEvent::SiemStreamResumed(resumed) => {
                self.set(RESUME.to, None);
                if let Some(sink) = &mut self.0 {
                    sink.answerable = resumed.resumed_by;
                }
            }
            SiemStreamEvent::SiemStreamClosed(_) => self.set(CLOSE.to, None),
            SiemStreamEvent::SiemStreamFailed(failed) => self.set(FAIL.to, Some(failed.reason)),
        }
    }
}
