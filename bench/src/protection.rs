//! What protection costs an append: personal fields sealed or not, the log sealed or not.
//!
//! Both ways take turns in short rounds, and each round is compared with the one beside it: on a
//! machine that does something else as well, rounds that lie further apart say little of each other.

use crate::Plan;
use crate::load::{Measured, closed_loop, mix};
use crate::palmares_system::{Palmares, With};
use crate::results::{self, Row};
use crate::sealing::Notary;
use crate::server::Server;
use crate::world::World;
use palmares_projections::engine::{head::HeadSignal, stop::Stopper};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::sync::Arc;
use tokio::task::JoinHandle;

const CALLERS: usize = 256;
/// Accounts whose reasons are sealed: each has a data key, made before the measurement.
const SEALED_ACCOUNTS: usize = 10_000;
/// Pairs of rounds for each run that the plan asks for.
const PAIRS: usize = 2;
/// What the design asks for, of the rate without.
const ENCRYPTION_SHARE_MIN: f64 = 0.90;
const SEALING_SHARE_MIN: f64 = 0.95;

/// One thing with and without, in turns.
#[derive(Serialize, Deserialize)]
struct Turns {
    what: String,
    /// What is asked of it, where something is.
    share_min: Option<f64>,
    /// Medians of both.
    rows: Vec<Row>,
    /// The rate with over the rate without, of each pair of rounds, the smallest first.
    shares: Vec<f64>,
}

/// What was measured.
#[derive(Serialize, Deserialize)]
pub struct Protection(Vec<Turns>);

impl Turns {
    /// Pairs of rounds, of which every other one begins with what the one before ended with.
    async fn take(
        (what, share_min): (&str, Option<f64>),
        (with, without): (&str, &str),
        pairs: usize,
        mut round: impl AsyncFnMut(bool, u64) -> anyhow::Result<Measured>,
    ) -> anyhow::Result<Self> {
        let (mut rows, mut shares) = (Vec::new(), Vec::new());
        for pair in 0..pairs as u64 {
            let mut rates = [0.0; 2];
            for turn in 0..2 {
                let on = (pair + turn) % 2 == 1;
                let measured = round(on, 2 * pair + turn).await?;
                rates[usize::from(on)] = measured.rate_per_s;
                rows.push(Row::of(if on { with } else { without }, CALLERS, measured));
            }
            shares.push((rates[1] / rates[0] * 1e3).round() / 1e3);
        }
        shares.sort_unstable_by(f64::total_cmp);
        let turns = Self { what: what.to_owned(), share_min, rows: results::medians(&rows), shares };
        println!("{}", turns.verdict());
        Ok(turns)
    }

    fn verdict(&self) -> String {
        let Self { what, share_min, shares, .. } = self;
        let at = |share: f64| shares.get((shares.len() as f64 * share) as usize).copied().unwrap_or_default();
        let (low, median, high) = (at(0.0), at(0.5), shares.last().copied().unwrap_or_default());
        let holds = match share_min {
            Some(least) if median >= *least => format!("; {least:.2} or more: holds"),
            Some(least) => format!("; {least:.2} or more: **missed**"),
            None => String::new(),
        };
        let pairs = shares.len();
        format!("{what}: {median:.2} of the rate without, the median of {pairs} pairs of rounds ({low:.2} to {high:.2}){holds}.")
    }
}

pub async fn measure(server: &Server, world: &Arc<World>, notary: &Notary, plan: &Plan) -> anyhow::Result<()> {
    let palmares = Palmares::open(server, world).await?;
    palmares.warm().await?;
    palmares.make_keys(SEALED_ACCOUNTS).await?;
    let goal = ("Appends of events of which each has a sealed text", Some(ENCRYPTION_SHARE_MIN));
    let each = encryption(server, &palmares, plan, goal, ("sealed text", "clear text"), 1).await?;
    let what = ("The same where one event in four has a text", None);
    let some = encryption(server, &palmares, plan, what, ("sealed text, one in four", "clear text, one in four"), 4).await?;
    let sealing = sealing(server, &palmares, notary, plan).await?;
    results::write("protection", &Protection(vec![each, some, sealing]))
}

