//! The running binary, `palmares dev`, and a caller of it.

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How the first line begins that `palmares dev` prints, once it answers requests.
const READY_LINE: &str = "Palmares is ready";
const READY_PATIENCE: Duration = Duration::from_secs(120);

/// `palmares dev` on a folder of its own, stopped and removed at the end.
pub struct Running {
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
    /// Starts the binary that was built beside this program.
    pub async fn start() -> anyhow::Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("palmares");
        ensure!(binary.exists(), "{} is not built", binary.display());
        Self::start_at(&binary).await
    }

    async fn start_at(binary: &Path) -> anyhow::Result<Self> {
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

    /// The administrator of the demo organization.
    pub fn administrator(&self) -> anyhow::Result<Caller> {
        let dev: Value = serde_json::from_slice(&std::fs::read(self.folder.join("dev.json"))?)?;
        let (base, token) = (text(&dev["base_url"])?, text(&dev["tokens"]["organization_admin"])?);
        Ok(Caller { http: reqwest::Client::new(), base, token })
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

/// Somebody with a token.
#[derive(Clone)]
pub struct Caller {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Caller {
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.http.post(format!("{}/api/v1/{path}", self.base)).bearer_auth(&self.token);
        answered(path, request.header("Prefer", "wait=30").json(body)).await
    }

    /// A request without the token.
    pub async fn knock(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        answered(path, self.http.post(format!("{}/api/v1/{path}", self.base)).json(body)).await
    }

    /// The figures that the server tells of itself.
    pub async fn metrics(&self) -> anyhow::Result<String> {
        Ok(self.http.get(format!("{}/metrics", self.base)).send().await?.error_for_status()?.text().await?)
    }
}

async fn answered(path: &str, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
    let response = request.send().await?;
    let status = response.status();
    let answer = response.text().await?;
    ensure!(status.is_success(), "{path} answered {status}: {answer}");
    Ok(serde_json::from_str(&answer)?)
}

/// A text in an answer.
pub fn text(value: &Value) -> anyhow::Result<String> {
    value.as_str().map(str::to_owned).with_context(|| format!("{value} is no text"))
}
