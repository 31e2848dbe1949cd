//! PostgreSQL as a child: made once, started with durability on, prepared for the migrations.

use super::{
    EmbeddedError, EmbeddedOptions,
    child::Supervised,
    folder::{self, Folder},
    ports,
    programs::PostgresPrograms,
    readiness::{self, Attempt},
    unix::{self, Signal},
};
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

pub const SUPERUSER: &str = "postgres";
/// The login of palmares: it owns the database and may take the four roles, and is no superuser.
pub const OWNER: &str = "palmares";
pub const DATABASE: &str = "palmares";
/// The roles that the migrations grant to (design 6); made here, because they outlive a database.
pub const GROUP_ROLES: [&str; 5] = ["palmares_reader", "palmares_committer", "palmares_projector", "palmares_relay", "palmares_eraser"];

/// What a cluster is called, followed by the process that makes it, until it is whole.
const DRAFT: &str = "postgres.draft-";
/// Recovery after a crash replays at most `max_wal_size`, which this is ample for.
const READY_PATIENCE: Duration = Duration::from_secs(120);

/// Settings of the server. Durability is never a default to be weakened: `palmares serve` refuses that too.
const SETTINGS: &[(&str, &str)] = &[
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("shared_buffers", "256MB"),
    ("max_wal_size", "4GB"),
    ("max_connections", "200"),
    ("listen_addresses", "127.0.0.1"),
    // No sockets in the file system: the loopback port is the only door.
    ("unix_socket_directories", ""),
    ("password_encryption", "scram-sha-256"),
    ("logging_collector", "off"),
    ("log_destination", "stderr"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
];

/// Starts the server of this folder and waits until it answers.
pub async fn start(folder: &mut Folder, options: &EmbeddedOptions) -> Result<Supervised, EmbeddedError> {
    let cluster = folder.path().join("postgres");
    let programs = PostgresPrograms::find(cluster_version(folder.path(), &cluster)?)?;
    remove_drafts(folder.path());
    if !cluster.exists() {
        make_cluster(folder, &programs, &cluster)?;
    }
    stop_orphan(&cluster).await?;
    folder.rotate_log("postgres");
    let mut last = None;
    // Another program may take the port between choosing and binding it: then the next one is tried.
    for _ in 0..3 {
        let port = ports::choose(folder.state().postgres_port, &[]).ok_or(EmbeddedError::NoFreePort)?;
        folder.remember(|state| state.postgres_port = Some(port))?;
        let child = launch(folder, &programs, &cluster, port, options)?;
        match wait_ready(folder, &child, 1).await {
            Ok(()) => return Ok(child),
            Err(error @ EmbeddedError::NotStarted { .. }) if !ports::is_free(port) => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or(EmbeddedError::NoFreePort))
}

/// How to reach a database of the server.
pub fn connect_options(folder: &Folder, user: &str, database: &str) -> PgConnectOptions {
    let password = if user == SUPERUSER { &folder.state().superuser_password } else { &folder.state().owner_password };
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(folder.state().postgres_port.unwrap_or_default())
        .username(user)
        .password(password)
        .database(database)
        .ssl_mode(PgSslMode::Disable)
}

/// The same as a URL.
pub fn url(folder: &Folder, user: &str, database: &str) -> String {
    let password = if user == SUPERUSER { &folder.state().superuser_password } else { &folder.state().owner_password };
    format!("postgres://{user}:{password}@127.0.0.1:{}/{database}?sslmode=disable", folder.state().postgres_port.unwrap_or_default())
}

/// Waits until a connection is answered, also while the server recovers from a crash.
pub async fn wait_ready(folder: &Folder, child: &Supervised, start: u32) -> Result<(), EmbeddedError> {
    let options = connect_options(folder, SUPERUSER, "postgres");
    readiness::wait(child, start, "PostgreSQL", READY_PATIENCE, folder.log_path("postgres"), async || {
        match PgConnection::connect_with(&options).await {
            Ok(connection) => {
                let _ = connection.close().await;
                Attempt::Ready
            }
            // The password of this folder does not open this server: waiting does not help.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("28P01") => Attempt::Hopeless(error.to_string()),
            Err(error) => Attempt::NotYet(error.to_string()),
        }
    })
    .await
}

/// Makes the login, the roles and the database, where they are missing. Idempotent.
pub async fn prepare(folder: &Folder) -> Result<(), EmbeddedError> {
    let mut connection = PgConnection::connect_with(&connect_options(folder, SUPERUSER, "postgres")).await?;
    for role in GROUP_ROLES {
        create_role(&mut connection, role, "NOLOGIN").await?;
    }
    create_role(&mut connection, OWNER, "LOGIN NOSUPERUSER NOBYPASSRLS CREATEROLE").await?;
    // The password is hexadecimal digits, so it needs no quoting of its own.
    let password = &folder.state().owner_password;
    sqlx::raw_sql(&format!("ALTER ROLE {OWNER} PASSWORD '{password}'; GRANT {} TO {OWNER};", GROUP_ROLES.join(", ")))
        .execute(&mut connection)
        .await?;
    create_database(&mut connection, DATABASE, None).await?;
    connection.close().await?;
    Ok(())
}

/// Makes a database that the owner role owns, as a copy of `template` where one is named.
pub async fn create_database(connection: &mut PgConnection, name: &str, template: Option<&str>) -> Result<(), sqlx::Error> {
    let known: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)").bind(name).fetch_one(&mut *connection).await?;
    if !known {
        let template = template.map(|template| format!(" TEMPLATE \"{template}\"")).unwrap_or_default();
        sqlx::raw_sql(&format!("CREATE DATABASE \"{name}\" OWNER {OWNER}{template}")).execute(connection).await?;
    }
    Ok(())
}

async fn create_role(connection: &mut PgConnection, name: &str, attributes: &str) -> Result<(), sqlx::Error> {
    let known: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)").bind(name).fetch_one(&mut *connection).await?;
    if !known {
        sqlx::raw_sql(&format!("CREATE ROLE {name} {attributes}")).execute(connection).await?;
    }
    Ok(())
}