/// Holds of which one in so many has a text, which is sealed or stands in the event as it is.
async fn encryption(
    server: &Server,
    palmares: &Arc<Palmares>,
    plan: &Plan,
    goal: (&str, Option<f64>),
    names: (&str, &str),
    one_in: u64,
) -> anyhow::Result<Turns> {
    Turns::take(goal, names, PAIRS * plan.runs, async |on, round| {
        server.run("CHECKPOINT").await?;
        let palmares = palmares.clone();
        let command = move |number: u64| {
            let palmares = palmares.clone();
            let drawn = mix(number ^ round << 56);
            let with = match (drawn >> 40).is_multiple_of(one_in) {
                true if on => With::SealedReason,
                true => With::ClearReason,
                false => With::Nothing,
            };
            async move { palmares.place_hold(drawn % SEALED_ACCOUNTS as u64, with).await }
        };
        closed_loop(CALLERS, plan.span, command).await
    })
    .await
}

/// Holds while the log is sealed, and while it is not.
async fn sealing(server: &Server, palmares: &Arc<Palmares>, notary: &Notary, plan: &Plan) -> anyhow::Result<Turns> {
    let goal = ("Appends while the log is sealed", Some(SEALING_SHARE_MIN));
    Turns::take(goal, ("log sealed", "log not sealed"), PAIRS * plan.runs, async |on, round| {
        notary.sealer(&Arc::default()).seal_all().await?;
        server.run("CHECKPOINT").await?;
        let following = on.then(|| Following::start(palmares, notary));
        let loop_palmares = palmares.clone();
        let command = move |number| {
            let palmares = loop_palmares.clone();
            async move { palmares.place_hold(round << 56 | number, With::Nothing).await }
        };
        let measured = closed_loop(CALLERS, plan.span, command).await?;
        if let Some(following) = following {
            let behind = palmares.position() - notary.sealer(&Arc::default()).status().await?.sealed_position;
            following.stop().await?;
            println!("the sealer was {behind} events behind at the end");
        }
        Ok(measured)
    })
    .await
}

/// A sealer at work.
struct Following {
    stopper: Stopper,
    sealer: JoinHandle<()>,
    telling: JoinHandle<()>,
}

impl Following {
    fn start(palmares: &Palmares, notary: &Notary) -> Self {
        let head = Arc::new(HeadSignal::new());
        let (stopper, stop) = Stopper::new();
        let (told, mut committed) = (head.clone(), palmares.committed());
        let telling = tokio::spawn(async move {
            while committed.changed().await.is_ok() {
                told.advance(*committed.borrow_and_update());
            }
        });
        let tail = palmares.tail();
        let sealer = notary.sealer(&head).with_recent(Arc::new(move |after| tail.entries(after)));
        Self { stopper, sealer: tokio::spawn(sealer.run(stop)), telling }
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.stopper.stop();
        self.telling.abort();
        Ok(self.sealer.await?)
    }
}

/// The tables of the page.
pub fn report(measured: Option<&Protection>) -> String {
    let Some(Protection(all)) = measured else { return "Not measured in this run.\n".to_owned() };
    let mut page = String::from("| Place a hold | Callers | Per second | p50 ms | p99 ms |\n|---|--:|--:|--:|--:|\n");
    for Row { system, callers, rate_per_s, p50_ms, p99_ms } in all.iter().flat_map(|turns| &turns.rows) {
        let _ = writeln!(page, "| {system} | {callers} | {rate_per_s:.0} | {p50_ms:.1} | {p99_ms:.1} |");
    }
    page.push('\n');
    for turns in all {
        let _ = writeln!(page, "- {}", turns.verdict());
    }
    page
}
