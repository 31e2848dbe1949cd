//! `palmares rebuild NAME`: fills a projection anew from the log while the old one serves; `verify-projections` does so with all of
//! them, and says where what served was not what the log says.

use super::{
    client::ApiClient,
    output::{Progress, Reporter, print_line},
    remote::RemoteArgs,
};
use anyhow::{Context, bail};
use palmares_projections::engine::comparison::Comparison;
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

#[derive(clap::Args)]
pub struct VerifyProjectionsArgs {
    /// These projections only, as `GET /api/v1/projections` names them
    names: Vec<String>,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// What is read of a row of `GET /api/v1/projections`.
#[derive(Deserialize)]
struct Projection {
    name: String,
    kind: String,
    position: i64,
    lag_positions: i64,
    /// Given from the request on, until the rebuild has ended.
    rebuild_position: Option<i64>,
    rebuild_error: Option<String>,
    compared_at: Option<String>,
    comparison: Option<Comparison>,
}

#[derive(Deserialize)]
struct Projections {
    items: Vec<Projection>,
}

async fn all(api: &ApiClient) -> anyhow::Result<Vec<Projection>> {
    let answer = api.get("projections", &[]).await?;
    let known: Projections = serde_json::from_value(answer).context("the list of projections has another shape than expected")?;
    Ok(known.items)
}

async fn look(api: &ApiClient, name: &str) -> anyhow::Result<Projection> {
    let known = all(api).await?;
    let names: Vec<String> = known.iter().map(|projection| projection.name.clone()).collect();
    let found = known.into_iter().find(|projection| projection.name == name);
    found.with_context(|| format!("there is no projection `{name}`; there are {}", names.join(", ")))
}

/// The answer says whether what served was what the log says, as far as it was compared.
pub async fn run(args: &RebuildArgs, reporter: &Reporter) -> anyhow::Result<bool> {
    let api = args.remote.client(|tokens| &tokens.platform_admin)?;
    let before = look(&api, &args.name).await?;
    let head = before.position + before.lag_positions;
    let progress = reporter.progress("events", u64::try_from(head).unwrap_or_default());
    let rebuilt = rebuild(&api, &before, Some(&progress)).await?;
    drop(progress);
    let sentence = format!("{} is rebuilt and serves from position {}", args.name, rebuilt.position);
    reporter.say(&sentence, || json!({ "event": "rebuilt", "projection": args.name, "position": rebuilt.position }));
    Ok(agrees(&rebuilt, before.compared_at.as_deref(), reporter) != Some(false))
}

/// Every projection in turn: rebuilding them all at once would read the log as often at once.
pub async fn verify(args: &VerifyProjectionsArgs, reporter: &Reporter) -> anyhow::Result<bool> {
    let api = args.remote.client(|tokens| &tokens.platform_admin)?;
    for name in &args.names {
        look(&api, name).await?;
    }
    let (mut compared, mut differing) = (0, 0);
    for before in all(&api).await? {
        if before.kind != "projector" || (!args.names.is_empty() && !args.names.contains(&before.name)) {
            continue;
        }
        let rebuilt = rebuild(&api, &before, None).await?;
        match agrees(&rebuilt, before.compared_at.as_deref(), reporter) {
            Some(true) => compared += 1,
            Some(false) => (compared, differing) = (compared + 1, differing + 1),
            None => {}
        }
    }
    match reporter {
        Reporter::Terminal if differing == 0 => print_line(&format!("{compared} projections were what the log says")),
        Reporter::Terminal => print_line(&format!("{differing} of {compared} projections were NOT what the log says; now they are")),
        _ => print_line(&json!({ "event": "projections", "compared": compared, "differing": differing }).to_string()),
    }
    Ok(differing == 0)
}

/// Asks for a rebuild, and waits until it has ended.
async fn rebuild(api: &ApiClient, before: &Projection, progress: Option<&Progress>) -> anyhow::Result<Projection> {
    let name = &before.name;
    api.post(&format!("projections/{name}/rebuild"), &json!({}), None).await?;
    let mut reached = 0;
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        let now = look(api, name).await?;
        if let Some(position) = now.rebuild_position {
            if let Some(progress) = progress {
                progress.advance(u64::try_from(position - reached).unwrap_or_default());
            }
            reached = position.max(reached);
        } else if let Some(error) = now.rebuild_error {
            bail!("the rebuild of {name} stopped, the old one still serves: {error}");
        } else {
            return Ok(now);
        }
    }
}

/// Shows every difference; `None` where nothing was compared.
fn agrees(rebuilt: &Projection, compared_before: Option<&str>, reporter: &Reporter) -> Option<bool> {
    let comparison = rebuilt.comparison.as_ref().filter(|_| rebuilt.compared_at.as_deref() != compared_before)?;
    let name = &rebuilt.name;
    for difference in &comparison.differences {
        let (table, missing, surplus) = (&difference.table, difference.missing, difference.surplus);
        let sentence =
            format!("{name} was not what the log says: in {table} {missing} rows were missing and {surplus} were not of the log");
        reporter.say(&sentence, || json!({ "event": "difference", "projection": name, "difference": difference }));
    }
    Some(comparison.differences.is_empty())
}
