//! What may be asked of an import.

use super::{ImportMode, RowError, RowFault};
use crate::{
    identity::RoleRef,
    kernel::{ImportId, UserId},
};
use std::fmt;
use uuid::Uuid;

#[derive(Clone, Debug)]
pub enum UserImportCommand {
    Upload {
        import_id: ImportId,
        mode: ImportMode,
        size_bytes: u32,
    },
    /// The text is a table of so many rows.
    Scan {
        rows: u32,
    },
    /// Takes the rows, in their order.
    Validate(Vec<SubmittedRow>),
    /// Counts what would happen.
    Preview,
    Confirm,
    /// Starts the first run.
    Begin,
    /// Runs the rows again that failed.
    Retry,
    SucceedRow {
        row: u32,
    },
    FailRow {
        row: u32,
        fault: RowFault,
    },
    /// Ends a run in which every row was run.
    Finish,
    RollBack,
    /// Records what became of the invitation of a row.
    RollBackRow {
        row: u32,
        revoked: bool,
    },
    Cancel,
}

/// A row as it was read.
#[derive(Clone)]
pub enum SubmittedRow {
    Faulty(Vec<RowError>),
    Person {
        email: String,
        display_name: Option<String>,
        role: RoleRef,
        /// The key under which nobody else of the organization has the address, by which it is noticed where it
        /// stands twice. It is not recorded.
        lookup: Uuid,
        /// Who has the address already.
        holder: Option<UserId>,
    },
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for SubmittedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Faulty(errors) => f.debug_tuple("Faulty").field(errors).finish(),
            Self::Person { role, .. } => f.debug_struct("Person").field("role", role).finish_non_exhaustive(),
        }
    }
}
