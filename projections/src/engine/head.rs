//! How this process learns that the log grew: from its own committer, by NOTIFY, or by a poll.

use super::{
    log::Log,
    stop::{Backoff, Stop},
};
use sqlx::postgres::PgListener;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// The channel on which a committer tells the other processes, coalesced and after its commit.
pub const CHANNEL: &str = "palmares_log";

/// A lost notification is made up for within this time.
const POLL: Duration = Duration::from_millis(500);

/// The highest committed position that this process knows of, and of which log.
#[derive(Debug)]
pub struct HeadSignal {
    position: watch::Sender<i64>,
    incarnation: watch::Sender<Uuid>,
}

impl HeadSignal {
    pub fn new() -> Self {
        Self { position: watch::Sender::new(0), incarnation: watch::Sender::new(Uuid::nil()) }
    }

    /// Says that the log reaches `position`, after the commit; called by an in-process committer.
    pub fn advance(&self, position: i64) {
        self.position.send_if_modified(|known| {
            let grew = position > *known;
            *known = position.max(*known);
            grew
        });
    }

    pub fn known(&self) -> i64 {
        *self.position.borrow()
    }

    pub fn subscribe(&self) -> watch::Receiver<i64> {
        self.position.subscribe()
    }

    /// Nil until the log was asked.
    pub fn incarnation(&self) -> watch::Receiver<Uuid> {
        self.incarnation.subscribe()
    }

    /// Asks the log itself.
    pub async fn refresh(&self, log: &Log) -> Result<i64, sqlx::Error> {
        let head = log.head().await?;
        let known = *self.incarnation.borrow();
        if known == head.incarnation {
            self.advance(head.position);
            return Ok(head.position);
        }
        // Positions of another incarnation say nothing about this one, which may be shorter.
        if !known.is_nil() {
            tracing::warn!(from = %known, to = %head.incarnation, position = head.position, "the log has a new incarnation");
        }
        self.position.send_replace(head.position);
        self.incarnation.send_replace(head.incarnation);
        Ok(head.position)
    }

    /// Follows the log until stopped.
    pub async fn follow(&self, log: &Log, mut stop: Stop) {
        let mut backoff = Backoff::new();
        while !stop.is_stopped() {
            let followed = tokio::select! {
                () = stop.stopped() => return,
                followed = self.listen(log, &mut backoff) => followed,
            };
            if let Err(error) = followed {
                tracing::warn!(%error, "the log cannot be watched; trying again");
                stop.pause(backoff.pause()).await;
            }
        }
    }

    async fn listen(&self, log: &Log, backoff: &mut Backoff) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(log.pool()).await?;
        listener.listen(CHANNEL).await?;
        loop {
            self.refresh(log).await?;
            backoff.reset();
            // Told by this process's own committer already: nothing to look for.
            while let Ok(notified) = tokio::time::timeout(POLL, listener.try_recv()).await {
                // `None` says that the connection was lost and notifications may be missing.
                let told = notified?.and_then(|told| told.payload().parse::<i64>().ok());
                if told.is_none_or(|position| position > self.known()) {
                    break;
                }
            }
        }
    }
}

impl Default for HeadSignal {
    fn default() -> Self {
        Self::new()
    }
}
