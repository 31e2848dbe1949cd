//! The JetStream side of the feed: an ordered consumer that is made anew whenever it fails.

use super::{feed::BATCH, jetstream::Cache, log::Log, provenance::MessageKey, stop::Backoff};
use anyhow::Context;
use async_nats::{
    connection::State,
    jetstream::{
        Message,
        consumer::{DeliverPolicy, pull::OrderedConfig},
    },
};
use futures::StreamExt;
use palmares_domain::kernel::RecordedEvent;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, mpsc, watch};

/// The handle that the feed has on its subscription.
pub(super) struct Source {
    client: async_nats::Client,
    restart: Arc<Notify>,
}

impl Source {
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Has the subscription made anew.
    pub fn restart(&self) {
        self.restart.notify_one();
    }
}

/// Decodes messages into events, in the order of the stream, and promises nothing about gaps.
pub(super) struct Subscriber {
    log: Log,
    cache: Cache,
    /// Where the feed stands: a new subscription starts behind it.
    position: watch::Receiver<i64>,
    events: mpsc::Sender<Vec<Arc<RecordedEvent>>>,
    restart: Arc<Notify>,
}

impl Subscriber {
    pub fn new(log: Log, cache: Cache, position: watch::Receiver<i64>, events: mpsc::Sender<Vec<Arc<RecordedEvent>>>) -> Self {
        Self { log, cache, position, events, restart: Arc::new(Notify::new()) }
    }

    /// What the feed knows of this subscription.
    pub fn source(&self) -> Source {
        Source { client: self.cache.client.clone(), restart: self.restart.clone() }
    }

    pub async fn run(self) {
        let mut backoff = Backoff::new();
        loop {
            let started = tokio::time::Instant::now();
            tokio::select! {
                ended = self.follow() => if let Err(error) = ended {
                    tracing::info!(error = format!("{error:#}"), "the subscription ended; making it anew");
                },
                () = self.restart.notified() => {}
            }
            if started.elapsed() > Duration::from_secs(30) {
                backoff.reset();
            }
            tokio::time::sleep(backoff.pause()).await;
        }
    }

    async fn follow(&self) -> anyhow::Result<()> {
        let incarnation = self.log.head().await?.incarnation;
        let (name, key) = (self.cache.stream(incarnation), self.log.message_key().await?);
        let stream = self.cache.context().get_stream(&name).await?;
        let start_sequence = u64::try_from(*self.position.borrow() + 1)?;
        let consumer = stream
            .create_consumer(OrderedConfig { deliver_policy: DeliverPolicy::ByStartSequence { start_sequence }, ..Default::default() })
            .await?;
        let mut messages = consumer.messages().await?.ready_chunks(usize::try_from(BATCH)?);
        while let Some(chunk) = messages.next().await {
            let mut events = Vec::with_capacity(chunk.len());
            for message in chunk {
                events.push(Arc::new(decode(&message?, &name, &key)?));
            }
            self.events.send(events).await?;
        }
        Ok(())
    }
}

/// A message that is not the event of its sequence, or that no relay of this log signed for its tenant, ends the
/// subscription: the feed reads the log, and the relay makes the stream anew.
fn decode(message: &Message, stream: &str, key: &MessageKey) -> anyhow::Result<RecordedEvent> {
    let sequence = message.info().map_err(|error| anyhow::anyhow!(error))?.stream_sequence;
    let event = key.event(stream, &message.subject, message.headers.as_ref(), &message.payload);
    let event = event.with_context(|| format!("message {sequence} is not taken"))?;
    anyhow::ensure!(u64::try_from(event.position) == Ok(sequence), "message {sequence} is the event at {}", event.position);
    Ok(event)
}
