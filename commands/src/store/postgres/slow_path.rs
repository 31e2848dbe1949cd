//! The slow path: when a unique index refused a batch, find out which appends are to blame.
//!
//! It locks the head first and looks afterwards, in later statements: a statement that waited for
//! a lock still sees its old snapshot.

use super::batch::{Batch, Known, Submitted};
use super::heads::{Heads, StreamHead};
use super::statements;
use super::voucher::VoucherKey;
use super::writer::{self, LogHead, Written};
use crate::store::{Claim, ClaimKey, CommandRecord, StreamKey, StreamName};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{CommandId, OrganizationId};
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// What the slow path did.
pub(super) struct Done {
    /// Accepted and refused, ready to be answered.
    pub batch: Batch,
    pub deferred: Vec<Submitted>,
    pub recorded_at: DateTime<Utc>,
    pub position_before: i64,
    pub stream_key_before: i64,
    /// The heads of every stream of the batch, its events included.
    pub heads: Vec<(StreamName, StreamHead)>,
}

/// Commits the sound appends in one transaction; on an error the appends come back untouched.
pub(super) async fn commit(
    connection: &mut PgConnection,
    submitted: Vec<Submitted>,
    voucher_key: Option<&VoucherKey>,
) -> Result<Done, (sqlx::Error, Vec<Submitted>)> {
    let mut transaction = match connection.begin().await {
        Ok(transaction) => transaction,
        Err(error) => return Err((error, submitted)),
    };
    let (head, known, found) = match look(&mut transaction, &submitted).await {
        Ok(seen) => seen,
        Err(error) => return Err((error, submitted)),
    };
    let mut names: BTreeSet<StreamName> = BTreeSet::new();
    let mut heads = Heads::new(usize::MAX);
    found.into_iter().for_each(|(stream, head)| heads.set(stream, head));
    let (mut batch, mut next_key, mut deferred) = (Batch::default(), head.stream_key, Vec::new());
    for mut submitted in submitted {
        // Under the lock the heads are complete: a handle proves nothing more.
        for write in &mut submitted.append.writes {
            names.insert(write.stream);
            write.handle = None;
        }
        deferred.extend(batch.admit(submitted, &mut heads, &mut next_key, &known));
    }
    let recorded_at = match writer::write(&mut transaction, &mut batch, head.position, voucher_key).await {
        Written::Committed(recorded_at) => recorded_at,
        Written::Lost(error) => return Err((error, everything(batch, deferred))),
        // Both would contradict the lock that is held; the transaction ends and the batch is checked anew.
        Written::FenceMissed => return Err((sqlx::Error::Protocol("the head moved under its lock".into()), everything(batch, deferred))),
        Written::Violation(index) => {
            return Err((
                sqlx::Error::Protocol(format!("{index} refused a row that was checked under the lock")),
                everything(batch, deferred),
            ));
        }
    };
    match transaction.commit().await {
        Ok(()) => {
            let heads = names.into_iter().filter_map(|name| heads.get(&name).map(|head| (name, head))).collect();
            Ok(Done { batch, deferred, recorded_at, position_before: head.position, stream_key_before: head.stream_key, heads })
        }
        Err(error) => Err((error, everything(batch, deferred))),
    }
}

fn everything(batch: Batch, deferred: Vec<Submitted>) -> Vec<Submitted> {
    batch.into_submitted().into_iter().chain(deferred).collect()
}

async fn look(
    transaction: &mut PgConnection,
    submitted: &[Submitted],
) -> Result<(LogHead, Known, Vec<(StreamName, StreamHead)>), sqlx::Error> {
    let head = LogHead::from_row(&sqlx::query(statements::LOCK_HEAD).fetch_one(&mut *transaction).await?)?;
    let heads = stream_heads(&mut *transaction, submitted).await?;
    let keys: Vec<ClaimKey> = submitted.iter().flat_map(|s| &s.append.claims).map(|claim| claim.key).collect();
    let ids: Vec<CommandId> = submitted.iter().filter_map(|s| s.append.command.as_ref()).map(|command| command.id).collect();
    let known = Known { term: 0, claims: claims(&mut *transaction, &keys).await?, commands: commands(&mut *transaction, &ids).await? };
    Ok((head, known, heads))
}

