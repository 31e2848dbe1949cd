//! A process: made, served, ended in order.

use super::{
    access_log::EngineAccessLog,
    altered_keys,
    log_keys::LogKeyFile,
    projectors,
    read_side::{self, ReadSide},
    standing::EngineStandings,
    token_keys,
    upkeep::RequestedUpkeep,
    witnesses::Witnesses,
    write_side::WriteSide,
};
use crate::{
    captcha::{Captcha, SiteVerify},
    cli::{ServerSettings, metrics},
    dns::HickoryDns,
    mail::{Links, MailSettings, SmtpMailer, Templates},
    pipeline::{
        Bound, Gate, Limiter, Parts, Progress, Proxy, RateLimits, Services, Settings, TokenKeys, bind, decision::DecisionPoint, route::Kind,
    },
    reactors::{
        self, Post,
        audit_schedules::{Exporters, RunAuditSchedules},
        erasure::{self, DeletionTimer, Erase, KeepHolds},
        siem::{Forwarder, Pauses, Sinks},
    },
    routes,
    sign_in::{Desk, federation::FederationSettings, password_policy::PasswordPolicy},
    sms::{HttpGateway, SmsSender},
};
use anyhow::Context;
use futures::FutureExt;
use palmares_commands::{compliance::shredding::CustodyShredder, privacy::KeyRing};
use palmares_projections::{
    challenges::{activities, closed_days},
    compliance::ERASED,
    engine::{
        Readers,
        head::HeadSignal,
        sealing::{AlteredKeys, Outside, Rounds, Sealer},
        stop::Stopper,
        timetable::Timetables,
    },
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    sync::{oneshot, watch},
    task::JoinSet,
};

/// How long the last counters may take to be written.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn serve(
    settings: ServerSettings,
    ready: oneshot::Sender<SocketAddr>,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let metrics = metrics::recorder()?;
    let write = WriteSide::open(&settings).await?;
    let read = ReadSide::open(&settings, write.ring.clone()).await?;
    let projections = read_side::projectors().iter().map(|projector| projector.name()).collect();
    let (stopper, stopping) = Stopper::new();

    let (tokens, follower) = token_keys::open(&settings)?;
    let limits = RateLimits::with_ip_requests(settings.rate_limit_ip);
    let gate = Gate::new(
        Limiter::new(&limits),
        tokens.clone(),
        Arc::new(EngineStandings::new(write.engine.clone())),
        Arc::new(EngineAccessLog(write.engine.clone())),
    )?;
    let services = Services::new(Parts {
        gate,
        engine: write.engine.clone(),
        readers: read.readers.clone(),
        progress: Progress::new(read.log.clone(), read.watermarks.clone()),
        upkeep: Arc::new(RequestedUpkeep { pool: write.pool.clone(), projections }),
        dns: Arc::new(HickoryDns::open(settings.dns_server)?),
        desk: desk(&settings, &write)?,
        head: read.head.clone(),
        metrics,
        settings: Settings { limits, proxy: proxy(&settings), ..Settings::new(settings.bind) },
        stop: stopping.clone(),
        // Who serves no requests still tells how it is.
        routes: routes::all().filter(|route| settings.role.serves_requests() || route.kind == Kind::Public).collect(),
    })?;
    let Bound { server, address } = bind(&services).with_context(|| format!("{} cannot be served", settings.bind))?;

    let mut house = JoinSet::new();
    house.spawn(follower.follow(stopping.clone()));
    house.spawn(tell_head(write.engine.store().committed(), read.head.clone()));
    let keeper = tokio::spawn(services.keep_house(write.pool.clone()));
    let mut workers = None;
    if settings.role.runs_workers() {
        let mut reactors = reactors::all(write.engine.clone(), write.ring.clone(), read.readers.clone(), read.watermarks.clone());
        let files = read.export_files().await?;
        let exporters = Exporters {
            standings: Arc::new(EngineStandings::new(write.engine.clone())),
            decisions: Arc::new(DecisionPoint::new(routes::permissions().permissions())?),
        };
        let reading = (read.readers.clone(), read.watermarks.clone(), files);
        reactors.push(reactors::exports(write.engine.clone(), reading, (tokens.clone(), write.ring.clone()), exporters.clone()));
        match &settings.mail {
            Some(mail) => {
                let post = post(&settings, mail, &write, (tokens.clone(), &read.readers))?;
                reactors.push(reactors::letters(write.engine.clone(), post));
            }
            None => tracing::warn!("PALMARES_SMTP_URL is not set: letters wait, and those that expire are never sent"),
        }
        let mut timers = reactors::timers(write.engine.clone(), write.ring.clone());
        timers.push(Arc::new(RunAuditSchedules { engine: write.engine.clone(), exporters }));
        let sinks = Sinks::new(tokens.clone(), settings.secrets_dir.clone(), settings.insecure_issuers);
        let sinks = sinks.context("preparing to send audit logs")?;
        let tools = erasure_tools(&write, &read, tokens);
        reactors.push(Arc::new(Erase(tools.clone())));
        reactors.push(Arc::new(KeepHolds(tools.clone())));
        timers.push(Arc::new(DeletionTimer(tools)));
        match &settings.sealing {
            Some(sealing) => {
                let (keys, outside) = (Arc::new(LogKeyFile::new(&sealing.key_file)), Outside::new(&sealing.checkpoint_file));
                if !sealing.witnesses.is_empty() {
                    let witnesses = Witnesses::new(read.log.clone(), sealing.witnesses.clone())?;
                    house.spawn(witnesses.follow(stopping.clone()));
                }
                if let Some(every) = sealing.verify_every {
                    let timetables = Timetables::of(projectors(), settings.clock.ahead().to_std().context("a clock that is behind")?);
                    let rounds = Rounds::new(read.log.clone(), outside.clone(), every).with(timetables, looking_at(&write.ring));
                    house.spawn(rounds.run(stopping.clone()));
                }
                let (tail, voucher_key) = (write.tail.clone(), write.voucher_key.clone());
                let sealer = Sealer::new(read.log.clone(), read.head.clone(), keys, outside)
                    .with_recent(Arc::new(move |after| tail.entries(after)))
                    .asking(Arc::new(move |events, voucher| voucher_key.vouches_for(events, voucher)));
                house.spawn(sealer.run(stopping.clone()));
            }
            None => tracing::warn!("PALMARES_LOG_KEY_FILE is not set: the log is not sealed, and nothing can be proved"),
        }
        let (engine, cursors) = (write.engine.clone(), read.siem_cursors().await?);
        let forwarder = Forwarder { engine, cursors, sinks, pauses: Pauses::default() };
        house.spawn(forwarder.run(stopping.clone()));
        workers = Some(read.start_workers(&settings, address, reactors, timers).await?);
    } else {
        let (head, log, stopping) = (read.head.clone(), read.log.clone(), stopping.clone());
        house.spawn(async move { head.follow(&log, stopping).await });
    }

    let handle = server.handle();
    let mut serving = tokio::spawn(server);
    // Nobody may be waiting for it.
    let _ = ready.send(address);
    let ended = tokio::select! {
        ended = &mut serving => ended,
        () = asked(&mut stop) => {
            // Streams have no end of their own, and the server waits for its answers.
            stopper.stop();
            handle.stop(true).await;
            serving.await
        }
    };
    stopper.stop();
    // Each command waits for its append, so with the commands the committer's queue is empty.
    if let Some(workers) = workers {
        workers.shutdown().await;
    }
    if tokio::time::timeout(PATIENCE, keeper).await.is_err() {
        tracing::warn!("the last refusal counters were not written in time");
    }
    ended.context("the server broke off")?.context("the server failed")
}

