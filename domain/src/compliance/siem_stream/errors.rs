//! Why something is refused of a stream.

use super::aggregate::{STREAMS_MAX, TOPICS_MAX};
use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiemStreamError {
    #[error("no such stream")]
    NotFound,
    #[error("the stream is there already")]
    AlreadyOpen,
    #[error("a sink is an address such as https://siem.your.company/in, without a query")]
    UrlInvalid,
    #[error("a sink is reached by https at a public name")]
    UrlInsecure,
    #[error("the name of a secret has 1 to 100 lower-case letters, digits, hyphens and underscores")]
    SecretRefInvalid,
    #[error("at most {TOPICS_MAX} topics")]
    TooManyTopics,
    #[error("the stream is not active")]
    NotActive,
    #[error("the stream is active")]
    NotStopped,
    #[error("the stream was closed for good")]
    Closed,
    #[error("a sink is sent what is confidential, which is above the clearance of who asks")]
    AboveClearance,
    #[error("at most {STREAMS_MAX} streams of an organization are active at a time")]
    TooManyStreams,
}

impl Refusal for SiemStreamError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::ResourceNotFound,
            Self::UrlInvalid | Self::UrlInsecure | Self::SecretRefInvalid | Self::TooManyTopics => Code::ValidationError,
            Self::AlreadyOpen | Self::NotActive | Self::NotStopped | Self::Closed | Self::TooManyStreams => Code::Conflict,
            Self::AboveClearance => Code::AccessDenied,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "compliance.siem_stream_not_found",
            Self::AlreadyOpen => "compliance.siem_stream_already_open",
            Self::UrlInvalid => "compliance.sink_url_invalid",
            Self::UrlInsecure => "compliance.sink_url_insecure",
            Self::SecretRefInvalid => "compliance.sink_secret_ref_invalid",
            Self::TooManyTopics => "compliance.too_many_topics",
            Self::NotActive => "compliance.siem_stream_not_active",
            Self::NotStopped => "compliance.siem_stream_not_stopped",
            Self::Closed => "compliance.siem_stream_closed",
            Self::AboveClearance => "compliance.siem_stream_above_clearance",
            Self::TooManyStreams => "compliance.too_many_siem_streams",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::UrlInvalid | Self::UrlInsecure => Some("url"),
            Self::SecretRefInvalid => Some("secret_ref"),
            Self::TooManyTopics => Some("topics"),
            _ => None,
        }
    }

    /// A reach for more than one may read is worth remembering.
    fn is_attempt(&self) -> bool {
        matches!(self, Self::AboveClearance)
    }
}
