//! The query: a member's points by program and team, now or at a past position.

use crate::engine::{Query, ReadError, TenantReader};
use crate::points::{members::require_user, past};
use chrono::{DateTime, Utc};
use palmares_domain::{
    kernel::{AccountId, ProgramId, TeamId, UserId},
    points::{Account, Program},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// How many coming expiries an account shows; its lots show all of them.
const EXPIRIES_SHOWN: usize = 5;

const BALANCES: &str = "
    SELECT b.account_id, b.program_id, b.team_id, b.posted, b.held, b.pending, COALESCE(p.floor, 0) AS floor, b.freezes > 0 AS frozen
    FROM points_balances b LEFT JOIN points_programs p USING (organization_id, program_id)
    WHERE b.organization_id = $1 AND b.user_id = $2 AND ($3::uuid IS NULL OR b.program_id = $3)
    ORDER BY b.program_id, b.team_id NULLS FIRST";

const EXPIRIES: &str = "
    SELECT account_id, expires_at, points
    FROM (
        SELECT account_id, expires_at, sum(remaining)::bigint AS points, row_number() OVER (PARTITION BY account_id ORDER BY expires_at) AS turn
        FROM points_lots
        WHERE organization_id = $1 AND user_id = $2 AND ($3::uuid IS NULL OR program_id = $3) AND expires_at IS NOT NULL
        GROUP BY account_id, expires_at
    ) AS expiries
    WHERE turn <= $4 ORDER BY account_id, turn";

/// An account never goes away, so those of today include those of every past position.
const ACCOUNTS: &str = "
    SELECT account_id FROM points_balances
    WHERE organization_id = $1 AND user_id = $2 AND ($3::uuid IS NULL OR program_id = $3)";

pub(super) const READS: &[(&str, &str)] =
    &[("points.balances.balances", BALANCES), ("points.balances.expiries", EXPIRIES), ("points.balances.accounts", ACCOUNTS)];

/// What does a member have? `GET users/{user_id}/points`
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPoints {
    pub user_id: UserId,
    pub program_id: Option<ProgramId>,
    /// A position or an RFC 3339 time; the reader carries it as a position.
    pub as_of: Option<String>,
}

/// A member's points.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PointsOfUser {
    pub user_id: UserId,
    /// By program and team (T-35).
    pub items: Vec<AccountPoints>,
    /// By program, over all teams (A19).
    pub totals: Vec<ProgramPoints>,
}

/// One account, in points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountPoints {
    pub account_id: AccountId,
    pub program_id: ProgramId,
    pub team_id: Option<TeamId>,
    /// The sum of resolved transactions.
    pub posted: i64,
    /// What open holds reserve.
    pub held: i64,
    /// Credits that are not resolved yet.
    pub pending: i64,
    /// `posted − held`.
    pub available: i64,
    /// How far `available` may go down.
    pub floor: i64,
    pub frozen: bool,
    /// The next expiries of what is left, earliest first.
    pub next_expiries: Vec<Expiry>,
}

/// Points that expire at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Expiry {
    pub expires_at: DateTime<Utc>,
    pub points: i64,
}

/// A member's points in one program, over all teams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProgramPoints {
    pub program_id: ProgramId,
    pub posted: i64,
    pub held: i64,
    pub pending: i64,
    pub available: i64,
}

impl Query for UserPoints {
    type Output = PointsOfUser;
    const PROJECTIONS: &'static [&'static str] = &["points_balances", "points_lots", "points_programs"];

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<PointsOfUser, ReadError> {
        require_user(reader, self.user_id).await?;
        let items = match reader.as_of {
            None => self.now(reader).await?,
            Some(position) => self.at(reader, position).await?,
        };
        items.iter().for_each(|account| reader.touches(account.account_id.0));
        Ok(PointsOfUser { user_id: self.user_id, totals: totals(&items), items })
    }
}

#[derive(sqlx::FromRow)]
struct BalanceRow {
    account_id: Uuid,
    program_id: Uuid,
    team_id: Option<Uuid>,
    posted: i64,
    held: i64,
    pending: i64,
    floor: i64,
    frozen: bool,
}

