//! `GET access-reviews/changes`.

use super::{
    over::{ASSIGNMENTS_OVER, ExpiredAssignment, ExpiredKey, KEYS_OVER, over},
    people::{ExpertChange, RoleChange, UserChange, are_there_already, expert_changes, role_changes, user_changes},
    told::{KeyChange, PermissionChange, PolicyChange, Row, key_changes, permission_changes, policy_changes},
};
use crate::{
    compliance::audit_trail,
    engine::{Query, ReadError, TenantReader},
    experts::assignments,
    identity::{api_keys, elevations},
};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{DataClass, ElevationId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const EVENTS: &str = "
    SELECT e.event_id, e.event_type, e.schema_version, e.recorded_at, e.actor_id, e.payload
    FROM compliance_audit_log p JOIN events e ON e.position = p.position
    WHERE p.organization_id = $1 AND p.event_type = ANY($2) AND p.recorded_at >= $3 AND p.recorded_at < $4
    ORDER BY p.position LIMIT $5";

/// What was given before these times to those of these users who were invited then, and not active yet.
pub(super) const WAITING: &str = "
    SELECT e.event_id, e.event_type, e.schema_version, e.recorded_at, e.actor_id, e.payload
    FROM compliance_audit_log p JOIN events e ON e.position = p.position
    WHERE p.organization_id = $1 AND p.stream_id = ANY($2) AND p.recorded_at < $3
      AND p.event_type IN ('identity.user_invited', 'identity.role_assigned', 'identity.role_unassigned')
      AND EXISTS (SELECT FROM compliance_audit_log i
          WHERE i.organization_id = p.organization_id AND i.stream_id = p.stream_id AND i.event_type = 'identity.user_invited')
      AND NOT EXISTS (SELECT FROM compliance_audit_log a
          WHERE a.organization_id = p.organization_id AND a.stream_id = p.stream_id
            AND a.event_type = 'identity.user_activated' AND a.recorded_at < $3)
    ORDER BY p.position LIMIT $4";

pub(super) const ELEVATIONS: &str = "
    SELECT l.elevation_id, l.requested_by, l.role, l.act_as, l.status, l.decided_by, p.recorded_at AS started_at
    FROM compliance_audit_log p
    JOIN identity_elevations l ON l.organization_id = p.organization_id AND l.elevation_id = p.stream_id
    WHERE p.organization_id = $1 AND p.event_type = 'identity.elevation_started' AND p.recorded_at >= $2 AND p.recorded_at < $3
    ORDER BY p.position LIMIT $4";

/// Events that change who may what: who is given which role, and who may use theirs.
const OF_USERS: &[&str] = &[
    "identity.user_created",
    "identity.user_invited",
    "identity.user_activated",
    "identity.user_suspended",
    "identity.user_resumed",
    "identity.user_deactivated",
    "identity.user_reactivated",
    "identity.user_deletion_requested",
    "identity.user_deletion_cancelled",
    "identity.user_soft_deleted",
    "identity.user_restored",
    "identity.user_purged",
    "identity.role_assigned",
    "identity.role_unassigned",
];
const OF_ROLES: &[&str] =
    &["identity.role_composed", "identity.permissions_granted", "identity.permissions_revoked", "identity.role_retired"];
const OF_KEYS: &[&str] = &["identity.api_key_created", "identity.api_key_rotated", "identity.api_key_revoked"];
const OF_EXPERTS: &[&str] = &["experts.expert_assigned", "experts.assignment_ended"];
const OF_POLICIES: &[&str] = &["identity.policy_version_activated"];

/// More events than this are left out.
const EVENTS_MAX: i64 = 20_000;

/// Who gained and who lost what between two moments: each time that somebody held something, with when it began
/// and ended and by whom, what came and went again included.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAccessChanges {
    /// From this time on.
    pub from: DateTime<Utc>,
    /// Before this time.
    pub to: DateTime<Utc>,
}

/// Rights that somebody had for a while.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct TemporaryAccess {
    #[sqlx(try_from = "Uuid")]
    pub elevation_id: ElevationId,
    #[sqlx(rename = "requested_by", try_from = "Uuid")]
    pub user_id: UserId,
    /// The role, where it was one.
    pub role: Option<String>,
    /// The user as whom they acted, where it was that.
    pub act_as: Option<Uuid>,
    /// Where it stands now.
    pub status: String,
    /// Who approved it.
    pub decided_by: Option<Uuid>,
    pub started_at: DateTime<Utc>,
}

