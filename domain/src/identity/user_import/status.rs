//! Where an import stands, and which way leads from there (B.4).

use crate::transitions;
use serde::{Deserialize, Serialize};

/// The states of B.4, and the one in which an import ends that nobody confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ImportStatus {
    /// The text arrived.
    Uploaded,
    /// It is a table with the right columns.
    Scanned,
    /// Every row was checked.
    Validated,
    /// What would happen is known, and waits for somebody to confirm it.
    Previewed,
    Confirmed,
    /// Rows are being run.
    Running,
    /// Every row that was to be run succeeded.
    Done,
    /// Some rows failed.
    Partial,
    /// What the import did was taken back, as far as nobody had acted on it.
    RolledBack,
    /// Given up before anything happened.
    Cancelled,
}

impl ImportStatus {
    pub const ALL: [ImportStatus; 10] = [
        ImportStatus::Uploaded,
        ImportStatus::Scanned,
        ImportStatus::Validated,
        ImportStatus::Previewed,
        ImportStatus::Confirmed,
        ImportStatus::Running,
        ImportStatus::Done,
        ImportStatus::Partial,
        ImportStatus::RolledBack,
        ImportStatus::Cancelled,
    ];

    /// The name in rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            ImportStatus::Uploaded => "UPLOADED",
            ImportStatus::Scanned => "SCANNED",
            ImportStatus::Validated => "VALIDATED",
            ImportStatus::Previewed => "PREVIEWED",
            ImportStatus::Confirmed => "CONFIRMED",
            ImportStatus::Running => "RUNNING",
            ImportStatus::Done => "DONE",
            ImportStatus::Partial => "PARTIAL",
            ImportStatus::RolledBack => "ROLLED_BACK",
            ImportStatus::Cancelled => "CANCELLED",
        }
    }
}

transitions! { ImportStatus {
    SCAN: Uploaded => Scanned;
    VALIDATE: Scanned => Validated;
    PREVIEW: Validated => Previewed;
    CONFIRM: Previewed => Confirmed;
    BEGIN: Confirmed => Running;
    /// E-134
    RETRY: Partial => Running;
    FINISH: Running => Done;
    FINISH_PARTLY: Running => Partial;
    /// E-134
    ROLL_BACK: Partial => RolledBack;
    CANCEL: Previewed => Cancelled;
} }
