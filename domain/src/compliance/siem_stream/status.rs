//! Where a stream stands, how it speaks, and why it stopped.

use crate::transitions;
use serde::{Deserialize, Serialize};

/// The states of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SiemStreamStatus {
    Active,
    Paused,
    /// The sink takes nothing, and trying again does not help; resumed, it goes on where it stood.
    Failed,
    /// Nothing is ever sent again.
    Closed,
}

impl SiemStreamStatus {
    pub const ALL: [Self; 4] = [Self::Active, Self::Paused, Self::Failed, Self::Closed];

    /// The name in rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Paused => "PAUSED",
            Self::Failed => "FAILED",
            Self::Closed => "CLOSED",
        }
    }
}

transitions! { SiemStreamStatus {
    PAUSE: Active => Paused;
    RESUME: Paused | Failed => Active;
    FAIL: Active => Failed;
    CLOSE: Active | Paused | Failed => Closed;
} }

/// In which form entries are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiemFormat {
    /// One JSON object a line.
    JsonLines,
    /// A batch of CloudEvents 1.0 in JSON.
    #[serde(rename = "cloudevents")]
    CloudEvents,
    /// Events of the Open Cybersecurity Schema Framework 1.9, one a line.
    Ocsf,
}

impl SiemFormat {
    pub const ALL: [Self; 3] = [Self::JsonLines, Self::CloudEvents, Self::Ocsf];

    /// The name in rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonLines => "json_lines",
            Self::CloudEvents => "cloudevents",
            Self::Ocsf => "ocsf",
        }
    }
}

/// Why trying again does not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SiemFailure {
    /// The sink said so: again and again, or for ever.
    RefusedBySink,
    /// Nothing may be sent to this address any more.
    AddressForbidden,
}
