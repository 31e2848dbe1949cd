//! `palmares verify-log`: reads the log again, and says where it is not the one that was signed.

use super::{
    output::{Reporter, print_line},
    settings::KeyStoreArgs,
};
use crate::wiring::{altered_keys, projectors};
use anyhow::Context;
use palmares_commands::privacy::{KeyRing, data_keys::PostgresDataKeyTable};
use palmares_projections::engine::{
    log::Log,
    sealing::{
        Outside, Unfit,
        audit::{Wrong, audit},
    },
    timetable::Timetables,
};
use serde_json::json;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{path::PathBuf, sync::Arc, time::Duration};

#[derive(clap::Args)]
pub struct VerifyLogArgs {
    /// PostgreSQL, as the owner of the database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// File of the last signed checkpoint, outside the database
    #[arg(long, env = "PALMARES_LOG_CHECKPOINT_FILE")]
    log_checkpoint_file: PathBuf,
    /// Where the keys are: it is also seen whether each key of somebody opens
    #[command(flatten)]
    keys: KeyStoreArgs,
    /// Days by which the clock of `palmares dev` is ahead: timers go by it
    #[arg(long, default_value_t = 0)]
    clock_ahead_days: u64,
}

/// The log as the sealer reads it.
pub(super) async fn open(database_url: &str) -> anyhow::Result<Log> {
    Ok(Log::new(connect(database_url, "palmares_relay").await?))
}

/// A connection as one of the roles.
async fn connect(database_url: &str, role: &str) -> anyhow::Result<PgPool> {
    let connect: PgConnectOptions = database_url.parse().context("DATABASE_URL is no address of PostgreSQL")?;
    let connect = connect.options([("role", role)]).application_name("palmares_verify");
    PgPoolOptions::new().max_connections(2).connect_with(connect).await.context("the database does not answer")
}

/// The answer says whether the log is the one that was signed.
pub async fn run(args: &VerifyLogArgs, reporter: &Reporter) -> anyhow::Result<bool> {
    let log = open(&args.database_url).await?;
    let timetables = Timetables::of(projectors(), Duration::from_secs(args.clock_ahead_days * 24 * 60 * 60));
    let mut found =
        audit(&log, &Outside::new(&args.log_checkpoint_file), &timetables).await.context("the log is NOT the one that was signed")?;
    if let Some(keys) = args.keys.open_if_given()? {
        let table = PostgresDataKeyTable::new(connect(&args.database_url, "palmares_committer").await?);
        let altered = altered_keys(&KeyRing::new(keys, Arc::new(table))).await;
        found.beside.extend(altered.context("looking whether the keys of people open")?);
    }
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
    for beside in &found.beside {
        let (organization, at) = (beside.organization_id.unwrap_or_default(), beside.at.unwrap_or_default());
        let subject = beside.subject_id.unwrap_or_default();
        let sentence = match beside.unfit {
            Unfit::SealedAltered => {
                format!("a sealed field of organization {organization} is not the one that the event at position {at} names")
            }
            Unfit::SealedGone => format!(
                "a sealed field of organization {organization} that the event at position {at} names is gone, and nobody was erased"
            ),
            Unfit::KeyGone => format!("a key of subject {subject} of organization {organization} is gone without a trace"),
            Unfit::KeyEnded => format!("a key of subject {subject} of organization {organization} was ended, and no erasure is on record"),
            Unfit::KeyAltered => format!("a key of subject {subject} of organization {organization} does not open: what it sealed is lost"),
            Unfit::Hidden => format!("data of subject {subject} of organization {organization} is hidden, and no deletion is on record"),
            Unfit::Shown => format!("data of subject {subject} of organization {organization} is shown, and they are deleted"),
            Unfit::OriginGone => {
                format!(
                    "where the request of the event at position {at} of organization {organization} came from is gone, and nobody was erased"
                )
            }
            Unfit::AnswerGone => {
                format!(
                    "the first answer of the command that recorded position {at} of organization {organization} is gone: repeated, it is done again"
                )
            }
            Unfit::ClaimGone => {
                format!("what the event at position {at} of organization {organization} claimed is gone, and was not let go")
            }
            Unfit::ClaimAdded => {
                format!("a claim of organization {organization}, as if made at position {at}, was never made, or was changed or let go")
            }
            Unfit::TimerGone => format!("what is due by the event at position {at} of organization {organization} has no timer"),
            Unfit::TimerAdded => format!("a timer of organization {organization} is due by no event, or otherwise than it says"),
            Unfit::RootEntry => format!("entry {at} of the root log is missing, or is not the one that was signed"),
            Unfit::RootTile => format!("tile {at} of the root log is not made of its entries"),
        };
        reporter.say(&sentence, || json!({ "event": "beside", "beside": beside }));
    }
    let whole = found.is_whole();
    match reporter {
        Reporter::Terminal if whole => print_line(&format!(
            "the log is the one that was signed: {} events of {} organizations up to position {}",
            found.leaves, found.organizations, found.position
        )),
        Reporter::Terminal => print_line(&format!(
            "the log is NOT whole: {} organizations differ from what was signed, {} things beside it do not fit it",
            found.findings.len(),
            found.beside.len()
        )),
        _ => print_line(&json!({ "event": "log", "whole": whole, "position": found.position, "leaves": found.leaves }).to_string()),
    }
    Ok(whole)
}
