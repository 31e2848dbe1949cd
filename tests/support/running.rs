//! One running `palmares dev` for every test over HTTP, and an organization of its own for each test.

use palmares::{
    cli::dev::{
        Descriptor,
        embedded::{
            EmbeddedOptions,
            unix::{Signal, contain},
        },
    },
    pipeline::{Environment, TokenKeys},
};
use palmares_domain::{
    identity::{Role, RoleRef},
    kernel::{OrganizationId, UserId},
};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// The binary under test.
pub const PALMARES: &str = env!("CARGO_BIN_EXE_palmares");
/// A development system signs and accepts tokens under these names.
pub const ISSUER: &str = "palmares-dev";
pub const AUDIENCE: &str = "palmares";

const START_PATIENCE: Duration = Duration::from_secs(180);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long a read may wait for the read models, and a condition to come true.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The system that all tests share. Nobody kills it: fault tests start their own.
pub struct Running {
    pub descriptor: Descriptor,
    /// The key that signs its tokens.
    pub pem: String,
    /// The folder of everything that it keeps.
    pub data_dir: PathBuf,
}

/// Starts the system at the first call. It ends with this process, and its folder is swept away later.
pub fn running() -> &'static Running {
    static RUNNING: OnceLock<Running> = OnceLock::new();
    RUNNING.get_or_init(|| {
        let data_dir = EmbeddedOptions::temporary().data_dir;
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("running.log");
        let mut starting = keep_running(data_dir.clone(), &log);
        let told = || std::fs::read_to_string(&log).unwrap_or_default();
        let deadline = Instant::now() + START_PATIENCE;
        // The descriptor is written last, when the system serves and the demo is there.
        let descriptor = loop {
            if let Ok(descriptor) = Descriptor::read(&data_dir) {
                break descriptor;
            }
            assert!(starting.has_not_ended(), "palmares dev ended: {}", told());
            assert!(Instant::now() < deadline, "palmares dev did not start in time: {}", told());
            thread::sleep(LOOK_AGAIN);
        };
        let pem = std::fs::read_to_string(data_dir.join("keys/jwt.pem")).expect("the key that signs tokens");
        Running { descriptor, pem, data_dir }
    })
}

/// Learns from the thread that waits for the child when it has ended.
struct Starting(mpsc::Receiver<()>);

impl Starting {
    fn has_not_ended(&mut self) -> bool {
        matches!(self.0.try_recv(), Err(mpsc::TryRecvError::Empty))
    }
}

/// Runs the child from a thread that lives as long as this process, because the kernel ends the
/// child together with the thread that started it.
fn keep_running(data_dir: PathBuf, log: &Path) -> Starting {
    let log = File::create(log).expect("a file for the log");
    let (ended, starting) = mpsc::channel();
    thread::spawn(move || {
        let port = free_port().to_string();
        let mut command = Command::new(PALMARES);
        command.args(["dev", "--port", &port, "--data-dir"]).arg(data_dir);
        // Identity providers of tests are on this machine.
        command.env("NO_PROXY", "127.0.0.1");
        command.env("PALMARES_CAPTCHA_URL", &super::captcha::captcha().url).env("PALMARES_CAPTCHA_SECRET", super::captcha::SECRET);
        command.env("PALMARES_DNS_SERVER", super::dns::dns().address.to_string());
        command.stdout(log.try_clone().expect("the log, twice")).stderr(log);
        contain(&mut command, None, Signal::Terminate);
        let mut child: Child = command.spawn().expect("palmares starts");
        let _ = child.wait();
        let _ = ended.send(());
    });
    Starting(starting)
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// What was answered.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.expect("the whole answer");
        Self { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Asserts a problem: its status, its code, and the form of every problem.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["request_id"], self.header("palmares-request-id"));
        for member in ["type", "title", "reason", "detail"] {
            assert!(self.body[member].as_str().is_some_and(|text| !text.is_empty()), "no {member} in {}", self.body);
        }
        self
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_else(|| panic!("no header {name}"))
    }

    /// The position that a command reached, or up to which a read is complete.
    #[track_caller]
    pub fn position(&self) -> i64 {
        self.header("palmares-position").parse().expect("a position")
    }

    /// An id in the body.
    #[track_caller]
    pub fn id(&self, member: &str) -> String {
        self.body[member].as_str().unwrap_or_else(|| panic!("no {member} in {}", self.body)).to_owned()
    }

    #[track_caller]
    pub fn items(&self) -> &[Value] {
        self.body["items"].as_array().unwrap_or_else(|| panic!("no items in {}", self.body))
    }
}

/// A caller: an address, a token, and possibly another organization to act in.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    token: Option<String>,
    organization: Option<OrganizationId>,
}

impl Client {
    fn new(token: Option<String>) -> Self {
        // There are two providers in the build; the first to ask decides, and all decide alike.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(120)).build().expect("a client");
        Self { http, token, organization: None }
    }

    pub fn anonymous() -> Self {
        Self::new(None)
    }

