//! PostgreSQL and nats-server as children of this process, on a folder and ports of their own.
//!
//! `palmares dev`, the integration tests and the benchmarks all start the same [`Embedded`]. Why not a
//! container or a downloaded PostgreSQL: `docs/adr/0005-embedded-development-mode.md`.

mod child;
mod error;
pub mod folder;
mod nats;
mod ports;
pub mod postgres;
pub mod programs;
mod readiness;
mod sweep;
pub mod unix;

pub use child::Supervised;
pub use error::EmbeddedError;
pub use folder::Folder;

use sqlx::{Connection, PgConnection};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// PostgreSQL writes a checkpoint when it stops, which may take a while on a slow disk.
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// What to start, and where.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    pub data_dir: PathBuf,
    /// Further settings of PostgreSQL, such as `("max_connections", "400")`; they win over the defaults.
    pub postgres_settings: Vec<(String, String)>,
    /// Remove the folder when the servers have stopped: for tests and benchmarks.
    pub remove_at_end: bool,
}

impl EmbeddedOptions {
    pub fn at(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), postgres_settings: Vec::new(), remove_at_end: false }
    }

    /// On a new folder under the folder for temporary files, removed at the end.
    pub fn temporary() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        sweep::leftovers(&std::env::temp_dir());
        let name = format!("palmares-{}-{}-{:x}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed), rand::random::<u32>());
        Self { remove_at_end: true, ..Self::at(std::env::temp_dir().join(name)) }
    }

    pub fn with_postgres_setting(mut self, name: &str, value: &str) -> Self {
        self.postgres_settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The two running servers. Dropping it stops them.
pub struct Embedded {
    // Fields are dropped in this order: first the servers, then the lock on the folder.
    nats: Supervised,
    postgres: Supervised,
    _leftovers: Option<Leftovers>,
    folder: Folder,
}

/// Removes a temporary folder, after the servers have stopped.
struct Leftovers(PathBuf);

impl Drop for Leftovers {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "a temporary folder could not be removed");
        }
    }
}

impl Embedded {
    /// Starts both servers and prepares the database: login, roles, an empty `palmares` database.
    pub async fn start(options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let mut folder = Folder::open(&options.data_dir)?;
        let leftovers = options.remove_at_end.then(|| Leftovers(folder.path().to_owned()));
        // Looked for before PostgreSQL starts, so that a missing program is told at once.
        programs::find_nats()?;
        let postgres = postgres::start(&mut folder, &options).await?;
        let nats = nats::start(&mut folder).await?;
        postgres::prepare(&folder).await?;
        Ok(Self { nats, postgres, _leftovers: leftovers, folder })
    }

    /// The data folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The database as its owner, who is no superuser: what `DATABASE_URL` is in production.
    pub fn database_url(&self) -> String {
        postgres::url(&self.folder, postgres::OWNER, postgres::DATABASE)
    }

    /// Another database of the same server, as its owner.
    pub fn database_url_of(&self, database: &str) -> String {
        postgres::url(&self.folder, postgres::OWNER, database)
    }

    /// A database as the superuser, for tests that attack and for templates.
    pub fn superuser_url_of(&self, database: &str) -> String {
        postgres::url(&self.folder, postgres::SUPERUSER, database)
    }

    pub fn nats_url(&self) -> String {
        nats::url(&self.folder)
    }

    /// Makes a database owned by the owner role, as a copy of `template` where one is named, and says its URL.
    pub async fn create_database(&self, name: &str, template: Option<&str>) -> Result<String, EmbeddedError> {
        let mut connection = PgConnection::connect_with(&postgres::connect_options(&self.folder, postgres::SUPERUSER, "postgres")).await?;
        postgres::create_database(&mut connection, name, template).await?;
        connection.close().await?;
        Ok(self.database_url_of(name))
    }

    /// The child, with its pid and a way to kill it.
    pub fn postgres(&self) -> &Supervised {
        &self.postgres
    }

    pub fn nats(&self) -> &Supervised {
        &self.nats
    }

    /// Kills PostgreSQL as a crash would (SIGKILL) and waits until it has recovered and answers.
    pub async fn crash_postgres(&self) -> Result<(), EmbeddedError> {
        let next = self.postgres.starts() + 1;
        self.postgres.kill();
        postgres::wait_ready(&self.folder, &self.postgres, next).await
    }

    /// Kills nats-server (SIGKILL) and waits until JetStream answers again.
    pub async fn crash_nats(&self) -> Result<(), EmbeddedError> {
        let next = self.nats.starts() + 1;
        self.nats.kill();
        nats::wait_ready(&self.folder, &self.nats, next).await
    }

    /// Stops both servers in order, and says when they have stopped.
    pub async fn stop(mut self) {
        let stopped = tokio::task::spawn_blocking(move || {
            self.nats.request_stop();
            self.postgres.request_stop();
            self.nats.stop(STOP_PATIENCE);
            self.postgres.stop(STOP_PATIENCE);
        });
        if let Err(error) = stopped.await {
            tracing::error!(%error, "stopping the embedded servers failed");
        }
    }
}

#[cfg(test)]
mod tests;
