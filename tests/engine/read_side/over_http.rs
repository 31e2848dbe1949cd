//! Rebuilds as an operator asks for them: of a node that serves the API and runs no worker.

use crate::support::{
    running::{AUDIENCE, ISSUER, PALMARES, eventually},
    servers,
};
use palmares::cli::dev::embedded::unix::{Signal, contain};
use palmares_domain::kernel::OrganizationId;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use uuid::Uuid;

/// A system in its parts, as in production, on a database of its own.
struct Deployment {
    folder: PathBuf,
    superuser_url: String,
    environment: Vec<(&'static str, String)>,
    http: reqwest::Client,
}

/// One `palmares serve`.
struct Process {
    child: Child,
    base_url: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Deployment {
    async fn new() -> Self {
        let database = servers::database().await;
        let folder = std::env::temp_dir().join(format!("palmares-keys-{}", Uuid::now_v7().simple()));
        let key = |name: &str| folder.join(name).display().to_string();
        let environment = vec![
            ("DATABASE_URL", database.url),
            ("NATS_URL", servers::embedded().nats_url()),
            ("PALMARES_MASTER_KEY_FILE", key("master.key")),
            ("PALMARES_KEY_DIR", key("epochs")),
            ("PALMARES_JWT_KEY_FILE", key("jwt.pem")),
            ("PALMARES_ISSUER", ISSUER.to_owned()),
            ("PALMARES_AUDIENCE", AUDIENCE.to_owned()),
        ];
        // There are two providers in the build; the first to ask decides, and all decide alike.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let deployment = Self { folder, superuser_url: database.superuser_url, environment, http };
        deployment.run(&["keys", &deployment.folder.display().to_string()]);
        deployment
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PALMARES);
        command.args(arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end; answers what it said.
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {} {}", said(&output.stdout), said(&output.stderr));
        said(&output.stdout)
    }

    fn serve(&self, role: &str) -> Process {
        let bind = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).unwrap().to_string();
        let mut command = self.command(&["serve", "--role", role, "--bind", &bind]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        contain(&mut command, None, Signal::Kill);
        Process { child: command.spawn().unwrap(), base_url: format!("http://{bind}") }
    }

    /// Has every projection made anew; what was said, and whether all was well.
    fn verify(&self, base_url: &str, token: &str) -> (bool, Vec<Value>) {
        let output = self.command(&["verify-projections", "--url", base_url, "--token", token]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), said.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| line.into())).collect())
    }

    /// Status and body; `None` where nobody answers yet.
    async fn ask(&self, method: Method, url: String, token: &str) -> Option<(u16, Value)> {
        let mut request = self.http.request(method.clone(), url).bearer_auth(token);
        if method == Method::POST {
            request = request.json(&json!({}));
        }
        let response = request.send().await.ok()?;
        Some((response.status().as_u16(), response.json().await.unwrap_or(Value::Null)))
    }
}

// The kernel ends the servers with the thread that started them: here that is the test's own.
#[tokio::test]
async fn a_node_that_only_serves_the_api_takes_requests_for_rebuilds_and_a_worker_runs_them() {
    let deployment = Deployment::new().await;
    let bootstrapped: Value = serde_json::from_str(&deployment.run(&["bootstrap", "--external-ref", "operator"])).unwrap();
    let user = bootstrapped["user_id"].as_str().unwrap();
    let organization = OrganizationId::PLATFORM.to_string();
    let token = deployment.run(&["token", "--user", user, "--organization", &organization, "--role", "platform_admin"]);
    let token = token.trim();

    let api = deployment.serve("api");
    let ready = || deployment.ask(Method::GET, format!("{}/ready", api.base_url), token);
    eventually("the node answers", async || ready().await).await;
    let rebuild = |name: &str| deployment.ask(Method::POST, format!("{}/api/v1/projections/{name}/rebuild", api.base_url), token);
    let code = |answer: Option<(u16, Value)>| answer.map(|(status, body)| (status, body["code"].as_str().map(str::to_owned)));
    assert_eq!(rebuild("points_balances").await, Some((202, json!({ "name": "points_balances", "status": "REBUILDING" }))));
    assert_eq!(code(rebuild("points_balances").await), Some((409, Some("CONFLICT".to_owned()))), "one is asked for");
    assert_eq!(code(rebuild("nothing").await), Some((404, Some("RESOURCE_NOT_FOUND".to_owned()))));

    let _worker = deployment.serve("worker");
    eventually("the worker met the request", async || {
        let (_, listed) = deployment.ask(Method::GET, format!("{}/api/v1/projections", api.base_url), token).await?;
        let row = listed["items"].as_array()?.iter().find(|row| row["name"] == "points_balances")?.clone();
        (row["rebuild_position"].is_null() && row["rebuild_error"].is_null() && row["status"] == "running").then_some(())
    })
    .await;
    eventually("everything is at work", async || ready().await.filter(|(status, _)| *status == 200)).await;
    // The command asks and waits the same way.
    let said = deployment.run(&["rebuild", "organizations", "--url", &api.base_url, "--token", token]);
    assert!(said.contains(r#""event":"rebuilt""#), "{said}");
    assert_eq!(ready().await.map(|(status, _)| status), Some(200), "readiness is not lost to a rebuild");
    assert_eq!(rebuild("organizations").await.map(|(status, _)| status), Some(202), "the one before has ended");
    eventually("no rebuild is asked for any more", async || {
        let (_, listed) = deployment.ask(Method::GET, format!("{}/api/v1/projections", api.base_url), token).await?;
        listed["items"].as_array()?.iter().all(|row| row["rebuild_position"].is_null()).then_some(())
    })
    .await;

    // Whoever hides something in a read model is found, and it is there again.
    let (well, said) = deployment.verify(&api.base_url, token);
    assert!(well, "{said:?}");
    let mut superuser = PgConnection::connect(&deployment.superuser_url).await.unwrap();
    for slot in ["a", "b"] {
        sqlx::raw_sql(&format!(
            "DELETE FROM compliance_audit_log_{slot} WHERE position = 2; UPDATE organizations_directory_{slot} SET name = 'x'"
        ))
        .execute(&mut superuser)
        .await
        .unwrap();
    }
    let (well, said) = deployment.verify(&api.base_url, token);
    let tables: Vec<&Value> = said.iter().filter(|line| line["event"] == "difference").map(|line| &line["difference"]["table"]).collect();
    assert_eq!((well, tables), (false, vec![&json!("compliance_audit_log"), &json!("organizations_directory")]), "{said:?}");
    assert_eq!(said.last().map(|line| line["differing"].clone()), Some(json!(2)));
    assert!(deployment.verify(&api.base_url, token).0);
}
