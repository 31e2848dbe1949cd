//! The gate's share of a command over HTTP, as the server itself counts it.

use super::{
    Share,
    decisions::{POLICIES, policy},
};
use crate::Plan;
use crate::http::Holds;
use crate::load::closed_loop;
use crate::running::Caller;
use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use std::sync::Arc;

const CALLERS: [usize; 2] = [1, 64];
const MEMBERS: usize = 100;
const ROUTE: &str = "/api/v1/points/holds";
/// What policies speak of: one of them is the permission that is asked for.
const PERMISSIONS: [&str; 5] =
    ["points.hold.place", "points.credit.create", "points.debit.create", "points.balance.read", "points.program.read"];

/// Sum of seconds and number of observations.
#[derive(Clone, Copy)]
struct Told {
    seconds: f64,
    count: f64,
}

pub async fn measure(administrator: &Caller, plan: &Plan) -> anyhow::Result<Vec<Share>> {
    let holds = Arc::new(Holds::open(administrator.clone(), MEMBERS).await?);
    let mut shares = Vec::new();
    for callers in CALLERS {
        shares.push(share("no policies of its own", administrator, &holds, callers, plan).await?);
    }
    let written = (0..POLICIES).map(|number| {
        let body = json!({ "name": format!("bench-{number}"), "text": policy(number, PERMISSIONS[number % PERMISSIONS.len()]) });
        async move { administrator.post("policy-store/policies", &body).await }
    });
    stream::iter(written).buffer_unordered(8).try_for_each(|_| async { Ok(()) }).await?;
    administrator.post("policy-store/versions", &json!({})).await?;
    for callers in CALLERS {
        shares.push(share("500 policies of its own, 100 of them about holds", administrator, &holds, callers, plan).await?);
    }
    Ok(shares)
}

async fn share(what: &str, caller: &Caller, holds: &Arc<Holds>, callers: usize, plan: &Plan) -> anyhow::Result<Share> {
    let holds = holds.clone();
    let command = move |number| {
        let holds = holds.clone();
        async move { holds.place(number).await }
    };
    // Whatever is read at first stays read.
    closed_loop(callers, plan.span.div_f64(4.0), command.clone()).await?;
    let before = told(caller).await?;
    closed_loop(callers, plan.span, command).await?;
    let after = told(caller).await?;
    let [requests, gate] =
        [0, 1].map(|figure: usize| (after[figure].seconds - before[figure].seconds, after[figure].count - before[figure].count));
    ensure!(requests.1 == gate.1 && gate.1 > 0.0, "{} requests, and the gate counted {}", requests.1, gate.1);
    let (request_us, gate_us) = (requests.0 / requests.1 * 1e6, gate.0 / gate.1 * 1e6);
    println!("gate, {what}: callers={callers} requests={} of {request_us:.0}µs, gate={gate_us:.0}µs", requests.1);
    Ok(Share { what: what.to_owned(), callers, requests: requests.1 as u64, request_us, gate_us })
}

/// The figures of whole requests and of the gate, for holds.
async fn told(caller: &Caller) -> anyhow::Result<[Told; 2]> {
    let page = caller.metrics().await?;
    let figure = |name: &str| {
        let line = page.lines().find(|line| line.starts_with(&format!("{name}{{")) && line.contains(&format!("route=\"{ROUTE}\"")));
        let value = line.and_then(|line| line.rsplit_once(' ')).and_then(|(_, value)| value.parse::<f64>().ok());
        value.with_context(|| format!("no {name} of {ROUTE}"))
    };
    let of = |name: &str| anyhow::Ok(Told { seconds: figure(&format!("{name}_sum"))?, count: figure(&format!("{name}_count"))? });
    Ok([of("palmares_http_request_seconds")?, of("palmares_gate_seconds")?])
}
