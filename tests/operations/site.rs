//! What `docker-compose.yml` describes, as plain processes on loopback: its commands, its settings and
//! the options of its nats-servers, with only addresses and folders put in.

use super::deployment::{ours, services, settings, value};
use crate::support::{
    running::{PALMARES, PATIENCE},
    servers::embedded,
};
use palmares::cli::dev::embedded::{
    EmbeddedOptions, programs,
    unix::{self, Signal, contain},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

const KEYS: &str = "/var/lib/palmares/keys";
const NATS_PASSWORD: &str = "not-the-default-7316";
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A deployment of the test's own. Its processes belong to the thread that starts them.
pub struct Site {
    folder: PathBuf,
    /// The network of the nats-servers: each has an address of its own, and the usual ports.
    network: [u8; 2],
    environment: BTreeMap<String, String>,
}

/// A running process, killed when dropped.
pub struct Node {
    child: Child,
    pub address: SocketAddr,
}

impl Site {
    /// An empty database, keys and a schema, made by the commands of the compose file.
    pub async fn new(name: &str) -> Self {
        let folder = EmbeddedOptions::temporary().data_dir;
        fs::create_dir_all(&folder).expect("a folder for the site");
        let database = embedded().create_database(name, None).await.expect("a database");
        let mut environment = settings(&ours()["migrate"]);
        let keys = folder.join("keys").display().to_string();
        environment.values_mut().for_each(|value| *value = value.replace(KEYS, &keys));
        let network = [rand::random_range(1..255), rand::random_range(1..255)];
        let mut site = Self { folder, network, environment };
        site.set("DATABASE_URL", &database);
        site.set("NATS_URL", &format!("nats://palmares:{NATS_PASSWORD}@{}:4222", site.nats_address(1)));
        site.set("PALMARES_ISSUER", "https://palmares.example");
        // What is left open has no value here either.
        site.environment.retain(|_, value| !value.contains("${"));
        for service in ["keys", "migrate"] {
            let arguments = command(service).into_iter().map(|argument| argument.replace(KEYS, &keys)).collect::<Vec<_>>();
            site.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        }
        site
    }

    pub fn set(&mut self, variable: &str, value: &str) {
        self.environment.insert(variable.to_owned(), value.to_owned());
    }

    pub fn setting(&self, variable: &str) -> String {
        self.environment.get(variable).unwrap_or_else(|| panic!("{variable} is not set")).clone()
    }

    fn palmares(&self) -> Command {
        let mut command = Command::new(PALMARES);
        command.env_clear().envs(&self.environment).current_dir(&self.folder);
        command
    }

    /// Runs a command to its end, and says what it printed.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.palmares().args(arguments).output().expect("palmares starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// Starts a service of ours.
    pub fn start(&self, service: &str) -> Node {
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("a free port").port();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut process = self.palmares();
        process.args(command(service)).env("PALMARES_BIND", address.to_string());
        self.spawn(service, process, address)
    }

    /// Starts a nats-server with the options of the compose file.
    pub fn nats(&self, number: u8) -> Node {
        let own = self.nats_address(number);
        let mut process = Command::new(programs::find_nats().expect("nats-server is installed"));
        process.arg(format!("--name=nats-{number}")).arg(format!("--addr={own}"));
        for option in nats_options() {
            let option = option.replace("/data", &self.folder.join(format!("nats-{number}")).display().to_string());
            let option = (1..=3).fold(option, |option, n| option.replace(&format!("nats-{n}:"), &format!("{}:", self.nats_address(n))));
            process.arg(option.replace("0.0.0.0", &own.to_string()).replace("${NATS_PASSWORD}", NATS_PASSWORD));
        }
        self.spawn(&format!("nats-{number}"), process, SocketAddr::from((own, 8222)))
    }

    /// All three, healthy as the compose file asks.
    pub async fn nats_cluster(&self) -> Vec<Node> {
        let mut nodes = Vec::new();
        for (number, node) in [1, 2, 3].map(|number| (number, self.nats(number))) {
            nodes.push(self.answers(&format!("nats-{number}"), node, "/healthz").await);
        }
        nodes
    }

    /// Waits until a node answers 200, as the health checks of the compose file do.
    pub async fn answers(&self, name: &str, mut node: Node, path: &str) -> Node {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().expect("a client");
        let url = format!("http://{}{path}", node.address);
        let deadline = Instant::now() + PATIENCE;
        while !http.get(&url).send().await.is_ok_and(|response| response.status() == 200) {
            assert!(node.child.try_wait().expect("it can be asked after").is_none(), "{name} ended: {}", self.log(name));
            assert!(Instant::now() < deadline, "{name} is not ready: {}", self.log(name));
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        node
    }

    fn nats_address(&self, number: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, self.network[0], self.network[1], number)
    }

    fn spawn(&self, name: &str, mut process: Command, address: SocketAddr) -> Node {
        let log = File::create(self.folder.join(format!("{name}.log"))).expect("a file for the log");
        process.stdout(log.try_clone().expect("the log, twice")).stderr(log);
        contain(&mut process, None, Signal::Kill);
        Node { child: process.spawn().unwrap_or_else(|error| panic!("{name}: {error}")), address }
    }

    /// The end of what a process has said.
    pub fn log(&self, name: &str) -> String {
        let log = fs::read_to_string(self.folder.join(format!("{name}.log"))).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Node {
    /// Without warning, as a crash of the machine would.
    pub fn kill(mut self) {
        self.child.kill().expect("it is killed");
    }

    /// In order, and says whether it ended well.
    pub fn stop(mut self) -> bool {
        unix::send(self.child.id(), Signal::Terminate) && self.child.wait().is_ok_and(|status| status.success())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command of one of our services.
fn command(service: &str) -> Vec<String> {
    let services = ours();
    let command = value(&services[service], "command").unwrap_or_else(|| panic!("{service} has a command"));
    serde_json::from_str(command).expect("a list of texts")
}

/// The options that every nats-server of the compose file is given.
fn nats_options() -> Vec<String> {
    let services = services();
    let lines = services["nats-1"].iter().map(|line| line.trim());
    let options = lines.filter_map(|line| line.strip_prefix("- \"")?.strip_suffix('"'));
    // What is required of a variable is for people: `${NAME:?advice}` is `${NAME}`.
    options.map(|option| option.split(":?").next().unwrap_or_default().to_owned() + if option.contains(":?") { "}" } else { "" }).collect()
}
