//! `palmares rebuild NAME`: fills a projection anew from the log while the old one serves.

use super::{output::Reporter, remote::RemoteArgs};
use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(clap::Args)]
pub struct RebuildArgs {
    /// The projection, as `GET /api/v1/projections` names it
    name: String,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// What is read of a row of `GET /api/v1/projections`.
#[derive(Deserialize)]
struct Projection {
    name: String,
    position: i64,
    lag_positions: i64,
    /// Given from the request on, until the rebuild has ended.
    rebuild_position: Option<i64>,
    rebuild_error: Option<String>,
}

#[derive(Deserialize)]
struct Projections {
    items: Vec<Projection>,
}

pub async fn run(args: &RebuildArgs, reporter: &Reporter) -> anyhow::Result<()> {
    let api = args.remote.client(|tokens| &tokens.platform_admin)?;
    let look = async || -> anyhow::Result<Projection> {
        let answer = api.get("projections", &[]).await?;
        let known: Projections = serde_json::from_value(answer).context("the list of projections has another shape than expected")?;
        let names: Vec<String> = known.items.iter().map(|projection| projection.name.clone()).collect();
        let found = known.items.into_iter().find(|projection| projection.name == args.name);
        found.with_context(|| format!("there is no projection `{}`; there are {}", args.name, names.join(", ")))
    };
    let before = look().await?;
    api.post(&format!("projections/{}/rebuild", args.name), &json!({}), None).await?;

    let head = before.position + before.lag_positions;
    let progress = reporter.progress("events", u64::try_from(head).unwrap_or_default());
    let mut reached = 0;
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        let now = look().await?;
        if let Some(position) = now.rebuild_position {
            progress.advance(u64::try_from(position - reached).unwrap_or_default());
            reached = position.max(reached);
        } else if let Some(error) = now.rebuild_error {
            bail!("the rebuild of {} stopped, the old one still serves: {error}", args.name);
        } else {
            drop(progress);
            let sentence = format!("{} is rebuilt and serves from position {}", args.name, now.position);
            reporter.say(&sentence, || json!({ "event": "rebuilt", "projection": args.name, "position": now.position }));
            return Ok(());
        }
    }
}
