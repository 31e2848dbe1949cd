//! The loop: finds streams that are behind, and sends what comes next of each.

use super::{
    super::{System, execute, tenant_at},
    sink::{Sent, Sinks},
};
use palmares_commands::{compliance::FailSiemStream, engine::Engine};
use palmares_domain::{
    compliance::siem_stream::SiemFailure,
    kernel::{OrganizationId, SiemStreamId},
};
use palmares_projections::{
    compliance::siem::{Cursor, Cursors, Outcome, body},
    engine::stop::{Backoff, Stop},
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Semaphore, task::JoinSet};

const SYSTEM: System = System { name: "compliance.forward_audit_log", permission: "system.forward_audit_log" };

/// How often streams are looked for that are behind.
const POLL: Duration = Duration::from_millis(500);
/// Streams sent at a time; each holds a connection.
pub const AT_A_TIME: usize = 4;
/// How often in a row a sink refuses before people have to look at it.
const REFUSALS_MAX: i32 = 5;

/// Sends audit logs.
pub struct Forwarder {
    pub engine: Arc<Engine>,
    pub cursors: Cursors,
    pub sinks: Sinks,
}

type Stream = (OrganizationId, SiemStreamId);

/// Streams that are being sent, so that a slow sink keeps nobody else's waiting.
#[derive(Clone, Default)]
struct InProgress(Arc<Mutex<HashSet<Stream>>>);

impl InProgress {
    fn with<T>(&self, look: impl FnOnce(&mut HashSet<Stream>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Forwarder {
    /// Sends until stopped. What is under way then is dropped, and sent again by whoever goes on.
    pub async fn run(self, mut stop: Stop) {
        let forwarder = Arc::new(self);
        let (in_progress, turns) = (InProgress::default(), Arc::new(Semaphore::new(AT_A_TIME)));
        let (mut tasks, mut backoff) = (JoinSet::new(), Backoff::new());
        while !stop.is_stopped() {
            let pause = match forwarder.cursors.due().await {
                Ok(due) => {
                    backoff.reset();
                    for stream in due {
                        if in_progress.with(|streams| streams.insert(stream)) {
                            let (forwarder, turns, in_progress) = (forwarder.clone(), turns.clone(), in_progress.clone());
                            tasks.spawn(async move {
                                let turn = turns.acquire().await;
                                forwarder.forward(stream).await;
                                drop(turn);
                                in_progress.with(|streams| streams.remove(&stream));
                            });
                        }
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

    /// Sends batch after batch, until there is nothing more or the sink takes no more.
    async fn forward(&self, stream: Stream) {
        loop {
            match self.batch(stream).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(stream = %stream.1, error = format!("{error:#}"), "an audit log could not be sent on");
                    return;
                }
            }
        }
    }

    /// Sends the next batch; whether there may be another.
    async fn batch(&self, (organization, stream): Stream) -> anyhow::Result<bool> {
        let Some(cursor) = self.cursors.hold(organization, stream).await? else { return Ok(false) };
        let Some(batch) = self.cursors.next(tenant_at(organization), &cursor).await? else { return Ok(false) };
        if batch.entries.is_empty() {
            cursor.settle(&batch, Outcome::Taken).await?;
            return Ok(true);
        }
        let body = body(cursor.format, stream, cursor.records + 1, &batch.entries)?;
        match self.sinks.send(&cursor, batch.entries.len(), body).await {
            Sent::Taken => {
                cursor.settle(&batch, Outcome::Taken).await?;
                Ok(true)
            }
            Sent::Away(why) => {
                cursor.settle(&batch, Outcome::Failed(&why)).await?;
                Ok(false)
            }
            Sent::Refused { for_ever, why } => {
                let gives_up = for_ever || cursor.refusals + 1 >= REFUSALS_MAX;
                cursor.settle(&batch, Outcome::Refused(&why)).await?;
                if gives_up {
                    self.fail(organization, stream, SiemFailure::RefusedBySink).await?;
                }
                Ok(false)
            }
            Sent::Forbidden => {
                drop::<Cursor>(cursor);
                self.fail(organization, stream, SiemFailure::AddressForbidden).await?;
                Ok(false)
            }
        }
    }

    async fn fail(&self, organization: OrganizationId, stream: SiemStreamId, reason: SiemFailure) -> anyhow::Result<()> {
        let fail = FailSiemStream { stream_id: stream, reason };
        execute(&self.engine, SYSTEM.admission(organization), fail).await?;
        Ok(())
    }
}
