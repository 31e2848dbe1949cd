//! The rules of a domain.

use super::{
    AutoJoin, AutoJoinSet, Challenge, DomainClaimed, DomainCommand, DomainError, DomainEvent, DomainName, DomainReleased, DomainVerified,
};
use crate::kernel::{Aggregate, Facts, OrganizationId, derive_uuid};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The stream of a domain in an organization: each organization that claims it has one.
pub fn domain_id(organization: OrganizationId, domain: &DomainName) -> Uuid {
    derive_uuid("organization-domain-stream", &[organization.0.as_bytes(), domain.as_str().as_bytes()])
}

/// What is known of a claimed domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    pub organization_id: OrganizationId,
    pub domain: DomainName,
    pub verified: bool,
    /// `Off` until it is verified.
    pub auto_join: AutoJoin,
}

/// A domain in one organization: nothing, unless it is claimed there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Domain(Option<Claimed>);

impl Domain {
    /// What is known of it, while it is claimed.
    pub fn claimed(&self) -> Option<&Claimed> {
        self.0.as_ref()
    }

    pub fn is_verified(&self) -> bool {
        self.0.as_ref().is_some_and(|claimed| claimed.verified)
    }

    /// Whether and how people with an address of the domain join.
    pub fn auto_join(&self) -> AutoJoin {
        self.0.as_ref().map(|claimed| claimed.auto_join).unwrap_or_default()
    }

    fn known(&self) -> Result<&Claimed, DomainError> {
        self.0.as_ref().ok_or(DomainError::NotFound)
    }

    fn claim(&self, organization_id: OrganizationId, domain: &DomainName) -> Result<DomainEvent, DomainError> {
        if self.0.is_some() {
            return Err(DomainError::AlreadyClaimed);
        }
        if domain.is_shared() {
            return Err(DomainError::Shared);
        }
        Ok(DomainClaimed { organization_id, domain: domain.clone() }.into())
    }

    fn verify(&self, records: &[String]) -> Result<DomainEvent, DomainError> {
        let Claimed { organization_id, domain, verified, .. } = self.known()?;
        if *verified {
            return Err(DomainError::AlreadyVerified);
        }
        let challenge = Challenge::of(*organization_id, domain);
        if !records.iter().any(|record| record.trim() == challenge.value) {
            return Err(DomainError::ChallengeMissing);
        }
        Ok(DomainVerified { organization_id: *organization_id, domain: domain.clone() }.into())
    }

    fn set_auto_join(&self, mode: AutoJoin) -> Result<Option<DomainEvent>, DomainError> {
        let Claimed { organization_id, domain, verified, auto_join } = self.known()?;
        if !verified {
            return Err(DomainError::NotVerified);
        }
        let changed = *auto_join != mode;
        Ok(changed.then(|| AutoJoinSet { organization_id: *organization_id, domain: domain.clone(), mode }.into()))
    }

    fn release(&self) -> Result<DomainEvent, DomainError> {
        let Claimed { organization_id, domain, .. } = self.known()?;
        Ok(DomainReleased { organization_id: *organization_id, domain: domain.clone() }.into())
    }
}

impl Aggregate for Domain {
    const TYPE: &'static str = "organization_domain";
    const SHAPE: u16 = 1;

    type Command = DomainCommand;
    type Event = DomainEvent;
    type Error = DomainError;

    fn decide(&self, command: &DomainCommand, _facts: &Facts) -> Result<Vec<DomainEvent>, DomainError> {
        Ok(match command {
            DomainCommand::Claim { organization_id, domain } => vec![self.claim(*organization_id, domain)?],
            DomainCommand::Verify { records } => vec![self.verify(records)?],
            DomainCommand::SetAutoJoin(mode) => self.set_auto_join(*mode)?.into_iter().collect(),
            DomainCommand::Release => vec![self.release()?],
        })
    }

    fn evolve(&mut self, event: &DomainEvent) {
        match event {
            DomainEvent::DomainClaimed(DomainClaimed { organization_id, domain }) => {
                self.0 =
                    Some(Claimed { organization_id: *organization_id, domain: domain.clone(), verified: false, auto_join: AutoJoin::Off });
            }
            DomainEvent::DomainVerified(_) => {
                if let Some(claimed) = &mut self.0 {
                    claimed.verified = true;
                }
            }
            DomainEvent::AutoJoinSet(set) => {
                if let Some(claimed) = &mut self.0 {
                    claimed.auto_join = set.mode;
                }
            }
            DomainEvent::DomainReleased(_) => self.0 = None,
        }
    }
}