fn cluster_version(folder: &Path, cluster: &Path) -> Result<Option<u32>, EmbeddedError> {
    if !cluster.exists() {
        return Ok(None);
    }
    let damaged = |detail: String| EmbeddedError::FolderDamaged { path: folder.to_owned(), detail };
    let text = fs::read_to_string(cluster.join("PG_VERSION")).map_err(|error| damaged(format!("postgres/PG_VERSION: {error}")))?;
    text.trim().parse().map(Some).map_err(|_| damaged(format!("postgres/PG_VERSION says {:?}", text.trim())))
}

/// `initdb` into a draft that is renamed when it is whole: a start that was cut short leaves no half cluster.
fn make_cluster(folder: &Folder, programs: &PostgresPrograms, cluster: &Path) -> Result<(), EmbeddedError> {
    // A name of this start's own: the `initdb` of a killed one may still write to its draft, or remove it.
    let draft = folder.private_folder(&format!("{DRAFT}{}", std::process::id()))?;
    let passwords = folder.private_folder("initdb")?;
    let password_file = passwords.join("password");
    folder::write_private(&password_file, folder.state().superuser_password.as_bytes())
        .map_err(EmbeddedError::io("writing a password for initdb"))?;
    folder.give(&password_file)?;
    let mut initdb = command(folder, &programs.program("initdb"), &draft)?;
    initdb.arg("--pgdata").arg(&draft).arg("--pwfile").arg(&password_file).args([
        "--username",
        SUPERUSER,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
    ]);
    let status = initdb.status();
    let _ = fs::remove_dir_all(&passwords);
    let failed = |detail: String| EmbeddedError::NotStarted { program: "initdb", detail, log: folder.log_path("postgres") };
    match status {
        Ok(status) if status.success() => fs::rename(&draft, cluster).map_err(EmbeddedError::io("putting the new cluster in place")),
        Ok(_) => Err(failed(folder::log_tail(&folder.log_path("postgres")))),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Removes what starts that were cut short left behind; what is still being written is for the next time.
fn remove_drafts(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(DRAFT) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn launch(
    folder: &Folder,
    programs: &PostgresPrograms,
    cluster: &Path,
    port: u16,
    options: &EmbeddedOptions,
) -> Result<Supervised, EmbeddedError> {
    let mut arguments = vec!["-D".to_owned(), cluster.display().to_string()];
    let own = [("port".to_owned(), port.to_string())];
    let settings = SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    for (name, value) in settings.chain(options.postgres_settings.iter().cloned()).chain(own) {
        // Of two settings of one name PostgreSQL takes the later.
        arguments.extend(["-c".to_owned(), format!("{name}={value}")]);
    }
    let (program, cluster, log, account) = (programs.program("postgres"), cluster.to_owned(), folder.log_path("postgres"), folder.account);
    Supervised::start("postgres", Signal::Interrupt, move || {
        let mut command = contained(&program, &cluster, &log, account)?;
        command.args(&arguments);
        Ok(command)
    })
    .map_err(|error| EmbeddedError::NotStarted { program: "PostgreSQL", detail: error.to_string(), log: folder.log_path("postgres") })
}

fn command(folder: &Folder, program: &Path, working: &Path) -> Result<Command, EmbeddedError> {
    contained(program, working, &folder.log_path("postgres"), folder.account).map_err(EmbeddedError::io("opening the log of PostgreSQL"))
}

/// A command of an environment of its own: variables such as PGPORT of the caller do not reach it.
pub fn contained(program: &Path, working: &Path, log: &PathBuf, account: Option<unix::Account>) -> io::Result<Command> {
    let log = fs::OpenOptions::new().create(true).append(true).open(log)?;
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8").current_dir(working);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    unix::contain(&mut command, account, Signal::Interrupt);
    Ok(command)
}

/// Ends the server of a palmares that was killed, if it still runs. Anything else is left alone.
async fn stop_orphan(cluster: &Path) -> Result<(), EmbeddedError> {
    let pidfile = cluster.join("postmaster.pid");
    let marker = cluster.display().to_string();
    if readiness::end_orphan(&pidfile, "postgres", &marker, Signal::Interrupt).await? {
        return Ok(());
    }
    // What the file names is no server of this cluster, so the file is a leftover that would only mislead.
    match fs::remove_file(&pidfile) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(EmbeddedError::io("removing a stale postmaster.pid")(error)),
        _ => Ok(()),
    }
}
