//! The rules: what is counted of one actor, over which time, and from which number on it looks wrong.

use crate::compliance::audit_trail::{AuditName, Metadata, READ, REFUSAL};
use chrono::TimeDelta;
use palmares_domain::kernel::RecordedEvent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A rule, by what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = AnomalyRule)]
pub enum Rule {
    /// Somebody named other organizations again and again (E-87).
    CrossTenantAttempts,
    /// Somebody looked at what is of many people.
    MassReads,
    /// Somebody reached for more rights again and again.
    EscalationAttempts,
}

impl Rule {
    pub const ALL: [Rule; 3] = [Rule::CrossTenantAttempts, Rule::MassReads, Rule::EscalationAttempts];

    pub fn name(self) -> &'static str {
        match self {
            Rule::CrossTenantAttempts => "CROSS_TENANT_ATTEMPTS",
            Rule::MassReads => "MASS_READS",
            Rule::EscalationAttempts => "ESCALATION_ATTEMPTS",
        }
    }

    /// The time over which is counted; it is also how long one anomaly goes on growing.
    pub fn window(self) -> TimeDelta {
        match self {
            Rule::CrossTenantAttempts => TimeDelta::minutes(10),
            Rule::MassReads | Rule::EscalationAttempts => TimeDelta::hours(1),
        }
    }

    /// From this number on it looks wrong.
    pub fn threshold(self) -> i64 {
        match self {
            Rule::CrossTenantAttempts => 5,
            // Different people.
            Rule::MassReads => 25,
            Rule::EscalationAttempts => 3,
        }
    }
}

/// Something that a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    pub rule: Rule,
    /// What is counted once, however often it is seen: a person for reads, the event itself otherwise.
    pub counted: Uuid,
}

#[derive(Deserialize)]
struct Read {
    subject_id: Option<Uuid>,
}

impl Sighting {
    /// What an event is to the rules.
    pub(super) fn of(event: &RecordedEvent) -> Option<Self> {
        let metadata = Metadata::parse(event.metadata.get());
        match event.event_type.as_str() {
            REFUSAL if metadata.reason() == Some("gate.tenant_mismatch") => {
                Some(Self { rule: Rule::CrossTenantAttempts, counted: event.id.0 })
            }
            REFUSAL if AuditName::of(event, &metadata) == Some(AuditName::PermissionEscalationAttempt) => {
                Some(Self { rule: Rule::EscalationAttempts, counted: event.id.0 })
            }
            READ => {
                let read: Read = serde_json::from_str(event.payload.get()).ok()?;
                read.subject_id.map(|subject| Self { rule: Rule::MassReads, counted: subject })
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
        compliance::access_record::{AccessRecordEvent, AccessRefused, HttpMethod, SensitiveDataRead},
        kernel::{Code, DataClass, OrganizationId, UserId},
    };
    use std::sync::Arc;

    const ANN: UserId = UserId(Uuid::from_u128(1));

    fn seen(event: &AccessRecordEvent, metadata: &str) -> Option<Sighting> {
        let mut delivered = recorded(OrganizationId(Uuid::from_u128(9)), ("access_record", ANN.0, 1), 1, event);
        Arc::get_mut(&mut delivered.event).unwrap().metadata = serde_json::value::RawValue::from_string(metadata.to_owned()).unwrap();
        Sighting::of(&delivered.event)
    }

    fn refused(code: Code) -> AccessRecordEvent {
        let (method, route) = (HttpMethod::Get, "/api/v1/users".into());
        AccessRefused { user_id: ANN, code, method, route, status: 403, request_id: Uuid::nil() }.into()
    }

    fn read(subject_id: Option<UserId>) -> AccessRecordEvent {
        let (route, permission) = ("/api/v1/users/{user_id}".into(), "identity.user.read".into());
        SensitiveDataRead { user_id: ANN, route, permission, data_class: DataClass::Confidential, subject_id }.into()
    }

    #[test]
    fn refusals_count_by_their_reason() {
        let rule = |metadata: &str| seen(&refused(Code::AccessDenied), metadata).map(|sighting| sighting.rule);
        assert_eq!(rule(r#"{"policies":["gate.tenant_mismatch"]}"#), Some(Rule::CrossTenantAttempts));
        assert_eq!(rule(r#"{"policies":["identity.permission_escalation_attempt"]}"#), Some(Rule::EscalationAttempts));
        assert_eq!(rule(r#"{"policies":["gate.permission_missing"]}"#), None);
        assert_eq!(rule("{}"), None);
    }

    #[test]
    fn reads_count_by_whose_data_it_was() {
        let bob = UserId(Uuid::from_u128(2));
        assert_eq!(seen(&read(Some(bob)), "{}"), Some(Sighting { rule: Rule::MassReads, counted: bob.0 }));
        assert_eq!(seen(&read(None), "{}"), None);
    }
}
