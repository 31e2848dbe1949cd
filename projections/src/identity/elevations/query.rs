//! `GET elevations`.

use super::PROJECTION;
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::elevation::{self, ElevationStatus},
    kernel::{Aggregate, DataClass, ElevationId, EventId, Place, Purpose, UserId},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT elevation_id, requested_by, role, act_as, duration_seconds, status, decided_by, due_at, ended_by, reviewed_by,
           created_at, created_position, created_event_id
    FROM identity_elevations
    WHERE organization_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::uuid IS NULL OR requested_by = $3)
      AND created_position < $4
    ORDER BY created_position DESC LIMIT $5";

pub(super) const SEALED: &str = "
    SELECT position, ciphertext FROM event_sealed WHERE position = ANY($1) AND organization_id = $2 AND field = 'reason'";

/// Rights that somebody asked for, for a while.
#[derive(Debug, Serialize, ToSchema)]
pub struct Elevation {
    pub id: ElevationId,
    pub requested_by: UserId,
    /// The role, where one was asked for.
    pub role: Option<String>,
    /// The user to act as, where that was asked for.
    pub act_as: Option<UserId>,
    pub duration_seconds: i64,
    /// Why; missing once whoever it speaks of was erased: the user to act as, else the requester.
    pub reason: Option<String>,
    /// `REQUESTED`, `APPROVED`, `ACTIVE`, `ENDED`, `EXPIRED`, `REFUSED`, `WITHDRAWN` or `REVIEWED`.
    pub status: String,
    /// Who approved or refused it.
    pub decided_by: Option<UserId>,
    /// When it is over by time alone: before its start the last moment to start it.
    pub due_at: Option<DateTime<Utc>>,
    pub ended_by: Option<UserId>,
    pub reviewed_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    elevation_id: Uuid,
    requested_by: Uuid,
    role: Option<String>,
    act_as: Option<Uuid>,
    duration_seconds: i64,
    status: String,
    decided_by: Option<Uuid>,
    due_at: Option<DateTime<Utc>>,
    ended_by: Option<Uuid>,
    reviewed_by: Option<Uuid>,
    created_at: DateTime<Utc>,
    created_position: i64,
    created_event_id: Uuid,
}

impl Row {
    /// Of whom the reason speaks.
    fn concerns(&self) -> Uuid {
        self.act_as.unwrap_or(self.requested_by)
    }

    fn elevation(self, reason: Option<String>) -> Elevation {
        Elevation {
            id: ElevationId(self.elevation_id),
            requested_by: UserId(self.requested_by),
            role: self.role,
            act_as: self.act_as.map(UserId),
            duration_seconds: self.duration_seconds,
            reason,
            status: self.status,
            decided_by: self.decided_by.map(UserId),
            due_at: self.due_at,
            ended_by: self.ended_by.map(UserId),
            reviewed_by: self.reviewed_by.map(UserId),
            created_at: self.created_at,
        }
    }
}

/// Elevations and impersonations of the organization, newest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListElevations {
    /// All where it is missing.
    #[serde(default)]
    pub status: Option<ElevationStatus>,
    /// Those of this user only, who may always look at their own.
    #[serde(default)]
    pub requested_by: Option<UserId>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListElevations {
    type Output = Page<Elevation>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    fn owner(&self) -> Option<UserId> {
        self.requested_by
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<Elevation>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(LIST)
            .bind(reader.organization().0)
            .bind(self.status.map(ElevationStatus::name))
            .bind(self.requested_by.map(|user| user.0))
            .bind(list.before())
            .bind(list.rows());
        let page = list.page(reader, query, |last: &Row| last.created_position).await?;
        page.touch(reader, |row| row.elevation_id);
        let mut reasons = reasons(reader, &page.items).await?;
        Ok(page.map(|row| {
            let reason = reasons.remove(&row.created_position);
            row.elevation(reason)
        }))
    }
}

/// The reasons that can still be read, by the positions of their requests.
async fn reasons(reader: &mut TenantReader<'_>, rows: &[Row]) -> Result<BTreeMap<i64, String>, ReadError> {
    let organization = reader.organization();
    let by_position: BTreeMap<i64, &Row> = rows.iter().map(|row| (row.created_position, row)).collect();
    let positions: Vec<i64> = by_position.keys().copied().collect();
    let query = sqlx::query_as(SEALED).persistent(false).bind(positions).bind(organization.0);
    let sealed: Vec<(i64, Vec<u8>)> = query.fetch_all(reader.connection()).await?;
    let found: Vec<_> = sealed.iter().filter_map(|(position, ciphertext)| Some((*by_position.get(position)?, ciphertext))).collect();
    let places: Vec<_> = found
        .iter()
        .map(|(row, ciphertext)| {
            let (stream, event) = ((elevation::Elevation::TYPE, row.elevation_id), EventId(row.created_event_id));
            (Place::in_event(organization, stream, event, "reason", row.concerns(), Purpose::Profile), ciphertext.as_slice())
        })
        .collect();
    let opened = reader.keys().open_many(&places).await?;
    let mut reasons = BTreeMap::new();
    for ((row, _), clear) in found.iter().zip(opened) {
        if let Some(clear) = clear {
            let reason = serde_json::from_slice(&clear).map_err(|error| ReadError::Unavailable(error.into()))?;
            reasons.insert(row.created_position, reason);
        }
    }
    Ok(reasons)
}
