//! `GET users/{user_id}/experts`.

use super::PROJECTION;
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// That an assignment is over by its time is no event, so the statement is told the time.
pub(super) const LIST: &str = "
    SELECT expert_id, assigned_by, assigned_at, assigned_position, until, ended_at, ended_by,
           CASE WHEN ended_at IS NOT NULL THEN 'ENDED' WHEN until <= $6::timestamptz THEN 'EXPIRED' ELSE 'ACTIVE' END AS status
    FROM experts_assignments
    WHERE organization_id = $1 AND user_id = $2 AND assigned_position < $3
      AND (NOT $4 OR ended_at IS NULL AND (until IS NULL OR until > $6::timestamptz))
    ORDER BY assigned_position DESC LIMIT $5";

/// People whom an expert looks after now.
pub(super) const OPEN_OF_EXPERT: &str = "
    SELECT count(*) FROM experts_assignments
    WHERE organization_id = $1 AND expert_id = $2 AND ended_at IS NULL AND (until IS NULL OR until > $3::timestamptz)";

/// How many people an expert looks after now, for whoever asks whether the expert may go.
pub async fn looked_after(reader: &mut TenantReader<'_>, expert: UserId) -> Result<i64, ReadError> {
    let query = sqlx::query_scalar(OPEN_OF_EXPERT).persistent(false).bind(reader.organization().0).bind(expert.0).bind(reader.now());
    Ok(query.fetch_one(reader.connection()).await?)
}

/// An expert who looks or looked after a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExpertAssignment {
    pub expert_id: UserId,
    /// `ACTIVE`, `ENDED` or `EXPIRED`.
    pub status: String,
    pub assigned_by: UserId,
    pub assigned_at: DateTime<Utc>,
    /// When it is over by time alone.
    pub until: Option<DateTime<Utc>>,
    /// When somebody ended it.
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_by: Option<UserId>,
}

#[derive(sqlx::FromRow)]
struct Row {
    expert_id: Uuid,
    status: String,
    assigned_by: Uuid,
    assigned_at: DateTime<Utc>,
    assigned_position: i64,
    until: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    ended_by: Option<Uuid>,
}

/// The experts who look or looked after a person, newest assignment first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserExperts {
    pub user_id: UserId,
    /// Only those who look after the person now.
    #[serde(default)]
    pub active: bool,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for UserExperts {
    type Output = Page<ExpertAssignment>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<ExpertAssignment>, ReadError> {
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
        let page = list.page(reader, query, |last: &Row| last.assigned_position).await?;
        Ok(page.map(|row| ExpertAssignment {
            expert_id: UserId(row.expert_id),
            status: row.status,
            assigned_by: UserId(row.assigned_by),
            assigned_at: row.assigned_at,
            until: row.until,
            ended_at: row.ended_at,
            ended_by: row.ended_by.map(UserId),
        }))
    }
}
