//! `GET users/{user_id}/sessions`.

use super::PROJECTION;
use crate::{
    compliance::audit_trail::{self, Origin},
    engine::{Cursor, Limit, Page, Query, ReadError, TenantReader},
};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::sessions::Sessions,
    kernel::{Aggregate, DataClass, EventId, Place, Purpose, SessionId, UserId},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT session_id, method, factors, carrier, started_at, expires_at, refreshed_at, ended_at, end_reason,
           client_context_id, started_position, started_event_id,
           CASE WHEN ended_at IS NOT NULL THEN 'ENDED' WHEN expires_at <= $6::timestamptz THEN 'EXPIRED' ELSE 'ACTIVE' END AS status
    FROM identity_sessions
    WHERE organization_id = $1 AND user_id = $2 AND started_position < $3
      AND (NOT $4 OR ended_at IS NULL AND expires_at > $6::timestamptz)
    ORDER BY started_position DESC LIMIT $5";

pub(super) const SEALED: &str = "
    SELECT position, ciphertext FROM event_sealed WHERE position = ANY($1) AND organization_id = $2 AND field = $3";

const DEVICE_NAME: &str = "device_name";

/// A device on which a user is or was signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    pub id: SessionId,
    /// `ACTIVE`, `ENDED` or `EXPIRED`.
    pub status: String,
    /// The door by which the user came in, such as `password` or `magic_link`.
    pub method: String,
    /// What was proven, such as `pwd` and `otp`.
    pub factors: Vec<String>,
    /// `cookie` or `bearer`.
    pub carrier: String,
    /// What the device is called; missing where it has no name, and once erased.
    pub device_name: Option<String>,
    /// Where the sign-in came from; missing once erased.
    pub origin: Option<Origin>,
    pub started_at: DateTime<Utc>,
    pub refreshed_at: Option<DateTime<Utc>>,
    pub expires_at: DateTime<Utc>,
    /// When it ended, where that was before its time.
    pub ended_at: Option<DateTime<Utc>>,
    /// Such as `signed_out`, `by_admin` or `refresh_reused`.
    pub end_reason: Option<String>,
    /// What is there and cannot be read, because somebody wrote to the database past the application.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    session_id: Uuid,
    method: String,
    factors: Vec<String>,
    carrier: String,
    started_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    refreshed_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    end_reason: Option<String>,
    client_context_id: Option<Uuid>,
    started_position: i64,
    started_event_id: Uuid,
    status: String,
}

/// The devices on which a user is or was signed in, newest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserSessions {
    pub user_id: UserId,
    /// Only those that go on.
    #[serde(default)]
    pub active: bool,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for UserSessions {
    type Output = Page<Session>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<Session>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let organization = reader.organization().0;
        reader.touches(self.user_id.0);
        let query = sqlx::query_as(LIST)
            .bind(organization)
            .bind(self.user_id.0)
            .bind(list.before())
            .bind(self.active)
            .bind(list.rows())
            .bind(reader.now());
        let page = list.page(reader, query, |last: &Row| last.started_position).await?;
        let contexts: BTreeSet<Uuid> = page.items.iter().filter_map(|row| row.client_context_id).collect();
        let origins = audit_trail::origins(reader, &contexts.into_iter().collect::<Vec<_>>()).await?;
        let mut names = device_names(reader, self.user_id, &page.items).await?;
        Ok(page.map(|row| Session {
            unreadable: unreadable(reader, &row),
            id: SessionId(row.session_id),
            status: row.status,
            method: row.method,
            factors: row.factors,
            carrier: row.carrier,
            device_name: names.remove(&row.started_position),
            origin: row.client_context_id.and_then(|context| origins.get(&context)).cloned(),
            started_at: row.started_at,
            refreshed_at: row.refreshed_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
            end_reason: row.end_reason,
        }))
    }
}

fn unreadable(reader: &TenantReader<'_>, row: &Row) -> Vec<String> {
    let origin = row.client_context_id.filter(|context| !reader.unreadable(*context).is_empty()).map(|_| "origin".to_owned());
    reader.unreadable(row.started_event_id).into_iter().chain(origin).collect()
}

/// What the devices are called, by the position at which their session started.
async fn device_names(reader: &mut TenantReader<'_>, user: UserId, rows: &[Row]) -> Result<BTreeMap<i64, String>, ReadError> {
    let organization = reader.organization();
    let events: BTreeMap<i64, Uuid> = rows.iter().map(|row| (row.started_position, row.started_event_id)).collect();
    let positions: Vec<i64> = events.keys().copied().collect();
    let query = sqlx::query_as(SEALED).persistent(false).bind(positions).bind(organization.0).bind(DEVICE_NAME);
    let sealed: Vec<(i64, Vec<u8>)> = query.fetch_all(reader.connection()).await?;
    let mut items = Vec::with_capacity(sealed.len());
    for (position, ciphertext) in &sealed {
        if let Some(event) = events.get(position) {
            let place = Place::in_event(organization, (Sessions::TYPE, user.0), EventId(*event), DEVICE_NAME, user.0, Purpose::Security);
            items.push((place, ciphertext.as_slice()));
        }
    }
    let opened = reader.keys().open_many(&items).await?;
    let mut names = BTreeMap::new();
    for ((position, _), clear) in sealed.iter().zip(opened) {
        let Some(clear) = clear else { continue };
        // The cause is left out: it would quote the name.
        let name =
            serde_json::from_slice(&clear).map_err(|_| ReadError::Unavailable(anyhow::anyhow!("the name of a device is not a text")))?;
        names.insert(*position, name);
    }
    Ok(names)
}
