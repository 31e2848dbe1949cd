//! The settings of a server: from flags or the environment, complete and sane or refused.

mod key_store;
mod variables;

pub use key_store::{KeyStoreArgs, KeyStoreSettings, VaultArgs};
pub use variables::ENVIRONMENT;

use super::sealing::{SealingArgs, SealingSettings};
use crate::{
    captcha::CaptchaSettings,
    mail::MailSettings,
    pipeline::Environment,
    sms::{SECRET_FILE, SmsSettings},
};
use clap::{Args, ValueEnum};
use palmares_commands::engine::{CACHE_BYTES_DEFAULT, Clock};
use std::{net::SocketAddr, path::PathBuf};

/// Requests per 5 minutes and address (P-26).
pub const RATE_LIMIT_IP: u32 = 2_000;

/// What a process does. Any number of each may run beside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ServerRole {
    /// Serves requests.
    Api,
    /// Relays the log, runs projectors and reactors; serves only health and metrics.
    Worker,
    /// Both.
    All,
}

impl ServerRole {
    pub fn serves_requests(self) -> bool {
        matches!(self, ServerRole::Api | ServerRole::All)
    }

    pub fn runs_workers(self) -> bool {
        matches!(self, ServerRole::Worker | ServerRole::All)
    }
}

/// Complete settings.
#[derive(Clone)]
pub struct ServerSettings {
    pub database_url: String,
    pub nats_url: String,
    /// Copies of the stream in a NATS cluster.
    pub nats_replicas: usize,
    pub bind: SocketAddr,
    pub role: ServerRole,
    pub keys: KeyStoreSettings,
    pub jwt_key_file: PathBuf,
    /// What seals the log, where something does.
    pub sealing: Option<SealingSettings>,
    pub issuer: String,
    pub audience: String,
    pub environment: Environment,
    /// Where people reach the system, without a slash at the end.
    pub public_url: String,
    /// The mail server, where there is one.
    pub mail: Option<MailSettings>,
    /// The gateway of text messages, where there is one.
    pub sms: Option<SmsSettings>,
    /// Requests per 5 minutes and address.
    pub rate_limit_ip: u32,
    /// How many proxies stand before it, each of which adds to `X-Forwarded-For` whom it saw.
    pub trusted_proxies: u8,
    /// Bytes of states that stay in memory, as an estimate.
    pub cache_bytes: usize,
    /// The DNS server to ask; none for those of the machine.
    pub dns_server: Option<SocketAddr>,
    /// Passwords that are known to be stolen.
    pub breached_passwords_file: Option<PathBuf>,
    /// The secrets by which identity providers know us, in a folder per organization.
    pub secrets_dir: Option<PathBuf>,
    /// The service that sets challenges to those who sign up, where there is one.
    pub captcha: Option<CaptchaSettings>,
    /// Whether identity providers on this machine may do without TLS: `palmares dev` alone.
    pub insecure_issuers: bool,
    /// The time by which this process decides, signs and accepts: ahead of the system's in `palmares dev` alone.
    pub clock: Clock,
}

/// The settings as they were given: each may be missing. `doctor` looks at them one by one.
#[derive(Args, Clone)]
pub struct GivenSettings {
    /// PostgreSQL, as the owner of the database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// NATS with JetStream
    #[arg(long, env = "NATS_URL", hide_env_values = true)]
    pub nats_url: Option<String>,
    /// Copies of the stream in a NATS cluster
    #[arg(long, env = "PALMARES_NATS_REPLICAS", default_value_t = 1)]
    pub nats_replicas: usize,
    /// Address and port to serve on
    #[arg(long, env = "PALMARES_BIND", default_value = "127.0.0.1:8080")]
    pub bind: SocketAddr,
    /// What this process does
    #[arg(long, env = "PALMARES_ROLE", default_value = "all")]
    pub role: ServerRole,
    #[command(flatten)]
    pub keys: KeyStoreArgs,
    #[command(flatten)]
    pub sealing: SealingArgs,
    #[command(flatten)]
    pub tokens: TokenSettings,
    #[command(flatten)]
    pub letters: LetterSettings,
    /// Requests per 5 minutes and address
    #[arg(long, env = "PALMARES_RATE_LIMIT_IP", default_value_t = RATE_LIMIT_IP)]
    pub rate_limit_ip: u32,
    /// Proxies before it, each of which adds to X-Forwarded-For whom it saw; with none the header is not believed
    #[arg(long, env = "PALMARES_TRUSTED_PROXIES", default_value_t = 0)]
    pub trusted_proxies: u8,
    /// Bytes of states that stay in memory, as an estimate
    #[arg(long, env = "PALMARES_CACHE_BYTES", default_value_t = CACHE_BYTES_DEFAULT)]
    pub cache_bytes: usize,
    /// The DNS server that proves domains, in place of those that the machine asks
    #[arg(long, env = "PALMARES_DNS_SERVER")]
    pub dns_server: Option<SocketAddr>,
    /// List of stolen passwords: SHA-1 in hexadecimal, one in a line, in order
    #[arg(long, env = "PALMARES_BREACHED_PASSWORDS_FILE")]
    pub breached_passwords_file: Option<PathBuf>,
    /// Folder of the secrets by which identity providers know us
    #[arg(long, env = "PALMARES_SECRETS_DIR")]
    pub secrets_dir: Option<PathBuf>,
    #[command(flatten)]
    pub challenges: ChallengeSettings,
}

