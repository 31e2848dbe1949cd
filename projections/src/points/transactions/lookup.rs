//! Which account a transaction is of, for commands that know only its id, and the version of an account.

use crate::engine::{ReadError, TenantReader};
use palmares_domain::{
    kernel::{AccountId, Aggregate, ProgramId, TeamId, TransactionId, UserId},
    points::{Account, AccountKey},
};
use uuid::Uuid;

/// Where the read model stands; 0 before its projector ever ran.
const CHECKPOINT: &str = "SELECT COALESCE(max(position), 0) FROM checkpoints WHERE name = 'points_transactions' AND active";

/// The read model and, behind its checkpoint, the log itself, so that a transaction which is
/// committed is found however far the projector is. The log's part is as long as the lag, and is
/// read only for a transaction that is not in the read model yet.
const ACCOUNT: &str = "
    SELECT program_id, user_id, team_id
    FROM points_transactions WHERE organization_id = $1 AND transaction_id = $2
    UNION ALL
    SELECT (created.body->>'program_id')::uuid, (created.body->>'user_id')::uuid, (created.body->>'team_id')::uuid
    FROM events e CROSS JOIN LATERAL (SELECT convert_from(e.payload, 'UTF8')::jsonb AS body) AS created
    WHERE e.organization_id = $1 AND e.position > $3 AND e.event_type = ANY($4) AND (created.body->>'transaction_id')::uuid = $2
    LIMIT 1";

const VERSION: &str = "
    SELECT e.version FROM streams s JOIN events e ON e.stream_key = s.key
    WHERE s.organization_id = $1 AND s.type = $2 AND s.id = $3 AND e.position <= $4
    ORDER BY e.version DESC LIMIT 1";

pub(super) const READS: &[(&str, &str)] =
    &[("points.lookup.checkpoint", CHECKPOINT), ("points.lookup.account", ACCOUNT), ("points.lookup.version", VERSION)];

/// The events that create a transaction which a command may name later.
const CREATING: &[&str] = &[
    "points.credit_accepted",
    "points.hold_placed",
    "points.points_debited",
    "points.credit_reversed",
    "points.spending_reversed",
    "points.transfer_sent",
];

/// The account of a transaction of the reader's organization; of a transfer, the sender's.
pub async fn account_of_transaction(reader: &mut TenantReader<'_>, transaction: TransactionId) -> Result<Option<AccountKey>, ReadError> {
    // The checkpoint first: it only grows, so nothing is between it and what the statement sees.
    let checkpoint: i64 = sqlx::query_scalar(CHECKPOINT).fetch_one(reader.connection()).await?;
    // Planned for this very position: a generic plan does not know that little is behind it.
    let query = sqlx::query_as::<_, (Uuid, Uuid, Option<Uuid>)>(ACCOUNT).persistent(false);
    let query = query.bind(reader.organization().0).bind(transaction.0).bind(checkpoint).bind(CREATING);
    let row = query.fetch_optional(reader.connection()).await?;
    Ok(row.map(|(program, user, team)| AccountKey { program_id: ProgramId(program), user_id: UserId(user), team_id: team.map(TeamId) }))
}

/// The version that an account has at `position`, as its entity tag names it; 0 before it began.
pub async fn account_version_at(reader: &mut TenantReader<'_>, account: AccountId, position: i64) -> Result<i64, ReadError> {
    let query = sqlx::query_scalar(VERSION).bind(reader.organization().0).bind(Account::TYPE).bind(account.0).bind(position);
    Ok(query.fetch_optional(reader.connection()).await?.unwrap_or(0))
}
