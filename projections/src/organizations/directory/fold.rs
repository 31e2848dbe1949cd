//! From the events of organizations to rows.

use super::PROJECTION;
use crate::compliance::{Records, is_of_deletion, write_deletions};
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::deletion_request::DeletionSubject,
    kernel::{Event, OrganizationId},
    organizations::organization::{OrganizationCreated, OrganizationEvent, OrganizationStatus},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("organizations.directory.insert", INSERT),
    ("organizations.directory.set_status", SET_STATUS),
    ("organizations.directory.rename", RENAME),
    ("organizations.directory.change_settings", CHANGE_SETTINGS),
    ("organizations.directory.set_up", SET_UP),
    ("organizations.directory.suspend", SUSPEND),
    ("organizations.directory.delete", DELETE),
];

const INSERT: &str = "
    INSERT INTO {organizations_directory}
        (organization_id, id, name, slug, status, default_locale, created_at, created_position)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::bigint[])";

const SET_STATUS: &str = "
    UPDATE {organizations_directory} d SET status = n.status
    FROM unnest($1::uuid[], $2::text[]) AS n (id, status)
    WHERE d.organization_id IN (n.id, $3) AND d.id = n.id";

/// These change seldom, so each event is a statement of its own.
const RENAME: &str = "UPDATE {organizations_directory} SET name = $3 WHERE organization_id IN ($1, $2) AND id = $1";

const CHANGE_SETTINGS: &str = "
    UPDATE {organizations_directory} SET settings = (settings || $3) - $4::text[] WHERE organization_id IN ($1, $2) AND id = $1";

const SET_UP: &str = "
    UPDATE {organizations_directory} SET setup = coalesce(setup, '{}') || $3 WHERE organization_id IN ($1, $2) AND id = $1";

/// Why it was suspended stands sealed beside this event.
const SUSPEND: &str = "
    UPDATE {organizations_directory} SET suspended_position = $3, suspended_event_id = $4 WHERE organization_id IN ($1, $2) AND id = $1";

/// An event that does not name the organization names the request, which is its own alone.
const DELETE: &str = "
    UPDATE {organizations_directory}
    SET deletion_request_id = $3,
        deletion_kind = coalesce($5, CASE WHEN $4 THEN deletion_kind END),
        deletion_ground = coalesce($6, CASE WHEN $4 THEN deletion_ground END),
        deleted_at = coalesce($7, CASE WHEN $4 THEN deleted_at END),
        deleted_by = coalesce($8, CASE WHEN $4 THEN deleted_by END),
        retention_expiry = coalesce($9, CASE WHEN $4 THEN retention_expiry END)
    WHERE organization_id IN (id, $1) AND (id = $2 OR deletion_request_id = $3)";

const RECORDS: Records = Records { statement: DELETE, tenant: Some(OrganizationId::PLATFORM), subject: organization_of };

fn organization_of(subject: DeletionSubject) -> Option<Uuid> {
    match subject {
        DeletionSubject::Organization(organization) => Some(organization.0),
        DeletionSubject::User(_) => None,
    }
}

/// The fold.
pub struct Organizations;

#[async_trait]
impl Projector for Organizations {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        4
    }

    fn tables(&self) -> &'static [&'static str] {
        &["organizations_directory"]
    }

    fn interests(&self) -> &'static [&'static str] {
        INTERESTS
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let changes = changes(batch)?;
        if !changes.created.is_empty() {
            insert(context, &changes.created).await?;
        }
        if !changes.statuses.is_empty() {
            let (ids, statuses): (Vec<Uuid>, Vec<&str>) = changes.statuses.into_iter().map(|(id, status)| (id.0, status.name())).unzip();
            let sql = context.slot.sql(SET_STATUS);
            sqlx::query(&sql).bind(ids).bind(statuses).bind(OrganizationId::PLATFORM.0).execute(&mut *context.tx).await?;
        }
        for detail in &changes.details {
            detail.write(context).await?;
        }
        write_deletions(context, batch, &RECORDS).await
    }
}

/// Every event that shows.
const INTERESTS: &[&str] = &[
    "organizations.organization_created",
    "organizations.organization_suspended",
    "organizations.organization_resumed",
    "organizations.setup_begun",
    "organizations.setup_expired",
    "organizations.organization_activated",
    "organizations.payment_due_marked",
    "organizations.payment_received",
    "organizations.organization_deletion_requested",
    "organizations.organization_deletion_cancelled",
    "organizations.organization_purged",
    "organizations.organization_renamed",
    "organizations.settings_changed",
    "organizations.setup_step_completed",
    "compliance.deletion_submitted",
    "compliance.subject_soft_deleted",
    "compliance.subject_restored",
    "compliance.retention_countdown_begun",
    "compliance.retention_rescheduled",
];

/// What a batch changes: the new organizations, and the last status of those that got another.
#[derive(Default)]
struct Changes {
    created: Vec<Created>,
    statuses: BTreeMap<OrganizationId, OrganizationStatus>,
    details: Vec<Detail>,
}