/// Who sets challenges to those who sign up.
#[derive(Args, Clone, Default)]
pub struct ChallengeSettings {
    /// Where a service says whether a challenge was solved (siteverify)
    #[arg(long, env = "PALMARES_CAPTCHA_URL")]
    pub captcha_url: Option<String>,
    /// By which that service knows us
    #[arg(long, env = "PALMARES_CAPTCHA_SECRET", hide_env_values = true)]
    pub captcha_secret: Option<String>,
}

/// How tokens are signed.
#[derive(Args, Clone, Default)]
pub struct TokenSettings {
    /// File with the Ed25519 keys of tokens: the first private one signs, all verify
    #[arg(long, env = "PALMARES_JWT_KEY_FILE")]
    pub jwt_key_file: Option<PathBuf>,
    /// `iss` of the tokens
    #[arg(long, env = "PALMARES_ISSUER")]
    pub issuer: Option<String>,
    /// `aud` of the tokens
    #[arg(long, env = "PALMARES_AUDIENCE")]
    pub audience: Option<String>,
    /// `env` of the tokens: letters, digits and dashes
    #[arg(long, env = "PALMARES_ENVIRONMENT", default_value_t)]
    pub environment: Environment,
}

/// How letters are sent.
#[derive(Args, Clone, Default)]
pub struct LetterSettings {
    /// Address under which people reach the system, for the links in letters
    #[arg(long, env = "PALMARES_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Mail server for letters
    #[arg(long, env = "PALMARES_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// Sender of letters
    #[arg(long, env = "PALMARES_MAIL_FROM")]
    pub mail_from: Option<String>,
    /// Gateway of text messages
    #[arg(long, env = "PALMARES_SMS_URL")]
    pub sms_url: Option<String>,
}

