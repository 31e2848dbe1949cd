//! A `palmares dev` of the test's own, whose processes it kills.

use crate::support::running::{AUDIENCE, ISSUER, PALMARES};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use palmares::{
    cli::dev::{
        Descriptor, Tokens,
        embedded::{
            EmbeddedOptions,
            unix::{self, Signal, contain},
        },
    },
    pipeline::{Environment, TokenKeys, tokens::Claims},
};
use palmares_domain::kernel::OrganizationId;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use std::{
    fs::{self, OpenOptions},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

const START_PATIENCE: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Longer than any test puts the clock of a server ahead.
pub const YEARS: Duration = Duration::from_secs(20 * 366 * 24 * 60 * 60);

/// What is killed.
#[derive(Clone, Copy, Debug)]
pub enum Victim {
    Server,
    Postgres,
    Nats,
}

impl Victim {
    pub const ALL: [Victim; 3] = [Victim::Postgres, Victim::Nats, Victim::Server];
}

/// The system under test. Dropping it stops everything and removes its folder.
pub struct World {
    pub data_dir: PathBuf,
    pub base_url: String,
    port: u16,
    server: Child,
    /// By how many days the server is ahead of time.
    ahead_days: u64,
}

impl World {
    /// Starts a new system and waits until its demo is there. Blocking, and to be called from a
    /// thread that outlives the world: the kernel ends the server together with that thread.
    pub fn start() -> Self {
        let data_dir = EmbeddedOptions::temporary().data_dir;
        fs::create_dir_all(&data_dir).expect("a folder for the system");
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("a free port").port();
        let server = launch(&data_dir, port, 0);
        let mut world = Self { base_url: format!("http://127.0.0.1:{port}"), data_dir, port, server, ahead_days: 0 };
        world.wait("the system is ready", |world| Descriptor::read(&world.data_dir).is_ok());
        world
    }

    /// Where everything is, with tokens that are good however far ahead the server will be.
    pub fn descriptor(&self) -> Descriptor {
        let mut told = Descriptor::read(&self.data_dir).expect("the system has told where it is");
        let Tokens { platform_admin, organization_admin, compliance_officer, analyst, member } = &mut told.tokens;
        for token in [platform_admin, organization_admin, compliance_officer, analyst, member] {
            *token = self.for_years(token);
        }
        told
    }

    /// What a token says, signed for years.
    fn for_years(&self, token: &str) -> String {
        let claims = token.split('.').nth(1).and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok()).expect("a token");
        let Claims { sub, org, roles, .. } = serde_json::from_slice(&claims).expect("claims");
        self.token_keys().mint(sub, org, roles, YEARS).expect("a token")
    }

    /// The keys that sign its tokens, by the system's clock.
    pub fn token_keys(&self) -> TokenKeys {
        let pem = fs::read_to_string(self.data_dir.join("keys/jwt.pem")).expect("the key that signs tokens");
        let keys = TokenKeys::from_pems(ISSUER, AUDIENCE, [pem.as_str()]).expect("a key");
        keys.in_environment(Environment::development())
    }

    /// Kills the server and starts it so many days ahead of time.
    pub fn ahead(&mut self, days: u64) {
        self.ahead_days = days;
        self.kill(Victim::Server);
    }

    pub fn log_path(&self) -> PathBuf {
        log_path(&self.data_dir)
    }

    /// What `palmares verify-log` says: whether all is as it was signed, and each line.
    pub fn verify_log(&self) -> (bool, Vec<Value>) {
        let mut verify = Command::new(PALMARES);
        verify.args(["verify-log", "--clock-ahead-days", &self.ahead_days.to_string()]);
        let keys = self.data_dir.join("keys");
        verify.arg("--master-key-file").arg(keys.join("master.key")).arg("--key-dir").arg(keys.join("epochs"));
        verify.args(["--database-url", &self.descriptor().database_url, "--log-checkpoint-file"]);
        let told = verify.arg(self.data_dir.join("log-checkpoint")).output().expect("it runs");
        let lines = String::from_utf8_lossy(&told.stdout).lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        assert!(matches!(told.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&told.stderr));
        (told.status.success(), lines)
    }

    /// Kills without warning. What `palmares dev` supervises, it starts again; itself it is started here.
    pub fn kill(&mut self, victim: Victim) {
        match victim {
            Victim::Server => {
                self.server.kill().expect("the server is killed");
                self.server.wait().expect("the server has ended");
                self.server = launch(&self.data_dir, self.port, self.ahead_days);
            }
            Victim::Postgres => self.kill_child("postgres/postmaster.pid", "postgres"),
            Victim::Nats => self.kill_child("nats/nats.pid", "nats-server"),
        }
    }

    fn kill_child(&mut self, pid_file: &str, program: &str) {
        let mut killed = false;
        self.wait("a child to kill", |world| {
            let text = fs::read_to_string(world.data_dir.join(pid_file)).unwrap_or_default();
            let pid = text.lines().next().and_then(|line| line.trim().parse::<u32>().ok());
            // A pid file may outlive its process, whose number may then be another's.
            let ours = |pid: &u32| {
                let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                let command = String::from_utf8_lossy(&command).into_owned();
                command.contains(program) && command.contains(&*world.data_dir.to_string_lossy())
            };
            killed = pid.filter(ours).is_some_and(|pid| unix::send(pid, Signal::Kill));
            killed
        });
        assert!(killed);
    }

    fn wait(&mut self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + START_PATIENCE;
        while !condition(self) {
            let ended = self.server.try_wait().expect("the server can be asked after");
            assert!(ended.is_none(), "palmares dev ended: {}", self.log());
            assert!(Instant::now() < deadline, "not in time: {what}: {}", self.log());
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// The end of what the server has said.
    pub fn log(&self) -> String {
        let log = fs::read_to_string(log_path(&self.data_dir)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if unix::send(self.server.id(), Signal::Terminate) {
            let _ = self.server.wait();
        }
        let _ = fs::remove_dir_all(&self.data_dir);
        let _ = fs::remove_file(log_path(&self.data_dir));
    }
}

fn log_path(data_dir: &std::path::Path) -> PathBuf {
    data_dir.with_extension("log")
}

fn launch(data_dir: &std::path::Path, port: u16, ahead_days: u64) -> Child {
    let log = OpenOptions::new().create(true).append(true).open(log_path(data_dir)).expect("a file for the log");
    let mut command = Command::new(PALMARES);
    command.args(["dev", "--port", &port.to_string(), "--clock-ahead-days", &ahead_days.to_string(), "--data-dir"]).arg(data_dir);
    command.stdout(log.try_clone().expect("the log, twice")).stderr(log);
    contain(&mut command, None, Signal::Terminate);
    command.spawn().expect("palmares starts")
}

/// An administrator of the demo organization, over HTTP.
#[derive(Clone)]
pub struct Caller {
    http: reqwest::Client,
    base_url: String,
    token: String,
    /// Where somebody of the platform acts.
    organization: Option<OrganizationId>,
}

impl Caller {
    pub fn new(base_url: &str, token: &str) -> Self {
        // There are two providers in the build; the first to ask decides, and all decide alike.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().expect("a client");
        Self { http, base_url: base_url.to_owned(), token: token.to_owned(), organization: None }
    }

    /// The same caller, acting in another organization.
    pub fn in_organization(&self, organization: OrganizationId) -> Self {
        Self { organization: Some(organization), ..self.clone() }
    }

    /// Sends a command, which is accepted.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let response = self.request(Method::POST, path).json(&body).send().await.expect("the server answers");
        let status = response.status();
        let body: Value = response.json().await.expect("JSON");
        assert!(status.is_success(), "{path}: {body}");
        body
    }

    /// Comes in by a door, as nobody.
    pub async fn enter(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}/api/v1{path}", self.base_url)).json(&body);
        let response = request.send().await.expect("the server answers");
        let status = response.status();
        let body: Value = response.json().await.expect("JSON");
        assert!(status.is_success(), "{path}: {body}");
        body
    }

    /// The status of what is answered.
    pub async fn status(&self, method: Method, path: &str, body: &Value) -> u16 {
        let request = self.request(method, path);
        let request = if body.is_null() { request } else { request.json(body) };
        request.send().await.expect("the server answers").status().as_u16()
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/api/v1{path}", self.base_url)).bearer_auth(&self.token);
        match self.organization {
            Some(organization) => request.header("Palmares-Organization", organization.to_string()),
            None => request,
        }
    }
}
