//! What happens to a stream.

use super::{SiemFailure, SiemFormat, Topic};
use crate::{
    events,
    identity::connection::Issuer,
    kernel::{OrganizationId, SiemStreamId, UserId},
};

events! {
    /// What happens to a stream. The secret that signs it is no part of it.
    pub enum SiemStreamEvent {
        SiemStreamOpened = "compliance.siem_stream_opened" v 1 {
            stream_id: SiemStreamId = internal,
            organization_id: OrganizationId = internal,
            /// The address of the sink.
            url: Issuer = internal,
            format: SiemFormat = internal,
            /// The name under which the operator keeps the secret that signs what is sent.
            secret_ref: Option<String> = internal,
            /// Everything, where there are none.
            topics: Vec<Topic> = internal,
            from_beginning: bool = internal,
            opened_by: UserId = internal,
        },
        SiemStreamPaused = "compliance.siem_stream_paused" v 1 {
            stream_id: SiemStreamId = internal,
            paused_by: UserId = internal,
        },
        SiemStreamResumed = "compliance.siem_stream_resumed" v 1 {
            stream_id: SiemStreamId = internal,
            resumed_by: UserId = internal,
        },
        /// For good: how far it came is forgotten.
        SiemStreamClosed = "compliance.siem_stream_closed" v 1 {
            stream_id: SiemStreamId = internal,
            closed_by: UserId = internal,
        },
        SiemStreamFailed = "compliance.siem_stream_failed" v 1 {
            stream_id: SiemStreamId = internal,
            reason: SiemFailure = internal,
            /// Who answers for the stream, and gets a letter; missing where nobody was named yet.
            told: Option<UserId> = internal,
        }
    }
}
