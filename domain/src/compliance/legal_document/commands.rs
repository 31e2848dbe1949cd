//! What may be asked of an organization's legal documents.

use crate::{
    compliance::{ConsentType, DocumentVersion},
    kernel::{Digest, LegalDocumentId},
    organizations::Locale,
};
use chrono::{DateTime, Utc};

#[derive(Clone, Debug)]
pub enum LegalDocumentCommand {
    Publish(PublishLegalDocument),
}

/// Publishes a text of a version: in its first language, or in another one.
#[derive(Clone, Debug)]
pub struct PublishLegalDocument {
    pub document_id: LegalDocumentId,
    pub consent_type: ConsentType,
    pub version: DocumentVersion,
    pub language: Locale,
    pub digest: Digest,
    /// The text itself, or where it stands: one of the two.
    pub text: Option<String>,
    pub url: Option<String>,
    /// From when it is in force; now, or with the version's other texts, where it is missing.
    pub effective_at: Option<DateTime<Utc>>,
}
