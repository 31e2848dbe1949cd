//! The JetStream side of the feed: an ordered consumer that is made anew whenever it fails.

use super::{feed::BATCH, jetstream::Cache, log::Log, stop::Backoff};
use async_nats::jetstream::{
    Message,
    consumer::{DeliverPolicy, pull::OrderedConfig},
};
use futures::StreamExt;
use palmares_domain::kernel::RecordedEvent;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, mpsc, watch};

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

    /// Makes the subscription anew when notified.
    pub fn restarter(&self) -> Arc<Notify> {
        self.restart.clone()
    }

    pub async fn run(self) {
        let mut backoff = Backoff::new();
        loop {
            let started = tokio::time::Instant::now();
            tokio::select! {
                ended = self.follow() => if let Err(error) = ended {
                    tracing::debug!(error = format!("{error:#}"), "the subscription ended");
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
        let stream = self.cache.context().get_stream(self.cache.stream(incarnation)).await?;
        let start_sequence = u64::try_from(*self.position.borrow() + 1)?;
        let consumer = stream
            .create_consumer(OrderedConfig { deliver_policy: DeliverPolicy::ByStartSequence { start_sequence }, ..Default::default() })
            .await?;
        let mut messages = consumer.messages().await?.ready_chunks(usize::try_from(BATCH)?);
        while let Some(chunk) = messages.next().await {
            let mut events = Vec::with_capacity(chunk.len());
            for message in chunk {
                // An unreadable message is a gap, which the feed fills from the log.
                events.extend(decode(&message?));
            }
            self.events.send(events).await?;
        }
        Ok(())
    }
}

fn decode(message: &Message) -> Option<Arc<RecordedEvent>> {
    let sequence = message.info().ok()?.stream_sequence;
    match serde_json::from_slice::<RecordedEvent>(&message.payload) {
        Ok(event) if u64::try_from(event.position) == Ok(sequence) => Some(Arc::new(event)),
        Ok(event) => {
            tracing::warn!(sequence, position = event.position, "a message carries another position than its sequence");
            None
        }
        Err(error) => {
            tracing::warn!(sequence, %error, "a message is not an event");
            None
        }
    }
}
