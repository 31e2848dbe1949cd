//! Logs: to standard error, as text on a terminal and as JSON otherwise.

use crate::telemetry::Telemetry;
use std::io::{self, IsTerminal};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Production tells what it does; elsewhere only what is wrong is said, so that the result stays the
/// first line. `RUST_LOG` overrides both. Traces go beside the logs, where they are on.
pub fn start(production: bool, telemetry: Option<&Telemetry>) {
    // The drivers report each connection and worker at info, which is news to nobody; and that one was
    // cut, which is how `dev` ends its own PostgreSQL.
    let default = if production { "info,async_nats=warn,actix_server=warn" } else { "warn,sqlx_core::pool::connection=error" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = fmt::layer().with_writer(io::stderr);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match io::stderr().is_terminal() {
        true => lines.with_filter(filter).boxed(),
        false => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let mut layers = vec![lines];
    layers.extend(telemetry.map(Telemetry::layer));
    if let Err(error) = tracing_subscriber::registry().with(layers).try_init() {
        eprintln!("palmares: logging could not be started: {error}");
    }
}
