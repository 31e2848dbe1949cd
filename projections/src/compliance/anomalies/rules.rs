//! The rules: what is counted of one actor, over which time, and from which number on it looks wrong.

use crate::compliance::audit_trail::{AuditName, EXPORT, Metadata, READ, REFUSAL};
use chrono::TimeDelta;
use palmares_domain::{
    compliance::access_anomaly::AnomalyRule as Rule,
    compliance::access_record::{AccessRecordEvent, DataExported, SensitiveDataRead},
    kernel::{DataClass, Event, RecordedEvent},
};
use uuid::Uuid;

/// Whoever watches anomalies reads a list again and again, and it is about nobody but who looked too far.
const WATCHING: &str = "compliance.anomaly.read";

/// What people take out of what is recorded of themselves is under it.
const OWN: &str = "/api/v1/me/";
/// What all did together, and nobody alone, is under it.
const TOGETHER: &str = "/api/v1/reports/";

/// An export that reaches back over more of the log than this is taken for one of everybody.
const EXPORT_MIN: i64 = 1_000;

/// The time over which is counted; it is also how long one anomaly goes on growing.
pub(super) fn window(rule: Rule) -> TimeDelta {
    match rule {
        Rule::CrossTenantAttempts => TimeDelta::minutes(10),
        Rule::MassReads | Rule::MassExports | Rule::EscalationAttempts => TimeDelta::hours(1),
    }
}

/// From this number on it looks wrong.
pub(super) fn threshold(rule: Rule) -> i64 {
    match rule {
        Rule::CrossTenantAttempts => 5,
        // Different people, and pages of lists.
        Rule::MassReads => 25,
        // One is enough: nobody can tell how much of everybody was in it, and it is out.
        Rule::MassExports => 1,
        Rule::EscalationAttempts => 3,
    }
}

/// Something that a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    pub rule: Rule,
    /// What is counted once, however often it is seen: a person for reads, the event itself otherwise.
    pub counted: Uuid,
}

impl Sighting {
    /// What an event is to the rules.
    pub(super) fn of(event: &RecordedEvent) -> Option<Self> {
        let itself = |rule| Some(Self { rule, counted: event.id.0 });
        match event.event_type.as_str() {
            REFUSAL => {
                let metadata = Metadata::parse(event.metadata.get());
                let name = AuditName::of(event, &metadata);
                match () {
                    () if metadata.reason() == Some("gate.tenant_mismatch") => itself(Rule::CrossTenantAttempts),
                    () if name == Some(AuditName::PermissionEscalationAttempt) => itself(Rule::EscalationAttempts),
                    () => None,
                }
            }
            READ | EXPORT => {
                let payload = event.payload.get().as_bytes();
                match AccessRecordEvent::from_payload(&event.event_type, event.schema_version, payload).ok()? {
                    AccessRecordEvent::SensitiveDataRead(SensitiveDataRead { subject_id: Some(subject), .. }) => {
                        Some(Self { rule: Rule::MassReads, counted: subject.0 })
                    }
                    // A page of a list shows somebody at least; how many it showed is not recorded.
                    AccessRecordEvent::SensitiveDataRead(read) => {
                        let list = read.data_class >= DataClass::Confidential && read.permission != WATCHING;
                        list.then_some(()).and_then(|()| itself(Rule::MassReads))
                    }
                    // How much it held is not recorded either. What it reaches back over is the most that
                    // it can hold, so a live stream that begins now is none.
                    AccessRecordEvent::DataExported(DataExported { route, from_position, .. }) => {
                        let of_people = ![OWN, TOGETHER].iter().any(|under| route.starts_with(under));
                        let everybody = of_people && event.position - from_position > EXPORT_MIN;
                        everybody.then_some(()).and_then(|()| itself(Rule::MassExports))
                    }
                    AccessRecordEvent::AccessRefused(_) => None,
                }
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;
    use palmares_domain::{
        compliance::access_record::{AccessRefused, HttpMethod},
        kernel::{Code, OrganizationId, UserId},
    };
    use std::sync::Arc;

    const ANN: UserId = UserId(Uuid::from_u128(1));

    fn seen(event: &AccessRecordEvent, metadata: &str, position: i64) -> Option<Sighting> {
        let mut delivered = recorded(OrganizationId(Uuid::from_u128(9)), ("access_record", ANN.0, 1), position, event);
        Arc::get_mut(&mut delivered.event).unwrap().metadata = serde_json::value::RawValue::from_string(metadata.to_owned()).unwrap();
        Sighting::of(&delivered.event)
    }

    fn refused(code: Code) -> AccessRecordEvent {
        let (method, route) = (HttpMethod::Get, "/api/v1/users".into());
        AccessRefused { user_id: ANN, code, method, route, status: 403, request_id: Uuid::nil() }.into()
    }

    fn read(subject_id: Option<UserId>, permission: &str, data_class: DataClass) -> AccessRecordEvent {
        let (route, permission) = ("/api/v1/users/{user_id}".into(), permission.into());
        SensitiveDataRead { user_id: ANN, route, permission, data_class, subject_id, subjects: None }.into()
    }

    fn rule_of_export(route: &str, from_position: i64, position: i64) -> Option<Rule> {
        let exported = DataExported { user_id: ANN, route: route.into(), from_position, filters: [].into() };
        seen(&exported.into(), "{}", position).map(|sighting| sighting.rule)
    }

    #[test]
    fn refusals_count_by_their_reason() {
        let rule = |metadata: &str| seen(&refused(Code::AccessDenied), metadata, 1).map(|sighting| sighting.rule);
        assert_eq!(rule(r#"{"policies":["gate.tenant_mismatch"]}"#), Some(Rule::CrossTenantAttempts));
        assert_eq!(rule(r#"{"policies":["identity.permission_escalation_attempt"]}"#), Some(Rule::EscalationAttempts));
        assert_eq!(rule(r#"{"policies":["gate.permission_missing"]}"#), None);
        assert_eq!(rule("{}"), None);
    }

    #[test]
    fn reads_count_by_whose_data_it_was_and_lists_by_the_page() {
        let bob = UserId(Uuid::from_u128(2));
        let of = |subject, permission, class| seen(&read(subject, permission, class), "{}", 1);
        let (permission, class) = ("identity.user.read", DataClass::Confidential);
        assert_eq!(of(Some(bob), permission, class), Some(Sighting { rule: Rule::MassReads, counted: bob.0 }));
        assert_eq!(of(None, permission, class).map(|sighting| sighting.rule), Some(Rule::MassReads));
        assert_eq!(of(None, permission, DataClass::Internal), None);
        assert_eq!(of(None, WATCHING, class), None);
    }

    // covers: E-87
    #[test]
    fn an_export_of_everybody_counts_at_once() {
        assert_eq!(threshold(Rule::MassExports), 1);
        assert_eq!(rule_of_export("/api/v1/audit-logs/export", 0, 1_001), Some(Rule::MassExports));
        assert_eq!(rule_of_export("/api/v1/audit-logs/export", 1, 1_001), None);
        assert_eq!(rule_of_export("/api/v1/events/stream", 5_000, 5_001), None);
        assert_eq!(rule_of_export("/api/v1/me/export", 0, 5_000), None);
        assert_eq!(rule_of_export("/api/v1/reports/usage", 0, 5_000), None);
    }
}
