//! The rules: what is counted of one actor, over which time, and from which number on it looks wrong.

use super::officers::Change;
use crate::compliance::audit_trail::{AuditName, EXPORT, Metadata, READ, REFUSAL};
use chrono::TimeDelta;
use palmares_domain::{
    compliance::access_anomaly::AnomalyRule as Rule,
    compliance::access_record::{AccessRecordEvent, DataExported, SensitiveDataRead},
    kernel::{Event, RecordedEvent},
};
use std::collections::BTreeSet;
use uuid::Uuid;

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
        // Each is noticed for itself.
        Rule::ComplianceOfficersChanged => TimeDelta::microseconds(1),
    }
}

/// From this number on it looks wrong.
pub(super) fn threshold(rule: Rule) -> i64 {
    match rule {
        Rule::CrossTenantAttempts => 5,
        // Different people, one more than a page of a list shows unless more is asked for: nobody is noticed
        // for a page, whatever they ask for again and again.
        Rule::MassReads => 51,
        // One is enough: nobody can tell how much of everybody was in it, and it is out.
        Rule::MassExports => 1,
        // Whoever administers an organization may not decide unnoticed who keeps watch.
        Rule::ComplianceOfficersChanged => 1,
        Rule::EscalationAttempts => 3,
    }
}

/// Something that a rule counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    pub rule: Rule,
    /// What is counted once each, however often it is seen: people for reads, the event itself otherwise.
    pub counted: BTreeSet<Uuid>,
}

impl Sighting {
    /// What an event is to the rules.
    pub(super) fn of(event: &RecordedEvent) -> Option<Self> {
        let itself = |rule| Some(Self { rule, counted: BTreeSet::from([event.id.0]) });
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
                    AccessRecordEvent::SensitiveDataRead(read) => {
                        let counted = people(&read, event.actor_id);
                        (!counted.is_empty()).then_some(Self { rule: Rule::MassReads, counted })
                    }
                    // How much it held is not recorded either. What it reaches back over is the most that
                    // it can hold, so a live stream that begins now is none.
                    AccessRecordEvent::DataExported(DataExported { route, from_position, .. }) => {
                        let of_people = ![OWN, TOGETHER].iter().any(|under| route.starts_with(under));
                        let everybody = of_people && event.position - from_position > EXPORT_MIN;
                        everybody.then_some(()).and_then(|()| itself(Rule::MassExports))
                    }
                    AccessRecordEvent::AccessRefused(_) | AccessRecordEvent::WholeLogExported(_) => None,
                }
            }
            _ => Change::of(event).and_then(|_| itself(Rule::ComplianceOfficersChanged)),
        }
    }
}

/// Whose data a read showed, beside the reader's own.
fn people(read: &SensitiveDataRead, reader: Uuid) -> BTreeSet<Uuid> {
    let shown = read.subject_id.iter().chain(read.subjects.iter().flatten()).map(|subject| subject.0);
    shown.filter(|subject| *subject != reader).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;
    use palmares_domain::{
        compliance::access_record::{AccessRefused, HttpMethod},
        kernel::{Code, DataClass, OrganizationId, UserId},
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
        let (request_id, subject_id, target_ids, role, attempted_id) = (Uuid::nil(), None, None, None, None);
        AccessRefused { user_id: ANN, code, method, route, status: 403, request_id, subject_id, target_ids, role, attempted_id }.into()
    }

    fn read(subject_id: Option<UserId>, subjects: Option<Vec<UserId>>) -> AccessRecordEvent {
        let (route, permission) = ("/api/v1/users/{user_id}".into(), "identity.user.read".into());
        SensitiveDataRead { user_id: ANN, route, permission, data_class: DataClass::Confidential, subject_id, subjects }.into()
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
        let promoting = r#"{"permission":"identity.assignment.create","policies":["gate.permission_missing"]}"#;
        assert_eq!(rule(promoting), Some(Rule::EscalationAttempts), "who may not give roles at all reaches for rights too");
    }

    // covers: E-87
    #[test]
    fn reads_count_by_whose_data_was_shown_and_never_by_the_request() {
        let (bob, cleo) = (UserId(Uuid::from_u128(2)), UserId(Uuid::from_u128(3)));
        let of = |subject, subjects| seen(&read(subject, subjects), "{}", 1).map(|sighting| (sighting.rule, sighting.counted));
        let people = |people: &[UserId]| Some((Rule::MassReads, people.iter().map(|person| person.0).collect()));
        assert_eq!(of(Some(bob), None), people(&[bob]));
        assert_eq!(of(None, Some(vec![bob, cleo])), people(&[bob, cleo]), "a list is as many people as it shows");
        assert_eq!(of(Some(bob), Some(vec![cleo])), people(&[bob, cleo]));
        assert_eq!(of(None, None), None, "a page that shows nobody is none");
        assert_eq!(of(Some(UserId(Uuid::nil())), None), None, "nor is what is one's own");
    }

    // covers: E-87
    #[test]
    fn an_export_of_everybody_counts_at_once() {
        assert_eq!(threshold(Rule::MassExports), 1);
        assert_eq!(rule_of_export("/api/v1/audit-logs/export", 0, 1_001), Some(Rule::MassExports));
        assert_eq!(rule_of_export("/api/v1/audit-logs/export", 1, 1_001), None);
        assert_eq!(rule_of_export("/api/v1/events/stream", 5_000, 5_001), None);
        assert_eq!(rule_of_export("/api/v1/me/exports/{export_id}/download", 0, 5_000), None);
        assert_eq!(rule_of_export("/api/v1/reports/usage", 0, 5_000), None);
    }
}
