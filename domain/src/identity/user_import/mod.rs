//! People who are brought in together, from a table (E-133, E-134): read, looked through, checked and
//! shown before anybody is invited, then invited row by row.
//!
//! Nobody is invited and nothing is claimed before the import is confirmed. The values of a row stand
//! sealed under whoever the row is about: the user who has the address already, else the one whom the
//! row would make. A row that is not accepted keeps its faults and none of its values.

mod aggregate;
mod commands;
mod errors;
mod events;
mod row;
mod status;
#[cfg(test)]
mod tests;

pub use aggregate::{Import, UserImport};
pub use commands::{SubmittedRow, UserImportCommand};
pub use errors::UserImportError;
pub use events::{
    ImportCancelled, ImportConfirmed, ImportFinished, ImportPreviewed, ImportRolledBack, ImportRowFailed, ImportRowRead, ImportRowRejected,
    ImportRowRolledBack, ImportRowSucceeded, ImportScanned, ImportStarted, ImportUploaded, ImportValidated, UserImportEvent,
};
pub use row::{Cells, Column, RowError, RowFault, RowStatus, Values};
pub use status::ImportStatus;

use crate::kernel::{ImportId, InvitationId, UserId, derive_uuid};
use serde::{Deserialize, Serialize};

/// The most rows that one import may have.
pub const ROWS_MAX: usize = 2_000;
/// The most bytes that the text of a table may have.
pub const CSV_MAX_BYTES: usize = 1024 * 1024;

/// What becomes of the people of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportMode {
    /// Each is invited by e-mail.
    #[default]
    Invite,
}

impl ImportMode {
    pub fn name(self) -> &'static str {
        match self {
            ImportMode::Invite => "invite",
        }
    }
}

/// The user whom a row makes. It is the same however often the row is run.
pub fn user_of_row(import: ImportId, row: u32) -> UserId {
    UserId(derive_uuid("import-user", &[import.0.as_bytes(), &row.to_be_bytes()]))
}

/// The invitation that a row makes.
pub fn invitation_of_row(import: ImportId, row: u32) -> InvitationId {
    InvitationId(derive_uuid("import-invitation", &[import.0.as_bytes(), &row.to_be_bytes()]))
}
