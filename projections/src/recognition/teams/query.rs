//! `GET teams`, `GET teams/{team_id}` and `GET users/{user_id}/teams`.

use super::PROJECTION;
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{TeamId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const LIST: &str = "
    SELECT team_id, name, created_at, created_position, archived_at, size, without_owner
    FROM recognition_teams t, LATERAL (
        SELECT count(*) AS size, count(*) FILTER (WHERE m.role = 'owner') = 0 AS without_owner
        FROM recognition_team_members m WHERE m.organization_id = $1 AND m.team_id = t.team_id) people
    WHERE organization_id = $1 AND created_position > $2 AND ($3::boolean IS NULL OR (archived_at IS NOT NULL) = $3)
      AND ($4::boolean IS NULL OR without_owner = $4)
    ORDER BY created_position LIMIT $5";

pub(super) const GET: &str = "
    SELECT team_id, name, created_at, created_position, archived_at, size, without_owner
    FROM recognition_teams t, LATERAL (
        SELECT count(*) AS size, count(*) FILTER (WHERE m.role = 'owner') = 0 AS without_owner
        FROM recognition_team_members m WHERE m.organization_id = $1 AND m.team_id = $2) people
    WHERE organization_id = $1 AND team_id = $2";

pub(super) const MEMBERS: &str = "
    SELECT user_id, role, joined_at FROM recognition_team_members
    WHERE organization_id = $1 AND team_id = $2 ORDER BY joined_position";

pub(super) const OF_USER: &str = "
    SELECT m.team_id, t.name, m.role, m.joined_at, m.joined_position, t.archived_at
    FROM recognition_team_members m JOIN recognition_teams t ON t.organization_id = $1 AND t.team_id = m.team_id
    WHERE m.organization_id = $1 AND m.user_id = $2 AND m.joined_position < $3
    ORDER BY m.joined_position DESC LIMIT $4";

pub(super) const IDS_OF_USER: &str = "SELECT team_id FROM recognition_team_members WHERE organization_id = $1 AND user_id = $2";

/// The teams that somebody is in, for whoever takes them out of all of them.
pub async fn teams_of(reader: &mut TenantReader<'_>, user: UserId) -> Result<Vec<TeamId>, ReadError> {
    let query = sqlx::query_scalar(IDS_OF_USER).bind(reader.organization().0).bind(user.0);
    let teams: Vec<Uuid> = query.fetch_all(reader.connection()).await?;
    Ok(teams.into_iter().map(TeamId).collect())
}

/// A team.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamSummary {
    #[schema(value_type = Uuid)]
    pub id: TeamId,
    pub name: String,
    /// `ACTIVE` or `ARCHIVED`.
    pub status: String,
    /// How many people are in it.
    pub size: i64,
    /// Its last owner was erased: it waits for an administrator to make somebody one.
    pub without_owner: bool,
    pub created_at: DateTime<Utc>,
    pub archived_at: Option<DateTime<Utc>>,
}

/// A team with its people.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamDetails {
    #[serde(flatten)]
    pub team: TeamSummary,
    /// In the order in which they came.
    pub members: Vec<TeamMember>,
}

/// Somebody in a team.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct TeamMember {
    #[sqlx(try_from = "Uuid")]
    pub user_id: UserId,
    /// `member`, `coach` or `owner`.
    pub role: String,
    pub joined_at: DateTime<Utc>,
}

/// A team that somebody is in, and what they are there.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamOfUser {
    #[schema(value_type = Uuid)]
    pub team_id: TeamId,
    pub name: String,
    /// `ACTIVE` or `ARCHIVED`.
    pub status: String,
    /// `member`, `coach` or `owner`.
    pub role: String,
    pub joined_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    team_id: Uuid,
    name: String,
    created_at: DateTime<Utc>,
    created_position: i64,
    archived_at: Option<DateTime<Utc>>,
    size: i64,
    without_owner: bool,
}

impl Row {
    fn shown(self) -> TeamSummary {
        TeamSummary {
            id: TeamId(self.team_id),
            name: self.name,
            status: status(self.archived_at).to_owned(),
            size: self.size,
            without_owner: self.without_owner,
            created_at: self.created_at,
            archived_at: self.archived_at,
        }
    }
}

fn status(archived_at: Option<DateTime<Utc>>) -> &'static str {
    if archived_at.is_some() { "ARCHIVED" } else { "ACTIVE" }
}

/// The teams of the organization, oldest first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTeams {
    /// Only those that are archived, or only those that are not.
    #[serde(default)]
    pub archived: Option<bool>,
    /// Only those without an owner, or only those with one.
    #[serde(default)]
    pub without_owner: Option<bool>,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for ListTeams {
    type Output = Page<TeamSummary>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<TeamSummary>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(LIST).bind(reader.organization().0).bind(list.after());
        let query = query.bind(self.archived).bind(self.without_owner).bind(list.rows());
        let page = list.page(reader, query, |last: &Row| last.created_position).await?;
        page.touch(reader, |row| row.team_id);
        Ok(page.map(Row::shown))
    }
}

/// A team with its people, for administrators and for whoever is in it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTeam {
    #[schema(value_type = Uuid)]
    pub team_id: TeamId,
}

impl Query for GetTeam {
    type Output = TeamDetails;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    fn team(&self) -> Option<TeamId> {
        Some(self.team_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<TeamDetails, ReadError> {
        let organization = reader.organization().0;
        reader.touches(self.team_id.0);
        let query = sqlx::query_as(GET).bind(organization).bind(self.team_id.0);
        let row: Option<Row> = query.fetch_optional(reader.connection()).await?;
        let team = row.ok_or(ReadError::NotFound)?.shown();
        let members = sqlx::query_as(MEMBERS).bind(organization).bind(self.team_id.0).fetch_all(reader.connection()).await?;
        Ok(TeamDetails { team, members })
    }
}

#[derive(sqlx::FromRow)]
struct OfUser {
    team_id: Uuid,
    name: String,
    role: String,
    joined_at: DateTime<Utc>,
    joined_position: i64,
    archived_at: Option<DateTime<Utc>>,
}

/// The teams that somebody is in, the one that they joined last first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserTeams {
    pub user_id: UserId,
    #[serde(default)]
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

impl Query for UserTeams {
    type Output = Page<TeamOfUser>;

    const PROJECTIONS: &'static [&'static str] = &[PROJECTION];

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<TeamOfUser>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let query = sqlx::query_as(OF_USER).bind(reader.organization().0).bind(self.user_id.0).bind(list.before()).bind(list.rows());
        let page = list.page(reader, query, |last: &OfUser| last.joined_position).await?;
        page.touch(reader, |row| row.team_id);
        Ok(page.map(|row| TeamOfUser {
            team_id: TeamId(row.team_id),
            name: row.name,
            status: status(row.archived_at).to_owned(),
            role: row.role,
            joined_at: row.joined_at,
        }))
    }
}
