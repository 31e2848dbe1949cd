//! `palmares dev`: the whole system on one machine and one folder, with nothing to set up.
//!
//! It runs PostgreSQL and nats-server as its children, migrates, makes keys and the demo
//! organization, serves, catches the letters that it sends, and stops what it started. `docs/operations.md` says what stands where.

pub mod descriptor;
pub mod embedded;
pub mod mailbox;
mod welcome;

pub use descriptor::{DESCRIPTOR, Descriptor, Tokens};

use super::{
    client::ApiClient,
    demo::{self, Demo, generator},
    keys::KeyFiles,
    migrate,
    output::Reporter,
    sealing::{SealingSettings, hours},
    serve::Server,
    settings::{ChallengeSettings, KeyStoreSettings, ServerRole, ServerSettings},
    signals::StopSignals,
    system::System,
};
use crate::{
    mail::MailSettings,
    pipeline::{Environment, tokens::TokenKeys},
    sms::SmsSettings,
};
use anyhow::{Context, bail};
use chrono::TimeDelta;
use embedded::{Embedded, EmbeddedOptions};
use mailbox::Mailbox;
use palmares_commands::engine::{CACHE_BYTES_DEFAULT, Clock};
use palmares_domain::{
    identity::Role,
    kernel::{OrganizationId, UserId},
};
use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr, TcpListener},
    path::PathBuf,
    time::Duration,
};

/// Who sends the letters that the mailbox catches (RFC 6761: nobody's domain).
const MAIL_FROM: &str = "Palmares <no-reply@palmares.test>";
const TOKEN_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// The external reference of the platform's first administrator.
const PLATFORM_ADMIN: &str = "platform-administrator";
/// One machine is one address: the limit of production would only hinder its owner.
const RATE_LIMIT_IP: u32 = 1_000_000;
/// A hundred years: longer than anything is kept.
const CLOCK_AHEAD_MAX_DAYS: i64 = 36_500;

#[derive(clap::Args)]
pub struct DevArgs {
    /// Port to serve on
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Address to serve on
    #[arg(long, default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Folder for everything: database, messages, keys, logs; without it /var/lib/palmares/dev for root, and
    /// palmares/dev in ~/.local/share for anybody else
    #[arg(long, env = "PALMARES_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Requests per 5 minutes and address
    #[arg(long, env = "PALMARES_RATE_LIMIT_IP", default_value_t = RATE_LIMIT_IP)]
    rate_limit_ip: u32,
    /// The DNS server that proves domains, in place of those that the machine asks
    #[arg(long, env = "PALMARES_DNS_SERVER")]
    dns_server: Option<SocketAddr>,
    #[command(flatten)]
    challenges: ChallengeSettings,
    /// Days by which to be ahead of time, to see what periods of weeks lead to. Sessions, links and the tokens
    /// in dev.json go by it; codes of authenticators, what others outside check, when an event was
    /// recorded, and the tokens of `palmares token` stay in the system's time
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..=CLOCK_AHEAD_MAX_DAYS))]
    clock_ahead_days: i64,
}

/// The default data folder: of the machine for root, of the user otherwise.
pub fn default_data_dir() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let user = std::env::var_os("XDG_DATA_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    match embedded::unix::is_root() {
        true => PathBuf::from("/var/lib/palmares/dev"),
        false => user.or_else(home).unwrap_or_else(|| PathBuf::from(".")).join("palmares/dev"),
    }
}

/// Told before anything starts, rather than after everything has.
fn check_port(address: SocketAddr) -> anyhow::Result<()> {
    let (port, host) = (address.port(), address.ip());
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!("port {port} of {host} is in use: stop what uses it (`ss -ltnp` shows it) or choose another one with --port")
        }
        Err(error) => Err(error).context(format!("port {port} of {host} cannot be used; choose others with --port and --bind")),
    }
}

pub async fn run(args: DevArgs, system: &dyn System) -> anyhow::Result<()> {
    let mut signals = StopSignals::listen()?;
    let address = SocketAddr::new(args.bind, args.port);
    check_port(address)?;
    let data_dir = args.data_dir.clone().unwrap_or_else(default_data_dir);
    let started = tokio::select! {
        // A request to stop while they start: dropping the start stops what has started.
        signal = signals.next() => { tracing::info!(signal, "stopping"); return Ok(()) }
        started = Embedded::start(EmbeddedOptions::at(data_dir)) => started,
    };
    let embedded = started?;
    let outcome = run_on(&embedded, address, &args, system, &mut signals).await;
    embedded.stop().await;
    outcome
}

