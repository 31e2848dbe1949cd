//! Publishes the log to JetStream, and heals the stream whenever it is not what the log says.

use super::{
    head::HeadSignal,
    jetstream::{Cache, EVENT_ID},
    log::{Head, Log},
    provenance::MessageKey,
    stop::{Backoff, Stop},
};
use async_nats::jetstream::{
    Context, ErrorCode,
    context::{GetStreamErrorKind, PublishAckFuture},
    stream::{Info, Stream},
};
use futures::TryStreamExt;
use palmares_domain::kernel::{EventId, RecordedEvent};
use sqlx::{Connection, PgConnection};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use uuid::Uuid;

/// Events that are published with one acknowledgement.
const CHUNK: i64 = 512;
/// Chunks in flight.
const WINDOW: usize = 4;
/// How often an idle relay looks whether the stream is still what it should be.
const INSPECT: Duration = Duration::from_secs(5);
/// How often a relay that stands by asks for the lead.
const STAND_BY: Duration = Duration::from_secs(1);

/// Held by the relay that publishes. Two at a time would be harmless, and twice the work.
const TRY_LEAD: &str = "SELECT pg_try_advisory_lock(7081, 1)";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] = &[("engine.relay.try_lead", TRY_LEAD)];

/// The one writer of the stream.
pub struct Relay {
    log: Log,
    cache: Cache,
    head: Arc<HeadSignal>,
}

impl Relay {
    pub fn new(log: Log, cache: Cache, head: Arc<HeadSignal>) -> Self {
        Self { log, cache, head }
    }

    /// Publishes until stopped. Errors are logged and healed: nothing depends on the stream.
    pub async fn run(self, mut stop: Stop) {
        let mut backoff = Backoff::new();
        while !stop.is_stopped() {
            let pause = match self.take_lead().await {
                Ok(Some(lock)) => {
                    let mut until = stop.clone();
                    tokio::select! {
                        () = until.stopped() => return,
                        () = self.lead(lock, &mut backoff) => backoff.pause(),
                    }
                }
                Ok(None) => STAND_BY,
                Err(error) => {
                    tracing::warn!(%error, "the relay cannot reach the log");
                    backoff.pause()
                }
            };
            stop.pause(pause).await;
        }
    }

    /// A connection that holds the lead; it is detached from the pool so that dropping it ends
    /// the session, and with it the lock.
    async fn take_lead(&self) -> Result<Option<PgConnection>, sqlx::Error> {
        let mut connection = self.log.pool().acquire().await?.detach();
        let taken: bool = sqlx::query_scalar(TRY_LEAD).fetch_one(&mut connection).await?;
        Ok(taken.then_some(connection))
    }

