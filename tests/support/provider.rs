//! An identity provider of a test's own: the npm package `oidc-provider` in a process, and a browser
//! that signs in there.

use super::running::{PATIENCE, running};
use palmares::cli::dev::embedded::unix::{Signal, contain};
use reqwest::{Client, Method, header};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

/// What the provider's clients are known by, both of them.
pub const CLIENT_SECRET: &str = "a secret of the client that is long enough";
pub const CLIENTS: [&str; 2] = ["palmares", "another"];

/// A provider that runs as long as this lives.
pub struct IdentityProvider {
    child: Child,
    pub issuer: String,
    claims_in_token: bool,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Makes sure that the package is there, once.
fn installed() -> PathBuf {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let script = Command::new(root().join("scripts/install-provider.sh")).output().expect("the script runs");
        assert!(script.status.success(), "{}", String::from_utf8_lossy(&script.stderr));
    });
    root().join(".tools/oidc/node_modules")
}

impl IdentityProvider {
    /// Starts one. `claims_in_token`: whether it tells the address in the ID token, or, as the standard
    /// has it, only when it is asked for the user's info.
    pub fn start(claims_in_token: bool) -> Self {
        Self::start_on(0, claims_in_token)
    }

    fn start_on(port: u16, claims_in_token: bool) -> Self {
        let callback = format!("{}/api/v1/auth/oidc/callback", running().descriptor.base_url);
        let clients = CLIENTS.map(|id| json!({ "client_id": id, "client_secret": CLIENT_SECRET, "redirect_uris": [callback] }));
        let settings = json!({ "port": port, "claims_in_token": claims_in_token, "clients": clients });
        let mut command = Command::new("node");
        command.arg(root().join("tests/oidc/provider.mjs")).arg(installed()).arg(settings.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        contain(&mut command, None, Signal::Kill);
        let mut child = command.spawn().expect("node starts");
        let mut issuer = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut issuer).expect("a line");
        assert!(issuer.starts_with("http://127.0.0.1:"), "the provider did not start: {issuer}");
        Self { child, issuer: issuer.trim().to_owned(), claims_in_token }
    }

    /// Ends it and starts another one at the same address: with another key, and knowing nobody.
    pub fn restarted(self) -> Self {
        let port = self.issuer.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let claims_in_token = self.claims_in_token;
        drop(self);
        Self::start_on(port, claims_in_token)
    }

    /// Gives it an account.
    pub async fn knows(&self, account: &str, claims: &Value) {
        let http = Client::builder().no_proxy().build().expect("a client");
        let put = http.put(format!("{}/accounts/{account}", self.issuer)).json(claims).send().await.expect("the provider answers");
        assert_eq!(put.status(), 204);
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody's browser: it keeps cookies, and goes where it is sent when it is told to.
pub struct Browser {
    http: Client,
    cookies: BTreeMap<String, String>,
}

/// What a browser sees.
pub struct Page {
    pub status: u16,
    pub location: Option<String>,
    pub headers: header::HeaderMap,
    pub body: Value,
}

impl Page {
    #[track_caller]
    pub fn location(&self) -> &str {
        self.location.as_deref().unwrap_or_else(|| panic!("sent nowhere: {} {}", self.status, self.body))
    }

    #[track_caller]
    pub fn refused(&self, status: u16, reason: &str) {
        assert_eq!((self.status, self.body["reason"].as_str()), (status, Some(reason)), "{}", self.body);
    }
}

impl Browser {
    pub fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        // The provider closes connections that idle for five seconds, perhaps just when one is used again.
        let http = Client::builder().no_proxy().pool_max_idle_per_host(0);
        let http = http.redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build();
        Self { http: http.expect("a client"), cookies: BTreeMap::new() }
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Opens a page of the system under test.
    pub async fn open(&mut self, path: &str) -> Page {
        self.go(Method::GET, &format!("{}/api/v1{path}", running().descriptor.base_url), "").await
    }

    pub async fn go(&mut self, method: Method, url: &str, form: &str) -> Page {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.http.request(method, url).header(header::COOKIE, cookies.join("; "));
        if !form.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.to_owned());
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for set in headers.get_all(header::SET_COOKIE) {
            let set = set.to_str().expect("a cookie");
            let (name, value) = set.split(';').next().and_then(|pair| pair.split_once('=')).expect("a name and a value");
            match value.is_empty() {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        let location = headers.get(header::LOCATION).map(|location| location.to_str().expect("a location"));
        let base = reqwest::Url::parse(url).expect("an address");
        let location = location.map(|location| base.join(location).expect("an address").to_string());
        let body = response.bytes().await.expect("the whole answer");
        Page { status, location, headers, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
    }

    /// Goes to the provider, logs in as `account`, and stops where the provider sends it back to.
    pub async fn log_in(&mut self, at_provider: &str, account: &str) -> String {
        let callback = running().descriptor.base_url.as_str();
        let mut at = at_provider.to_owned();
        for _ in 0..10 {
            let (method, form) = match at.contains("/interaction/") {
                true => (Method::POST, format!("account={account}")),
                false => (Method::GET, String::new()),
            };
            let page = self.go(method, &at, &form).await;
            at = page.location().to_owned();
            if at.starts_with(callback) {
                return at;
            }
        }
        panic!("the provider sends the browser in a circle: {at}")
    }

    /// Opens what the provider sent back.
    pub async fn come_back(&mut self, url: &str) -> Page {
        self.go(Method::GET, url, "").await
    }
}
