//! A domain that an organization says is its own, and proves by a record in the DNS (E-137, E-138).
//!
//! Anyone may claim any domain, and nobody is kept from their own by it: a name is taken only once it
//! is verified, by the one organization that could change its DNS (E-124). What people of the domain
//! may do by themselves is the organization's choice, and nothing before the verification.

mod aggregate;
mod commands;
mod errors;
mod events;
mod name;
#[cfg(test)]
mod tests;

pub use aggregate::{Claimed, Domain, domain_id};
pub use commands::DomainCommand;
pub use errors::DomainError;
pub use events::{AutoJoinSet, DomainClaimed, DomainEvent, DomainReleased, DomainVerified};
pub use name::{DomainName, MalformedDomain};

use crate::kernel::{OrganizationId, derive_uuid};
use serde::{Deserialize, Serialize};

/// What happens when someone with an address of the domain signs up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AutoJoin {
    /// Nothing: people come by invitation.
    #[default]
    Off,
    /// They join once somebody approves.
    Approval,
    /// They join at once.
    Automatic,
}

impl AutoJoin {
    pub fn name(self) -> &'static str {
        match self {
            AutoJoin::Off => "off",
            AutoJoin::Approval => "approval",
            AutoJoin::Automatic => "automatic",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [AutoJoin::Off, AutoJoin::Approval, AutoJoin::Automatic].into_iter().find(|mode| mode.name() == name)
    }
}

/// What the organization is to publish: a TXT record of this name with this value.
///
/// The value is no secret. It names the organization, so that a record which was made for one proves
/// nothing for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub name: String,
    pub value: String,
}

impl Challenge {
    pub fn of(organization: OrganizationId, domain: &DomainName) -> Self {
        let token = derive_uuid("domain-challenge", &[organization.0.as_bytes(), domain.as_str().as_bytes()]);
        Self { name: format!("_palmares-challenge.{domain}"), value: format!("palmares-verification={}", token.simple()) }
    }
}
