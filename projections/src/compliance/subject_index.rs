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
    compliance::access_record::AccessRecord,
    kernel::{Aggregate, FieldSpec, RecordedEvent},
    registry::event_spec,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The projection's public name.
pub const PROJECTION: &str = "subject_index";

const INSERT: &str = "
    INSERT INTO {compliance_subject_index} (organization_id, subject_id, position, concerned)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::boolean[])";

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

/// The field by which an event says whose it is.
const WHOSE: &str = "user_id";

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
        2
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
        let (mut organizations, mut subjects, mut positions, mut concerned) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for delivered in batch {
            for (subject, is_concerned) in named(&delivered.event) {
                organizations.push(delivered.event.organization_id.0);
                subjects.push(subject);
                positions.push(delivered.event.position);
                concerned.push(is_concerned);
            }
        }
        let sql = context.slot.sql(INSERT);
        let query = sqlx::query(&sql).bind(organizations).bind(subjects).bind(positions).bind(concerned);
        query.execute(&mut *context.tx).await?;
        Ok(())
    }
}

/// Everyone whom an event names, and what else may be somebody's id; each with whether it concerns them: it
/// is about them or something of theirs, or shows it, and does not name them as who did it alone.
fn named(event: &RecordedEvent) -> BTreeMap<Uuid, bool> {
    let metadata = Metadata::parse(event.metadata.get());
    let payload: Value = serde_json::from_str(event.payload.get()).unwrap_or_default();
    let mut about = BTreeSet::new();
    match event_spec(&event.event_type, event.schema_version) {
        Some(spec) => spec.fields.iter().filter(|field| may_name_people(field)).for_each(|field| ids(&payload[field.name], &mut about)),
        None => ids(&payload, &mut about),
    }
    // Most events say who did it in a field too, and an access record is its reader's own.
    let own =
        event.stream.stream_type != AccessRecord::TYPE && payload[WHOSE].as_str().and_then(|id| id.parse().ok()) == Some(event.actor_id);
    let concerns = |subject: &Uuid| *subject != event.actor_id || own;
    let mut found: BTreeMap<Uuid, bool> = about.iter().map(|subject| (*subject, concerns(subject))).collect();
    if let Some(acted_as) = metadata.on_behalf_of {
        found.entry(acted_as).or_default();
    }
    if metadata.permission.is_none_or(|permission| !permission.starts_with(SYSTEM)) {
        found.entry(event.actor_id).or_default();
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
            elevation::{ElevationEvent, ElevationRequested, ElevationStarted, Scope},
            user::{UserEvent, UserResumed},
        },
        kernel::{DataClass, Digest, ElevationId, OrganizationId, Personal, RoleId, UserId},
        registry::event_catalogue,
    };
    use std::{fs, path::Path, sync::Arc};

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
        let mut shown = recorded(ACME, ("access_record", BOB.0, 1), 1, &read);
        Arc::get_mut(&mut shown.event).unwrap().actor_id = BOB.0;
        let found = named(&shown.event);
        assert_eq!(found, BTreeMap::from([(ALICE.0, true), (BOB.0, false)]), "it concerns who was read, not who read");
    }

    /// covers: E-194
    #[test]
    fn everybody_whose_data_a_list_showed_is_concerned_and_so_is_whoever_changes_what_is_theirs() {
        let read: AccessRecordEvent = SensitiveDataRead {
            user_id: BOB,
            route: "/api/v1/users".into(),
            permission: "identity.user.list".into(),
            data_class: DataClass::Confidential,
            subject_id: None,
            subjects: Some(vec![ALICE]),
        }
        .into();
        let mut listed = recorded(ACME, ("access_record", BOB.0, 1), 1, &read);
        Arc::get_mut(&mut listed.event).unwrap().actor_id = BOB.0;
        assert_eq!(named(&listed.event), BTreeMap::from([(ALICE.0, true), (BOB.0, false)]));
        let resumed: UserEvent = UserResumed { user_id: BOB }.into();
        let mut own = recorded(ACME, ("user", BOB.0, 1), 2, &resumed);
        Arc::get_mut(&mut own.event).unwrap().actor_id = BOB.0;
        assert_eq!(named(&own.event), BTreeMap::from([(BOB.0, true)]));
    }

    // covers: E-59
    #[test]
    fn that_somebody_was_acted_as_concerns_them_and_what_was_recorded_before_that_was_said_names_who_did_it() {
        let elevation_id = ElevationId(Uuid::from_u128(8));
        let started = |concerns| {
            let started: ElevationEvent = ElevationStarted { elevation_id, expires_at: chrono::DateTime::UNIX_EPOCH, concerns }.into();
            let mut started = recorded(ACME, ("elevation", elevation_id.0, 1), 3, &started);
            Arc::get_mut(&mut started.event).unwrap().actor_id = BOB.0;
            named(&started.event)
        };
        assert_eq!(started(Some(ALICE)), BTreeMap::from([(ALICE.0, true), (BOB.0, false)]));
        assert_eq!(started(None), BTreeMap::from([(BOB.0, false)]));
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
        assert!(found.contains_key(&ALICE.0) && found.contains_key(&BOB.0));
        assert!(!found.contains_key(&role.0) && !found.contains_key(&elevation.0));
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
