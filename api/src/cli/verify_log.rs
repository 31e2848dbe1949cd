//! `palmares verify-log`: reads the log again, and says where it is not the one that was signed.

use super::output::{Reporter, print_line};
use anyhow::Context;
use palmares_projections::engine::{
    log::Log,
    sealing::{
        Outside,
        audit::{Wrong, audit},
    },
};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct VerifyLogArgs {
    /// PostgreSQL, as the owner of the database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// File of the last signed checkpoint, outside the database
    #[arg(long, env = "PALMARES_LOG_CHECKPOINT_FILE")]
    log_checkpoint_file: PathBuf,
}

/// The log as the sealer reads it.
pub(super) async fn open(database_url: &str) -> anyhow::Result<Log> {
    let connect: PgConnectOptions = database_url.parse().context("DATABASE_URL is no address of PostgreSQL")?;
    let connect = connect.options([("role", "palmares_relay")]).application_name("palmares_verify");
    let pool = PgPoolOptions::new().max_connections(2).connect_with(connect).await.context("the database does not answer")?;
    Ok(Log::new(pool))
}

/// The answer says whether the log is the one that was signed.
pub async fn run(args: &VerifyLogArgs, reporter: &Reporter) -> anyhow::Result<bool> {
    let log = open(&args.database_url).await?;
    let found = audit(&log, &Outside::new(&args.log_checkpoint_file)).await.context("the log is NOT the one that was signed")?;
    for finding in &found.findings {
        let what = match finding.wrong {
            Wrong::Removed => "was removed",
            Wrong::Changed => "was changed",
            Wrong::Added => "was added",
            Wrong::Forged => "or a later one was changed together with the tree",
        };
        let (organization, index, position) = (finding.organization_id, finding.index, finding.position);
        let sentence = format!("leaf {index} of organization {organization} (position {position}) {what}");
        reporter.say(&sentence, || json!({ "event": "finding", "finding": finding }));
    }
    let whole = found.findings.is_empty();
    match reporter {
        Reporter::Terminal if whole => print_line(&format!(
            "the log is the one that was signed: {} events of {} organizations up to position {}",
            found.leaves, found.organizations, found.position
        )),
        Reporter::Terminal => print_line(&format!("the log is NOT the one that was signed: {} organizations differ", found.findings.len())),
        _ => print_line(&json!({ "event": "log", "whole": whole, "position": found.position, "leaves": found.leaves }).to_string()),
    }
    Ok(whole)
}
