//! Who is named by which event: what makes an export of oneself complete by construction.
//!
//! The types of the fields say where ids of people may stand. Left out are those alone that are known to
//! hold something else, so that a field of a new type is looked into until somebody says otherwise. An
//! event without a catalogue, such as an imported one, is looked into everywhere.

use crate::{
    compliance::audit_trail::Metadata,
    engine::{ApplyContext, ApplyError, Delivered, OnFailure, Projector},
};
use async_trait::async_trait;
use palmares_domain::{
    kernel::{FieldSpec, RecordedEvent},
    registry::event_spec,
};
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The projection's public name.
pub const PROJECTION: &str = "subject_index";

const INSERT: &str = "
    INSERT INTO {compliance_subject_index} (organization_id, subject_id, position)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])";

pub(super) const STATEMENTS: &[(&str, &str)] = &[("compliance.subject_index.insert", INSERT)];

/// Types of fields that hold ids, and none of a person.
const NOT_OF_PEOPLE: &[&str] = &[
    "AccountId",
    "ApiKeyId",
    "BreachId",
    "ConsentId",
    "ElevationId",
    "ExportId",
    "ImportId",
    "InvitationId",
    "LegalDocumentId",
    "LetterId",
    "MonthId",
    "OrganizationId",
    "PassId",
    "PolicyId",
    "ProgramId",
    "RoleId",
    "RoleRef",
    "RuleId",
    "ScheduleId",
    "SessionId",
    "SubjectRequestId",
    "TeamId",
    "TransactionId",
];

/// What the platform does of its own accord is done under a permission of this group, by no person.
const SYSTEM: &str = "system.";

/// The fold.
pub struct SubjectIndex;

#[async_trait]
impl Projector for SubjectIndex {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_subject_index"]
    }

    /// Every event.
    fn interests(&self) -> &'static [&'static str] {
        &[]
    }

    /// An export with a hole is worse than a late one.
    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let (mut organizations, mut subjects, mut positions) = (Vec::new(), Vec::new(), Vec::new());
        for delivered in batch {
            for subject in named(&delivered.event) {
                organizations.push(delivered.event.organization_id.0);
                subjects.push(subject);
                positions.push(delivered.event.position);
            }
        }
        let sql = context.slot.sql(INSERT);
        sqlx::query(&sql).bind(organizations).bind(subjects).bind(positions).execute(&mut *context.tx).await?;
        Ok(())
    }
}

/// Everyone whom an event names, and what else may be somebody's id.
fn named(event: &RecordedEvent) -> BTreeSet<Uuid> {
    let metadata = Metadata::parse(event.metadata.get());
    let mut found: BTreeSet<Uuid> = metadata.on_behalf_of.into_iter().collect();
    if metadata.permission.is_none_or(|permission| !permission.starts_with(SYSTEM)) {
        found.insert(event.actor_id);
    }
    let payload: Value = serde_json::from_str(event.payload.get()).unwrap_or_default();
    match event_spec(&event.event_type, event.schema_version) {
        Some(spec) => spec.fields.iter().filter(|field| may_name_people(field)).for_each(|field| ids(&payload[field.name], &mut found)),
        None => ids(&payload, &mut found),
    }
    found
}

fn may_name_people(field: &FieldSpec) -> bool {
    let mut bare = field.rust_type.replace(char::is_whitespace, "");
    while let Some(inner) = ["Option<", "Vec<", "BTreeSet<"].iter().find_map(|outer| bare.strip_prefix(outer)?.strip_suffix('>')) {
        bare = inner.to_owned();
    }
    field.personal.is_none() && !NOT_OF_PEOPLE.contains(&bare.as_str())
}

/// Every id in a value, names of members included.
fn ids(value: &Value, found: &mut BTreeSet<Uuid>) {
    match value {
        Value::String(text) => found.extend(Uuid::parse_str(text)),
        Value::Array(items) => items.iter().for_each(|item| ids(item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                found.extend(Uuid::parse_str(name));
                ids(member, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;
    use palmares_domain::{
        compliance::access_record::{AccessRecordEvent, SensitiveDataRead},
        identity::{
            RoleRef,
            elevation::{ElevationEvent, ElevationRequested, Scope},
        },
        kernel::{DataClass, Digest, ElevationId, OrganizationId, Personal, RoleId, UserId},
        registry::event_catalogue,
    };
    use std::{fs, path::Path};

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
    const ALICE: UserId = UserId(Uuid::from_u128(2));
    const BOB: UserId = UserId(Uuid::from_u128(3));

    #[test]
    fn who_read_somebody_is_found_with_whom_they_read() {
        let read: AccessRecordEvent = SensitiveDataRead {
            user_id: BOB,
            route: "/api/v1/users/{user_id}".into(),
            permission: "identity.user.read".into(),
            data_class: DataClass::Confidential,
            subject_id: Some(ALICE),
            subjects: None,
        }
        .into();
        let found = named(&recorded(ACME, ("access_record", BOB.0, 1), 1, &read).event);
        assert!(found.contains(&ALICE.0) && found.contains(&BOB.0));
    }

    #[test]
    fn ids_within_other_types_are_found_and_ids_of_other_things_are_not() {
        let (role, elevation) = (RoleId(Uuid::from_u128(7)), ElevationId(Uuid::from_u128(8)));
        let requested: ElevationEvent = ElevationRequested {
            elevation_id: elevation,
            requested_by: BOB,
            scope: Scope::ActingAs(ALICE),
            roles: vec![RoleRef::Custom(role)],
            duration_seconds: 60,
            concerns: ALICE,
            reason: Personal::Sealed(Digest([0; 32])),
        }
        .into();
        let found = named(&recorded(ACME, ("elevation", elevation.0, 1), 1, &requested).event);
        assert!(found.contains(&ALICE.0) && found.contains(&BOB.0));
        assert!(!found.contains(&role.0) && !found.contains(&elevation.0));
    }

    /// Every event of the catalogue, as it is stored: whoever a field of a person's id names is found.
    #[test]
    fn no_event_names_somebody_who_is_not_found() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/tests/golden");
        let mut seen = 0;
        for spec in event_catalogue() {
            let golden = fs::read_to_string(folder.join(format!("{}.v{}.json", spec.name, spec.schema_version))).unwrap();
            let payload: Value = serde_json::from_str(&golden).unwrap();
            for field in spec.fields.iter().filter(|field| field.rust_type.contains("UserId")) {
                assert!(may_name_people(field), "{}.{}", spec.name, field.name);
                let mut found = BTreeSet::new();
                ids(&payload[field.name], &mut found);
                assert!(!found.is_empty(), "{}.{} has no id in its golden payload", spec.name, field.name);
                seen += 1;
            }
        }
        assert!(seen > 50, "{seen}");
    }
}
