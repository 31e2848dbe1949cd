//! The connection that commits: one statement a batch, and what its errors mean.

use super::batch::Batch;
use super::statements;
use super::tail::Recorded;
use super::voucher::{Voucher, VoucherKey};
use crate::store::{Append, StreamKey};
use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::{Arguments, ConnectOptions, Connection, PgConnection, Row};
use uuid::Uuid;

/// What became of a batch.
pub(super) enum Written {
    Committed(DateTime<Utc>),
    /// Another node has appended; nothing was recorded.
    FenceMissed,
    /// A unique index refused some row; nothing was recorded.
    Violation(String),
    /// The connection broke: whether it was recorded has to be looked up.
    Lost(sqlx::Error),
}

/// Columns of one batch, in the order of the statement's parameters.
#[derive(Default)]
struct Columns<'a> {
    organization: Vec<Uuid>,
    stream_key: Vec<i64>,
    version: Vec<i64>,
    event_id: Vec<Uuid>,
    actor: Vec<Uuid>,
    effective_at: Vec<Option<DateTime<Utc>>>,
    schema_version: Vec<i16>,
    event_type: Vec<&'a str>,
    payload: Vec<&'a [u8]>,
    metadata: Vec<&'a [u8]>,
    sealed: Sealed<'a>,
    releases: (Vec<Uuid>, Vec<Uuid>),
    claims: Claims,
    commands: Commands<'a>,
}

#[derive(Default)]
struct Sealed<'a> {
    position: Vec<i64>,
    field: Vec<&'a str>,
    organization: Vec<Uuid>,
    subject: Vec<Uuid>,
    purpose: Vec<&'a str>,
    ciphertext: Vec<&'a [u8]>,
}

#[derive(Default)]
struct Claims {
    organization: Vec<Uuid>,
    key: Vec<Uuid>,
    owner: Vec<Uuid>,
    salt: Vec<Option<Uuid>>,
    position: Vec<i64>,
}

#[derive(Default)]
struct Commands<'a> {
    id: Vec<Uuid>,
    organization: Vec<Uuid>,
    request_hash: Vec<&'a [u8]>,
    answer: Vec<&'a [u8]>,
    position: Vec<i64>,
    version: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, append: &'a Append, keys: &[StreamKey], known_position: i64) {
        for (write, key) in append.writes.iter().zip(keys) {
            for (version, event) in (write.expected_version + 1..).zip(&write.events) {
                self.organization.push(write.stream.organization.0);
                self.stream_key.push(key.0);
                self.version.push(version);
                self.event_id.push(event.id.0);
                self.actor.push(append.actor.0);
                self.effective_at.push(event.effective_at);
                self.schema_version.push(event.schema_version as i16);
                self.event_type.push(event.event_type);
                self.payload.push(&event.payload);
                self.metadata.push(&append.metadata);
                let position = known_position + self.event_id.len() as i64;
                for blob in &event.sealed {
                    self.sealed.position.push(position);
                    self.sealed.field.push(blob.field);
                    self.sealed.organization.push(write.stream.organization.0);
                    self.sealed.subject.push(blob.subject);
                    self.sealed.purpose.push(blob.purpose.name());
                    self.sealed.ciphertext.push(&blob.ciphertext);
                }
            }
        }
        let position = known_position + self.event_id.len() as i64;
        for key in &append.releases {
            self.releases.0.push(key.organization.0);
            self.releases.1.push(key.key);
        }
        for claim in &append.claims {
            self.claims.organization.push(claim.key.organization.0);
            self.claims.key.push(claim.key.key);
            self.claims.owner.push(claim.owner);
            self.claims.salt.push(claim.salt);
            self.claims.position.push(position);
        }
        if let Some(command) = &append.command {
            self.commands.id.push(command.id.0);
            self.commands.organization.push(append.organization.0);
            self.commands.request_hash.push(&command.request_hash);
            self.commands.answer.push(&command.answer);
            self.commands.position.push(position);
            let first = append.writes.first().map_or(0, |write| write.expected_version + write.events.len() as i64);
            self.commands.version.push(first);
        }
    }
}