/// A change of one organization's rows.
struct Detail {
    id: OrganizationId,
    change: DetailChange,
}

enum DetailChange {
    Name(String),
    Settings { set: Value, reset: Vec<Value> },
    Setup(Value),
    Suspended { position: i64, event_id: Uuid },
}

impl Detail {
    async fn write(&self, context: &mut ApplyContext<'_>) -> Result<(), ApplyError> {
        let sql = context.slot.sql(match self.change {
            DetailChange::Name(_) => RENAME,
            DetailChange::Settings { .. } => CHANGE_SETTINGS,
            DetailChange::Setup(_) => SET_UP,
            DetailChange::Suspended { .. } => SUSPEND,
        });
        let update = sqlx::query(&sql).bind(self.id.0).bind(OrganizationId::PLATFORM.0);
        let update = match &self.change {
            DetailChange::Name(name) => update.bind(name),
            DetailChange::Settings { set, reset } => update.bind(set).bind(reset.iter().filter_map(Value::as_str).collect::<Vec<_>>()),
            DetailChange::Setup(steps) => update.bind(steps),
            DetailChange::Suspended { position, event_id } => update.bind(position).bind(event_id),
        };
        update.execute(&mut *context.tx).await?;
        Ok(())
    }
}

/// What an event changes beside the state.
fn detail(event: &OrganizationEvent, delivered: &Delivered) -> Option<DetailChange> {
    let recorded = &delivered.event;
    Some(match event {
        OrganizationEvent::OrganizationRenamed(renamed) => DetailChange::Name(renamed.name.clone()),
        OrganizationEvent::SettingsChanged(changed) => {
            DetailChange::Settings { set: json!(changed.set), reset: changed.reset.iter().map(|setting| json!(setting)).collect() }
        }
        OrganizationEvent::OrganizationSuspended(_) => DetailChange::Suspended { position: recorded.position, event_id: recorded.id.0 },
        OrganizationEvent::SetupBegun(_) => DetailChange::Setup(json!({})),
        OrganizationEvent::SetupStepCompleted(completed) => {
            DetailChange::Setup(json!({ completed.step.name(): { "at": recorded.recorded_at, "by": recorded.actor_id } }))
        }
        _ => return None,
    })
}

struct Created {
    organization: OrganizationCreated,
    at: DateTime<Utc>,
    position: i64,
}

fn changes(batch: &[Delivered]) -> Result<Changes, ApplyError> {
    let mut changes = Changes::default();
    for delivered in batch.iter().filter(|delivered| !is_of_deletion(delivered)) {
        let event = &delivered.event;
        match OrganizationEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
            OrganizationEvent::OrganizationCreated(organization) => {
                changes.created.push(Created { organization, at: event.recorded_at, position: event.position });
            }
            change => {
                let id = change.organization_id();
                changes.details.extend(detail(&change, delivered).map(|change| Detail { id, change }));
                changes.statuses.extend(change.status().map(|status| (change.organization_id(), status)));
            }
        }
    }
    Ok(changes)
}

async fn insert(context: &mut ApplyContext<'_>, created: &[Created]) -> Result<(), ApplyError> {
    // The platform's own organization has one row: both of its tenants are the same.
    let rows: Vec<(OrganizationId, &Created)> = created
        .iter()
        .flat_map(|row| {
            BTreeSet::from([OrganizationId::PLATFORM, row.organization.organization_id]).into_iter().map(move |tenant| (tenant, row))
        })
        .collect();
    let sql = context.slot.sql(INSERT);
    sqlx::query(&sql)
        .bind(rows.iter().map(|(tenant, _)| tenant.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.organization.organization_id.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.organization.name.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.organization.slug.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|_| OrganizationStatus::Active.name()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.organization.default_locale.tag()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.at).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, row)| row.position).collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::projector::Delivered;
    use crate::testing::recorded;
    use palmares_domain::organizations::{
        Locale,
        organization::{OrganizationResumed, OrganizationSuspended},
    };

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));

    fn batch(events: Vec<OrganizationEvent>) -> Vec<Delivered> {
        events.into_iter().zip(1..).map(|(event, version)| recorded(ACME, ("organization", ACME.0, version), version, &event)).collect()
    }

    #[test]
    fn the_last_status_of_a_batch_wins() {
        let created = OrganizationCreated { organization_id: ACME, name: "Acme".into(), slug: "acme".into(), default_locale: Locale::Fr };
        let suspended = OrganizationSuspended { organization_id: ACME, reason: None };
        let resumed = OrganizationResumed { organization_id: ACME };
        let changes = changes(&batch(vec![created.into(), suspended.clone().into(), resumed.into(), suspended.into()])).unwrap();
        assert_eq!(changes.created.len(), 1);
        assert_eq!(changes.created[0].position, 1);
        assert_eq!(changes.statuses, [(ACME, OrganizationStatus::Suspended)].into());
    }

    #[test]
    fn what_tells_of_deletions_is_of_interest() {
        assert!(crate::compliance::OF_DELETIONS.iter().all(|name| INTERESTS.contains(name)));
    }
}
