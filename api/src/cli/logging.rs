//! Logs: to standard error, as text on a terminal and as JSON otherwise.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Production tells what it does; elsewhere only what is wrong is said, so that the result stays the
/// first line. `RUST_LOG` overrides both.
pub fn start(production: bool) {
    // The drivers report each connection and worker at info, which is news to nobody.
    let default = if production { "info,async_nats=warn,actix_server=warn" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match std::io::stderr().is_terminal() {
        true => builder.try_init(),
        false => builder.json().flatten_event(true).try_init(),
    };
    if let Err(error) = started {
        eprintln!("palmares: logging could not be started: {error}");
    }
}