async fn run_on(
    embedded: &Embedded,
    address: SocketAddr,
    args: &DevArgs,
    system: &dyn System,
    signals: &mut StopSignals,
) -> anyhow::Result<()> {
    let keys = KeyFiles::ensure(&embedded.path().join("keys"))?;
    migrate::apply(&embedded.database_url()).await?;
    let mailbox = Mailbox::start().await?;
    let secrets_dir = embedded.path().join("secrets");
    let settings = ServerSettings {
        database_url: embedded.database_url(),
        nats_url: embedded.nats_url(),
        nats_replicas: 1,
        bind: address,
        role: ServerRole::All,
        keys: KeyStoreSettings::Files { master_key: keys.master, folder: keys.epochs },
        jwt_key_file: keys.jwt,
        sealing: Some(SealingSettings {
            key_file: keys.log,
            checkpoint_file: embedded.path().join("log-checkpoint"),
            witnesses: Vec::new(),
            verify_every: hours(24),
        }),
        issuer: "palmares-dev".to_owned(),
        audience: "palmares".to_owned(),
        environment: Environment::development(),
        public_url: format!("http://{address}"),
        sms: Some(SmsSettings { url: mailbox.texts_url(), secret_file: mailbox.secret_file(&secrets_dir)? }),
        mail: Some(MailSettings { smtp_url: mailbox.smtp_url(), from: MAIL_FROM.to_owned() }),
        rate_limit_ip: args.rate_limit_ip,
        trusted_proxies: 0,
        cache_bytes: CACHE_BYTES_DEFAULT,
        dns_server: args.dns_server,
        breached_passwords_file: None,
        secrets_dir: Some(secrets_dir),
        captcha: args.challenges.complete()?,
        insecure_issuers: true,
        clock: Clock::ahead_by(TimeDelta::days(args.clock_ahead_days)),
    };
    let minter = Minter::of(&settings)?;
    let platform_admin = system.bootstrap(&settings, PLATFORM_ADMIN).await.context("making the platform's organization")?;

    let mut server = Server::start(system, settings);
    let address = tokio::select! {
        address = server.ready() => address?,
        signal = signals.next() => { tracing::info!(signal, "stopping"); return server.stop().await }
    };
    let mailbox_url = mailbox.page_url();
    let ready = Ready { embedded, mailbox_url, base_url: format!("http://{address}"), minter, platform_admin };
    let outcome = tokio::select! {
        announced = ready.announce() => announced,
        ended = server.ended() => return ended,
        signal = signals.next() => { tracing::info!(signal, "stopping"); return server.stop().await }
    };
    if outcome.is_ok() {
        tokio::select! {
            ended = server.ended() => return ended,
            signal = signals.next() => tracing::info!(signal, "stopping"),
        }
    }
    outcome.and(server.stop().await)
}

/// A server that answers, and what is needed to fill it and to tell about it.
struct Ready<'a> {
    embedded: &'a Embedded,
    base_url: String,
    mailbox_url: String,
    minter: Minter,
    platform_admin: UserId,
}

impl Ready<'_> {
    /// Makes the demo organization, writes `dev.json` and says where everything is.
    async fn announce(&self) -> anyhow::Result<()> {
        let (demo, tokens) = self.make_demo().await.context("making the demo organization")?;
        let descriptor = Descriptor {
            base_url: self.base_url.clone(),
            mailbox_url: self.mailbox_url.clone(),
            database_url: self.embedded.database_url(),
            nats_url: self.embedded.nats_url(),
            organization_id: demo.organization,
            tokens,
        };
        descriptor.write(self.embedded.path()).context("writing dev.json")?;
        welcome::print(&descriptor, &demo, self.embedded.path());
        Ok(())
    }

    async fn make_demo(&self) -> anyhow::Result<(Demo, Tokens)> {
        let platform_token = self.minter.mint(self.platform_admin, OrganizationId::PLATFORM, Role::PlatformAdmin)?;
        let platform = ApiClient::new(&self.base_url, &platform_token)?;
        let (organization, [organization_admin, compliance_officer, analyst]) = demo::ensure_organization(&platform).await?;
        let admin_token = self.minter.mint(organization_admin, organization, Role::OrganizationAdmin)?;
        let first_day = descriptor::demo_first_day(self.embedded.path(), generator::DAYS)?;
        let reporter = Reporter::detect().for_people_only();
        let (member, program) = demo::ensure_month(&platform.with_token(&admin_token), first_day, &reporter).await?;
        let tokens = Tokens {
            platform_admin: platform_token,
            organization_admin: admin_token,
            compliance_officer: self.minter.mint(compliance_officer, organization, Role::ComplianceOfficer)?,
            analyst: self.minter.mint(analyst, organization, Role::Analyst)?,
            member: self.minter.mint(member, organization, Role::Member)?,
        };
        Ok((Demo { organization, organization_admin, compliance_officer, analyst, member, program }, tokens))
    }
}

/// Signs tokens for a day.
struct Minter(TokenKeys);

impl Minter {
    fn of(settings: &ServerSettings) -> anyhow::Result<Self> {
        let pem = std::fs::read_to_string(&settings.jwt_key_file).context("reading the key that signs tokens")?;
        let keys = TokenKeys::from_pems(&settings.issuer, &settings.audience, [pem.as_str()])?;
        Ok(Self(keys.in_environment(settings.environment.clone()).by_clock(settings.clock.clone())))
    }

    fn mint(&self, user: UserId, organization: OrganizationId, role: Role) -> anyhow::Result<String> {
        Ok(self.0.mint(user, organization, [role], TOKEN_TTL)?)
    }
}
