//! Our events in the terms of the Open Cybersecurity Schema Framework, version 1.9.0.
//!
//! 1.9 has User Management (3007) and Role Management (3008) in place of Account Change (3001) and User
//! Access Management (3005), which it deprecates.

use super::lines::Line;
use crate::compliance::audit_trail::AuditName;
use serde_json::{Value, json};

const VERSION: &str = "1.9.0";

const DETECTION_FINDING: u32 = 2004;
const AUTHENTICATION: u32 = 3002;
const AUTHORIZE_SESSION: u32 = 3003;
const ENTITY_MANAGEMENT: u32 = 3004;
const USER_MANAGEMENT: u32 = 3007;
const ROLE_MANAGEMENT: u32 = 3008;
const EMAIL_ACTIVITY: u32 = 4009;
const API_ACTIVITY: u32 = 6003;

/// What an event is there: a class, and an activity of that class.
type Kind = (u32, u32);

/// The one table. An event that is not here is one of Entity Management, by its verb.
const EVENTS: &[(&str, Kind)] = &[
    // Logon, logoff, tickets, and what comes before a logon.
    ("identity.session_started", (AUTHENTICATION, 1)),
    ("identity.session_revoked", (AUTHENTICATION, 2)),
    ("identity.sessions_revoked", (AUTHENTICATION, 2)),
    ("identity.refresh_rotated", (AUTHENTICATION, 3)),
    ("identity.pass_issued", (AUTHENTICATION, 6)),
    ("identity.phone_code_issued", (AUTHENTICATION, 6)),
    ("identity.pass_used", (AUTHENTICATION, 6)),
    ("identity.pass_failed", (AUTHENTICATION, 6)),
    ("identity.totp_verified", (AUTHENTICATION, 6)),
    ("identity.recovery_code_used", (AUTHENTICATION, 6)),
    // Assign privileges.
    ("identity.elevation_started", (AUTHORIZE_SESSION, 1)),
    // Create, update, delete, enable, disable, lock, unlock, password, factors, roles.
    ("identity.user_created", (USER_MANAGEMENT, 1)),
    ("identity.user_invited", (USER_MANAGEMENT, 1)),
    ("identity.user_activation_begun", (USER_MANAGEMENT, 2)),
    ("identity.email_set", (USER_MANAGEMENT, 2)),
    ("identity.email_verified", (USER_MANAGEMENT, 2)),
    ("identity.external_identity_linked", (USER_MANAGEMENT, 2)),
    ("identity.user_reactivation_approved", (USER_MANAGEMENT, 2)),
    ("identity.user_soft_deleted", (USER_MANAGEMENT, 3)),
    ("identity.user_purged", (USER_MANAGEMENT, 3)),
    ("identity.user_activated", (USER_MANAGEMENT, 4)),
    ("identity.user_reactivated", (USER_MANAGEMENT, 4)),
    ("identity.user_restored", (USER_MANAGEMENT, 4)),
    ("identity.user_deletion_cancelled", (USER_MANAGEMENT, 4)),
    ("identity.user_deactivated", (USER_MANAGEMENT, 5)),
    ("identity.user_deletion_requested", (USER_MANAGEMENT, 5)),
    ("identity.user_suspended", (USER_MANAGEMENT, 6)),
    ("identity.user_resumed", (USER_MANAGEMENT, 7)),
    ("identity.password_set", (USER_MANAGEMENT, 8)),
    ("identity.totp_enrolled", (USER_MANAGEMENT, 12)),
    ("identity.phone_enrolled", (USER_MANAGEMENT, 12)),
    ("identity.totp_enrolment_begun", (USER_MANAGEMENT, 12)),
    ("identity.recovery_codes_issued", (USER_MANAGEMENT, 12)),
    ("identity.totp_disabled", (USER_MANAGEMENT, 13)),
    ("identity.phone_removed", (USER_MANAGEMENT, 13)),
    ("identity.role_assigned", (USER_MANAGEMENT, 16)),
    ("identity.role_unassigned", (USER_MANAGEMENT, 17)),
    // Create, update, delete, assign and remove privileges.
    ("identity.role_composed", (ROLE_MANAGEMENT, 1)),
    ("identity.role_renamed", (ROLE_MANAGEMENT, 2)),
    ("identity.role_retired", (ROLE_MANAGEMENT, 3)),
    ("identity.permissions_granted", (ROLE_MANAGEMENT, 4)),
    ("identity.permissions_revoked", (ROLE_MANAGEMENT, 5)),
    // Suspend, resume, disable.
    ("organizations.organization_suspended", (ENTITY_MANAGEMENT, 12)),
    ("organizations.organization_deletion_requested", (ENTITY_MANAGEMENT, 12)),
    ("organizations.organization_resumed", (ENTITY_MANAGEMENT, 13)),
    ("organizations.organization_activated", (ENTITY_MANAGEMENT, 10)),
    ("identity.connection_enabled", (ENTITY_MANAGEMENT, 8)),
    ("identity.connection_disabled", (ENTITY_MANAGEMENT, 9)),
    // Something to look at.
    ("identity.refresh_reuse_detected", (DETECTION_FINDING, 1)),
    ("compliance.anomaly_raised", (DETECTION_FINDING, 1)),
    ("compliance.anomaly_acknowledged", (DETECTION_FINDING, 3)),
    // Send.
    ("messaging.letter_sent", (EMAIL_ACTIVITY, 1)),
    ("messaging.letter_undeliverable", (EMAIL_ACTIVITY, 1)),
    // Read.
    ("compliance.sensitive_data_read", (API_ACTIVITY, 2)),
    ("compliance.data_exported", (API_ACTIVITY, 2)),
];

