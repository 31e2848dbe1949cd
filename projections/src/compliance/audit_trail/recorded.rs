//! Whether what a search names was ever recorded: of what is in no catalogue, such as imported events, the log knows.

use super::statements::ACTIONS;
use crate::engine::{ReadError, TenantReader};

pub(super) const TYPE_RECORDED: &str = "
    SELECT EXISTS (SELECT FROM compliance_audit_log WHERE organization_id = $1 AND event_type = $2)";

pub(super) const TARGET_RECORDED: &str = "
    SELECT EXISTS (SELECT FROM compliance_audit_log WHERE organization_id = $1 AND stream_type = $2)";

/// Whether the organization has an event of this type.
pub async fn event_type_recorded(reader: &mut TenantReader<'_>, event_type: &str) -> Result<bool, ReadError> {
    exists(reader, TYPE_RECORDED, event_type).await
}

/// Whether something of this type was acted on in the organization.
pub async fn target_type_recorded(reader: &mut TenantReader<'_>, target_type: &str) -> Result<bool, ReadError> {
    exists(reader, TARGET_RECORDED, target_type).await
}

/// Whether something was done in the organization under this permission, or one of this group.
pub async fn action_recorded(reader: &mut TenantReader<'_>, group: &str) -> Result<bool, ReadError> {
    let query = sqlx::query_scalar(ACTIONS).persistent(false).bind(reader.organization().0).bind(group);
    let found: Vec<String> = query.fetch_all(reader.connection()).await?;
    Ok(!found.is_empty())
}

async fn exists(reader: &mut TenantReader<'_>, statement: &'static str, name: &str) -> Result<bool, ReadError> {
    let query = sqlx::query_scalar(statement).persistent(false).bind(reader.organization().0).bind(name);
    Ok(query.fetch_one(reader.connection()).await?)
}
