//! Our events in the terms of the Open Cybersecurity Schema Framework, version 1.9.0.
//!
//! 1.9 has User Management (3007) and Role Management (3008) in place of Account Change (3001) and User
//! Access Management (3005), which it deprecates.

use super::lines::Line;
use crate::compliance::audit_trail::{AuditEntry, AuditName};
use serde_json::{Value, json};

const VERSION: &str = "1.9.0";
const PRODUCT: &str = "Palmares";

const DETECTION_FINDING: u32 = 2004;
const AUTHENTICATION: u32 = 3002;
const AUTHORIZE_SESSION: u32 = 3003;
const ENTITY_MANAGEMENT: u32 = 3004;
const USER_MANAGEMENT: u32 = 3007;
const ROLE_MANAGEMENT: u32 = 3008;
const API_ACTIVITY: u32 = 6003;

/// What an event is there: a class, and an activity of that class.
type Kind = (u32, u32);

/// The largest way out.
const WHOLE_LOG: &str = "compliance.whole_log_exported";
/// Somebody says what an anomaly was.
const LOOKED_AT: &str = "compliance.anomaly_acknowledged";
/// An activity that the class has no number for; it is called by a name of ours.
const OTHER: u32 = 99;

/// The one table. An event that is not here is one of Entity Management, by its verb.
const EVENTS: &[(&str, Kind)] = &[
    // Logon, logoff, tickets, and what comes before a logon.
    ("identity.session_started", (AUTHENTICATION, 1)),
    ("identity.sign_in_failed", (AUTHENTICATION, 1)),
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
    ("identity.suspicious_sign_in_detected", (DETECTION_FINDING, 1)),
    ("compliance.anomaly_raised", (DETECTION_FINDING, 1)),
    (LOOKED_AT, (DETECTION_FINDING, 3)),
    // Letters are entities like others: Email Activity (4009) asks for an address, and those are personal.
    ("messaging.letter_sent", (ENTITY_MANAGEMENT, 1)),
    ("messaging.letter_undeliverable", (ENTITY_MANAGEMENT, 3)),
    // Read.
    ("compliance.sensitive_data_read", (API_ACTIVITY, 2)),
    ("compliance.data_exported", (API_ACTIVITY, 2)),
    (WHOLE_LOG, (API_ACTIVITY, 2)),
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
fn kind(entry: &AuditEntry, payload: &Value) -> Kind {
    if entry.outcome != "refused" {
        return kind_of_type(&entry.event_type);
    }
    match entry.audit_name {
        Some(AuditName::LoginFailed) => (AUTHENTICATION, 1),
        Some(AuditName::PermissionEscalationAttempt) => (DETECTION_FINDING, 1),
        _ => {
            let activity = match payload["method"].as_str() {
                Some("POST") => 1,
                Some("GET" | "HEAD") => 2,
                Some("PUT" | "PATCH") => 3,
                Some("DELETE") => 4,
                _ => OTHER,
            };
            (API_ACTIVITY, activity)
        }
    }
}

/// Whether it came to nothing.
fn has_failed(entry: &AuditEntry) -> bool {
    entry.outcome == "refused" || entry.event_type.ends_with("_failed") || entry.event_type == "messaging.letter_undeliverable"
}

/// Success or failure; of a finding whether it is new, or what it turned out to be.
fn status(entry: &AuditEntry, class: u32, payload: &Value) -> u32 {
    const SUPPRESSED: u32 = 3;
    const RESOLVED: u32 = 4;
    match class {
        DETECTION_FINDING if entry.event_type != LOOKED_AT => 1,
        DETECTION_FINDING if payload["verdict"] == "EXPECTED" => SUPPRESSED,
        DETECTION_FINDING => RESOLVED,
        _ if has_failed(entry) => 2,
        _ => 1,
    }
}

fn severity(entry: &AuditEntry, class: u32) -> u32 {
    match class {
        DETECTION_FINDING => 4,
        // Nothing was wrong with it, and somebody should know of it.
        _ if entry.event_type == WHOLE_LOG => 3,
        _ if has_failed(entry) => 2,
        _ => 1,
    }
}

/// The event that OCSF has for an entry. What it has no attribute for stands under `unmapped`.
pub(super) fn event(line: &Line<'_>) -> Value {
    let entry = line.entry;
    let payload: Value = serde_json::from_str(entry.payload.get()).unwrap_or_default();
    let (class, activity) = kind(entry, &payload);
    let mut event = json!({
        "category_uid": class / 1000,
        "class_uid": class,
        "activity_id": activity,
        "activity_name": (activity == OTHER).then(|| payload["method"].as_str().unwrap_or("Other")),
        "type_uid": class * 100 + activity,
        "severity_id": severity(entry, class),
        "status_id": status(entry, class, &payload),
        "status_detail": entry.policies.first().filter(|_| entry.outcome == "refused"),
        "time": entry.timestamp.timestamp_millis(),
        "metadata": {
            "version": VERSION,
            "product": { "name": PRODUCT, "vendor_name": PRODUCT },
            "original_event_uid": entry.event_id,
            "uid": format!("{}:{}", line.stream_id, line.record),
            "event_code": entry.event_type,
            "sequence": line.record,
            "tenant_uid": entry.organization_id,
            "correlation_uid": entry.correlation_id,
        },
    });
    add(&mut event, who_and_where(entry, class));
    add(&mut event, object(entry, class, &payload));
    let mut event = said(event).unwrap_or_default();
    event["unmapped"] = unmapped(entry, payload);
    event
}

/// By whom it was done, from where and by which request. A finding has all of it as its evidence.
fn who_and_where(entry: &AuditEntry, class: u32) -> Value {
    let by_itself = entry.action.as_ref().is_some_and(|action| action.starts_with("system."));
    let source = match &entry.ip_address {
        Some(ip) => json!({ "ip": ip }),
        // The class asks for a source, and what the platform does by itself comes from nowhere else.
        None if class == API_ACTIVITY && by_itself => json!({ "svc_name": PRODUCT }),
        None if class == API_ACTIVITY => json!({ "name": "unknown" }),
        None => Value::Null,
    };
    let known = json!({
        "actor": {
            "user": { "uid": entry.actor_id, "groups": entry.actor_role.iter().map(|role| json!({ "name": role })).collect::<Vec<_>>() },
            "session": { "uid": entry.session_id },
        },
        "src_endpoint": source,
        "http_request": { "uid": entry.request_id, "user_agent": entry.device_metadata.as_ref().and_then(|device| device.user_agent.as_ref()) },
    });
    if class == DETECTION_FINDING { json!({ "evidences": [known] }) } else { known }
}

/// What it was done to, under the name that the class has for it.
fn object(entry: &AuditEntry, class: u32, payload: &Value) -> Value {
    let resource = json!({ "uid": entry.resource_id, "type": entry.resource_type });
    match class {
        // What a login needs is kept apart from the user, and under the same id or under another.
        AUTHENTICATION => json!({ "user": { "uid": named(entry, payload, "user_id") }, "service": { "name": PRODUCT } }),
        // Of what the elevation gives, its start says no more than its id.
        AUTHORIZE_SESSION => json!({
            "user": { "uid": entry.on_behalf_of.unwrap_or(entry.actor_id) },
            "session": { "uid": entry.session_id },
            "privileges": [format!("{}:{}", entry.resource_type, entry.resource_id)],
        }),
        USER_MANAGEMENT => json!({ "user": { "uid": named(entry, payload, "user_id") } }),
        // An organization has its roles in one stream.
        ROLE_MANAGEMENT => json!({
            "iam_role": { "uid": named(entry, payload, "role_id"), "name": payload["name"].as_str() },
            "privileges": payload["grants"],
        }),
        // What is said of an anomaly later is said of the same finding.
        DETECTION_FINDING => {
            let uid = payload["anomaly_id"].as_str().map_or_else(|| json!(entry.event_id), |anomaly| json!(anomaly));
            json!({ "finding_info": { "uid": uid, "title": entry.event_type } })
        }
        API_ACTIVITY => {
            let operation = entry.action.as_ref().unwrap_or(&entry.event_type);
            json!({ "api": { "operation": operation }, "resources": [resource] })
        }
        _ => json!({ "entity": resource }),
    }
}

/// The id that an event names; else that of what it is about.
fn named(entry: &AuditEntry, payload: &Value, field: &str) -> Value {
    if entry.outcome != "refused" && payload[field].is_string() { payload[field].clone() } else { json!(entry.resource_id) }
}

fn unmapped(entry: &AuditEntry, payload: Value) -> Value {
    let mut rest = json!({
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
        "payload": payload,
    });
    // Within them a null is what was recorded.
    if let Some(members) = rest.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
    rest
}

fn add(event: &mut Value, more: Value) {
    if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
        event.extend(more);
    }
}

/// Without whatever is null or empty, since an object that says nothing breaks the constraints of its kind.
fn said(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(items) => {
            let items: Vec<_> = items.into_iter().filter_map(said).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(members) => {
            let members: serde_json::Map<_, _> = members.into_iter().filter_map(|(name, member)| Some((name, said(member)?))).collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        told => Some(told),
    }
}

#[cfg(test)]
#[path = "ocsf_tests.rs"]
mod tests;
