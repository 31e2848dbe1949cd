//! Where an export stands, and which way leads from there (B.4).

use crate::transitions;
use serde::{Deserialize, Serialize};

/// The states of B.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExportStatus {
    Requested,
    Building,
    /// It can be downloaded until it expires.
    Ready,
    /// At least once; it can be again.
    Downloaded,
    /// What was built is deleted.
    Expired,
    Failed,
}

impl ExportStatus {
    pub const ALL: [ExportStatus; 6] = [
        ExportStatus::Requested,
        ExportStatus::Building,
        ExportStatus::Ready,
        ExportStatus::Downloaded,
        ExportStatus::Expired,
        ExportStatus::Failed,
    ];

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            ExportStatus::Requested => "REQUESTED",
            ExportStatus::Building => "BUILDING",
            ExportStatus::Ready => "READY",
            ExportStatus::Downloaded => "DOWNLOADED",
            ExportStatus::Expired => "EXPIRED",
            ExportStatus::Failed => "FAILED",
        }
    }
}

transitions! { ExportStatus {
    BUILD: Requested => Building;
    COMPLETE: Building => Ready;
    FAIL: Building => Failed;
    DOWNLOAD: Ready | Downloaded => Downloaded;
    EXPIRE: Ready | Downloaded => Expired;
} }
