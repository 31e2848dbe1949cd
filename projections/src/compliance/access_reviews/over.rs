//! What ended between two moments by its time alone: no event tells so when it happens, but one said before
//! until when it is.

use super::{
    changes::Moment,
    told::{KeyChange, KeyStep},
};
use crate::engine::{ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{ApiKeyId, EventId, UserId};
use sqlx::{FromRow, postgres::PgRow};
use uuid::Uuid;

/// A key that was revoked was over before.
pub(super) const KEYS_OVER: &str = "
    SELECT k.key_id, k.expires_at, e.actor_id, e.event_id
    FROM identity_api_keys k JOIN events e ON e.position = k.created_position
    WHERE k.organization_id = $1 AND k.expires_at >= $2 AND k.expires_at < $3 AND k.expires_at <= $4
      AND (k.revoked_at IS NULL OR k.revoked_at > k.expires_at)
    ORDER BY k.expires_at LIMIT $5";

/// An assignment that somebody ended was over before.
pub(super) const ASSIGNMENTS_OVER: &str = "
    SELECT a.user_id, a.expert_id, a.until, e.actor_id, e.event_id
    FROM experts_assignments a JOIN events e ON e.position = a.assigned_position
    WHERE a.organization_id = $1 AND a.until >= $2 AND a.until < $3 AND a.until <= $4 AND a.ended_at IS NULL
    ORDER BY a.until LIMIT $5";

/// What one of these statements finds over between two moments; at most as many as that.
pub(super) async fn over<T>(
    reader: &mut TenantReader<'_>,
    statement: &'static str,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    most: i64,
) -> Result<Vec<T>, ReadError>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let query = sqlx::query_as(statement).persistent(false).bind(reader.organization().0).bind(from).bind(to).bind(reader.now());
    Ok(query.bind(most).fetch_all(reader.connection()).await?)
}

/// A key whose time is over.
#[derive(sqlx::FromRow)]
pub(super) struct ExpiredKey {
    key_id: Uuid,
    expires_at: DateTime<Utc>,
    actor_id: Uuid,
    event_id: Uuid,
}

impl ExpiredKey {
    pub(super) fn told(&self) -> KeyChange {
        KeyChange {
            key_id: ApiKeyId(self.key_id),
            change: KeyStep::Expired,
            grants: Vec::new(),
            at: self.expires_at,
            by: self.actor_id,
            event_id: EventId(self.event_id),
        }
    }
}

/// An expert who looked after somebody until a time that is over.
#[derive(sqlx::FromRow)]
pub(super) struct ExpiredAssignment {
    user_id: Uuid,
    expert_id: Uuid,
    until: DateTime<Utc>,
    actor_id: Uuid,
    event_id: Uuid,
}

impl ExpiredAssignment {
    /// The person and the expert.
    pub(super) fn of(&self) -> (UserId, UserId) {
        (UserId(self.user_id), UserId(self.expert_id))
    }

    pub(super) fn moment(&self) -> Moment {
        Moment { at: self.until, by: self.actor_id, event_id: EventId(self.event_id) }
    }
}

#[cfg(test)]
impl ExpiredKey {
    pub(super) fn made(key: ApiKeyId, by: Uuid, expires_at: DateTime<Utc>) -> Self {
        Self { key_id: key.0, expires_at, actor_id: by, event_id: Uuid::nil() }
    }
}

#[cfg(test)]
impl ExpiredAssignment {
    pub(super) fn made((user, expert): (UserId, UserId), by: Uuid, until: DateTime<Utc>) -> Self {
        Self { user_id: user.0, expert_id: expert.0, until, actor_id: by, event_id: Uuid::nil() }
    }
}
