//! The query: a member's open lots, in the order in which they expire.

use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader};
use crate::points::members::require_user;
use chrono::{DateTime, Utc};
use palmares_domain::{
    kernel::{AccountId, ProgramId, TeamId, UserId},
    points::LotId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

const LOTS: &str = "
    SELECT lot_id, account_id, program_id, team_id, number, expires_at, remaining, held
    FROM points_lots
    WHERE organization_id = $1 AND user_id = $2 AND ($3::uuid IS NULL OR program_id = $3) AND ($4::uuid IS NULL OR team_id = $4)
      AND ($5::integer IS NULL OR (COALESCE(expires_at, 'infinity'), number, lot_id) > (COALESCE($6::timestamptz, 'infinity'), $5, $7::uuid))
    ORDER BY COALESCE(expires_at, 'infinity'), number, lot_id
    LIMIT $8";

pub(super) const READS: &[(&str, &str)] = &[("points.lots.lots", LOTS)];

/// Which points of a member expire when? `GET users/{user_id}/points/lots`
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserLots {
    pub user_id: UserId,
    pub program_id: Option<ProgramId>,
    pub team_id: Option<TeamId>,
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

/// An open lot, in points. Earliest expiry first; within an account, that is the order of spending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OpenLot {
    pub lot_id: LotId,
    pub account_id: AccountId,
    pub program_id: ProgramId,
    pub team_id: Option<TeamId>,
    /// The lot's place in its account.
    pub number: i32,
    /// None: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// What is left of the lot, held points included.
    pub remaining: i64,
    /// What open holds reserve of it.
    pub held: i64,
}

type Row = (Uuid, Uuid, Uuid, Option<Uuid>, i32, Option<DateTime<Utc>>, i64, i64);

/// The place of a lot in the list.
type Key = (i32, Option<DateTime<Utc>>, Uuid);

impl Query for UserLots {
    type Output = Page<OpenLot>;
    const PROJECTIONS: &'static [&'static str] = &["points_lots"];

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<OpenLot>, ReadError> {
        let list = reader.list::<Self, _>(self.cursor.as_ref(), &self.limit)?;
        let after: Option<Key> = list.behind();
        require_user(reader, self.user_id).await?;
        let query = sqlx::query_as::<_, Row>(LOTS)
            .bind(reader.organization().0)
            .bind(self.user_id.0)
            .bind(self.program_id.map(Uuid::from))
            .bind(self.team_id.map(Uuid::from))
            .bind(after.map(|(number, ..)| number))
            .bind(after.and_then(|(_, expires_at, _)| expires_at))
            .bind(after.map(|(.., lot)| lot))
            .bind(list.rows());
        let page = list.page(reader, query, |&(lot, _, _, _, number, expires_at, ..)| (number, expires_at, lot)).await?;
        page.touch(reader, |row| row.1);
        Ok(page.map(|(lot, account, program, team, number, expires_at, remaining, held)| OpenLot {
            lot_id: LotId(lot),
            account_id: account.into(),
            program_id: program.into(),
            team_id: team.map(TeamId),
            number,
            expires_at,
            remaining,
            held,
        }))
    }
}
