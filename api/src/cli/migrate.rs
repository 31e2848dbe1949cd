//! `palmares migrate`: brings the database to the schema of this build. Forward only.

use super::output::Reporter;
use anyhow::Context;
use serde_json::json;
use sqlx::{
    Connection, PgConnection,
    migrate::{MigrateError, Migrator},
};

/// The migrations of this build.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

#[derive(clap::Args)]
pub struct MigrateArgs {
    /// PostgreSQL, as the owner of the database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
}

pub async fn run(args: &MigrateArgs, reporter: &Reporter) -> anyhow::Result<()> {
    let applied = apply(&args.database_url).await?;
    let newest = MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or_default();
    reporter.say(
        &format!("{applied} migrations applied, the schema is at {newest}"),
        || json!({ "event": "migrated", "applied": applied, "version": newest }),
    );
    Ok(())
}

/// Applies what is missing and says how many that were. Several nodes may call it at once: one applies, the others wait.
pub async fn apply(database_url: &str) -> anyhow::Result<usize> {
    let mut connection = PgConnection::connect(database_url).await.context("the database does not answer")?;
    let before = applied(&mut connection).await?.len();
    MIGRATOR.run(&mut connection).await.map_err(explain)?;
    let after = applied(&mut connection).await?.len();
    connection.close().await?;
    Ok(after.saturating_sub(before))
}

/// The versions that the database has.
pub async fn applied(connection: &mut PgConnection) -> sqlx::Result<Vec<i64>> {
    let known: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(&mut *connection).await?;
    if !known {
        return Ok(Vec::new());
    }
    sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version").fetch_all(connection).await
}

/// The versions that this build has and the database has not.
pub async fn pending(connection: &mut PgConnection) -> sqlx::Result<Vec<i64>> {
    let applied = applied(connection).await?;
    Ok(MIGRATOR.iter().map(|migration| migration.version).filter(|version| !applied.contains(version)).collect())
}

fn explain(error: MigrateError) -> anyhow::Error {
    match error {
        MigrateError::VersionMissing(version) => {
            anyhow::anyhow!("the database has migration {version}, which this build does not know: run a newer palmares")
        }
        MigrateError::VersionMismatch(version) => {
            anyhow::anyhow!(
                "migration {version} was applied with another content than this build has: run the palmares that applied it, or restore the database"
            )
        }
        error => anyhow::Error::new(error).context("a migration failed; nothing of it was kept"),
    }
}