/// Verbs, the last words of events, that make something; those that end it are in [`ENDS`], and
/// every other changes it.
const MAKES: &[&str] = &[
    "created",
    "opened",
    "claimed",
    "issued",
    "uploaded",
    "defined",
    "added",
    "written",
    "placed",
    "accepted",
    "requested",
    "recorded",
    "begun",
    "started",
    "assigned",
    "saved",
    "composed",
    "instantiated",
    "credited",
    "sent",
    "received",
    "given",
    "granted",
    "raised",
];
const ENDS: &[&str] = &[
    "purged",
    "released",
    "revoked",
    "retired",
    "ended",
    "cancelled",
    "withdrawn",
    "expired",
    "forgotten",
    "deleted",
    "removed",
    "voided",
    "closed",
    "destroyed",
    "erased",
];

/// What an event is, by its type.
fn kind_of_type(event_type: &str) -> Kind {
    if let Some((_, kind)) = EVENTS.iter().find(|(name, _)| *name == event_type) {
        return *kind;
    }
    let verb = event_type.rsplit(['_', '.']).next().unwrap_or_default();
    let activity = match () {
        () if MAKES.contains(&verb) => 1,
        () if ENDS.contains(&verb) => 4,
        () => 3,
    };
    (ENTITY_MANAGEMENT, activity)
}

/// What an entry is. A refusal is what was asked for and did not happen.
fn kind(line: &Line<'_>) -> Kind {
    if line.entry.outcome != "refused" {
        return kind_of_type(&line.entry.event_type);
    }
    match line.entry.audit_name {
        Some(AuditName::LoginFailed) => (AUTHENTICATION, 1),
        Some(AuditName::PermissionEscalationAttempt) => (DETECTION_FINDING, 1),
        _ => {
            let payload: Value = serde_json::from_str(line.entry.payload.get()).unwrap_or_default();
            let activity = match payload["method"].as_str() {
                Some("POST") => 1,
                Some("GET" | "HEAD") => 2,
                Some("PUT" | "PATCH") => 3,
                Some("DELETE") => 4,
                _ => 99,
            };
            (API_ACTIVITY, activity)
        }
    }
}

