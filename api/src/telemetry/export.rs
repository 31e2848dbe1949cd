//! How spans leave: over the HTTP client of the house, from the thread that batches them.

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use palmares_commands::outbound::Outbound;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::runtime::Handle;

/// How long the receiver may take; the batch waits meanwhile, requests do not.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    /// The batching thread has no runtime of its own.
    runtime: Handle,
    /// Whether the last export failed: a receiver that is away is told once, not with each batch.
    failing: AtomicBool,
}

impl Client {
    pub fn new() -> anyhow::Result<Self> {
        let http = Outbound::within(PATIENCE).build()?;
        Ok(Self { http, runtime: Handle::try_current()?, failing: AtomicBool::new(false) })
    }

    fn told(&self, outcome: &Result<Response<Bytes>, HttpError>) {
        let failure = match outcome {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(response.status().to_string()),
            Err(error) => Some(error.to_string()),
        };
        match (self.failing.swap(failure.is_some(), Ordering::Relaxed), failure) {
            (false, Some(error)) => tracing::warn!(error, "traces cannot be exported and are dropped until their receiver answers"),
            (true, None) => tracing::info!("traces are exported again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let sent = self.runtime.spawn(async move {
            let response = http.execute(request.try_into()?).await.map_err(reqwest::Error::without_url)?;
            let status = response.status();
            Ok(Response::builder().status(status).body(response.bytes().await?)?)
        });
        let outcome = sent.await?;
        self.told(&outcome);
        outcome
    }
}
