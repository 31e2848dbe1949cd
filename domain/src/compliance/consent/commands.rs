//! What may be asked of somebody's consents.

use super::{ConsentType, DocumentVersion};
use crate::{
    kernel::{ConsentId, Digest, UserId},
    organizations::Locale,
};

#[derive(Clone, Debug)]
pub enum ConsentCommand {
    /// Grants it, or renews it for another version.
    Give(GiveConsent),
    Revoke(ConsentId),
}

/// Agrees to the version of a document.
#[derive(Clone, Debug)]
pub struct GiveConsent {
    /// Of the consent, where it is none of before that goes on.
    pub consent_id: ConsentId,
    pub user_id: UserId,
    pub consent_type: ConsentType,
    pub policy_version: DocumentVersion,
    /// The language in which it was read.
    pub language: Locale,
    /// Of the text in that language.
    pub document_digest: Digest,
}
