//! Traces: a span for each request, exported over OTLP where an endpoint is named, else nothing at all.
//!
//! A span says which route served, with which status and for how long, under the caller's trace
//! (W3C `traceparent`) and the request's id. It holds no path, no query, no body, no header, no
//! address and no user: those are personal data or secrets, and stay in the log and its audit trail.

mod export;
mod request;

pub use request::{answered, request_span};

use anyhow::{Context, ensure};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use std::env;
use tracing_subscriber::{Layer, Registry, filter};

/// The target of the spans that are exported. Nothing else is: log lines may name what spans must not.
const TARGET: &str = "palmares::trace";
const SERVICE: &str = "palmares";

/// The variables of OpenTelemetry that name an endpoint: the base of every signal, or that of traces.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// The export of traces, while it is on.
pub struct Telemetry {
    provider: SdkTracerProvider,
}

impl Telemetry {
    /// Starts where the environment names an endpoint. To be called on the runtime that is to send.
    ///
    /// # Errors
    /// An endpoint that is no address.
    pub fn from_environment() -> anyhow::Result<Option<Self>> {
        let given = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
        let disabled = given("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let Some((variable, endpoint)) = ENDPOINTS.into_iter().find_map(|name| Some((name, given(name)?))).filter(|_| !disabled) else {
            return Ok(None);
        };
        // The exporter would take anything, and only fail with each batch.
        let address = reqwest::Url::parse(&endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        ensure!(address.is_some(), "{variable} is no address of OTLP over HTTP, such as http://localhost:4318");
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(export::Client::new()?)
            .build()
            .with_context(|| format!("traces cannot be exported to {variable}"))?;
        let mut resource = Resource::builder().with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        if given("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name(SERVICE);
        }
        Ok(Some(Self { provider: SdkTracerProvider::builder().with_resource(resource.build()).with_batch_exporter(exporter).build() }))
    }

    /// What turns spans of [`TARGET`] into exported ones.
    pub fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let tracer = self.provider.tracer(SERVICE);
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        // Where in the sources a span was made is always the same place.
        let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false).with_target(false);
        layer.with_filter(filter::filter_fn(|meta| meta.is_span() && meta.target() == TARGET)).boxed()
    }

    /// Exports what is left, and ends.
    pub async fn stop(self) {
        // It waits for a thread that waits for this runtime.
        let stopped = tokio::task::spawn_blocking(move || self.provider.shutdown()).await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::warn!(outcome = ?stopped, "the last traces were not exported");
        }
    }
}