/// The event that OCSF has for an entry. What it has no attribute for stands under `unmapped`.
pub(super) fn event(line: &Line<'_>) -> Value {
    let entry = line.entry;
    let (class, activity) = kind(line);
    let failed = entry.outcome == "refused" || entry.event_type == "messaging.letter_undeliverable";
    let severity = match class {
        DETECTION_FINDING => 4,
        _ if failed => 2,
        _ => 1,
    };
    let mut event = json!({
        "category_uid": class / 1000,
        "class_uid": class,
        "activity_id": activity,
        "type_uid": class * 100 + activity,
        "severity_id": severity,
        "status_id": if failed { 2 } else { 1 },
        "status_detail": if failed { entry.policies.first() } else { None },
        "time": entry.timestamp.timestamp_millis(),
        "metadata": {
            "version": VERSION,
            "product": { "name": "Palmares", "vendor_name": "Palmares" },
            "original_event_uid": entry.event_id,
            "uid": format!("{}:{}", line.stream_id, line.record),
            "event_code": entry.event_type,
            "sequence": line.record,
            "tenant_uid": entry.organization_id,
            "correlation_uid": entry.correlation_id,
        },
        "actor": { "user": { "uid": entry.actor_id, "groups": entry.actor_role.iter().map(|role| json!({ "name": role })).collect::<Vec<_>>() } },
        "src_endpoint": { "ip": entry.ip_address },
        "http_request": { "uid": entry.request_id, "user_agent": entry.device_metadata.as_ref().and_then(|device| device.user_agent.as_ref()) },
        "unmapped": {
            "position": entry.position,
            "number": entry.number,
            "audit_name": entry.audit_name,
            "action": entry.action,
            "policies": entry.policies,
            "before_state": entry.before_state,
            "after_state": entry.after_state,
            "on_behalf_of": entry.on_behalf_of,
            "elevation_id": entry.elevation_id,
            "withheld": entry.withheld,
            "unreadable": entry.unreadable,
            "causation_id": entry.causation_id,
            "payload": entry.payload,
        },
    });
    if let Some(session) = entry.session_id {
        event["actor"]["session"] = json!({ "uid": session });
    }
    let resource = json!({ "uid": entry.resource_id, "type": entry.resource_type });
    let (name, object) = match class {
        AUTHENTICATION | AUTHORIZE_SESSION | USER_MANAGEMENT => ("user", json!({ "uid": entry.resource_id })),
        ROLE_MANAGEMENT => ("iam_role", json!({ "uid": entry.resource_id, "name": entry.resource_type })),
        DETECTION_FINDING => ("finding_info", json!({ "uid": entry.event_id, "title": entry.event_type })),
        API_ACTIVITY => ("api", json!({ "operation": entry.action })),
        EMAIL_ACTIVITY => ("email", json!({ "uid": entry.resource_id })),
        _ => ("entity", resource.clone()),
    };
    event[name] = object;
    if class == API_ACTIVITY {
        event["resources"] = json!([resource]);
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use palmares_domain::registry::event_catalogue;

    /// The activities that each class has in version 1.9.0.
    fn knows(class: u32, activity: u32) -> bool {
        let last = match class {
            DETECTION_FINDING => 3,
            AUTHENTICATION => 7,
            AUTHORIZE_SESSION => 2,
            ENTITY_MANAGEMENT => 13,
            USER_MANAGEMENT => 17,
            ROLE_MANAGEMENT => 11,
            EMAIL_ACTIVITY | API_ACTIVITY => 4,
            _ => 0,
        };
        (1..=last).contains(&activity)
    }

    #[test]
    fn every_event_type_has_a_class_and_an_activity_of_that_class() {
        for event in event_catalogue() {
            let (class, activity) = kind_of_type(event.name);
            assert!(knows(class, activity), "{}: {class}/{activity}", event.name);
        }
    }

    #[test]
    fn verbs_decide_where_nothing_else_does() {
        assert_eq!(kind_of_type("points.hold_placed"), (ENTITY_MANAGEMENT, 1));
        assert_eq!(kind_of_type("points.hold_voided"), (ENTITY_MANAGEMENT, 4));
        assert_eq!(kind_of_type("points.floor_changed"), (ENTITY_MANAGEMENT, 3));
        assert_eq!(kind_of_type("identity.role_assigned"), (USER_MANAGEMENT, 16));
        assert_eq!(kind_of_type("identity.user_soft_deleted"), (USER_MANAGEMENT, 3));
        assert_eq!(kind_of_type("compliance.anomaly_raised"), (DETECTION_FINDING, 1));
    }

    #[test]
    fn no_event_stands_twice_in_the_table() {
        let names: std::collections::BTreeSet<_> = EVENTS.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), EVENTS.len());
    }
}
