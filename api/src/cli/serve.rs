//! `palmares serve`: production. It starts only on settings that keep what the design promises.

use super::{
    checks,
    settings::{GivenSettings, ServerSettings},
    signals::StopSignals,
    system::System,
};
use anyhow::{Context, bail};
use futures::future::BoxFuture;
use std::{net::SocketAddr, time::Duration};
use tokio::sync::{oneshot, watch};

/// How long requests in flight and queues may take to end.
const STOP_PATIENCE: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub struct ServeArgs {
    #[command(flatten)]
    given: GivenSettings,
}

pub async fn run(args: ServeArgs, system: &dyn System) -> anyhow::Result<()> {
    let mut signals = StopSignals::listen()?;
    let settings = args.given.complete()?;
    refuse_unsafe(&settings).await?;
    // An operator may have a reason, and people need the system; nobody should miss it.
    if let Some(changed) = checks::walls::check(&settings.database_url).await.failure() {
        tracing::error!(changed, "the database was changed by hand");
    }
    let mut server = Server::start(system, settings);
    let address = tokio::select! {
        address = server.ready() => address?,
        signal = signals.next() => { tracing::info!(signal, "stopping"); return server.stop().await }
    };
    tracing::info!(%address, "serving");
    tokio::select! {
        ended = server.ended() => ended,
        signal = signals.next() => { tracing::info!(signal, "stopping"); server.stop().await }
    }
}

async fn refuse_unsafe(settings: &ServerSettings) -> anyhow::Result<()> {
    let failures: Vec<String> = checks::before_serving(settings).await.into_iter().filter_map(|finding| finding.failure()).collect();
    match failures.is_empty() {
        true => Ok(()),
        false => bail!("refused to start: {}", failures.join("; ")),
    }
}

/// The system while it runs.
pub struct Server<'a> {
    running: BoxFuture<'a, anyhow::Result<()>>,
    ready: oneshot::Receiver<SocketAddr>,
    stop: watch::Sender<bool>,
}

impl<'a> Server<'a> {
    pub fn start(system: &'a dyn System, settings: ServerSettings) -> Self {
        let (tell_ready, ready) = oneshot::channel();
        let (stop, stopping) = watch::channel(false);
        Self { running: system.serve(settings, tell_ready, stopping), ready, stop }
    }

    /// Runs until requests are answered.
    pub async fn ready(&mut self) -> anyhow::Result<SocketAddr> {
        let told = tokio::select! {
            biased;
            told = &mut self.ready => told,
            ended = &mut self.running => { ended?; bail!("the server ended before it was ready") }
        };
        match told {
            Ok(address) => Ok(address),
            // Nobody is left to tell it: how the server ends says why.
            Err(_) => self.ended().await.and_then(|()| bail!("the server ended before it was ready")),
        }
    }

    /// Runs until the system ends by itself, which it should not.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        (&mut self.running).await?;
        bail!("the server ended without being asked to")
    }

    /// Asks the system to end and waits for it.
    pub async fn stop(self) -> anyhow::Result<()> {
        // Without a receiver the system has ended already.
        let _ = self.stop.send(true);
        tokio::time::timeout(STOP_PATIENCE, self.running).await.context("the server did not stop in time")?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::settings::KeyStoreSettings;
    use crate::cli::settings::ServerRole;
    use async_trait::async_trait;
    use palmares_commands::engine::Clock;
    use palmares_commands::privacy::Rotated;
    use palmares_domain::kernel::{OrganizationId, UserId};

    /// Ends as it is told to.
    enum Fake {
        ServesUntilStopped,
        FailsBeforeReady,
        FailsAfterReady,
    }

    #[async_trait]
    impl System for Fake {
        async fn bootstrap(&self, _: &ServerSettings, _: &str) -> anyhow::Result<UserId> {
            bail!("not asked for here")
        }

        async fn rotate_epoch(&self, _: &ServerSettings, _: OrganizationId) -> anyhow::Result<Rotated> {
            bail!("not asked for here")
        }

        async fn serve(
            &self,
            settings: ServerSettings,
            ready: oneshot::Sender<SocketAddr>,
            mut stop: watch::Receiver<bool>,
        ) -> anyhow::Result<()> {
            if matches!(self, Fake::FailsBeforeReady) {
                drop(ready);
                bail!("no database")
            }
            let _ = ready.send(settings.bind);
            if matches!(self, Fake::FailsAfterReady) {
                bail!("the database is gone")
            }
            stop.wait_for(|stop| *stop).await?;
            Ok(())
        }
    }

    fn settings() -> ServerSettings {
        ServerSettings {
            database_url: String::new(),
            nats_url: String::new(),
            nats_replicas: 1,
            bind: SocketAddr::from(([127, 0, 0, 1], 1)),
            role: ServerRole::All,
            keys: KeyStoreSettings::Files { master_key: Default::default(), folder: Default::default() },
            jwt_key_file: Default::default(),
            sealing: None,
            issuer: String::new(),
            audience: String::new(),
            environment: Default::default(),
            public_url: String::new(),
            mail: None,
            sms: None,
            rate_limit_ip: 1,
            trusted_proxies: 0,
            cache_bytes: 1 << 20,
            dns_server: None,
            breached_passwords_file: None,
            secrets_dir: None,
            captcha: None,
            insecure_issuers: false,
            clock: Clock::default(),
        }
    }

    #[tokio::test]
    async fn a_server_is_ready_and_stops_when_asked() {
        let mut server = Server::start(&Fake::ServesUntilStopped, settings());
        assert_eq!(server.ready().await.expect("ready"), settings().bind);
        server.stop().await.expect("it ends well");
    }

    #[tokio::test]
    async fn why_a_server_ended_is_told() {
        let mut early = Server::start(&Fake::FailsBeforeReady, settings());
        assert_eq!(early.ready().await.expect_err("it failed").to_string(), "no database");
        let mut late = Server::start(&Fake::FailsAfterReady, settings());
        let told = match late.ready().await {
            Ok(_) => late.ended().await,
            Err(error) => Err(error),
        };
        assert_eq!(told.expect_err("it failed").to_string(), "the database is gone");
    }
}
