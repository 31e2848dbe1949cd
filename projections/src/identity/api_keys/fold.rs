//! From the events of keys to rows.

use super::PROJECTION;
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use palmares_domain::{
    identity::{Grant, api_key::ApiKeyEvent},
    kernel::Event,
};

pub(in crate::identity) const STATEMENTS: &[(&str, &str)] = &[
    ("identity.api_keys.insert", INSERT),
    ("identity.api_keys.rotate", ROTATE),
    ("identity.api_keys.set_quota", SET_QUOTA),
    ("identity.api_keys.revoke", REVOKE),
];

const INSERT: &str = "
    INSERT INTO {identity_api_keys}
        (organization_id, key_id, name, grants, quota_requests, quota_per, status, created_by, created_at, created_position, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, 'ACTIVE', $7, $8, $9, $10)";

const ROTATE: &str = "
    UPDATE {identity_api_keys} SET rotated_at = $3, former_until = $4 WHERE organization_id = $1 AND key_id = $2";

const SET_QUOTA: &str = "
    UPDATE {identity_api_keys} SET quota_requests = $3, quota_per = $4 WHERE organization_id = $1 AND key_id = $2";

const REVOKE: &str = "
    UPDATE {identity_api_keys} SET status = 'REVOKED', revoked_at = $3, revoked_by = $4 WHERE organization_id = $1 AND key_id = $2";

/// The fold. Keys change seldom, so each event is a statement of its own.
pub struct ApiKeys;

#[async_trait]
impl Projector for ApiKeys {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["identity_api_keys"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["identity.api_key_created", "identity.api_key_rotated", "identity.api_key_quota_set", "identity.api_key_revoked"]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let (organization, slot) = (event.organization_id.0, context.slot);
            match ApiKeyEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
                ApiKeyEvent::ApiKeyCreated(created) => {
                    let sql = slot.sql(INSERT);
                    let grants: Vec<_> = created.grants.iter().map(Grant::name).collect();
                    let insert = sqlx::query(&sql).bind(organization).bind(created.key_id.0).bind(created.name).bind(grants);
                    let insert = insert.bind(i64::from(created.quota.requests)).bind(created.quota.per.name()).bind(event.actor_id);
                    let insert = insert.bind(event.recorded_at).bind(event.position).bind(created.expires_at);
                    insert.execute(&mut *context.tx).await?;
                }
                ApiKeyEvent::ApiKeyRotated(rotated) => {
                    let sql = slot.sql(ROTATE);
                    let rotate = sqlx::query(&sql).bind(organization).bind(rotated.key_id.0);
                    rotate.bind(event.recorded_at).bind(rotated.former_until).execute(&mut *context.tx).await?;
                }
                ApiKeyEvent::ApiKeyQuotaSet(set) => {
                    let sql = slot.sql(SET_QUOTA);
                    let update = sqlx::query(&sql).bind(organization).bind(set.key_id.0);
                    update.bind(i64::from(set.quota.requests)).bind(set.quota.per.name()).execute(&mut *context.tx).await?;
                }
                ApiKeyEvent::ApiKeyRevoked(revoked) => {
                    let sql = slot.sql(REVOKE);
                    let revoke = sqlx::query(&sql).bind(organization).bind(revoked.key_id.0);
                    revoke.bind(event.recorded_at).bind(event.actor_id).execute(&mut *context.tx).await?;
                }
            }
        }
        Ok(())
    }
}
