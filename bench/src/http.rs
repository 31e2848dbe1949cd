//! Holds over HTTP, through the whole gate, on the running binary.

use crate::Plan;
use crate::load::{closed_loop, mix};
use crate::results::{self, Row};
use anyhow::{Context, bail, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

const CALLERS: [usize; 2] = [1, 64];
const MEMBERS: usize = 500;
/// How the first line begins that `palmares dev` prints, once it answers requests.
const READY_LINE: &str = "Palmares is ready";
const READY_PATIENCE: Duration = Duration::from_secs(120);

pub async fn measure(plan: &Plan) -> anyhow::Result<()> {
    let binary = std::env::current_exe()?.with_file_name("palmares");
    ensure!(binary.exists(), "{} is not built", binary.display());
    let running = Running::start(&binary).await?;
    let client = Arc::new(running.client().await?);
    let mut rows = Vec::new();
    for _ in 0..plan.runs {
        for callers in CALLERS {
            let client = client.clone();
            let command = move |number| {
                let client = client.clone();
                async move { client.place_hold(number).await }
            };
            rows.push(Row::of("HTTP, whole gate", callers, closed_loop(callers, plan.span, command).await?));
        }
    }
    results::write("http", &results::medians(&rows))
}

/// `palmares dev` on a folder of its own, stopped and removed at the end.
struct Running {
    child: Child,
    folder: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGTERM lets it stop its children, which a kill would not.
        let stopped = Command::new("kill").arg(self.child.id().to_string()).status().and_then(|_| self.child.wait());
        if let Err(error) = stopped.and_then(|_| std::fs::remove_dir_all(&self.folder)) {
            eprintln!("{} is left behind: {error}", self.folder.display());
        }
    }
}

impl Running {
    async fn start(binary: &Path) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("palmares-bench-http-{}", std::process::id()));
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(binary);
        command.args(["dev", "--port", &port.to_string(), "--data-dir"]).arg(&folder).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Self { child: command.spawn()?, folder };
        let output = running.child.stdout.take().context("the output of palmares dev is not a pipe")?;
        let (tell, told) = oneshot::channel();
        std::thread::spawn(move || follow(output, tell));
        match timeout(READY_PATIENCE, told).await {
            Ok(Ok(())) => Ok(running),
            // Its output has ended, and so has the process, or is about to.
            Ok(Err(_)) => bail!("palmares dev has ended with {}", running.child.wait()?),
            Err(_) => bail!("palmares dev is not ready after {READY_PATIENCE:?}"),
        }
    }

    /// A program and members with points in it.
    async fn client(&self) -> anyhow::Result<Client> {
        let dev: Value = serde_json::from_slice(&std::fs::read(self.folder.join("dev.json"))?)?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("dev.json is not as expected");
        let (base, token) = (text(&dev["base_url"])?, text(&dev["tokens"]["organization_admin"])?);
        let mut client = Client { http: reqwest::Client::new(), base, token, program: String::new(), members: Vec::new() };
        client.program = text(&client.post("points/programs", &json!({ "name": "bench" })).await?["id"])?;
        let made = stream::iter((0..MEMBERS).map(|number| client.member(number))).buffer_unordered(16).try_collect().await?;
        client.members = made;
        Ok(client)
    }
}

/// Tells when the server says that it is ready, and reads on, so that the pipe never fills.
fn follow(output: ChildStdout, tell: oneshot::Sender<()>) {
    let mut tell = Some(tell);
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if line.starts_with(READY_LINE)
            && let Some(tell) = tell.take()
        {
            // Nobody waits any more where the patience was at its end.
            let _ = tell.send(());
        }
    }
}

struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
    program: String,
    members: Vec<String>,
}

impl Client {
    async fn member(&self, number: usize) -> anyhow::Result<String> {
        let user = self.post("users", &json!({ "external_ref": format!("bench-{number}"), "role": "member" })).await?;
        let id = user["id"].as_str().context("a created user has an id")?.to_owned();
        let credit = json!({ "program_id": self.program, "user_id": id, "amount": 1_000_000, "reason": "bench" });
        // A reactor resolves the credit: until then there is nothing to hold.
        let credited = self.post("points/credits", &credit).await?;
        ensure!(credited["status"] == "RESOLVED", "the credit is not resolved: {credited}");
        Ok(id)
    }

    async fn place_hold(&self, number: u64) -> anyhow::Result<()> {
        self.hold(&self.members[(mix(number) % self.members.len() as u64) as usize]).await
    }

    async fn hold(&self, user: &str) -> anyhow::Result<()> {
        let body = json!({ "program_id": self.program, "user_id": user, "amount": 1, "reason": "bench" });
        self.post("points/holds", &body).await.map(drop)
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request =
            self.http.post(format!("{}/api/v1/{path}", self.base)).bearer_auth(&self.token).header("Prefer", "wait=30").json(body);
        let response = request.send().await?;
        let status = response.status();
        let answer = response.text().await?;
        ensure!(status.is_success(), "{path} answered {status}: {answer}");
        Ok(serde_json::from_str(&answer)?)
    }
}
