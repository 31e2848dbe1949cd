//! `make bench`: what Palmares does on this machine, beside what one would use instead.
//!
//! Everything runs on one PostgreSQL with full durability, started for the occasion. Numbers in
//! `docs/performance.md` are printed by this program and by nothing else.

mod audit;
mod bare;
mod chart;
mod erasure;
mod extras;
mod http;
mod identity;
mod load;
mod memory;
mod palmares_system;
mod projector;
mod proofs;
mod protection;
mod report;
mod results;
mod running;
mod sealing;
mod server;
mod store;
mod vanilla;
mod world;

use clap::{Parser, Subcommand};
use std::time::Duration;

#[derive(Parser)]
#[command(about = "Measures Palmares against vanilla cqrs-es, a batched insert and COPY")]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// Seconds of each measurement
    #[arg(long, global = true, default_value_t = 4.0)]
    seconds: f64,
    /// Accounts to choose from, each with points
    #[arg(long, global = true, default_value_t = 100_000)]
    accounts: usize,
    /// Concurrent callers, each of which waits for its answer before it asks again
    #[arg(long, global = true, value_delimiter = ',', default_values_t = [1, 16, 64, 256, 1_024])]
    callers: Vec<usize>,
    /// How often everything is measured; medians count
    #[arg(long, global = true, default_value_t = 3)]
    runs: usize,
    /// How long the log becomes while memory is measured
    #[arg(long, global = true, default_value_t = 1_500_000)]
    events: i64,
    /// How long the audit log is that is searched; ten million take about 11 GB for a while
    #[arg(long, global = true, default_value_t = 10_000_000)]
    entries: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Subcommand)]
enum Part {
    /// Place a hold: Palmares, vanilla cqrs-es + postgres-es, a batched insert, COPY
    Store,
    /// The same with an idempotency key, a claim, a sealed field; one hot account; cold accounts
    Extras,
    /// The balances projector against a bare upsert
    Projector,
    /// Appends with and without sealed fields, and while the log is sealed or not
    Protection,
    /// The erasure of people with ten thousand events each, and appends meanwhile
    Erasure,
    /// A proof at a million leaves
    Proofs,
    /// Holds over HTTP, through the whole gate
    Http,
    /// A decision, the gate's share of a command, signing in
    Identity,
    /// Searches of a long audit log
    Audit,
    /// What the process holds in memory while the log grows
    Memory,
    /// Writes docs/performance.md and its chart from the results
    Report,
}

/// How to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    pub span: Duration,
    pub accounts: usize,
    pub callers: Vec<usize>,
    pub runs: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    // Two providers are linked, and TLS panics at its first use without a choice.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        anyhow::bail!("the cryptographic provider could not be installed");
    }
    let wants = |part| arguments.part.is_none_or(|wanted| wanted == part);
    let plan = Plan {
        span: Duration::from_secs_f64(arguments.seconds),
        accounts: arguments.accounts,
        callers: arguments.callers.clone(),
        runs: arguments.runs,
    };
    if [Part::Store, Part::Extras, Part::Projector, Part::Protection, Part::Erasure, Part::Proofs].into_iter().any(wants) {
        let server = server::Server::start().await?;
        let outcome = on_server(&server, &plan, wants).await;
        server.stop().await;
        outcome?;
    }
    match arguments.part {
        Some(Part::Memory) => memory_alone(&plan, arguments.events).await?,
        // In a process of its own: memory that the other parts have freed would hide what it takes.
        None => again("memory").await?,
        Some(_) => {}
    }
    if wants(Part::Audit) {
        let server = server::Server::start().await?;
        let outcome = audit::measure(&server, arguments.entries).await;
        server.stop().await;
        outcome?;
    }
    if wants(Part::Http) {
        http::measure(&plan).await?;
    }
    if wants(Part::Identity) {
        identity::measure(&plan).await?;
    }
    if wants(Part::Report) {
        report::write()?;
    }
    Ok(())
}

/// Runs this program again with the same arguments, for one part.
async fn again(part: &str) -> anyhow::Result<()> {
    let mut command = tokio::process::Command::new(std::env::current_exe()?);
    let status = command.arg(part).args(std::env::args_os().skip(1)).status().await?;
    anyhow::ensure!(status.success(), "`{part}` has ended with {status}");
    Ok(())
}

async fn memory_alone(plan: &Plan, events: i64) -> anyhow::Result<()> {
    let server = server::Server::start().await?;
    let outcome = async {
        let world = world::World::seed(&server, plan.accounts).await?;
        memory::measure(&server, &world, events).await
    };
    let outcome = outcome.await;
    server.stop().await;
    outcome
}

async fn on_server(server: &server::Server, plan: &Plan, wants: impl Fn(Part) -> bool) -> anyhow::Result<()> {
    server.check_settings().await?;
    let world = world::World::seed(server, plan.accounts).await?;
    if wants(Part::Store) {
        store::measure(server, &world, plan).await?;
    }
    if wants(Part::Extras) {
        extras::measure(server, &world, plan).await?;
    }
    if wants(Part::Projector) {
        projector::measure(server, &world, plan).await?;
    }
    if wants(Part::Protection) {
        protection::measure(server, &world, &sealing::Notary::open(server).await?, plan).await?;
    }
    if wants(Part::Erasure) {
        erasure::measure(server, &world, plan).await?;
    }
    // Last: a writer keeps the head of the log in memory, and this fills the log past it.
    if wants(Part::Proofs) {
        proofs::measure(server, &sealing::Notary::open(server).await?).await?;
    }
    Ok(())
}
