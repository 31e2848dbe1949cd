//! Two API nodes and two workers on a JetStream cluster of three, as `docker-compose.yml` has them.

use super::site::{Node, Site};
use crate::support::running::{PATIENCE, Reply, eventually};
use reqwest::Method;
use serde_json::{Value, json};

const MEMBERS: usize = 2;
const POINTS: i64 = 10;

/// Someone with a token, who may ask any node.
struct Caller {
    http: reqwest::Client,
    token: String,
    organization: Option<String>,
}

impl Caller {
    fn new(token: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        Self { http, token, organization: None }
    }

    async fn ask(&self, node: &Node, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let request = self.http.request(method, format!("http://{}/api/v1{path}", node.address)).bearer_auth(&self.token);
        let request = self.organization.iter().fold(request, |request, id| request.header("Palmares-Organization", id));
        let request = request.header("Prefer", "wait=30");
        Reply::of(body.into_iter().fold(request, |request, body| request.json(body))).await
    }

    async fn post(&self, node: &Node, path: &str, body: Value) -> Reply {
        self.ask(node, Method::POST, path, Some(&body)).await
    }

    async fn get(&self, node: &Node, path: &str) -> Reply {
        self.ask(node, Method::GET, path, None).await
    }
}

/// A program and its members, to whom points are given.
struct Books {
    admin: Caller,
    program: String,
    members: Vec<String>,
    given: i64,
}

impl Books {
    /// Gives every member points at one node, and reads at the other what must then be true.
    async fn give_and_read(&mut self, writer: &Node, reader: &Node) {
        let mut position = 0;
        for member in &self.members {
            let credit = json!({ "program_id": self.program, "user_id": member, "amount": POINTS, "reason": "a test" });
            let credited = self.admin.post(writer, "/points/credits", credit).await;
            assert!(matches!(credited.status, 200..=202), "{}", credited.body);
            assert_eq!(credited.body["status"], "RESOLVED", "a worker has resolved it while the caller waited");
            position = credited.position().max(position);
        }
        self.given += POINTS;
        for member in &self.members {
            let points = self.admin.get(reader, &format!("/users/{member}/points?min_position={position}")).await.expect(200);
            assert_eq!(points.body["items"][0]["posted"], self.given, "{}", points.body);
        }
    }
}

/// The platform's administrator makes an organization at one node and its people at the other.
async fn open_books(site: &Site, one: &Node, other: &Node) -> Books {
    let bootstrapped: Value = serde_json::from_str(&site.run(&["bootstrap", "--external-ref", "operator@example.com"])).expect("JSON");
    let id = |name: &str| bootstrapped[name].as_str().expect("an id").to_owned();
    let token = |user: &str, organization: &str, role: &str| {
        site.run(&["token", "--user", user, "--organization", organization, "--role", role, "--ttl", "1h"])
    };
    let mut platform = Caller::new(token(&id("user_id"), &id("organization_id"), "platform_admin"));
    let organization = platform.post(one, "/organizations", json!({ "name": "Cluster", "slug": "cluster" })).await.expect(201).id("id");
    platform.organization = Some(organization.clone());
    let admin = platform.post(other, "/users", json!({ "external_ref": "admin", "role": "organization_admin" })).await.expect(201).id("id");
    let admin = Caller::new(token(&admin, &organization, "organization_admin"));
    let program = admin.post(one, "/points/programs", json!({ "name": "wellness" })).await.expect(201).id("id");
    let mut members = Vec::new();
    for n in 0..MEMBERS {
        let member = json!({ "external_ref": format!("member-{n}"), "role": "member" });
        members.push(admin.post(if n % 2 == 0 { one } else { other }, "/users", member).await.expect(201).id("id"));
    }
    Books { admin, program, members, given: 0 }
}

/// Whether the cluster has the log in a stream of three copies: without it everything would work, by way
/// of PostgreSQL alone.
async fn carried_in_three_copies(nats: &Node) -> Option<()> {
    let told = reqwest::get(format!("http://{}/jsz?streams=true&config=true", nats.address)).await.ok()?;
    let told: Value = told.json().await.ok()?;
    let streams = told["account_details"].as_array()?.iter().filter_map(|account| account["stream_detail"].as_array()).flatten();
    let mut carried = streams.filter(|stream| stream["config"]["num_replicas"] == 3 && stream["state"]["messages"].as_u64() > Some(0));
    carried.next().map(drop)
}

// covers: W-17, W-37
#[test]
fn what_the_compose_file_describes_serves_and_survives_the_loss_of_nodes() {
    // The nodes belong to this thread, which outlives them.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let site = Site::new("of_a_cluster").await;
        let [nats_1, nats_2, nats_3] = site.nats_cluster().await.try_into().ok().expect("three nats-servers");
        // All at once: an API node is ready when a worker has filled the read models.
        let started = ["api-1", "api-2", "worker-1", "worker-2"].map(|service| (service, site.start(service)));
        let ready = futures::future::join_all(started.map(|(service, node)| site.answers(service, node, "/ready"))).await;
        let [api_1, api_2, worker_1, worker_2] = ready.try_into().ok().expect("four nodes");

        let mut books = open_books(&site, &api_1, &api_2).await;
        books.give_and_read(&api_1, &api_2).await;
        books.give_and_read(&api_2, &api_1).await;

        eventually("JetStream carries the log", || carried_in_three_copies(&nats_2)).await;

        // The node that every client began with, and a worker with all that it was at.
        nats_1.kill();
        worker_1.kill();
        books.give_and_read(&api_1, &api_2).await;
        books.give_and_read(&api_2, &api_1).await;

        let nats_1 = site.answers("nats-1", site.nats(1), "/healthz").await;
        api_1.kill();
        let api_1 = site.answers("api-1", site.start("api-1"), "/ready").await;
        books.give_and_read(&api_2, &api_1).await;

        // Without its majority JetStream has no leader; what the log has is then read from PostgreSQL.
        nats_2.kill();
        nats_3.kill();
        books.give_and_read(&api_1, &api_2).await;
        books.give_and_read(&api_2, &api_1).await;

        // It fails where streams, balances and trial balance differ.
        site.run(&["verify-ledger", "--url", &format!("http://{}", api_1.address), "--token", &books.admin.token]);
        for node in [api_1, api_2, worker_2] {
            assert!(node.stop(), "it ends well when it is asked to");
        }
        drop(nats_1);
    });
}
