//! What people take out of what is recorded of them: where each export stands, and the sealed files.

mod files;
mod fold;
mod query;

pub use files::{ExportFiles, STATEMENTS as FILE_STATEMENTS, export_file};
pub use fold::SubjectExports;
pub use query::{GetExport, ListExports, SubjectExport};

pub(super) use query::exports_of;

/// The projection's public name.
pub const PROJECTION: &str = "subject_exports";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.subject_exports.insert", fold::INSERT),
    ("compliance.subject_exports.change", fold::CHANGE),
    ("compliance.subject_exports.forget", fold::FORGET),
    ("compliance.subject_exports.forget_files", files::FORGET),
    ("compliance.subject_exports.list", query::LIST),
    ("compliance.subject_exports.get", query::GET),
    ("compliance.subject_exports.file", files::READ),
];
