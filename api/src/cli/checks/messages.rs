//! NATS: reachable, new enough, with JetStream.

use super::Finding;
use crate::cli::dev::embedded::programs::{NATS_MIN, parse_nats_version};
use std::time::Duration;

const SUBJECT: &str = "NATS";
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn check(url: &str) -> Vec<Finding> {
    let client = match tokio::time::timeout(PATIENCE, connect(url)).await {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => return vec![Finding::bad(SUBJECT, format!("NATS_URL cannot be used: {error}"))],
        Err(_) => return vec![Finding::bad(SUBJECT, format!("no answer within {} s: is NATS_URL right?", PATIENCE.as_secs()))],
    };
    let version = client.server_info().version;
    let new_enough = parse_nats_version(&version).is_some_and(|found| found >= NATS_MIN);
    let too_old = format!("version {version} is too old: {}.{} is needed", NATS_MIN.0, NATS_MIN.1);
    let mut findings = vec![Finding::of(SUBJECT, new_enough, format!("nats-server {version}"), too_old)];
    findings.push(match async_nats::jetstream::new(client).query_account().await {
        Ok(account) => Finding::good("JetStream", format!("{} streams", account.streams)),
        Err(error) => Finding::bad("JetStream", format!("it does not answer: {error}; enable it in the server's configuration")),
    });
    findings
}

/// The driver leaves the user and the password of an address to its caller.
async fn connect(url: &str) -> anyhow::Result<async_nats::Client> {
    let address: async_nats::ServerAddr = url.parse()?;
    let options = async_nats::ConnectOptions::new();
    let options = match (address.username(), address.password()) {
        (Some(user), Some(password)) => options.user_and_password(user.to_owned(), password.to_owned()),
        _ => options,
    };
    Ok(options.connect(address).await?)
}