/// What was gained and what was lost.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessChanges {
    pub roles: Vec<RoleChange>,
    pub permissions: Vec<PermissionChange>,
    /// Who joined or came back, and who was suspended, deactivated or deleted and with it lost everything.
    pub users: Vec<UserChange>,
    /// What became of keys for programs, all of it: each is somebody's to act with.
    pub keys: Vec<KeyChange>,
    /// Who began to look after whom, and so to read what they record, and who does so no more.
    pub experts: Vec<ExpertChange>,
    /// Which versions of the organization's own policies began to hold.
    pub policies: Vec<PolicyChange>,
    pub for_a_while: Vec<TemporaryAccess>,
    /// Whether there was more than is shown: then ask for a shorter time.
    pub truncated: bool,
}

impl Query for ListAccessChanges {
    type Output = AccessChanges;

    const PROJECTIONS: &'static [&'static str] =
        &[audit_trail::PROJECTION, elevations::PROJECTION, api_keys::PROJECTION, assignments::PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<AccessChanges, ReadError> {
        if self.to <= self.from {
            return Err(ReadError::invalid("to", "out_of_range"));
        }
        let of_users = self.events(reader, OF_USERS).await?;
        let waiting = self.waiting(reader, are_there_already(&of_users)?).await?;
        let of_roles = self.events(reader, OF_ROLES).await?;
        let of_keys = self.events(reader, OF_KEYS).await?;
        let keys_over: Vec<ExpiredKey> = over(reader, KEYS_OVER, (self.from, self.to), EVENTS_MAX + 1).await?;
        let of_experts = self.events(reader, OF_EXPERTS).await?;
        let assignments_over: Vec<ExpiredAssignment> = over(reader, ASSIGNMENTS_OVER, (self.from, self.to), EVENTS_MAX + 1).await?;
        let of_policies = self.events(reader, OF_POLICIES).await?;
        let organization = reader.organization().0;
        let query = sqlx::query_as(ELEVATIONS).bind(organization).bind(self.from).bind(self.to).bind(EVENTS_MAX + 1);
        let mut for_a_while: Vec<TemporaryAccess> = query.fetch_all(reader.connection()).await?;
        let lengths = [&of_users, &waiting, &of_roles, &of_keys, &of_experts, &of_policies].map(Vec::len);
        let others = [for_a_while.len(), keys_over.len(), assignments_over.len()];
        let longest = lengths.into_iter().chain(others).max().unwrap_or_default();
        let most = usize::try_from(EVENTS_MAX).unwrap_or(usize::MAX);
        for_a_while.truncate(most);
        Ok(AccessChanges {
            roles: role_changes(&waiting, &of_users)?,
            permissions: permission_changes(&of_roles)?,
            users: user_changes(&of_users)?,
            keys: key_changes(&of_keys, &keys_over)?,
            experts: expert_changes(&of_experts, &assignments_over)?,
            policies: policy_changes(&of_policies)?,
            for_a_while,
            truncated: longest > most,
        })
    }
}

impl ListAccessChanges {
    async fn events(&self, reader: &mut TenantReader<'_>, types: &[&str]) -> Result<Vec<Row>, ReadError> {
        let organization = reader.organization().0;
        let types: Vec<String> = types.iter().map(|&name| name.to_owned()).collect();
        let query = sqlx::query_as(EVENTS).persistent(false).bind(organization).bind(types).bind(self.from).bind(self.to);
        Ok(query.bind(EVENTS_MAX + 1).fetch_all(reader.connection()).await?)
    }

    /// What was given before to those of the users who were not active yet when the time began.
    async fn waiting(&self, reader: &mut TenantReader<'_>, users: Vec<Uuid>) -> Result<Vec<Row>, ReadError> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let query = sqlx::query_as(WAITING).persistent(false).bind(reader.organization().0).bind(users).bind(self.from);
        Ok(query.bind(EVENTS_MAX + 1).fetch_all(reader.connection()).await?)
    }
}