/// Settings that are not given, by the names of their variables.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} not set: give the variables or the flags of the same names (`palmares serve --help`)", list(.0))]
pub struct MissingSettings(pub Vec<&'static str>);

fn list(names: &[&str]) -> String {
    format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}

impl GivenSettings {
    /// The complete settings.
    ///
    /// # Errors
    /// The names of all that are missing, at once.
    pub fn complete(&self) -> Result<ServerSettings, MissingSettings> {
        let mut missing = Missing::default();
        let settings = ServerSettings {
            database_url: missing.take(&self.database_url, "DATABASE_URL"),
            nats_url: missing.take(&self.nats_url, "NATS_URL"),
            nats_replicas: self.nats_replicas,
            bind: self.bind,
            role: self.role,
            keys: self.keys.complete(&mut missing),
            jwt_key_file: missing.take(&self.tokens.jwt_key_file, "PALMARES_JWT_KEY_FILE"),
            sealing: self.sealing.complete(|path, name| missing.take(path, name)),
            issuer: missing.take(&self.tokens.issuer, "PALMARES_ISSUER"),
            audience: missing.take(&self.tokens.audience, "PALMARES_AUDIENCE"),
            environment: self.tokens.environment.clone(),
            public_url: self.letters.public_url(self.bind),
            mail: self.letters.mail(&mut missing),
            sms: self.letters.sms(&self.secrets_dir, &mut missing),
            rate_limit_ip: self.rate_limit_ip,
            trusted_proxies: self.trusted_proxies,
            cache_bytes: self.cache_bytes,
            dns_server: self.dns_server,
            breached_passwords_file: self.breached_passwords_file.clone(),
            secrets_dir: self.secrets_dir.clone(),
            captcha: self.challenges.captcha(&mut missing),
            insecure_issuers: false,
            clock: Clock::default(),
        };
        missing.none().map(|()| settings)
    }
}

impl TokenSettings {
    /// Key file, issuer and audience.
    pub fn complete(&self) -> Result<(PathBuf, String, String), MissingSettings> {
        let mut missing = Missing::default();
        let key = missing.take(&self.jwt_key_file, "PALMARES_JWT_KEY_FILE");
        let issuer = missing.take(&self.issuer, "PALMARES_ISSUER");
        let audience = missing.take(&self.audience, "PALMARES_AUDIENCE");
        missing.none().map(|()| (key, issuer, audience))
    }
}

impl LetterSettings {
    fn public_url(&self, bind: SocketAddr) -> String {
        let own = || format!("http://{bind}");
        given(&self.public_url).map_or_else(own, |url| url.trim_end_matches('/').to_owned())
    }

    /// A mail server needs a sender.
    fn mail(&self, missing: &mut Missing) -> Option<MailSettings> {
        let smtp_url = given(&self.smtp_url)?.to_owned();
        let from = given(&self.mail_from).map(str::to_owned);
        Some(MailSettings { smtp_url, from: missing.take(&from, "PALMARES_MAIL_FROM") })
    }

    /// A gateway needs a secret, and whoever has a telephone is written to by mail as well.
    fn sms(&self, secrets_dir: &Option<PathBuf>, missing: &mut Missing) -> Option<SmsSettings> {
        let url = given(&self.sms_url)?.to_owned();
        missing.take(&given(&self.smtp_url), "PALMARES_SMTP_URL");
        Some(SmsSettings { url, secret_file: missing.take(secrets_dir, "PALMARES_SECRETS_DIR").join(SECRET_FILE) })
    }
}

impl ChallengeSettings {
    /// The service, where there is one.
    ///
    /// # Errors
    /// A service without the secret by which it knows us.
    pub fn complete(&self) -> Result<Option<CaptchaSettings>, MissingSettings> {
        let mut missing = Missing::default();
        let captcha = self.captcha(&mut missing);
        missing.none().map(|()| captcha)
    }

    fn captcha(&self, missing: &mut Missing) -> Option<CaptchaSettings> {
        let url = given(&self.captcha_url)?.to_owned();
        let secret = given(&self.captcha_secret).map(str::to_owned);
        Some(CaptchaSettings { url, secret: missing.take(&secret, "PALMARES_CAPTCHA_SECRET") })
    }
}

/// A setting that may be left out: a compose file sets what it does not know to nothing.
fn given(value: &Option<String>) -> Option<&str> {
    value.as_deref().filter(|value| !value.is_empty())
}

/// Collects what is not given, so that it is told in one line.
#[derive(Default)]
struct Missing(Vec<&'static str>);

impl Missing {
    fn take<T: Clone + Default>(&mut self, value: &Option<T>, name: &'static str) -> T {
        if value.is_none() {
            self.0.push(name);
        }
        value.clone().unwrap_or_default()
    }

    fn none(self) -> Result<(), MissingSettings> {
        if self.0.is_empty() { Ok(()) } else { Err(MissingSettings(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_missing_settings_are_named_at_once() {
        let given = GivenSettings {
            database_url: None,
            nats_url: Some("nats://127.0.0.1".to_owned()),
            nats_replicas: 1,
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            role: ServerRole::All,
            keys: KeyStoreArgs::default(),
            sealing: SealingArgs::default(),
            tokens: TokenSettings::default(),
            letters: LetterSettings { smtp_url: Some("smtp://127.0.0.1".to_owned()), ..LetterSettings::default() },
            rate_limit_ip: RATE_LIMIT_IP,
            trusted_proxies: 0,
            breached_passwords_file: None,
            secrets_dir: None,
            challenges: ChallengeSettings { captcha_url: Some("https://captcha.test/siteverify".to_owned()), captcha_secret: None },
            cache_bytes: CACHE_BYTES_DEFAULT,
            dns_server: None,
        };
        let missing = given.complete().err().expect("most are missing").to_string();
        for name in [
            "DATABASE_URL",
            "PALMARES_MASTER_KEY_FILE",
            "PALMARES_KEY_DIR",
            "PALMARES_JWT_KEY_FILE",
            "PALMARES_ISSUER",
            "PALMARES_AUDIENCE",
            "PALMARES_MAIL_FROM",
            "PALMARES_CAPTCHA_SECRET",
        ] {
            assert!(missing.contains(name), "{missing}");
        }
        assert!(!missing.contains("NATS_URL") && !missing.contains('\n'));
    }

    #[test]
    fn vault_takes_the_place_of_the_files_and_needs_a_token() {
        let asked = |address: &str, token: Option<&str>| {
            let mut missing = Missing::default();
            let args = VaultArgs { address: Some(address.to_owned()), token_file: token.map(PathBuf::from), ..VaultArgs::default() };
            (args.settings(&mut missing).is_some(), missing.none().map_err(|missing| missing.to_string()))
        };
        assert_eq!(asked("https://vault:8200", Some("/run/token")), (true, Ok(())));
        assert_eq!(asked("", None), (false, Ok(())));
        assert!(asked("https://vault:8200", None).1.unwrap_err().contains("PALMARES_VAULT_TOKEN_FILE"));
        assert!(asked("vault", Some("/run/token")).1.unwrap_err().contains("PALMARES_VAULT_ADDR"));
    }

    #[test]
    fn without_a_mail_server_nothing_of_mail_is_missing_and_links_lead_to_where_it_serves() {
        let (mut missing, bind) = (Missing::default(), SocketAddr::from(([127, 0, 0, 1], 8080)));
        let unset = LetterSettings { smtp_url: Some(String::new()), public_url: Some(String::new()), mail_from: None, sms_url: None };
        assert!(unset.mail(&mut missing).is_none() && missing.none().is_ok());
        assert_eq!(unset.public_url(bind), "http://127.0.0.1:8080");
        let public = LetterSettings { public_url: Some("https://palmares.test/".to_owned()), ..unset };
        assert_eq!(public.public_url(bind), "https://palmares.test");
    }

    #[test]
    fn every_variable_is_explained_once() {
        let mut names: Vec<&str> = ENVIRONMENT.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ENVIRONMENT.len());
        assert!(ENVIRONMENT.iter().all(|(_, meaning)| !meaning.is_empty()));
    }
}
