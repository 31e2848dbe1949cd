//! What a command costs when it carries more, and when all of them want the same account.

use crate::Plan;
use crate::load::{closed_loop, mix};
use crate::palmares_system::{Palmares, With};
use crate::results::{self, Row};
use crate::server::Server;
use crate::world::World;
use std::sync::Arc;

/// Callers of these measurements.
const CALLERS: usize = 256;
/// Accounts that get sealed reasons: each has a data key, made before the measurement.
const SEALED_ACCOUNTS: usize = 10_000;

pub async fn measure(server: &Server, world: &Arc<World>, plan: &Plan) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    {
        let palmares = Palmares::open(server, world).await?;
        palmares.warm().await?;
        palmares.make_keys(SEALED_ACCOUNTS).await?;
        for run in 0..plan.runs as u64 {
            let draw = move |number: u64| mix(number ^ run << 60);
            let mut row = async |name, measurement| {
                rows.push(measured(plan, &palmares, name, measurement, draw).await?);
                anyhow::Ok(())
            };
            row("plain", Extra::Plain).await?;
            row("idempotency key", Extra::Key).await?;
            row("claim (credit of a source)", Extra::Claim).await?;
            row("sealed field (reason)", Extra::Sealed).await?;
            row("one hot account", Extra::Hot).await?;
        }
    }
    for run in 0..plan.runs as u64 {
        // A new engine knows no state: most accounts are loaded when they are first asked for.
        let cold = Palmares::open(server, world).await?;
        rows.push(measured(plan, &cold, "cold accounts", Extra::Plain, move |number| mix(number ^ run << 60)).await?);
    }
    results::write("extras", &results::medians(&rows))
}

#[derive(Clone, Copy)]
enum Extra {
    Plain,
    Key,
    Claim,
    Sealed,
    Hot,
}

async fn measured(
    plan: &Plan,
    palmares: &Arc<Palmares>,
    name: &str,
    extra: Extra,
    draw: impl Fn(u64) -> u64 + Copy + Send + 'static,
) -> anyhow::Result<Row> {
    let palmares = palmares.clone();
    let command = move |number| execute(palmares.clone(), extra, draw(number));
    Ok(Row::of(name, CALLERS, closed_loop(CALLERS, plan.span, command).await?))
}

async fn execute(palmares: Arc<Palmares>, extra: Extra, number: u64) -> anyhow::Result<()> {
    match extra {
        Extra::Plain => palmares.place_hold(number, With::Nothing).await,
        Extra::Key => palmares.place_hold(number, With::IdempotencyKey).await,
        Extra::Claim => palmares.credit_with_claim(number).await,
        Extra::Sealed => palmares.place_hold(number % SEALED_ACCOUNTS as u64, With::SealedReason).await,
        Extra::Hot => palmares.place_hold_on_first().await,
    }
}
