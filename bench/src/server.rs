//! The PostgreSQL that everything is measured on.

use anyhow::{Context, ensure};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

const DATABASE: &str = "palmares";
/// The settings under which the prototypes were measured; all else is the default.
const SETTINGS: &[(&str, &str)] =
    &[("shared_buffers", "2GB"), ("max_wal_size", "8GB"), ("max_connections", "300"), ("fsync", "on"), ("synchronous_commit", "on")];

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// A running PostgreSQL with a migrated, empty database.
pub struct Server {
    superuser: PgConnectOptions,
    #[cfg(feature = "embedded")]
    embedded: Option<palmares::cli::dev::embedded::Embedded>,
}

impl Server {
    /// Starts one of its own, as `palmares dev` does; with `DATABASE_URL` it uses that scratch server.
    pub async fn start() -> anyhow::Result<Self> {
        let server = match std::env::var("DATABASE_URL") {
            Ok(url) => Self::scratch(&url).await?,
            Err(_) => Self::own().await?,
        };
        let mut connection = PgConnection::connect_with(&server.superuser).await?;
        MIGRATOR.run(&mut connection).await.context("migrating")?;
        Ok(server)
    }

    #[cfg(feature = "embedded")]
    async fn own() -> anyhow::Result<Self> {
        use palmares::cli::dev::embedded::{Embedded, EmbeddedOptions};
        let options =
            SETTINGS.iter().fold(EmbeddedOptions::temporary(), |options, (name, value)| options.with_postgres_setting(name, value));
        let embedded = Embedded::start(options).await?;
        let superuser = embedded.superuser_url_of(DATABASE).parse()?;
        Ok(Self { superuser, embedded: Some(embedded) })
    }

    #[cfg(not(feature = "embedded"))]
    async fn own() -> anyhow::Result<Self> {
        anyhow::bail!("DATABASE_URL has to name the superuser of a scratch PostgreSQL")
    }

    async fn scratch(url: &str) -> anyhow::Result<Self> {
        let options: PgConnectOptions = url.parse()?;
        let mut connection = PgConnection::connect_with(&options).await?;
        sqlx::raw_sql(&format!("DROP DATABASE IF EXISTS {DATABASE}_bench")).execute(&mut connection).await?;
        sqlx::raw_sql(&format!("CREATE DATABASE {DATABASE}_bench")).execute(&mut connection).await?;
        Ok(Self {
            superuser: options.database(&format!("{DATABASE}_bench")),
            #[cfg(feature = "embedded")]
            embedded: None,
        })
    }

    pub async fn stop(self) {
        #[cfg(feature = "embedded")]
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
    }

    /// The database as the superuser, who may take every role.
    pub fn options(&self) -> PgConnectOptions {
        self.superuser.clone()
    }

    /// The database in one of the roles of Palmares, with the settings of the server's pools.
    pub fn options_as(&self, role: &str) -> PgConnectOptions {
        self.superuser.clone().options([("role", role), ("jit", "off")])
    }

    pub async fn pool(&self, options: PgConnectOptions, connections: u32) -> anyhow::Result<PgPool> {
        Ok(PgPoolOptions::new().max_connections(connections).min_connections(connections).connect_with(options).await?)
    }

    pub async fn run(&self, sql: &str) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect_with(&self.superuser).await?;
        sqlx::raw_sql(sql).execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }

    /// Refuses to measure without durability, and prints what it is measured on.
    pub async fn check_settings(&self) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect_with(&self.superuser).await?;
        let version: String = sqlx::query_scalar("SHOW server_version").fetch_one(&mut connection).await?;
        let cores = std::thread::available_parallelism()?;
        let mut shown = format!("PostgreSQL {version} on {cores} cores:");
        for (name, wanted) in SETTINGS {
            let value: String = sqlx::query_scalar(&format!("SHOW {name}")).fetch_one(&mut connection).await?;
            ensure!(value == *wanted, "{name} is {value}, and numbers count only with {wanted}");
            shown.push_str(&format!(" {name}={value}"));
        }
        // Numbers of a machine that does something else say little: the page shows whether it did.
        let load = std::fs::read_to_string("/proc/loadavg")?;
        shown.push_str(&format!("; load average before it started: {}", load.split(' ').next().unwrap_or_default()));
        println!("{shown}");
        crate::results::write("environment", &shown)
    }
}
