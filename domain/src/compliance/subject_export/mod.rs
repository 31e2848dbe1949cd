//! What is recorded of a person, taken out by them: built from every event that names them, sealed to a
//! key that they alone have, and deleted when its time is over (B.4, E-177, E-178).

mod aggregate;
mod commands;
mod errors;
mod events;
mod format;
mod status;
#[cfg(test)]
mod tests;

pub use aggregate::{ANSWER_EXPIRES_AFTER_DAYS, EXPIRES_AFTER_DAYS, Export, SubjectExport};
pub use commands::{CompleteExport, RequestAnswerExport, RequestAuditExport, RequestExport, SubjectExportCommand};
pub use errors::SubjectExportError;
pub use events::{
    AnswerExportRequested, AuditExportFailed, AuditExportReady, AuditExportRequested, SubjectExportDownloaded, SubjectExportEvent,
    SubjectExportExpired, SubjectExportFailed, SubjectExportReady, SubjectExportRequested, SubjectExportStarted,
};
pub use format::{ExportFault, ExportFormat};
pub use status::ExportStatus;
