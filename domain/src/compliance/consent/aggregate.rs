//! The rules of somebody's consents: at most one of a type holds, and what is revoked stays revoked.

use super::{
    ConsentCommand, ConsentError, ConsentEvent, ConsentGranted, ConsentRenewed, ConsentRevoked, ConsentType, DocumentVersion, GiveConsent,
};
use crate::kernel::{Aggregate, ConsentId, Facts, UserId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A consent that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub consent_id: ConsentId,
    pub user_id: UserId,
    pub policy_version: DocumentVersion,
}

/// The consents of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consents {
    held: BTreeMap<ConsentType, Held>,
    revoked: BTreeSet<ConsentId>,
}

impl Consents {
    /// The consent that holds.
    pub fn held(&self, consent_type: ConsentType) -> Option<&Held> {
        self.held.get(&consent_type)
    }

    /// Whether this very version is agreed to.
    pub fn accepts(&self, consent_type: ConsentType, version: &DocumentVersion) -> bool {
        self.held(consent_type).is_some_and(|held| held.policy_version == *version)
    }

    fn give(&self, command: &GiveConsent) -> Result<ConsentEvent, ConsentError> {
        let GiveConsent { consent_id, user_id, consent_type, policy_version, language, document_digest } = command.clone();
        match self.held(consent_type) {
            None => Ok(ConsentGranted { consent_id, user_id, consent_type, policy_version, language, document_digest }.into()),
            Some(held) if held.policy_version == policy_version => Err(ConsentError::AlreadyGiven),
            Some(held) => {
                let consent_id = held.consent_id;
                Ok(ConsentRenewed { consent_id, user_id, consent_type, policy_version, language, document_digest }.into())
            }
        }
    }

    fn revoke(&self, consent_id: ConsentId) -> Result<ConsentEvent, ConsentError> {
        match self.held.iter().find(|(_, held)| held.consent_id == consent_id) {
            Some((consent_type, held)) => Ok(ConsentRevoked { consent_id, user_id: held.user_id, consent_type: *consent_type }.into()),
            None if self.revoked.contains(&consent_id) => Err(ConsentError::AlreadyRevoked),
            None => Err(ConsentError::NotFound),
        }
    }

    fn hold(&mut self, consent_type: ConsentType, held: Held) {
        self.held.insert(consent_type, held);
    }
}

impl Aggregate for Consents {
    const TYPE: &'static str = "consents";
    const SHAPE: u16 = 1;

    type Command = ConsentCommand;
    type Event = ConsentEvent;
    type Error = ConsentError;

    fn decide(&self, command: &ConsentCommand, _facts: &Facts) -> Result<Vec<ConsentEvent>, ConsentError> {
        match command {
            ConsentCommand::Give(give) => self.give(give),
            ConsentCommand::Revoke(consent_id) => self.revoke(*consent_id),
        }
        .map(|event| vec![event])
    }

    fn evolve(&mut self, event: &ConsentEvent) {
        match event {
            ConsentEvent::ConsentGranted(granted) => {
                let (consent_id, user_id, policy_version) = (granted.consent_id, granted.user_id, granted.policy_version.clone());
                self.hold(granted.consent_type, Held { consent_id, user_id, policy_version });
            }
            ConsentEvent::ConsentRenewed(renewed) => {
                let (consent_id, user_id, policy_version) = (renewed.consent_id, renewed.user_id, renewed.policy_version.clone());
                self.hold(renewed.consent_type, Held { consent_id, user_id, policy_version });
            }
            ConsentEvent::ConsentRevoked(revoked) => {
                self.held.remove(&revoked.consent_type);
                self.revoked.insert(revoked.consent_id);
            }
        }
    }
}
