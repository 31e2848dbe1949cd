//! The documents that an organization asks its people to agree to.

use crate::digests::digest_of;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::{
        ConsentType, DocumentVersion,
        legal_document::{self, LegalDocumentCommand, LegalDocuments},
    },
    kernel::{Admission, Digest, LegalDocumentId},
    organizations::Locale,
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    PublishLegalDocument => permit "compliance.legal_document.publish", throttle Write;
}

/// Publishes a version of a document, one language at a time. What is published is never changed: a
/// newer version follows it, and people are asked again where the consent is required.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishLegalDocument {
    pub consent_type: ConsentType,
    pub version: DocumentVersion,
    pub language: Locale,
    /// The text itself, of at most 100,000 bytes, or where it stands: one of the two.
    #[schema(max_length = 100_000)]
    pub text: Option<String>,
    /// An address over TLS.
    #[schema(max_length = 2048)]
    pub url: Option<String>,
    /// SHA-256 of what stands at the address, in hexadecimal digits; of a text it is made here.
    #[schema(value_type = Option<String>, min_length = 64, max_length = 64)]
    pub digest: Option<Digest>,
    /// From when it is in force, at most two years from now: now where it is missing, with the version's other texts
    /// where there are any.
    pub effective_at: Option<DateTime<Utc>>,
}

/// The stream of the documents of the organization in which the request acts.
pub(super) fn documents_stream(admission: &Admission) -> StreamRef {
    StreamRef::of::<LegalDocuments>(admission.organization, admission.organization)
}

impl PublishLegalDocument {
    fn id(admission: &Admission) -> LegalDocumentId {
        LegalDocumentId(new_id(admission, "legal_document"))
    }

    fn digest(&self) -> Result<Digest, Refused> {
        match (&self.text, self.digest) {
            (Some(text), given) => {
                let made = digest_of(text.as_bytes());
                let fits = given.is_none_or(|given| given == made);
                if fits { Ok(made) } else { Err(Refused::field("digest", "compliance.document_digest_wrong")) }
            }
            (None, Some(given)) => Ok(given),
            (None, None) => Err(Refused::field("digest", "required")),
        }
    }
}

impl Operation for PublishLegalDocument {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![documents_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let (document_id, organization) = (Self::id(unit.admission()), unit.organization());
        let publish = legal_document::PublishLegalDocument {
            document_id,
            consent_type: self.consent_type,
            version: self.version.clone(),
            language: self.language,
            digest: self.digest()?,
            text: self.text.clone(),
            url: self.url.clone(),
            effective_at: self.effective_at,
        };
        unit.run::<LegalDocuments>(organization, &LegalDocumentCommand::Publish(publish))?;
        Ok(Answer::new("id", document_id, "PUBLISHED"))
    }
}
