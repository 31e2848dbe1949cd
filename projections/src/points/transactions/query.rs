//! The query: what became of a transaction.

use super::{TransactionKind, TransactionState, reasons::open_reasons};
use crate::engine::{Query, ReadError, TenantReader};
use chrono::{DateTime, NaiveDate, Utc};
use palmares_domain::kernel::{AccountId, DataClass, ProgramId, RuleId, TeamId, TransactionId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

const TRANSACTION: &str = "
    SELECT account_id, program_id, user_id, team_id, kind, status, amount, settled, released, reversed, shortfall, original_id,
        counterparty_user_id, rule_id, rule_version, earned_on, source_id, expires_at,
        created_position, created_at, resolved_position, resolved_at
    FROM points_transactions WHERE organization_id = $1 AND transaction_id = $2";

pub(super) const READS: &[(&str, &str)] = &[("points.transactions.transaction", TRANSACTION)];

/// What became of a transaction? `GET points/transactions/{transaction_id}`
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTransaction {
    pub transaction_id: TransactionId,
}

/// A transaction; amounts are points and positive.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TransactionDetails {
    pub transaction_id: TransactionId,
    pub kind: TransactionKind,
    pub status: TransactionState,
    pub account_id: AccountId,
    pub program_id: ProgramId,
    /// Of a transfer: who sent.
    pub user_id: UserId,
    pub team_id: Option<TeamId>,
    /// Of a transfer: who received.
    pub counterparty_user_id: Option<UserId>,
    /// What was credited, held, spent, sent, taken back or given back.
    pub amount: i64,
    /// What of it reached the balance; of a hold, what was posted.
    pub settled_amount: i64,
    /// What of it was released: by voiding, timing out, or posting less than was held.
    pub released_amount: i64,
    /// What reversals that name this transaction took or gave back, all together.
    pub reversed_amount: i64,
    /// What could not be taken back: by this reversal, or by all reversals of this credit.
    pub shortfall: i64,
    /// Of a reversal: the transaction that it reverses.
    pub original_id: Option<TransactionId>,
    /// The earning rule, where one made it.
    pub rule_id: Option<RuleId>,
    pub rule_version: Option<i32>,
    /// The local day on which it was earned.
    pub earned_on: Option<NaiveDate>,
    pub source_id: Option<String>,
    /// Of a credit, when its points expire; of a hold, when it times out.
    pub expires_at: Option<DateTime<Utc>>,
    /// As it was typed; absent when there was none and when it was erased.
    pub reason: Option<String>,
    pub created_position: i64,
    pub created_at: DateTime<Utc>,
    /// Where the state became final.
    pub resolved_position: Option<i64>,
    pub resolved_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    account_id: Uuid,
    program_id: Uuid,
    user_id: Uuid,
    team_id: Option<Uuid>,
    kind: String,
    status: String,
    amount: i64,
    settled: i64,
    released: i64,
    reversed: i64,
    shortfall: i64,
    original_id: Option<Uuid>,
    counterparty_user_id: Option<Uuid>,
    rule_id: Option<Uuid>,
    rule_version: Option<i32>,
    earned_on: Option<NaiveDate>,
    source_id: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    created_position: i64,
    created_at: DateTime<Utc>,
    resolved_position: Option<i64>,
    resolved_at: Option<DateTime<Utc>>,
}

impl Query for GetTransaction {
    type Output = TransactionDetails;
    const PROJECTIONS: &'static [&'static str] = &["points_transactions"];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<TransactionDetails, ReadError> {
        let query = sqlx::query_as::<_, Row>(TRANSACTION).bind(reader.organization().0).bind(self.transaction_id.0);
        let row = query.fetch_optional(reader.connection()).await?.ok_or(ReadError::NotFound)?;
        reader.touches(row.account_id);
        let reason = open_reasons(reader, &[row.created_position]).await?.remove(&row.created_position);
        details(self.transaction_id, row, reason)
    }
}

fn details(transaction_id: TransactionId, row: Row, reason: Option<String>) -> Result<TransactionDetails, ReadError> {
    Ok(TransactionDetails {
        transaction_id,
        kind: TransactionKind::parse(&row.kind).ok_or_else(|| unknown(&row.kind))?,
        status: TransactionState::parse(&row.status).ok_or_else(|| unknown(&row.status))?,
        account_id: row.account_id.into(),
        program_id: row.program_id.into(),
        user_id: row.user_id.into(),
        team_id: row.team_id.map(TeamId),
        counterparty_user_id: row.counterparty_user_id.map(UserId),
        amount: row.amount,
        settled_amount: row.settled,
        released_amount: row.released,
        reversed_amount: row.reversed,
        shortfall: row.shortfall,
        original_id: row.original_id.map(TransactionId),
        rule_id: row.rule_id.map(RuleId),
        rule_version: row.rule_version,
        earned_on: row.earned_on,
        source_id: row.source_id,
        expires_at: row.expires_at,
        reason,
        created_position: row.created_position,
        created_at: row.created_at,
        resolved_position: row.resolved_position,
        resolved_at: row.resolved_at,
    })
}

/// A stored name that this build does not know.
pub(super) fn unknown(name: &str) -> ReadError {
    ReadError::Unavailable(anyhow::anyhow!("`{name}` is no known name of a transaction's kind or status"))
}
