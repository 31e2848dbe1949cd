//! What relay and feed agree on: the stream's name, its subjects, and the form of a message.

use super::provenance::{MessageKey, TENANT};
use async_nats::{
    HeaderMap,
    jetstream::{self, stream},
};
use bytes::Bytes;
use palmares_domain::kernel::{EventId, RecordedEvent};
use std::time::Duration;
use uuid::Uuid;

/// Carries the event id, so that a stream can be compared with the log.
pub const EVENT_ID: &str = "Palmares-Event-Id";

/// Where and how the log is cached in JetStream.
#[derive(Clone, Debug)]
pub struct Cache {
    pub client: async_nats::Client,
    /// The stream is `<stream_root>_<incarnation>`; one root per cell.
    pub stream_root: String,
    /// Subjects are `<subject_root>.<organization>.<stream type>`. Nothing finer: subjects of high
    /// cardinality collapse the throughput of consumers.
    pub subject_root: String,
    /// The oldest messages are dropped beyond this size; readers take them from the log.
    pub max_bytes: i64,
    /// How many of the last events a stream that is made anew starts with.
    pub refill: i64,
    pub replicas: usize,
}

impl Cache {
    pub fn new(client: async_nats::Client) -> Self {
        Self {
            client,
            stream_root: "PALMARES".to_owned(),
            subject_root: "evt".to_owned(),
            max_bytes: 512 << 20,
            refill: 10_000,
            replicas: 1,
        }
    }

    /// A client that connects when it can: everything works without NATS, only less directly.
    pub async fn connect(url: &str) -> anyhow::Result<async_nats::Client> {
        let address: async_nats::ServerAddr = url.parse()?;
        // The driver leaves the user and the password of an address to its caller.
        let options = match (address.username(), address.password()) {
            (Some(user), Some(password)) => async_nats::ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned()),
            _ => async_nats::ConnectOptions::new(),
        };
        let client = options
            .name("palmares")
            .retry_on_initial_connect()
            .client_capacity(8192)
            .subscription_capacity(65_536)
            .reconnect_delay_callback(|attempts| Duration::from_millis(50 << attempts.min(5)))
            .connect(address)
            .await?;
        Ok(client)
    }

    pub(super) fn context(&self) -> jetstream::Context {
        jetstream::new(self.client.clone())
    }

    /// Streams of other incarnations of this cell start with it too.
    pub(super) fn stream_prefix(&self) -> String {
        format!("{}_", self.stream_root)
    }

    pub(super) fn stream(&self, incarnation: Uuid) -> String {
        format!("{}_{}", self.stream_root, incarnation.simple())
    }

    /// A stream whose next message is the event at `first`.
    pub(super) fn config(&self, incarnation: Uuid, first: i64) -> stream::Config {
        stream::Config {
            name: self.stream(incarnation),
            description: Some("A cache of the log; sequence = position. Safe to delete.".to_owned()),
            subjects: vec![format!("{}.>", self.subject_root)],
            storage: stream::StorageType::File,
            num_replicas: self.replicas,
            max_bytes: self.max_bytes,
            discard: stream::DiscardPolicy::Old,
            // The expected sequence already refuses what is published twice.
            duplicate_window: Duration::from_millis(100),
            first_sequence: u64::try_from(first).ok(),
            ..Default::default()
        }
    }

    /// The message of an event: its stream refuses it unless the event before it is its last one. The
    /// sequence alone does not say that, where somebody else's message took the place of `before`. Whose it is, it
    /// says signed.
    pub(super) fn message(
        &self,
        event: &RecordedEvent,
        before: Option<EventId>,
        (stream, key): (&str, &MessageKey),
    ) -> Result<(String, HeaderMap, Bytes), serde_json::Error> {
        let mut headers = HeaderMap::new();
        headers.insert(async_nats::header::NATS_EXPECTED_STREAM, stream);
        headers.insert(async_nats::header::NATS_EXPECTED_LAST_SEQUENCE, (event.position - 1).to_string().as_str());
        if let Some(before) = before {
            headers.insert(async_nats::header::NATS_EXPECTED_LAST_MESSAGE_ID, before.to_string().as_str());
        }
        headers.insert(async_nats::header::NATS_MESSAGE_ID, event.id.to_string().as_str());
        headers.insert(EVENT_ID, event.id.to_string().as_str());
        let subject = format!("{}.{}.{}", self.subject_root, event.organization_id, event.stream.stream_type);
        let body = serde_json::to_vec(event)?;
        headers.insert(TENANT, key.sign(stream, &subject, event.organization_id, &body).as_str());
        Ok((subject, headers, body.into()))
    }
}
