//! The projector: writes what the fold found, a statement for each table and not for each event.

use super::fold::{Changes, Created, Key, Line, Progress, changes};
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use crate::points::account_events::ACCOUNT_EVENTS;
use async_trait::async_trait;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

const CREATE: &str = "
    INSERT INTO {points_transactions}
        (organization_id, transaction_id, account_id, program_id, user_id, team_id, kind, status, amount, settled, released, reversed,
         shortfall, original_id, counterparty_user_id, rule_id, rule_version, earned_on, source_id, expires_at,
         created_position, created_at, resolved_position, resolved_at)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::bigint[],
        $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::uuid[], $15::uuid[], $16::uuid[], $17::integer[], $18::date[],
        $19::text[], $20::timestamptz[], $21::bigint[], $22::timestamptz[], $23::bigint[], $24::timestamptz[])";

const PROGRESS: &str = "
    UPDATE {points_transactions} t SET
        status = COALESCE(p.status, t.status), settled = t.settled + p.settled, released = t.released + p.released,
        reversed = t.reversed + p.reversed, shortfall = t.shortfall + p.shortfall,
        resolved_position = COALESCE(p.resolved_position, t.resolved_position), resolved_at = COALESCE(p.resolved_at, t.resolved_at)
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::timestamptz[])
        AS p (organization_id, transaction_id, status, settled, released, reversed, shortfall, resolved_position, resolved_at)
    WHERE t.organization_id = p.organization_id AND t.transaction_id = p.transaction_id";

/// Moves the accounts on and answers where they stand now.
const MOVE: &str = "
    INSERT INTO {points_statement_balances} AS b (organization_id, account_id, balance)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])
    ON CONFLICT (organization_id, account_id) DO UPDATE SET balance = b.balance + excluded.balance
    RETURNING organization_id, account_id, balance";

const LINES: &str = "
    INSERT INTO {points_statement}
        (organization_id, user_id, position, program_id, team_id, transaction_id, kind, amount, balance, recorded_at)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::bigint[],
        $9::bigint[], $10::timestamptz[])";

pub(super) const WRITES: &[(&str, &str)] = &[
    ("points.transactions.create", CREATE),
    ("points.transactions.progress", PROGRESS),
    ("points.statement.move", MOVE),
    ("points.statement.lines", LINES),
];

/// Folds accounts into `points_transactions`, `points_statement` and `points_statement_balances`.
pub struct Transactions;

#[async_trait]
impl Projector for Transactions {
    fn name(&self) -> &'static str {
        "points_transactions"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["points_transactions", "points_statement", "points_statement_balances"]
    }

    fn interests(&self) -> &'static [&'static str] {
        ACCOUNT_EVENTS
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let Changes { created, progressed, lines } = changes(batch)?;
        if !created.is_empty() {
            create(context, &created).await?;
        }
        if !progressed.is_empty() {
            progress(context, &progressed).await?;
        }
        if !lines.is_empty() {
            let moved = move_balances(context, &lines).await?;
            add_lines(context, &lines, &running(&lines, moved)).await?;
        }
        Ok(())
    }
}

async fn create(context: &mut ApplyContext<'_>, rows: &BTreeMap<Key, Created>) -> Result<(), ApplyError> {
    sqlx::query(&context.slot.sql(CREATE))
        .bind(rows.keys().map(|(organization, _)| *organization).collect::<Vec<_>>())
        .bind(rows.keys().map(|(_, transaction)| *transaction).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.holder.account_id).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.holder.program_id).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.holder.user_id).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.holder.team_id).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.kind.name()).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.progress.state.map(|state| state.name())).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.amount).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.progress.settled).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.progress.released).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.progress.reversed).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.progress.shortfall).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.original_id).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.counterparty_user_id).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.rule_id).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.rule_version).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.earned_on).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.source_id.as_deref()).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.expires_at).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.position).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.recorded_at).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.progress.resolved.map(|(position, _)| position)).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.progress.resolved.map(|(_, at)| at)).collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

async fn progress(context: &mut ApplyContext<'_>, rows: &BTreeMap<Key, Progress>) -> Result<(), ApplyError> {
    sqlx::query(&context.slot.sql(PROGRESS))
        .bind(rows.keys().map(|(organization, _)| *organization).collect::<Vec<_>>())
        .bind(rows.keys().map(|(_, transaction)| *transaction).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.state.map(|state| state.name())).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.settled).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.released).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.reversed).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.shortfall).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.resolved.map(|(position, _)| position)).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.resolved.map(|(_, at)| at)).collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

/// The balances of the accounts after all `lines`.
async fn move_balances(context: &mut ApplyContext<'_>, lines: &[Line]) -> Result<HashMap<Key, i64>, ApplyError> {
    let mut moves: BTreeMap<Key, i64> = BTreeMap::new();
    for line in lines {
        *moves.entry((line.holder.organization_id, line.holder.account_id)).or_default() += line.amount;
    }
    let rows: Vec<(Uuid, Uuid, i64)> = sqlx::query_as(&context.slot.sql(MOVE))
        .bind(moves.keys().map(|(organization, _)| *organization).collect::<Vec<_>>())
        .bind(moves.keys().map(|(_, account)| *account).collect::<Vec<_>>())
        .bind(moves.values().copied().collect::<Vec<_>>())
        .fetch_all(&mut *context.tx)
        .await?;
    Ok(rows.into_iter().map(|(organization, account, balance)| ((organization, account), balance)).collect())
}

/// The balance after each line, from those after the last: walked backwards, each line is undone.
pub(super) fn running(lines: &[Line], mut after: HashMap<Key, i64>) -> Vec<i64> {
    let mut balances: Vec<i64> = lines
        .iter()
        .rev()
        .map(|line| {
            let balance = after.entry((line.holder.organization_id, line.holder.account_id)).or_default();
            let after_line = *balance;
            *balance -= line.amount;
            after_line
        })
        .collect();
    balances.reverse();
    balances
}

async fn add_lines(context: &mut ApplyContext<'_>, lines: &[Line], balances: &[i64]) -> Result<(), ApplyError> {
    sqlx::query(&context.slot.sql(LINES))
        .bind(lines.iter().map(|line| line.holder.organization_id).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.holder.user_id).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.position).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.holder.program_id).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.holder.team_id).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.transaction_id).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.kind.name()).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.amount).collect::<Vec<_>>())
        .bind(balances)
        .bind(lines.iter().map(|line| line.recorded_at).collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}
