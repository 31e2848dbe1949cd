//! What people agree to, for themselves.

use super::legal_documents::documents_stream;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::user_stream;
use palmares_domain::{
    compliance::{
        ConsentType, DocumentVersion,
        consent::{self, ConsentCommand, ConsentError, Consents},
        legal_document::LegalDocuments,
    },
    identity::user::User,
    kernel::{Admission, ConsentId, Digest},
    organizations::Locale,
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    GiveConsent => permit "compliance.consent.give", throttle Write;
    RevokeConsent => permit "compliance.consent.revoke", throttle Write;
}

/// Agrees to the version of a document that is in force. A consent that holds for an older version goes
/// on for this one. Nobody agrees for somebody else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveConsent {
    pub consent_type: ConsentType,
    pub policy_version: DocumentVersion,
    /// The language in which it was read.
    pub language: Locale,
}

/// Takes one's own consent back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeConsent {
    pub consent_id: ConsentId,
}

/// The consents of whoever asks: an elevation to act as another does not make them that person.
fn own_stream(admission: &Admission) -> StreamRef {
    StreamRef::of::<Consents>(admission.organization, admission.actor)
}

impl GiveConsent {
    /// The digest of the text that is agreed to, where its version is in force.
    fn document(&self, unit: &mut Unit<'_>) -> Result<Digest, Refused> {
        let (organization, now) = (unit.organization(), unit.facts().now);
        let documents = unit.state::<LegalDocuments>(organization)?;
        if documents.in_force(self.consent_type, now) != Some(&self.policy_version) {
            return Err(ConsentError::NotInForce.into());
        }
        let text = documents.text(self.consent_type, &self.policy_version, self.language);
        text.map(|text| text.digest).ok_or_else(|| Refused::field("language", "compliance.document_not_in_language"))
    }
}

impl Operation for GiveConsent {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![own_stream(admission)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, admission.actor), documents_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user_id = unit.admission().actor;
        if unit.state::<User>(user_id)?.profile().is_none() {
            return Err(ConsentError::NotAPerson.into());
        }
        let document_digest = self.document(unit)?;
        let consent_id = ConsentId(unit.fresh_id());
        let (consent_type, policy_version, language) = (self.consent_type, self.policy_version.clone(), self.language);
        let give = consent::GiveConsent { consent_id, user_id, consent_type, policy_version, language, document_digest };
        unit.run::<Consents>(user_id, &ConsentCommand::Give(give))?;
        let held = unit.state::<Consents>(user_id)?.held(consent_type).map_or(consent_id, |held| held.consent_id);
        Ok(Answer::new("id", held, "GIVEN"))
    }
}

impl Operation for RevokeConsent {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![own_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user_id = unit.admission().actor;
        unit.run::<Consents>(user_id, &ConsentCommand::Revoke(self.consent_id))?;
        Ok(Answer::new("id", self.consent_id, "REVOKED"))
    }
}
