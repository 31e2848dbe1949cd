//! `palmares import`: brings files of other systems in through the HTTP API, like any client would,
//! and tables of postgres-es straight into the log.
//!
//! Every row ends as accepted, duplicate or refused with the reason; nothing is dropped in silence.
//! It can be stopped and run again: people are created under idempotency keys and records carry ids
//! of their own, so what is there already is reported as a duplicate.

pub mod activities;
pub mod fitbit;
pub mod people;
pub mod postgres_es;
mod report;

pub use activities::{DayFigures, Sender};
pub use report::{Outcome, Report, RowOutcome};

use super::{client::ApiClient, output::Reporter};
use anyhow::Context;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum ImportKind {
    /// Fitbit's daily activity (dailyActivity_merged.csv): steps, active minutes and calories of each day
    Fitbit(ImportArgs),
    /// A table of postgres-es (the event store of cqrs-es), into one organization's streams
    PostgresEs(postgres_es::PostgresEsArgs),
}

#[derive(Args)]
pub struct ImportArgs {
    /// The file
    file: PathBuf,
    /// Address of Palmares
    #[arg(long, env = "PALMARES_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Token of an administrator of the organization
    #[arg(long, env = "PALMARES_TOKEN", hide_env_values = true)]
    token: String,
    /// Also write what became of each row, as JSON lines, to this file
    #[arg(long)]
    report: Option<PathBuf>,
}

/// Runs an import; the answer says whether every row was taken.
pub async fn run(kind: ImportKind, reporter: &Reporter) -> anyhow::Result<bool> {
    let args = match kind {
        ImportKind::Fitbit(args) => args,
        ImportKind::PostgresEs(args) => return postgres_es::run(&args, reporter).await,
    };
    let file = std::fs::File::open(&args.file).with_context(|| format!("{} cannot be read", args.file.display()))?;
    let rows = fitbit::read(file).with_context(|| format!("{} is no daily activity file of Fitbit", args.file.display()))?;
    let api = ApiClient::new(&args.url, &args.token)?;
    let report = fitbit::import(&api, rows, reporter).await?;
    if let Some(path) = &args.report {
        std::fs::write(path, report.json_lines()).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    report.tell(reporter);
    Ok(report.refused() == 0)
}