    /// A caller who comes from an address of this machine (127.0.0.0/8), with a program of this name.
    pub fn coming_from(address: [u8; 4], program: &str) -> Self {
        let plain = Self::new(None);
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(120)).user_agent(program);
        Self { http: http.local_address(std::net::IpAddr::from(address)).build().expect("a client"), ..plain }
    }

    pub fn with_token(&self, token: &str) -> Self {
        Self { http: self.http.clone(), token: Some(token.to_owned()), organization: None }
    }

    pub fn in_organization(&self, organization: OrganizationId) -> Self {
        Self { organization: Some(organization), ..self.clone() }
    }

    pub fn token(&self) -> &str {
        self.token.as_deref().expect("a caller with a token")
    }

    /// A request to a path below `/api/v1`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_at(method, &format!("/api/v1{path}"))
    }

    /// A request to a path from the root.
    pub fn request_at(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", running().descriptor.base_url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(organization) = self.organization {
            request = request.header("Palmares-Organization", organization.to_string());
        }
        request
    }

    pub async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    /// Reads what is true at `position` or later.
    pub async fn get_at(&self, path: &str, position: i64) -> Reply {
        let separator = if path.contains('?') { '&' } else { '?' };
        let request = self.request(Method::GET, &format!("{path}{separator}min_position={position}"));
        Reply::of(request.header("Prefer", "wait=30")).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_with(path, body, &[]).await
    }

    /// A request of any method with a body.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::from_bytes(method.as_bytes()).expect("a method"), path).json(body)).await
    }

    pub async fn post_with(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Reply {
        let request = self.request(Method::POST, path).json(body);
        Reply::of(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }

    /// Every item of a list, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}{separator}limit=200{cursor}")).await.expect(200);
            items.extend_from_slice(page.items());
            match page.body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }
}

/// An organization that only the caller knows, with one user of each role.
pub struct Organization {
    pub id: OrganizationId,
    /// The short name that people sign in under.
    pub slug: String,
    /// The platform's administrator, acting in this organization.
    pub platform: Client,
    pub admin: Client,
    pub officer: Client,
    pub analyst: Client,
    pub member: Client,
    pub member_id: String,
}

/// What signs and verifies as the running system does.
pub fn token_keys() -> TokenKeys {
    let keys = TokenKeys::from_pems(ISSUER, AUDIENCE, [running().pem.as_str()]).expect("the key is a key");
    keys.in_environment(Environment::development())
}

/// A token of a user, good for one role.
pub fn mint(user: &str, organization: OrganizationId, role: impl Into<RoleRef>) -> String {
    let keys = token_keys();
    let user = UserId(user.parse().expect("a user id"));
    keys.mint(user, organization, [role], Duration::from_secs(3600)).expect("a token")
}

/// Makes an organization and its people, as a platform administrator would.
pub async fn fresh_organization() -> Organization {
    let running = tokio::task::spawn_blocking(running).await.expect("the system starts");
    let platform = Client::new(Some(running.descriptor.tokens.platform_admin.clone()));
    let slug = format!("org-{}", Uuid::now_v7().simple());
    let created = platform.post("/organizations", &json!({ "name": "Test", "slug": slug })).await.expect(201);
    let id = OrganizationId(created.id("id").parse().expect("an organization id"));
    let platform = platform.in_organization(id);
    let mut people = Vec::new();
    for role in [Role::OrganizationAdmin, Role::ComplianceOfficer, Role::Analyst, Role::Member] {
        let body = json!({ "external_ref": format!("test-{}", role.name()), "role": role.name() });
        let user = platform.post("/users", &body).await.expect(201).id("id");
        let client = platform.with_token(&mint(&user, id, role));
        people.push((user, client));
    }
    let [(_, admin), (_, officer), (_, analyst), (member_id, member)]: [_; 4] = people.try_into().ok().expect("four people");
    Organization { id, slug, platform, admin, officer, analyst, member, member_id }
}

impl Organization {
    /// Makes another member, and says its id.
    pub async fn add_member(&self, external_ref: &str) -> String {
        self.admin.post("/users", &json!({ "external_ref": external_ref, "role": "member" })).await.expect(201).id("id")
    }

    /// Opens a program without rules.
    pub async fn program(&self) -> String {
        self.admin.post("/points/programs", &json!({ "name": "wellness" })).await.expect(201).id("id")
    }

    /// Opens a program that gives 1 point per 100 steps, at most 150 a day, since the year 2000.
    pub async fn wellness(&self) -> String {
        let program = self.program().await;
        let rule = json!({
            "kind": "activity", "metric": "steps", "per_units": 100, "points": 1, "daily_cap": 150, "effective_from": "2000-01-01",
        });
        self.admin.post(&format!("/points/programs/{program}/rules"), &rule).await.expect(200);
        program
    }

    /// The last position of the log, which all organizations share.
    pub async fn head(&self) -> i64 {
        let listed = self.analyst.get("/projections").await.expect(200);
        let number = |name: &str| listed.items()[0][name].as_i64().expect("a position");
        number("position") + number("lag_positions")
    }

    /// Everything that happened here until now, except who looked at it or was refused, and which
    /// letters went out or what looked wrong, which takes its time.
    pub async fn domain_events(&self) -> Vec<Value> {
        let head = self.head().await;
        self.analyst.get_at("/events?limit=1", head).await.expect(200);
        let mut events = self.analyst.all("/events").await;
        events.retain(|event| !["access_record", "access_anomaly", "letter"].contains(&event["stream"]["type"].as_str().expect("a type")));
        events
    }
}

/// Looks again until something is there.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
