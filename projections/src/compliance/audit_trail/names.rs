//! What document 004 calls the events that an audit asks about first (E-186 to E-193).

use super::fold::{Metadata, REFUSAL};
use palmares_domain::kernel::RecordedEvent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A name of document 004, section 9.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuditName {
    UserDeleted,
    RoleChanged,
    LoginFailed,
    MfaDisabled,
    DataExported,
    /// Somebody looked at where somebody else is signed in.
    SessionViewed,
    PermissionEscalationAttempt,
    OrgSuspended,
}

/// What of an event decides about its name, where its type does not.
#[derive(Clone, Copy, Debug)]
enum Only {
    Always,
    /// The stable reason of a refusal.
    Because(&'static str),
    /// The permission under which it was done.
    Under(&'static str),
    /// The permission that somebody does not have who reached for it.
    ReachingFor(&'static str),
}

/// Why the gate refuses what somebody has no right to, whether they may know that it is there or not.
const NO_RIGHT: [&str; 2] = ["gate.permission_missing", "gate.not_the_owner"];

/// The one table: which of our events has which name.
const NAMES: &[(AuditName, &str, Only)] = &[
    (AuditName::UserDeleted, "identity.user_soft_deleted", Only::Always),
    (AuditName::RoleChanged, "identity.role_assigned", Only::Always),
    (AuditName::RoleChanged, "identity.role_unassigned", Only::Always),
    (AuditName::RoleChanged, "identity.role_composed", Only::Always),
    (AuditName::RoleChanged, "identity.role_renamed", Only::Always),
    (AuditName::RoleChanged, "identity.role_retired", Only::Always),
    (AuditName::RoleChanged, "identity.permissions_granted", Only::Always),
    (AuditName::RoleChanged, "identity.permissions_revoked", Only::Always),
    (AuditName::LoginFailed, REFUSAL, Only::Because("sign_in.failed")),
    (AuditName::MfaDisabled, "identity.totp_disabled", Only::Always),
    (AuditName::MfaDisabled, "identity.phone_removed", Only::Always),
    (AuditName::DataExported, "compliance.data_exported", Only::Always),
    (AuditName::SessionViewed, "compliance.sensitive_data_read", Only::Under("identity.session.read")),
    (AuditName::PermissionEscalationAttempt, REFUSAL, Only::Because("identity.permission_escalation_attempt")),
    (AuditName::PermissionEscalationAttempt, REFUSAL, Only::Because("identity.role_of_oneself")),
    (AuditName::PermissionEscalationAttempt, REFUSAL, Only::Because("identity.officer_by_program")),
    // Whoever may not give roles at all reaches for more rights as well as who may and gives one beyond their own.
    (AuditName::PermissionEscalationAttempt, REFUSAL, Only::ReachingFor("identity.assignment.create")),
    (AuditName::PermissionEscalationAttempt, REFUSAL, Only::ReachingFor("identity.role.change")),
    (AuditName::OrgSuspended, "organizations.organization_suspended", Only::Always),
    // From then on its people may not act either.
    (AuditName::OrgSuspended, "organizations.organization_deletion_requested", Only::Always),
];

impl AuditName {
    pub const ALL: [AuditName; 8] = [
        Self::UserDeleted,
        Self::RoleChanged,
        Self::LoginFailed,
        Self::MfaDisabled,
        Self::DataExported,
        Self::SessionViewed,
        Self::PermissionEscalationAttempt,
        Self::OrgSuspended,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::UserDeleted => "USER_DELETED",
            Self::RoleChanged => "ROLE_CHANGED",
            Self::LoginFailed => "LOGIN_FAILED",
            Self::MfaDisabled => "MFA_DISABLED",
            Self::DataExported => "DATA_EXPORTED",
            Self::SessionViewed => "SESSION_VIEWED",
            Self::PermissionEscalationAttempt => "PERMISSION_ESCALATION_ATTEMPT",
            Self::OrgSuspended => "ORG_SUSPENDED",
        }
    }

    /// The name of an event, where it has one.
    pub(crate) fn of(event: &RecordedEvent, metadata: &Metadata) -> Option<Self> {
        Self::of_type(&event.event_type, metadata)
    }

    /// The same, of an event that is known by its type and its metadata.
    pub(crate) fn of_type(event_type: &str, metadata: &Metadata) -> Option<Self> {
        let fits = |only: Only| match only {
            Only::Always => true,
            Only::Because(reason) => metadata.reason() == Some(reason),
            Only::Under(permission) => metadata.permission.as_deref() == Some(permission),
            Only::ReachingFor(permission) => {
                metadata.permission.as_deref() == Some(permission) && metadata.reason().is_some_and(|reason| NO_RIGHT.contains(&reason))
            }
        };
        NAMES.iter().find(|(_, named, only)| *named == event_type && fits(*only)).map(|(name, ..)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use palmares_domain::registry::event_catalogue;
    use std::collections::BTreeSet;

    // covers: E-186, E-187, E-189, E-190, E-193
    #[test]
    fn every_name_is_of_an_event_that_there_is() {
        let known: BTreeSet<_> = event_catalogue().map(|event| event.name).collect();
        for (name, event_type, _) in NAMES {
            assert!(known.contains(event_type), "{name:?}: {event_type}");
        }
        let named: BTreeSet<_> = NAMES.iter().map(|(name, ..)| *name).collect();
        assert_eq!(named, BTreeSet::from(AuditName::ALL));
        for name in AuditName::ALL {
            assert_eq!(serde_json::to_value(name).unwrap(), name.name());
        }
    }

    // covers: E-188, E-191, E-192
    #[test]
    fn refusals_and_reads_are_told_apart_by_reason_and_permission() {
        let metadata = |json: &str| Metadata::parse(json);
        let failed = metadata(r#"{"policies":["sign_in.failed"]}"#);
        let reached = metadata(r#"{"policies":["identity.permission_escalation_attempt","role.member@1"]}"#);
        let denied = metadata(r#"{"policies":["gate.permission_missing","identity.permission_escalation_attempt"]}"#);
        assert_eq!(AuditName::of_type(REFUSAL, &failed), Some(AuditName::LoginFailed));
        assert_eq!(AuditName::of_type(REFUSAL, &reached), Some(AuditName::PermissionEscalationAttempt));
        assert_eq!(AuditName::of_type(REFUSAL, &denied), None);
        assert_eq!(AuditName::of_type("identity.user_created", &failed), None);
        assert_eq!(AuditName::of_type("organizations.organization_deletion_requested", &metadata("{}")), Some(AuditName::OrgSuspended));
        let promoting = |reason: &str| metadata(&format!(r#"{{"permission":"identity.assignment.create","policies":["{reason}"]}}"#));
        let attempt = Some(AuditName::PermissionEscalationAttempt);
        assert_eq!(AuditName::of_type(REFUSAL, &promoting("gate.permission_missing")), attempt);
        assert_eq!(AuditName::of_type(REFUSAL, &promoting("gate.rate_limited")), None);
        let read = |permission: &str| metadata(&format!(r#"{{"permission":"{permission}"}}"#));
        let of_read = |permission| AuditName::of_type("compliance.sensitive_data_read", &read(permission));
        assert_eq!(of_read("identity.session.read"), Some(AuditName::SessionViewed));
        assert_eq!(of_read("compliance.audit_log.read"), None);
    }
}
