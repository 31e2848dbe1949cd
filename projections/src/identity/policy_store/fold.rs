//! From the events of policy stores to rows.

use super::PROJECTION;
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use palmares_domain::{
    identity::policy_store::{PolicyInstantiated, PolicyStoreEvent, PolicyTemplateWritten, PolicyVersionActivated, PolicyWritten},
    kernel::Event,
};
use sqlx::types::Json;

pub(in crate::identity) const STATEMENTS: &[(&str, &str)] = &[
    ("identity.policy_store.insert_policy", INSERT_POLICY),
    ("identity.policy_store.revoke_policy", REVOKE_POLICY),
    ("identity.policy_store.insert_template", INSERT_TEMPLATE),
    ("identity.policy_store.revoke_template", REVOKE_TEMPLATE),
    ("identity.policy_store.end_versions", END_VERSIONS),
    ("identity.policy_store.activate_version", ACTIVATE_VERSION),
];

const INSERT_POLICY: &str = "
    INSERT INTO {identity_policies}
        (organization_id, policy_id, name, policy_text, status, template_id, principal, resource, created_at, created_position)
    VALUES ($1, $2, $3, $4, 'ACTIVE', $5, $6, $7, $8, $9)";

const REVOKE_POLICY: &str = "UPDATE {identity_policies} SET status = 'REVOKED' WHERE organization_id = $1 AND policy_id = $2";

const INSERT_TEMPLATE: &str = "
    INSERT INTO {identity_policy_templates} (organization_id, template_id, name, policy_text, status, created_at, created_position)
    VALUES ($1, $2, $3, $4, 'ACTIVE', $5, $6)";

const REVOKE_TEMPLATE: &str = "UPDATE {identity_policy_templates} SET status = 'REVOKED' WHERE organization_id = $1 AND template_id = $2";

const END_VERSIONS: &str = "UPDATE {identity_policy_versions} SET holds = false WHERE organization_id = $1 AND holds";

/// A new version is the draft as it is; an old one stays what it was.
const ACTIVATE_VERSION: &str = "
    INSERT INTO {identity_policy_versions} (organization_id, version, digest, policies, holds, activated_at)
    SELECT $1, $2, $3, COALESCE(array_agg(policy_id ORDER BY created_position), ARRAY[]::uuid[]), true, $4
    FROM {identity_policies} WHERE organization_id = $1 AND status = 'ACTIVE'
    ON CONFLICT (organization_id, version) DO UPDATE SET holds = true, activated_at = EXCLUDED.activated_at";

/// The fold. Policies change seldom, so each event is a statement of its own.
pub struct PolicyStores;

#[async_trait]
impl Projector for PolicyStores {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["identity_policies", "identity_policy_templates", "identity_policy_versions"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[
            "identity.policy_template_written",
            "identity.policy_written",
            "identity.policy_instantiated",
            "identity.policy_revoked",
            "identity.policy_template_revoked",
            "identity.policy_version_activated",
        ]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            match PolicyStoreEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
                PolicyStoreEvent::PolicyTemplateWritten(written) => insert_template(context, delivered, written).await?,
                PolicyStoreEvent::PolicyWritten(PolicyWritten { policy_id, name, text }) => {
                    let sql = context.slot.sql(INSERT_POLICY);
                    let insert = sqlx::query(&sql).bind(event.organization_id.0).bind(policy_id.0).bind(name).bind(text);
                    let insert = insert.bind(None::<uuid::Uuid>).bind(None::<Json<()>>).bind(None::<Json<()>>);
                    insert.bind(event.recorded_at).bind(event.position).execute(&mut *context.tx).await?;
                }
                PolicyStoreEvent::PolicyInstantiated(made) => insert_instance(context, delivered, made).await?,
                PolicyStoreEvent::PolicyRevoked(revoked) => {
                    let sql = context.slot.sql(REVOKE_POLICY);
                    let revoke = sqlx::query(&sql).bind(event.organization_id.0).bind(revoked.policy_id.0);
                    revoke.execute(&mut *context.tx).await?;
                }
                PolicyStoreEvent::PolicyTemplateRevoked(revoked) => {
                    let sql = context.slot.sql(REVOKE_TEMPLATE);
                    let revoke = sqlx::query(&sql).bind(event.organization_id.0).bind(revoked.policy_id.0);
                    revoke.execute(&mut *context.tx).await?;
                }
                PolicyStoreEvent::PolicyVersionActivated(PolicyVersionActivated { version, digest }) => {
                    let sql = context.slot.sql(END_VERSIONS);
                    sqlx::query(&sql).bind(event.organization_id.0).execute(&mut *context.tx).await?;
                    let sql = context.slot.sql(ACTIVATE_VERSION);
                    let activate = sqlx::query(&sql).bind(event.organization_id.0).bind(i64::from(version)).bind(digest.to_string());
                    activate.bind(event.recorded_at).execute(&mut *context.tx).await?;
                }
            }
        }
        Ok(())
    }
}

async fn insert_template(context: &mut ApplyContext<'_>, delivered: &Delivered, written: PolicyTemplateWritten) -> Result<(), ApplyError> {
    let event = &delivered.event;
    let sql = context.slot.sql(INSERT_TEMPLATE);
    let insert = sqlx::query(&sql).bind(event.organization_id.0).bind(written.policy_id.0).bind(written.name).bind(written.text);
    insert.bind(event.recorded_at).bind(event.position).execute(&mut *context.tx).await?;
    Ok(())
}

async fn insert_instance(context: &mut ApplyContext<'_>, delivered: &Delivered, made: PolicyInstantiated) -> Result<(), ApplyError> {
    let event = &delivered.event;
    let sql = context.slot.sql(INSERT_POLICY);
    let insert = sqlx::query(&sql).bind(event.organization_id.0).bind(made.policy_id.0).bind(made.name).bind(made.text);
    let insert = insert.bind(made.template_id.0).bind(made.principal.map(Json)).bind(made.resource.map(Json));
    insert.bind(event.recorded_at).bind(event.position).execute(&mut *context.tx).await?;
    Ok(())
}
