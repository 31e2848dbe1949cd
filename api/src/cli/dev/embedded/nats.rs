//! nats-server as a child: JetStream on the data folder, one user, loopback only.

use super::{
    EmbeddedError,
    child::Supervised,
    folder::{self, Folder},
    ports, postgres, programs,
    readiness::{self, Attempt},
    unix::Signal,
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

const USER: &str = "palmares";
const READY_PATIENCE: Duration = Duration::from_secs(60);

/// Starts the server of this folder and waits until JetStream answers.
pub async fn start(folder: &mut Folder) -> Result<Supervised, EmbeddedError> {
    let home = folder.private_folder("nats")?;
    let program = reachable_program(folder, &programs::find_nats()?)?;
    let config = home.join("nats.conf");
    let pidfile = home.join("nats.pid");
    readiness::end_orphan(&pidfile, "nats-server", &config.display().to_string(), Signal::Terminate).await?;
    folder.rotate_log("nats");
    let mut last = None;
    for _ in 0..3 {
        let taken: Vec<u16> = folder.state().postgres_port.into_iter().collect();
        let port = ports::choose(folder.state().nats_port, &taken).ok_or(EmbeddedError::NoFreePort)?;
        folder.remember(|state| state.nats_port = Some(port))?;
        folder::write_private(&config, configuration(folder, &home, port).as_bytes()).map_err(EmbeddedError::io("writing nats.conf"))?;
        folder.give(&config)?;
        let child = launch(folder, &program, &home, &config)?;
        match wait_ready(folder, &child, 1).await {
            Ok(()) => return Ok(child),
            Err(error @ EmbeddedError::NotStarted { .. }) if !ports::is_free(port) => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or(EmbeddedError::NoFreePort))
}

/// The address with its password.
pub fn url(folder: &Folder) -> String {
    format!("nats://{USER}:{}@127.0.0.1:{}", folder.state().nats_password, folder.state().nats_port.unwrap_or_default())
}

/// Waits until JetStream answers on a new connection.
pub async fn wait_ready(folder: &Folder, child: &Supervised, start: u32) -> Result<(), EmbeddedError> {
    let address = format!("127.0.0.1:{}", folder.state().nats_port.unwrap_or_default());
    let password = folder.state().nats_password.clone();
    readiness::wait(child, start, "nats-server", READY_PATIENCE, folder.log_path("nats"), async || {
        let options = async_nats::ConnectOptions::with_user_and_password(USER.to_owned(), password.clone())
            .connection_timeout(Duration::from_secs(2))
            .max_reconnects(1);
        let client = match options.connect(address.as_str()).await {
            Ok(client) => client,
            Err(error) if error.kind() == async_nats::ConnectErrorKind::AuthorizationViolation => {
                return Attempt::Hopeless(error.to_string());
            }
            Err(error) => return Attempt::NotYet(error.to_string()),
        };
        match async_nats::jetstream::new(client).query_account().await {
            Ok(_) => Attempt::Ready,
            Err(error) => Attempt::NotYet(error.to_string()),
        }
    })
    .await
}

fn launch(folder: &Folder, program: &Path, home: &Path, config: &Path) -> Result<Supervised, EmbeddedError> {
    let (program, home, config) = (program.to_owned(), home.to_owned(), config.to_owned());
    let (log, account) = (folder.log_path("nats"), folder.account);
    Supervised::start("nats", Signal::Terminate, move || {
        let mut command = postgres::contained(&program, &home, &log, account)?;
        command.arg("--config").arg(&config);
        Ok(command)
    })
    .map_err(|error| EmbeddedError::NotStarted { program: "nats-server", detail: error.to_string(), log: folder.log_path("nats") })
}

/// The password stands in a file of mode 0600 and never on the command line. No monitoring port is opened.
fn configuration(folder: &Folder, home: &Path, port: u16) -> String {
    format!(
        r#"server_name: palmares-embedded
host: "127.0.0.1"
port: {port}
pid_file: "{home}/nats.pid"
jetstream {{
  store_dir: "{home}/jetstream"
}}
authorization {{
  user: "{USER}"
  password: "{password}"
}}
"#,
        home = home.display(),
        password = folder.state().nats_password,
    )
}

/// A program that the children's user can reach: sources under root's home folder cannot be, so it is copied.
fn reachable_program(folder: &Folder, program: &Path) -> Result<PathBuf, EmbeddedError> {
    let Some(_) = folder.account.and_then(|account| account.barrier(program).map(Path::to_owned)) else {
        return Ok(program.to_owned());
    };
    let copy = folder.private_folder("nats/bin")?.join("nats-server");
    let size = |path: &Path| path.metadata().map(|meta| (meta.len(), meta.modified().ok())).ok();
    if size(&copy).is_none_or(|(bytes, modified)| size(program).is_none_or(|(original, newer)| bytes != original || newer > modified)) {
        let draft = copy.with_extension("draft");
        fs::copy(program, &draft)
            .and_then(|_| fs::rename(&draft, &copy))
            .map_err(EmbeddedError::io("copying nats-server into the data folder"))?;
    }
    folder.give(&copy)?;
    Ok(copy)
}