/// The statement's arguments, encoded.
fn encode(batch: &Batch, known_position: i64, voucher: Option<&Voucher>) -> Result<PgArguments, sqlx::Error> {
    let mut columns = Columns::default();
    for accepted in &batch.accepted {
        columns.push(&accepted.submitted.append, &accepted.keys, known_position);
    }
    // Of the whole batch, at its last event.
    let mut vouchers = vec![None; columns.event_id.len()];
    if let Some(last) = vouchers.last_mut() {
        *last = voucher.map(Voucher::as_slice);
    }
    let streams = &batch.new_streams;
    let mut arguments = PgArguments::default();
    let mut add = || -> Result<(), sqlx::error::BoxDynError> {
        arguments.add(columns.event_id.len() as i64)?;
        arguments.add(streams.len() as i64)?;
        arguments.add(known_position)?;
        arguments.add(streams.iter().map(|(_, key)| key.0).collect::<Vec<_>>())?;
        arguments.add(streams.iter().map(|(name, _)| name.organization.0).collect::<Vec<_>>())?;
        arguments.add(streams.iter().map(|(name, _)| name.stream_type).collect::<Vec<_>>())?;
        arguments.add(streams.iter().map(|(name, _)| name.id).collect::<Vec<_>>())?;
        arguments.add(&columns.organization)?;
        arguments.add(&columns.stream_key)?;
        arguments.add(&columns.version)?;
        arguments.add(&columns.event_id)?;
        arguments.add(&columns.actor)?;
        arguments.add(&columns.effective_at)?;
        arguments.add(&columns.schema_version)?;
        arguments.add(&columns.event_type)?;
        arguments.add(&columns.payload)?;
        arguments.add(&columns.metadata)?;
        arguments.add(&vouchers)?;
        arguments.add(&columns.sealed.position)?;
        arguments.add(&columns.sealed.field)?;
        arguments.add(&columns.sealed.organization)?;
        arguments.add(&columns.sealed.subject)?;
        arguments.add(&columns.sealed.purpose)?;
        arguments.add(&columns.sealed.ciphertext)?;
        arguments.add(&columns.releases.0)?;
        arguments.add(&columns.releases.1)?;
        arguments.add(&columns.claims.organization)?;
        arguments.add(&columns.claims.key)?;
        arguments.add(&columns.claims.owner)?;
        arguments.add(&columns.claims.salt)?;
        arguments.add(&columns.claims.position)?;
        arguments.add(&columns.commands.id)?;
        arguments.add(&columns.commands.organization)?;
        arguments.add(&columns.commands.request_hash)?;
        arguments.add(&columns.commands.answer)?;
        arguments.add(&columns.commands.position)?;
        arguments.add(&columns.commands.version)?;
        Ok(())
    };
    add().map_err(sqlx::Error::Encode)?;
    Ok(arguments)
}

/// Commits a batch in one statement, inside whatever transaction the connection is in.
pub(super) async fn write(connection: &mut PgConnection, batch: &mut Batch, known_position: i64, key: Option<&VoucherKey>) -> Written {
    batch.recorded = key.map(|_| Recorded::of(known_position, batch.accepted.iter().map(|accepted| &accepted.submitted.append)));
    let voucher = key.zip(batch.recorded.as_ref()).map(|(key, recorded)| key.voucher(recorded.leaves()));
    let arguments = match encode(batch, known_position, voucher.as_ref()) {
        Ok(arguments) => arguments,
        Err(error) => return Written::Lost(error),
    };
    match sqlx::query_with(statements::COMMIT_BATCH, arguments).fetch_optional(connection).await {
        Ok(Some(row)) => row.try_get(0).map_or_else(Written::Lost, Written::Committed),
        Ok(None) => Written::FenceMissed,
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            Written::Violation(error.constraint().unwrap_or("a unique index").to_owned())
        }
        Err(error) => Written::Lost(error),
    }
}

/// Where the log stands.
pub(super) struct LogHead {
    pub position: i64,
    pub stream_key: i64,
}

impl LogHead {
    pub fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self { position: row.try_get("position")?, stream_key: row.try_get("stream_key")? })
    }
}

/// A connection of its own, outside any pool.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let mut connection = options.connect().await?;
    connection.ping().await?;
    Ok(connection)
}
