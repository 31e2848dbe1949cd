//! The rules of an organization's legal documents: versions follow one another in time.

use super::{LegalDocumentCommand, LegalDocumentError, LegalDocumentEvent, LegalDocumentPublished, PublishLegalDocument};
use crate::{
    compliance::{ConsentType, DocumentVersion},
    kernel::{Aggregate, Digest, Facts, LegalDocumentId, calendar::months_later},
    organizations::{Locale, organization::is_https_url},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Longest text of a document: an event has room for more than twice as much.
pub const TEXT_MAX_BYTES: usize = 100_000;
const DOCUMENTS_MAX: usize = 1_000;
/// What is published is in force some day, and every newer version after it: a later day is a typing error, which
/// would leave no room for another version.
pub const EFFECTIVE_MAX_MONTHS_AHEAD: u32 = 24;

/// A text that was published. What it says stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalDocument {
    pub document_id: LegalDocumentId,
    pub consent_type: ConsentType,
    pub version: DocumentVersion,
    pub language: Locale,
    pub digest: Digest,
    pub effective_at: DateTime<Utc>,
}

/// The documents of one organization, in the order of their publication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalDocuments(Vec<LegalDocument>);

impl LegalDocuments {
    /// The version that is in force at a moment; none before the first one is.
    pub fn in_force(&self, consent_type: ConsentType, at: DateTime<Utc>) -> Option<&DocumentVersion> {
        let begun = self.of(consent_type).filter(|document| document.effective_at <= at);
        begun.max_by_key(|document| document.effective_at).map(|document| &document.version)
    }

    /// The text of a version in a language.
    pub fn text(&self, consent_type: ConsentType, version: &DocumentVersion, language: Locale) -> Option<&LegalDocument> {
        self.of(consent_type).find(|document| document.version == *version && document.language == language)
    }

    fn of(&self, consent_type: ConsentType) -> impl Iterator<Item = &LegalDocument> {
        self.0.iter().filter(move |document| document.consent_type == consent_type)
    }

    fn publish(&self, command: &PublishLegalDocument, now: DateTime<Utc>) -> Result<LegalDocumentEvent, LegalDocumentError> {
        let PublishLegalDocument { document_id, consent_type, version, language, digest, text, url, effective_at } = command;
        if self.0.len() >= DOCUMENTS_MAX {
            return Err(LegalDocumentError::TooManyDocuments);
        }
        if self.text(*consent_type, version, *language).is_some() {
            return Err(LegalDocumentError::AlreadyPublished);
        }
        check_content(text.as_deref(), url.as_deref())?;
        Ok(LegalDocumentPublished {
            document_id: *document_id,
            consent_type: *consent_type,
            version: version.clone(),
            language: *language,
            digest: *digest,
            text: text.clone(),
            url: url.clone(),
            effective_at: self.effective_at(*consent_type, version, *effective_at, now)?,
        }
        .into())
    }

    /// From when a text is in force: with its version's others, else after every other version.
    fn effective_at(
        &self,
        consent_type: ConsentType,
        version: &DocumentVersion,
        asked: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, LegalDocumentError> {
        if let Some(other) = self.of(consent_type).find(|document| document.version == *version) {
            let same = asked.is_none_or(|asked| asked == other.effective_at);
            return if same { Ok(other.effective_at) } else { Err(LegalDocumentError::EffectiveElsewhen) };
        }
        let effective_at = asked.unwrap_or(now);
        if effective_at > months_later(now, EFFECTIVE_MAX_MONTHS_AHEAD) {
            return Err(LegalDocumentError::EffectiveTooLate);
        }
        let after_all = self.of(consent_type).all(|document| document.effective_at < effective_at);
        if effective_at >= now && after_all { Ok(effective_at) } else { Err(LegalDocumentError::EffectiveTooEarly) }
    }
}

fn check_content(text: Option<&str>, url: Option<&str>) -> Result<(), LegalDocumentError> {
    let fits = match (text, url) {
        (Some(text), None) => !text.trim().is_empty() && text.len() <= TEXT_MAX_BYTES,
        (None, Some(url)) => is_https_url(url),
        _ => false,
    };
    if fits { Ok(()) } else { Err(LegalDocumentError::ContentInvalid) }
}

impl Aggregate for LegalDocuments {
    const TYPE: &'static str = "legal_documents";
    const SHAPE: u16 = 1;

    type Command = LegalDocumentCommand;
    type Event = LegalDocumentEvent;
    type Error = LegalDocumentError;

    fn decide(&self, command: &LegalDocumentCommand, facts: &Facts) -> Result<Vec<LegalDocumentEvent>, LegalDocumentError> {
        let LegalDocumentCommand::Publish(publish) = command;
        Ok(vec![self.publish(publish, facts.now)?])
    }

    fn evolve(&mut self, event: &LegalDocumentEvent) {
        let LegalDocumentEvent::LegalDocumentPublished(published) = event;
        self.0.push(LegalDocument {
            document_id: published.document_id,
            consent_type: published.consent_type,
            version: published.version.clone(),
            language: published.language,
            digest: published.digest,
            effective_at: published.effective_at,
        });
    }
}