impl UserPoints {
    async fn now(&self, reader: &mut TenantReader<'_>) -> Result<Vec<AccountPoints>, ReadError> {
        let (organization, user, program) = (reader.organization().0, self.user_id.0, self.program_id.map(Uuid::from));
        let query = sqlx::query_as::<_, BalanceRow>(BALANCES).bind(organization).bind(user).bind(program);
        let rows = query.fetch_all(reader.connection()).await?;
        let query = sqlx::query_as::<_, (Uuid, DateTime<Utc>, i64)>(EXPIRIES).bind(organization).bind(user).bind(program);
        let mut expiries: BTreeMap<Uuid, Vec<Expiry>> = BTreeMap::new();
        for (account, expires_at, points) in query.bind(EXPIRIES_SHOWN as i64).fetch_all(reader.connection()).await? {
            expiries.entry(account).or_default().push(Expiry { expires_at, points });
        }
        let accounts = rows.into_iter().map(|row| AccountPoints {
            account_id: row.account_id.into(),
            program_id: row.program_id.into(),
            team_id: row.team_id.map(TeamId),
            posted: row.posted,
            held: row.held,
            pending: row.pending,
            available: row.posted - row.held,
            floor: row.floor,
            frozen: row.frozen,
            next_expiries: expiries.remove(&row.account_id).unwrap_or_default(),
        });
        Ok(accounts.collect())
    }

    async fn at(&self, reader: &mut TenantReader<'_>, position: i64) -> Result<Vec<AccountPoints>, ReadError> {
        let (organization, user, program) = (reader.organization().0, self.user_id.0, self.program_id.map(Uuid::from));
        let query = sqlx::query_scalar::<_, Uuid>(ACCOUNTS).bind(organization).bind(user).bind(program);
        let ids = query.fetch_all(reader.connection()).await?;
        let accounts: BTreeMap<Uuid, Account> = past::fold(reader, &ids, position).await?;
        let programs: Vec<Uuid> = accounts.values().filter_map(|account| Some(account.key()?.program_id.0)).collect();
        let programs: BTreeMap<Uuid, Program> = past::fold(reader, &programs, position).await?;
        let mut items: Vec<_> = accounts
            .values()
            .filter_map(|account| {
                let floor = programs.get(&account.key()?.program_id.0).map_or(0, Program::floor);
                past_points(account, floor)
            })
            .collect();
        items.sort_by_key(|account| (account.program_id, account.team_id));
        Ok(items)
    }
}

/// An account as it was; none where nothing had happened to it.
fn past_points(account: &Account, floor: i64) -> Option<AccountPoints> {
    let (key, balance) = (account.key()?, account.balance());
    let mut expiries: BTreeMap<DateTime<Utc>, i64> = BTreeMap::new();
    for lot in account.lots() {
        if let Some(expires_at) = lot.terms.expires_at {
            *expiries.entry(expires_at).or_default() += lot.remaining;
        }
    }
    Some(AccountPoints {
        account_id: key.id(),
        program_id: key.program_id,
        team_id: key.team_id,
        posted: balance.posted,
        held: balance.held,
        pending: balance.pending,
        available: balance.available,
        floor,
        frozen: account.is_frozen(),
        next_expiries: expiries.into_iter().take(EXPIRIES_SHOWN).map(|(expires_at, points)| Expiry { expires_at, points }).collect(),
    })
}

fn totals(accounts: &[AccountPoints]) -> Vec<ProgramPoints> {
    let mut totals: BTreeMap<ProgramId, ProgramPoints> = BTreeMap::new();
    for account in accounts {
        let program_id = account.program_id;
        let empty = ProgramPoints { program_id, posted: 0, held: 0, pending: 0, available: 0 };
        let total = totals.entry(program_id).or_insert(empty);
        total.posted += account.posted;
        total.held += account.held;
        total.pending += account.pending;
        total.available += account.available;
    }
    totals.into_values().collect()
}