    /// Publishes until the session that holds the lead is lost.
    async fn lead(&self, mut lock: PgConnection, backoff: &mut Backoff) {
        loop {
            let failed = match self.reconcile().await {
                Ok((stream, last)) => {
                    backoff.reset();
                    self.publish(&stream, last, &mut lock).await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = failed {
                tracing::warn!(error = format!("{error:#}"), "the relay compares its stream with the log");
            }
            if lock.ping().await.is_err() {
                return;
            }
            tokio::time::sleep(backoff.pause()).await;
        }
    }

    /// Publishes behind `last`; returns when the stream has to be inspected again.
    async fn publish(&self, stream: &str, mut last: i64, lock: &mut PgConnection) -> anyhow::Result<()> {
        let (context, key) = (self.cache.context(), self.log.message_key().await?);
        let mut grown = self.head.subscribe();
        let mut flight = VecDeque::with_capacity(WINDOW);
        // What stands at `last` was just compared with the log; what comes behind it is chained to it.
        let mut before = None;
        loop {
            if *grown.borrow_and_update() <= last {
                while let Some(sent) = flight.pop_front() {
                    acknowledged(sent).await?;
                }
                metrics::gauge!("palmares_relay_lag_positions").set(0.0);
                match tokio::time::timeout(INSPECT, grown.changed()).await {
                    Ok(changed) => changed?,
                    Err(_) => {
                        lock.ping().await?;
                        if !self.stands_at(stream, last).await? {
                            anyhow::bail!("the stream changed by other hands");
                        }
                    }
                }
                continue;
            }
            let events = self.log.read_after(last, CHUNK).await?;
            let Some(newest) = events.last().map(|event| event.position) else {
                anyhow::bail!("the log ends before the head it announced");
            };
            flight.push_back((newest, self.send(&context, (stream, &key), before, &events).await?));
            (last, before) = (newest, events.last().map(|event| event.id));
            if flight.len() == WINDOW
                && let Some(sent) = flight.pop_front()
            {
                let done = acknowledged(sent).await?;
                metrics::gauge!("palmares_relay_lag_positions").set((self.head.known() - done).max(0) as f64);
            }
        }
    }

    /// Sends a chunk and asks for one acknowledgement, of its last message. Each message expects
    /// the event before it, so that acknowledgement proves the whole chunk.
    async fn send(
        &self,
        context: &Context,
        signed: (&str, &MessageKey),
        mut before: Option<EventId>,
        events: &[RecordedEvent],
    ) -> anyhow::Result<PublishAckFuture> {
        let Some((last, others)) = events.split_last() else { anyhow::bail!("an empty chunk") };
        for event in others {
            let (subject, headers, body) = self.cache.message(event, before, signed)?;
            self.cache.client.publish_with_headers(subject, headers, body).await?;
            before = Some(event.id);
        }
        let (subject, headers, body) = self.cache.message(last, before, signed)?;
        Ok(context.publish_with_headers(subject, headers, body).await?)
    }

    /// Brings the stream in line with the log; answers its name and last position.
    async fn reconcile(&self) -> anyhow::Result<(String, i64)> {
        let head = self.log.head().await?;
        let (context, name) = (self.cache.context(), self.cache.stream(head.incarnation));
        let found = match context.get_stream(&name).await {
            Ok(stream) => Some(stream),
            Err(error) if is_missing(&error.kind()) => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(stream) = found {
            match self.last_common(&stream, head.position).await? {
                Some(last) => return Ok((name, last)),
                None => {
                    tracing::warn!(stream = name, "the stream diverged from the log; making it anew");
                    context.delete_stream(&name).await?;
                }
            }
        }
        Ok((name, self.create(&context, head).await?))
    }

    /// The stream's last position, where the log has the same event there.
    async fn last_common(&self, stream: &Stream<Info>, head: i64) -> anyhow::Result<Option<i64>> {
        let info = stream.cached_info();
        let last = i64::try_from(info.state.last_sequence)?;
        if last > head || info.config.subjects != [format!("{}.>", self.cache.subject_root)] {
            return Ok(None);
        }
        if info.state.messages == 0 {
            return Ok(Some(last));
        }
        let Ok(message) = stream.get_raw_message(info.state.last_sequence).await else { return Ok(None) };
        let published = message.headers.get(EVENT_ID).and_then(|id| id.as_str().parse::<Uuid>().ok());
        let recorded = self.log.event_id(last).await?.map(|id| id.0);
        let signed = self.log.message_key().await?.event(&info.config.name, &message.subject, Some(&message.headers), &message.payload);
        let same = published.is_some() && published == recorded && signed.is_ok_and(|event| Some(event.id.0) == recorded);
        Ok(same.then_some(last))
    }

    async fn stands_at(&self, name: &str, last: i64) -> anyhow::Result<bool> {
        let stream = match self.cache.context().get_stream(name).await {
            Ok(stream) => stream,
            Err(error) if is_missing(&error.kind()) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        Ok(self.last_common(&stream, i64::MAX).await? == Some(last))
    }

    /// Makes the stream, after those of other incarnations, whose subjects it takes over.
    async fn create(&self, context: &Context, head: Head) -> anyhow::Result<i64> {
        let prefix = self.cache.stream_prefix();
        let names: Vec<String> = context.stream_names().try_collect().await?;
        for outdated in names.iter().filter(|name| name.strip_prefix(&prefix).is_some_and(|rest| Uuid::try_parse(rest).is_ok())) {
            tracing::info!(stream = outdated, "deleting the stream of another incarnation");
            context.delete_stream(outdated).await?;
        }
        let first = (head.position - self.cache.refill).max(0) + 1;
        context.create_stream(self.cache.config(head.incarnation, first)).await?;
        tracing::info!(stream = self.cache.stream(head.incarnation), first, "made the stream");
        Ok(first - 1)
    }
}

async fn acknowledged((position, sent): (i64, PublishAckFuture)) -> anyhow::Result<i64> {
    let sequence = sent.await?.sequence;
    anyhow::ensure!(u64::try_from(position) == Ok(sequence), "position {position} was stored as sequence {sequence}");
    Ok(position)
}

fn is_missing(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}