/// The heads of every stream that the appends name and that exists.
async fn stream_heads(connection: &mut PgConnection, submitted: &[Submitted]) -> Result<Vec<(StreamName, StreamHead)>, sqlx::Error> {
    let names: Vec<StreamName> =
        submitted.iter().flat_map(|s| &s.append.writes).map(|write| write.stream).collect::<BTreeSet<_>>().into_iter().collect();
    heads_of(connection, &names).await
}

/// The heads of those of these streams that exist.
pub(super) async fn heads_of<'c>(
    executor: impl sqlx::PgExecutor<'c>,
    names: &[StreamName],
) -> Result<Vec<(StreamName, StreamHead)>, sqlx::Error> {
    let rows = sqlx::query(statements::STREAM_HEADS)
        .bind(names.iter().map(|name| name.organization.0).collect::<Vec<_>>())
        .bind(names.iter().map(|name| name.stream_type).collect::<Vec<_>>())
        .bind(names.iter().map(|name| name.id).collect::<Vec<_>>())
        .fetch_all(executor)
        .await?;
    rows.iter()
        .map(|row| {
            let index: i64 = row.try_get(0)?;
            let version: Option<i64> = row.try_get(2)?;
            Ok((names[index as usize - 1], StreamHead { key: StreamKey(row.try_get(1)?), version: version.unwrap_or(0) }))
        })
        .collect()
}

pub(super) async fn claims<'c>(executor: impl sqlx::PgExecutor<'c>, keys: &[ClaimKey]) -> Result<HashMap<ClaimKey, Claim>, sqlx::Error> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(statements::CLAIMS)
        .bind(keys.iter().map(|key| key.organization.0).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.key).collect::<Vec<_>>())
        .fetch_all(executor)
        .await?;
    rows.iter()
        .map(|row| {
            let key = ClaimKey { organization: OrganizationId(row.try_get(0)?), key: row.try_get(1)? };
            Ok((key, Claim { key, owner: row.try_get(2)?, salt: row.try_get(3)? }))
        })
        .collect()
}

pub(super) async fn commands<'c>(
    executor: impl sqlx::PgExecutor<'c>,
    ids: &[CommandId],
) -> Result<HashMap<CommandId, CommandRecord>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query(statements::COMMANDS).bind(ids).fetch_all(executor).await?;
    rows.iter().map(|row| command_record(row).map(|record| (record.id, record))).collect()
}

fn command_record(row: &PgRow) -> Result<CommandRecord, sqlx::Error> {
    let hash: Vec<u8> = row.try_get(1)?;
    let request_hash = hash.try_into().map_err(|_| sqlx::Error::Protocol("a request hash has 32 bytes".into()))?;
    Ok(CommandRecord {
        id: CommandId(row.try_get(0)?),
        request_hash,
        answer: row.try_get(2)?,
        position: row.try_get(3)?,
        version: row.try_get(4)?,
    })
}

/// Whether the batch that was sent when the head stood at `position` is in the log. Taking the
/// lock waits for a server process that may still be at it.
pub(super) async fn was_recorded(
    connection: &mut PgConnection,
    position: i64,
    first_event: Option<Uuid>,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let locked = sqlx::query(statements::LOCK_HEAD).fetch_one(&mut *transaction).await?;
    let found: Option<Uuid> = sqlx::query_scalar(statements::EVENT_ID_AT).bind(position + 1).fetch_optional(&mut *transaction).await?;
    transaction.rollback().await?;
    match found.is_some() && found == first_event {
        true => Ok(Some(locked.try_get("recorded_at")?)),
        false => Ok(None),
    }
}
