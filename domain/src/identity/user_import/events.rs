//! What happens to an import.

use super::{ImportMode, ImportStatus, RowError, RowFault, status};
use crate::{
    events,
    identity::RoleRef,
    kernel::{ImportId, InvitationId, Personal, UserId},
};

events! {
    /// What happens to an import.
    pub enum UserImportEvent {
        ImportUploaded = "identity.import_uploaded" v 1 {
            import_id: ImportId = internal,
            mode: ImportMode = internal,
            size_bytes: u32 = internal,
            uploaded_by: UserId = internal,
        },
        ImportScanned = "identity.import_scanned" v 1 {
            import_id: ImportId = internal,
            rows: u32 = internal,
        },
        /// A row that says something. Rows count from 1, the header left out.
        ImportRowRead = "identity.import_row_read" v 1 {
            import_id: ImportId = internal,
            row: u32 = internal,
            /// Who has the address already, else the user whom the row would make.
            user_id: UserId = internal,
            email: Personal<String> = confidential of user_id for Profile,
            display_name: Option<Personal<String>> = confidential of user_id for Profile,
            role: RoleRef = internal,
            exists: bool = internal,
        },
        /// A row with faults; its values are not kept.
        ImportRowRejected = "identity.import_row_rejected" v 1 {
            import_id: ImportId = internal,
            row: u32 = internal,
            errors: Vec<RowError> = internal,
        },
        ImportValidated = "identity.import_validated" v 1 {
            import_id: ImportId = internal,
            accepted: u32 = internal,
            rejected: u32 = internal,
        },
        ImportPreviewed = "identity.import_previewed" v 1 {
            import_id: ImportId = internal,
            to_invite: u32 = internal,
            existing: u32 = internal,
        },
        ImportConfirmed = "identity.import_confirmed" v 1 {
            import_id: ImportId = internal,
            confirmed_by: UserId = internal,
        },
        /// A run begins: the first one, or one of the rows that failed before.
        ImportStarted = "identity.import_started" v 1 {
            import_id: ImportId = internal,
            /// Counts from 1.
            run: u32 = internal,
            /// In whose name people are invited.
            started_by: UserId = internal,
        },
        ImportRowSucceeded = "identity.import_row_succeeded" v 1 {
            import_id: ImportId = internal,
            row: u32 = internal,
            run: u32 = internal,
            user_id: UserId = internal,
            invitation_id: InvitationId = internal,
        },
        ImportRowFailed = "identity.import_row_failed" v 1 {
            import_id: ImportId = internal,
            row: u32 = internal,
            run: u32 = internal,
            fault: RowFault = internal,
        },
        /// A run is over.
        ImportFinished = "identity.import_finished" v 1 {
            import_id: ImportId = internal,
            run: u32 = internal,
            /// In all runs together.
            invited: u32 = internal,
            failed: u32 = internal,
        },
        ImportRolledBack = "identity.import_rolled_back" v 1 {
            import_id: ImportId = internal,
            rolled_back_by: UserId = internal,
        },
        ImportRowRolledBack = "identity.import_row_rolled_back" v 1 {
            import_id: ImportId = internal,
            row: u32 = internal,
            user_id: UserId = internal,
            invitation_id: InvitationId = internal,
            /// Not so where somebody had acted on the invitation.
            revoked: bool = internal,
        },
        ImportCancelled = "identity.import_cancelled" v 1 {
            import_id: ImportId = internal,
        }
    }
}

impl UserImportEvent {
    /// Which import it happened to.
    pub fn import_id(&self) -> ImportId {
        match self {
            UserImportEvent::ImportUploaded(event) => event.import_id,
            UserImportEvent::ImportScanned(event) => event.import_id,
            UserImportEvent::ImportRowRead(event) => event.import_id,
            UserImportEvent::ImportRowRejected(event) => event.import_id,
            UserImportEvent::ImportValidated(event) => event.import_id,
            UserImportEvent::ImportPreviewed(event) => event.import_id,
            UserImportEvent::ImportConfirmed(event) => event.import_id,
            UserImportEvent::ImportStarted(event) => event.import_id,
            UserImportEvent::ImportRowSucceeded(event) => event.import_id,
            UserImportEvent::ImportRowFailed(event) => event.import_id,
            UserImportEvent::ImportFinished(event) => event.import_id,
            UserImportEvent::ImportRolledBack(event) => event.import_id,
            UserImportEvent::ImportRowRolledBack(event) => event.import_id,
            UserImportEvent::ImportCancelled(event) => event.import_id,
        }
    }

    /// The state it brings the import to; events about rows leave it where it is.
    pub fn status(&self) -> Option<ImportStatus> {
        Some(match self {
            UserImportEvent::ImportUploaded(_) => ImportStatus::Uploaded,
            UserImportEvent::ImportScanned(_) => status::SCAN.to,
            UserImportEvent::ImportValidated(_) => status::VALIDATE.to,
            UserImportEvent::ImportPreviewed(_) => status::PREVIEW.to,
            UserImportEvent::ImportConfirmed(_) => status::CONFIRM.to,
            UserImportEvent::ImportStarted(_) => status::BEGIN.to,
            UserImportEvent::ImportFinished(finished) if finished.failed == 0 => status::FINISH.to,
            UserImportEvent::ImportFinished(_) => status::FINISH_PARTLY.to,
            UserImportEvent::ImportRolledBack(_) => status::ROLL_BACK.to,
            UserImportEvent::ImportCancelled(_) => status::CANCEL.to,
            UserImportEvent::ImportRowRead(_)
            | UserImportEvent::ImportRowRejected(_)
            | UserImportEvent::ImportRowSucceeded(_)
            | UserImportEvent::ImportRowFailed(_)
            | UserImportEvent::ImportRowRolledBack(_) => return None,
        })
    }
}
