//! From the events of role catalogues to rows.

use super::PROJECTION;
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use palmares_domain::{
    identity::{Grant, role_catalogue::RoleCatalogueEvent},
    kernel::Event,
};

pub(in crate::identity) const STATEMENTS: &[(&str, &str)] = &[
    ("identity.roles.insert", INSERT),
    ("identity.roles.grant", GRANT),
    ("identity.roles.revoke", REVOKE),
    ("identity.roles.rename", RENAME),
    ("identity.roles.retire", RETIRE),
];

const INSERT: &str = "
    INSERT INTO {identity_roles} (organization_id, role_id, name, grants, status, created_at, created_position)
    VALUES ($1, $2, $3, $4, 'ACTIVE', $5, $6)";

const GRANT: &str = "
    UPDATE {identity_roles} SET grants = ARRAY(SELECT DISTINCT g FROM unnest(grants || $3) g ORDER BY g)
    WHERE organization_id = $1 AND role_id = $2";

const REVOKE: &str = "
    UPDATE {identity_roles} SET grants = ARRAY(SELECT g FROM unnest(grants) g WHERE g <> ALL($3) ORDER BY g)
    WHERE organization_id = $1 AND role_id = $2";

const RENAME: &str = "UPDATE {identity_roles} SET name = $3 WHERE organization_id = $1 AND role_id = $2";

const RETIRE: &str = "UPDATE {identity_roles} SET status = 'RETIRED' WHERE organization_id = $1 AND role_id = $2";

/// The fold. Roles change seldom, so each event is a statement of its own.
pub struct Roles;

#[async_trait]
impl Projector for Roles {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["identity_roles"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[
            "identity.role_composed",
            "identity.permissions_granted",
            "identity.permissions_revoked",
            "identity.role_renamed",
            "identity.role_retired",
        ]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let organization = event.organization_id.0;
            let slot = context.slot;
            match RoleCatalogueEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
                RoleCatalogueEvent::RoleComposed(composed) => {
                    let sql = slot.sql(INSERT);
                    let insert = sqlx::query(&sql).bind(organization).bind(composed.role_id.0).bind(composed.name);
                    let insert = insert.bind(names(&composed.grants)).bind(event.recorded_at).bind(event.position);
                    insert.execute(&mut *context.tx).await?;
                }
                RoleCatalogueEvent::PermissionsGranted(granted) => {
                    let sql = slot.sql(GRANT);
                    let grant = sqlx::query(&sql).bind(organization).bind(granted.role_id.0).bind(names(&granted.grants));
                    grant.execute(&mut *context.tx).await?;
                }
                RoleCatalogueEvent::PermissionsRevoked(revoked) => {
                    let sql = slot.sql(REVOKE);
                    let revoke = sqlx::query(&sql).bind(organization).bind(revoked.role_id.0).bind(names(&revoked.grants));
                    revoke.execute(&mut *context.tx).await?;
                }
                RoleCatalogueEvent::RoleRenamed(renamed) => {
                    let sql = slot.sql(RENAME);
                    let rename = sqlx::query(&sql).bind(organization).bind(renamed.role_id.0).bind(renamed.name);
                    rename.execute(&mut *context.tx).await?;
                }
                RoleCatalogueEvent::RoleRetired(retired) => {
                    let sql = slot.sql(RETIRE);
                    sqlx::query(&sql).bind(organization).bind(retired.role_id.0).execute(&mut *context.tx).await?;
                }
            }
        }
        Ok(())
    }
}

fn names(grants: &[Grant]) -> Vec<&str> {
    grants.iter().map(Grant::name).collect()
}
