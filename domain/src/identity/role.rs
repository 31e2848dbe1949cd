//! Roles: the built-in ones as a table of grants, and references to those that organizations compose.

use crate::kernel::RoleId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// The built-in roles. They are the same in every organization and nobody changes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Works across organizations, always through the same decision point (E-23, H-12).
    PlatformAdmin,
    /// Whatever a platform admin may (H-13).
    PlatformSuperuser,
    /// Looks across organizations to help, and changes nothing (H-14).
    PlatformSupport,
    OrganizationAdmin,
    ComplianceOfficer,
    Analyst,
    /// Works with the people who are assigned to them (E-22).
    Expert,
    Member,
}

impl Role {
    pub const ALL: [Role; 8] = [
        Role::PlatformAdmin,
        Role::PlatformSuperuser,
        Role::PlatformSupport,
        Role::OrganizationAdmin,
        Role::ComplianceOfficer,
        Role::Analyst,
        Role::Expert,
        Role::Member,
    ];

    /// What only platform admins may, in whichever organization: no other role grants it, whatever
    /// group of permissions it grants.
    pub const PLATFORM_ONLY: &'static [&'static str] = &[
        "organizations.organization.create",
        "organizations.organization.suspend",
        "organizations.organization.resume",
        "organizations.organization.cancel_deletion",
        "organizations.organization.rename",
        "organizations.settings.change_platform",
        "organizations.setup.complete",
        "organizations.setup.activate",
        "organizations.provisioning.read",
        "organizations.provisioning.retry",
        "operations.projection.list_parked",
        "operations.platform_analytics.read",
        "operations.projection.rebuild",
        "operations.projection.retry",
    ];

    /// The name in tokens, events and policies.
    pub fn name(self) -> &'static str {
        match self {
            Role::PlatformAdmin => "platform_admin",
            Role::PlatformSuperuser => "platform_superuser",
            Role::PlatformSupport => "platform_support",
            Role::OrganizationAdmin => "organization_admin",
            Role::ComplianceOfficer => "compliance_officer",
            Role::Analyst => "analyst",
            Role::Expert => "expert",
            Role::Member => "member",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether the role works across organizations; it is given in the platform's own only.
    pub fn is_platform(self) -> bool {
        matches!(self, Role::PlatformAdmin | Role::PlatformSuperuser | Role::PlatformSupport)
    }

    /// Whether the role may what only the platform may.
    pub fn rules_platform(self) -> bool {
        matches!(self, Role::PlatformAdmin | Role::PlatformSuperuser)
    }

    /// What the role grants; `None` is everything that is not the platform's own.
    pub fn grants(self) -> Option<&'static [&'static str]> {
        Some(match self {
            Role::PlatformAdmin | Role::PlatformSuperuser | Role::OrganizationAdmin => return None,
            Role::PlatformSupport => &[
                "organizations.organization.read",
                "identity.user.list",
                "identity.user.read",
                "identity.elevation.request",
                "identity.elevation.withdraw",
                "identity.elevation.start",
                "identity.elevation.read",
                "operations.projection.read",
                "points.program.read",
                "points.reconciliation.read",
            ],
            Role::ComplianceOfficer => &[
                "compliance",
                "organizations.organization.read",
                "identity.user.list",
                "identity.user.read",
                "identity.role.read",
                "identity.policy.read",
                "identity.decision.explain",
                "identity.decision.list",
                "identity.elevation.read",
                "identity.elevation.review",
                "operations.event",
                "operations.projection.read",
                "points.program.read",
                "points.balance.read",
                "points.statement.read",
                "points.transaction.read",
                "points.liability.read",
                "points.trial_balance.read",
                "points.reconciliation.read",
            ],
            Role::Analyst => &[
                "operations.event",
                "operations.projection.read",
                "points.program.read",
                "points.liability.read",
                "points.trial_balance.read",
                "challenges.leaderboard.read",
                "challenges.participation.read",
            ],
            Role::Expert | Role::Member => Self::BASELINE,
        })
    }

    /// What everyone who takes part may see. Giving it to someone gives nothing away.
    pub const BASELINE: &'static [&'static str] = &["challenges.leaderboard.read", "points.program.read"];
}

/// A role, built in or composed by an organization.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RoleRef {
    BuiltIn(Role),
    Custom(RoleId),
}

/// A text that names no built-in role and is no id of a custom one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is one of the built-in names or the id of a custom role")]
pub struct MalformedRole;

impl RoleRef {
    pub fn built_in(self) -> Option<Role> {
        match self {
            RoleRef::BuiltIn(role) => Some(role),
            RoleRef::Custom(_) => None,
        }
    }
}

impl From<Role> for RoleRef {
    fn from(role: Role) -> Self {
        RoleRef::BuiltIn(role)
    }
}

impl From<&Role> for RoleRef {
    fn from(role: &Role) -> Self {
        RoleRef::BuiltIn(*role)
    }
}

impl From<RoleId> for RoleRef {
    fn from(role: RoleId) -> Self {
        RoleRef::Custom(role)
    }
}

impl fmt::Display for RoleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoleRef::BuiltIn(role) => f.write_str(role.name()),
            RoleRef::Custom(id) => id.fmt(f),
        }
    }
}

impl fmt::Debug for RoleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoleRef({self})")
    }
}

impl FromStr for RoleRef {
    type Err = MalformedRole;

    fn from_str(text: &str) -> Result<Self, MalformedRole> {
        match Role::parse(text) {
            Some(role) => Ok(RoleRef::BuiltIn(role)),
            None => text.parse().map(RoleRef::Custom).map_err(|_| MalformedRole),
        }
    }
}

impl Serialize for RoleRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RoleRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|MalformedRole| de::Error::unknown_variant(&text, &["the name of a built-in role", "the id of a custom one"]))
    }
}
