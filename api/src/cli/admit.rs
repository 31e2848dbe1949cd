//! `palmares admit`: what stands in the log and no server of this system recorded.
//!
//! The sealer signs nothing behind it. Whoever operates the system looks at it and decides: the events
//! stay where they are, since positions have no gaps, and are signed once somebody who holds the keys
//! answers for them.

use super::{
    output::{Reporter, print_line},
    settings::KeyStoreArgs,
    verify_log,
};
use anyhow::Context;
use palmares_commands::store::postgres::admit;
use palmares_projections::engine::sealing::{Foreign, Outside, foreign};
use serde_json::json;
use std::{path::PathBuf, sync::Arc};

#[derive(clap::Args)]
pub struct AdmitArgs {
    /// PostgreSQL, as the owner of the database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// File of the last signed checkpoint, outside the database
    #[arg(long, env = "PALMARES_LOG_CHECKPOINT_FILE")]
    log_checkpoint_file: PathBuf,
    #[command(flatten)]
    keys: KeyStoreArgs,
    /// Answer for the events up to this position, of those that are shown without it
    #[arg(long, requires = "reason")]
    until: Option<i64>,
    /// Why they may stay: kept beside them
    #[arg(long, requires = "until")]
    reason: Option<String>,
}

/// Shows what nobody vouches for, and admits what it is told to; the answer says whether nothing is left.
pub async fn run(args: &AdmitArgs, reporter: &Reporter) -> anyhow::Result<bool> {
    let key = args.keys.voucher_key().await?;
    let (log, outside) = (verify_log::open(&args.database_url).await?, Outside::new(&args.log_checkpoint_file));
    let vouching = key.clone();
    let found = foreign(&log, &outside, Arc::new(move |events, voucher| vouching.vouches_for(events, voucher)));
    let Some(found) = found.await.context("the log is NOT the one that was signed")? else {
        reporter.say("servers of this system recorded every event that is not sealed yet", || json!({ "event": "foreign", "events": 0 }));
        return Ok(true);
    };
    tell(&found, reporter);
    let (Some(until), Some(reason)) = (args.until, &args.reason) else { return Ok(false) };
    let (first, last) = found.span();
    anyhow::ensure!((first..=last).contains(&until), "--until takes a position from {first} to {last}");
    let admitted = &found.0[..usize::try_from(until - first + 1)?];
    let connect = args.database_url.parse().context("DATABASE_URL is no address of a PostgreSQL database")?;
    admit(connect, &key, admitted, reason).await.context("admitting them")?;
    let sentence = format!("the events at positions {first} to {until} are admitted, and will be sealed as they are");
    reporter.say(&sentence, || json!({ "event": "admitted", "first": first, "last": until, "reason": reason }));
    Ok(until == last)
}

/// What they are; payloads are not shown.
fn tell(Foreign(events): &Foreign, reporter: &Reporter) {
    for (organization, entry) in events {
        let (position, event_type, stream) = (entry.position, &entry.event_type, entry.stream_id);
        let sentence = format!("position {position}: {event_type} of {} {stream}, organization {organization}", entry.stream_type);
        reporter.say(&sentence, || {
            json!({
                "event": "foreign_event", "position": position, "organization_id": organization, "type": event_type,
                "stream_type": entry.stream_type, "stream_id": stream.to_string(), "version": entry.version,
                "event_id": entry.event_id.to_string(),
            })
        });
    }
    if matches!(reporter, Reporter::Terminal) {
        print_line("No server of this system recorded these events, or they were changed before they were sealed.");
    }
}
