//! What happens to an organization's legal documents.

use crate::{
    compliance::{ConsentType, DocumentVersion},
    events,
    kernel::{Digest, LegalDocumentId},
    organizations::Locale,
};
use chrono::{DateTime, Utc};

events! {
    /// What happens to an organization's legal documents.
    pub enum LegalDocumentEvent {
        LegalDocumentPublished = "compliance.legal_document_published" v 1 {
            document_id: LegalDocumentId = internal,
            consent_type: ConsentType = internal,
            version: DocumentVersion = internal,
            language: Locale = internal,
            /// SHA-256 of the text, here or where it stands.
            digest: Digest = internal,
            text: Option<String> = internal,
            url: Option<String> = internal,
            effective_at: DateTime<Utc> = internal,
        }
    }
}
