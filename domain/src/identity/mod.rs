//! Identity: who acts. A user belongs to one organization, holds one role and may be suspended.
//!
//! Others see the [`Role`] and the [`user::User`] aggregate.

pub mod user;

use serde::{Deserialize, Serialize};

/// The kind under which an external reference is hashed: the claim that keeps it unique and the
/// directory that finds a user by it have to agree.
pub const EXTERNAL_REF_LOOKUP: &str = "identity.external_ref";

/// The built-in roles. Roles composed at run time join them later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Works across organizations, always through the same decision point (E-23).
    PlatformAdmin,
    OrganizationAdmin,
    ComplianceOfficer,
    Analyst,
    Member,
}

impl Role {
    pub const ALL: [Role; 5] = [Role::PlatformAdmin, Role::OrganizationAdmin, Role::ComplianceOfficer, Role::Analyst, Role::Member];

    /// The name in tokens, events and policies.
    pub fn name(self) -> &'static str {
        match self {
            Role::PlatformAdmin => "platform_admin",
            Role::OrganizationAdmin => "organization_admin",
            Role::ComplianceOfficer => "compliance_officer",
            Role::Analyst => "analyst",
            Role::Member => "member",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}
