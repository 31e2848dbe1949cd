//! The query: a member's statement, newest line first.

use super::{TransactionKind, query::unknown, reasons::open_reasons};
use crate::engine::{Cursor, Limit, Page, Query, ReadError, TenantReader, in_order};
use crate::points::members::require_user;
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{AccountId, DataClass, ProgramId, TeamId, TransactionId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The reason of a credit or hold stands at the event that created it, all others at their own.
const LINES: &str = "
    SELECT l.position, l.recorded_at, l.kind, l.program_id, l.team_id, l.transaction_id, l.amount, l.balance,
        CASE WHEN l.kind IN ('credit', 'hold') THEN t.created_position ELSE l.position END AS reason_position
    FROM points_statement l LEFT JOIN points_transactions t USING (organization_id, transaction_id)
    WHERE l.organization_id = $1 AND l.user_id = $2
      AND ($3::bigint IS NULL OR l.position < $3)
      AND ($4::uuid IS NULL OR l.program_id = $4) AND ($5::uuid IS NULL OR l.team_id = $5)
      AND ($6::timestamptz IS NULL OR l.recorded_at >= $6) AND ($7::timestamptz IS NULL OR l.recorded_at < $7)
      AND ($8::text IS NULL OR l.kind = $8)
    ORDER BY l.position DESC LIMIT $9";

pub(super) const READS: &[(&str, &str)] = &[("points.statement.read", LINES)];

/// What moved a member's points? `GET users/{user_id}/points/statement`
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserStatement {
    pub user_id: UserId,
    pub program_id: Option<ProgramId>,
    pub team_id: Option<TeamId>,
    /// The earliest time of recording that is shown.
    pub from: Option<DateTime<Utc>>,
    /// The first time of recording that is not shown any more.
    pub to: Option<DateTime<Utc>>,
    pub kind: Option<TransactionKind>,
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub limit: Limit,
}

/// A line of the statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StatementLine {
    pub position: i64,
    pub recorded_at: DateTime<Utc>,
    pub kind: TransactionKind,
    pub program_id: ProgramId,
    pub team_id: Option<TeamId>,
    pub transaction_id: TransactionId,
    /// Points; positive is earned, negative is spent or corrected (T-91).
    pub amount: i64,
    /// The posted balance of the account of this program and team after the line.
    pub balance: i64,
    /// As it was typed; absent when there was none and when it was erased.
    pub reason: Option<String>,
}

type Row = (i64, DateTime<Utc>, String, Uuid, Option<Uuid>, Uuid, i64, i64, Option<i64>);

impl Query for UserStatement {
    type Output = Page<StatementLine>;
    const PROJECTIONS: &'static [&'static str] = &["points_transactions"];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<StatementLine>, ReadError> {
        in_order(self.from, ("to", self.to))?;
        let limit = self.limit.rows()?;
        let before: Option<i64> = reader.behind::<Self, _>(self.cursor.as_ref())?;
        require_user(reader, self.user_id).await?;
        let query = sqlx::query_as::<_, Row>(LINES)
            .bind(reader.organization().0)
            .bind(self.user_id.0)
            .bind(before)
            .bind(self.program_id.map(Uuid::from))
            .bind(self.team_id.map(Uuid::from))
            .bind(self.from)
            .bind(self.to)
            .bind(self.kind.map(TransactionKind::name))
            .bind(limit + 1);
        let rows = query.fetch_all(reader.connection()).await?;
        let positions: Vec<i64> = rows.iter().filter_map(|row| row.8).collect();
        let mut reasons = open_reasons(reader, &positions).await?;
        let mut lines = Vec::with_capacity(rows.len());
        for (position, recorded_at, kind, program, team, transaction, amount, balance, reason_position) in rows {
            let (program_id, team_id) = (ProgramId(program), team.map(TeamId));
            reader.touches(AccountId::of(program_id, self.user_id, team_id).0);
            lines.push(StatementLine {
                position,
                recorded_at,
                kind: TransactionKind::parse(&kind).ok_or_else(|| unknown(&kind))?,
                program_id,
                team_id,
                transaction_id: transaction.into(),
                amount,
                balance,
                reason: reason_position.and_then(|position| reasons.remove(&position)),
            });
        }
        Page::of(lines, limit, |last| reader.cursor::<Self, _>(&last.position))
    }
}