async fn asked(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody can ask any more, which is asking too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Where people sign in.
/// Who is reached by https is promised to be reached by it alone, wherever TLS ends.
fn proxy(settings: &ServerSettings) -> Proxy {
    Proxy { trusted_hops: settings.trusted_proxies, tls: settings.public_url.starts_with("https://") }
}

fn desk(settings: &ServerSettings, write: &WriteSide) -> anyhow::Result<Desk> {
    let policy = PasswordPolicy::new(settings.breached_passwords_file.as_deref()).context("reading the list of stolen passwords")?;
    let federation = FederationSettings {
        public_url: settings.public_url.clone(),
        secrets_dir: settings.secrets_dir.clone(),
        insecure_loopback: settings.insecure_issuers,
    };
    let captcha = settings.captcha.as_ref().map(SiteVerify::new).transpose()?;
    let captcha = captcha.map(|captcha| Arc::new(captcha) as Arc<dyn Captcha>);
    Ok(Desk { captcha, sends_texts: settings.sms.is_some(), ..Desk::new(policy, write.ring.clone(), federation)? })
}

/// What letters are written with and sent by.
fn post(
    settings: &ServerSettings,
    mail: &MailSettings,
    write: &WriteSide,
    (tokens, readers): (Arc<TokenKeys>, &Readers),
) -> anyhow::Result<Post> {
    let sms = settings.sms.as_ref().map(|sms| HttpGateway::new(sms, tokens.clone())).transpose()?;
    Ok(Post {
        mailer: Arc::new(SmtpMailer::new(mail)?),
        sms: sms.map(|sms| Arc::new(sms) as Arc<dyn SmsSender>),
        templates: Templates::new().context("reading the templates of letters")?,
        links: Links::on(&settings.public_url),
        tokens,
        ring: write.ring.clone(),
        addresses: Arc::new(readers.clone()),
    })
}

/// Looks whether the keys of people open, as only this side can.
fn looking_at(ring: &Arc<KeyRing>) -> AlteredKeys {
    let ring = ring.clone();
    Arc::new(move || {
        let ring = ring.clone();
        async move { Ok(altered_keys(&ring).await?) }.boxed()
    })
}

/// What carries deletions out.
fn erasure_tools(write: &WriteSide, read: &ReadSide, tokens: Arc<TokenKeys>) -> erasure::Tools {
    let projectors = read_side::projectors();
    let forgetting = projectors.iter().filter(|projector| projector.interests().contains(&ERASED)).map(|projector| projector.name());
    erasure::Tools {
        engine: write.engine.clone(),
        readers: read.readers.clone(),
        watermarks: read.watermarks.clone(),
        shredder: Arc::new(CustodyShredder::new(write.custody.clone(), write.pool.clone())),
        tokens,
        forgetting: forgetting.collect(),
        counting: vec![activities::PROJECTION, closed_days::PROJECTION],
    }
}

/// Passes on what this process committed, sooner than the database's notification would.
async fn tell_head(mut committed: watch::Receiver<i64>, head: Arc<HeadSignal>) {
    loop {
        head.advance(*committed.borrow_and_update());
        if committed.changed().await.is_err() {
            return;
        }
    }
}
