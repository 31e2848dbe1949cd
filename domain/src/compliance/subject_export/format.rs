//! In which form an export comes, and why one could not be made.

use serde::{Deserialize, Serialize};

/// The form of an export (E-177).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Everything, as one document.
    Json,
    /// Everything, a row for each event.
    Csv,
    /// A summary for people: what there is, how much, and who read it.
    Pdf,
}

impl ExportFormat {
    pub const ALL: [ExportFormat; 3] = [ExportFormat::Json, ExportFormat::Csv, ExportFormat::Pdf];

    /// The name in events, rows and answers, and the end of the file's name.
    pub fn name(self) -> &'static str {
        match self {
            ExportFormat::Json => "json",
            ExportFormat::Csv => "csv",
            ExportFormat::Pdf => "pdf",
        }
    }
}

/// Why an export could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFault {
    /// More is recorded than one file takes.
    TooLarge,
    /// Whose it is was erased meanwhile.
    Erased,
    /// Whoever it is for may not take it out any more.
    NotPermitted,
}

impl ExportFault {
    /// The name in events and rows.
    pub fn name(self) -> &'static str {
        match self {
            ExportFault::TooLarge => "too_large",
            ExportFault::Erased => "erased",
            ExportFault::NotPermitted => "not_permitted",
        }
    }
}
