//! The documents that an organization's people agree to: which versions there are, and what they say.

mod fold;
mod query;

pub use fold::LegalDocuments;
pub use query::{GetLegalDocument, LegalDocument, LegalDocumentText, ListLegalDocuments};

/// The projection's public name.
pub const PROJECTION: &str = "legal_documents";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.legal_documents.insert", fold::INSERT),
    ("compliance.legal_documents.list", query::LIST),
    ("compliance.legal_documents.get", query::GET),
];
