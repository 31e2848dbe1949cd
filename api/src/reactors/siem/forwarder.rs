//! The loop: finds streams that are behind, and sends what comes next of each.

use super::{
    super::{System, execute, tenant_at},
    pauses::Pauses,
    sink::{Sent, Sinks},
    turns::{Line, Turns},
};
use palmares_commands::{compliance::FailSiemStream, engine::Engine};
use palmares_domain::{
    compliance::siem_stream::SiemFailure,
    kernel::{OrganizationId, SiemStreamId},
};
use palmares_projections::{
    compliance::siem::{Batch, Cursor, Cursors, InVain, body},
    engine::{
        ReadError,
        stop::{Backoff, Stop},
    },
};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

const SYSTEM: System = System { name: "compliance.forward_audit_log", permission: "system.forward_audit_log" };

/// How often streams are looked for that are behind.
const POLL: Duration = Duration::from_millis(500);
/// Batches sent at a time; each holds a connection.
pub const AT_A_TIME: usize = 4;

/// Sends audit logs.
pub struct Forwarder {
    pub engine: Arc<Engine>,
    pub cursors: Cursors,
    pub sinks: Sinks,
    pub pauses: Pauses,
}

impl Forwarder {
    /// Sends until stopped. What is under way then is dropped, and sent again by whoever goes on.
    pub async fn run(self, mut stop: Stop) {
        let (forwarder, turns) = (Arc::new(self), Turns::new(AT_A_TIME));
        let (mut tasks, mut backoff) = (JoinSet::new(), Backoff::new());
        while !stop.is_stopped() {
            let pause = match forwarder.cursors.due().await {
                Ok(due) => {
                    backoff.reset();
                    for line in turns.line_up(due) {
                        let forwarder = forwarder.clone();
                        tasks.spawn(async move { forwarder.send_all(line).await });
                    }
                    POLL
                }
                Err(error) => {
                    tracing::warn!(%error, "the streams of audit logs cannot be looked for; trying again");
                    backoff.pause()
                }
            };
            stop.pause(pause).await;
            while tasks.try_join_next().is_some() {}
        }
    }

    /// Sends for an organization, a batch at each turn, until there is nothing more or no sink takes more.
    async fn send_all(&self, mut line: Line) {
        while let Some(stream) = line.next() {
            let turn = line.turn().await;
            let more = self.batch(line.organization, stream).await.unwrap_or_else(|error| {
                tracing::warn!(%stream, error = format!("{error:#}"), "an audit log could not be sent on");
                false
            });
            drop(turn);
            if more {
                line.again(stream);
            }
        }
    }

    /// Sends the next batch; whether there may be another.
    async fn batch(&self, organization: OrganizationId, stream: SiemStreamId) -> anyhow::Result<bool> {
        let Some(cursor) = self.cursors.hold(organization, stream).await? else { return Ok(false) };
        let (batch, body) = match self.read(&cursor).await {
            Ok(Some(read)) => read,
            Ok(None) => return Ok(false),
            Err(error) => {
                tracing::warn!(%stream, %error, "an audit log that is sent on cannot be read");
                self.postpone(cursor, "log unreadable", None).await?;
                return Ok(false);
            }
        };
        let entries = batch.entries.len();
        if entries == 0 {
            cursor.advance(&batch).await?;
            return Ok(true);
        }
        let fewer = Some(entries / 2).filter(|fewer| *fewer > 0);
        match self.sinks.send(&cursor, entries, body).await {
            Sent::Taken => {
                cursor.advance(&batch).await?;
                return Ok(true);
            }
            Sent::Away(why) => self.postpone(cursor, &why, None).await?,
            Sent::TimedOut => self.postpone(cursor, "timed out", fewer).await?,
            Sent::TooLarge(why) if fewer.is_some() => self.postpone(cursor, &why, fewer).await?,
            Sent::TooLarge(why) => self.refused(cursor, &why, false).await?,
            Sent::Refused { for_ever, why } => self.refused(cursor, &why, for_ever).await?,
            Sent::Forbidden => {
                drop::<Cursor>(cursor);
                self.fail(organization, stream, SiemFailure::AddressForbidden).await?;
            }
        }
        Ok(false)
    }

    /// What comes next of a stream, as it is sent.
    async fn read(&self, cursor: &Cursor) -> Result<Option<(Batch, Vec<u8>)>, ReadError> {
        let Some(mut batch) = self.cursors.next(tenant_at(cursor.organization), cursor).await? else { return Ok(None) };
        let (body, entries) = body(cursor.format, cursor.stream, cursor.records + 1, &batch.entries)?;
        batch.cut(entries);
        Ok(Some((batch, body)))
    }

    async fn postpone(&self, cursor: Cursor, why: &str, entries: Option<usize>) -> anyhow::Result<()> {
        let pause = self.pauses.away(cursor.attempts);
        Ok(cursor.postpone(InVain { why, refused: false, pause, entries }).await?)
    }

    async fn refused(&self, cursor: Cursor, why: &str, for_ever: bool) -> anyhow::Result<()> {
        let (organization, stream, refusals) = (cursor.organization, cursor.stream, cursor.refusals);
        let pause = self.pauses.refused(refusals);
        cursor.postpone(InVain { why, refused: true, pause, entries: None }).await?;
        if for_ever || self.pauses.gives_up(refusals) {
            self.fail(organization, stream, SiemFailure::RefusedBySink).await?;
        }
        Ok(())
    }

    async fn fail(&self, organization: OrganizationId, stream: SiemStreamId, reason: SiemFailure) -> anyhow::Result<()> {
        let fail = FailSiemStream { stream_id: stream, reason };
        execute(&self.engine, SYSTEM.admission(organization), fail).await?;
        Ok(())
    }
}
