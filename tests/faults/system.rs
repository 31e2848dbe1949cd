//! The whole system, while its server, PostgreSQL and nats-server are killed in turn.

use super::{
    load::{Answer, Cast, Planned, read_until},
    rounds, seeded,
    world::{Caller, Victim, World},
};
use crate::support::streams::assert_contiguous;
use futures::{StreamExt, stream};
use rand::Rng;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::watch;
use uuid::Uuid;

const CALLERS: usize = 8;
const COMMANDS_PER_CALLER: usize = 6;
const USERS: usize = 6;
/// More than a load can spend.
const INITIAL: i64 = 1_000_000;

// covers: W-17, W-34, T-57, T-84
#[test]
fn what_was_acknowledged_survives_every_kill_once_and_read_models_equal_the_fold() {
    // The world belongs to this thread, which outlives it; the load runs on the runtime's own.
    let world = World::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run(world));
}

async fn run(mut world: World) {
    let mut random = seeded("system");
    let caller = Caller::new(&world.base_url, &world.descriptor().tokens.organization_admin);
    let cast = Arc::new(prepare(&caller).await);
    let mut history: Vec<(Planned, Answer)> = Vec::new();

    for round in 0..rounds() {
        for victim in Victim::ALL {
            let (answered, mut count) = watch::channel(0);
            let answered = Arc::new(answered);
            let callers: Vec<_> = (0..CALLERS)
                .map(|n| {
                    let key = |k| format!("{round}-{victim:?}-{n}-{k}");
                    let plans: Vec<_> = (0..COMMANDS_PER_CALLER).map(|k| cast.plan(&mut random, key(k))).collect();
                    let (caller, answered) = (caller.clone(), answered.clone());
                    tokio::spawn(async move {
                        let mut done = Vec::new();
                        for plan in plans {
                            let answer = plan.send(&caller).await;
                            answered.send_modify(|count| *count += 1);
                            done.push((plan, answer));
                        }
                        done
                    })
                })
                .collect();
            let kill_after = random.random_range(5..CALLERS * COMMANDS_PER_CALLER * 2 / 3);
            count.wait_for(|count| *count >= kill_after).await.expect("the callers are at it");
            world.kill(victim);
            let mut load = Vec::new();
            for caller in callers {
                load.extend(caller.await.unwrap_or_else(|error| panic!("{error}: {}", world.log())));
            }
            assert_repeats(&caller, &load).await;
            history.extend(load);
        }
    }
    assert_books(&caller, &cast, &history).await;
    assert_log(&world.descriptor().database_url, &cast, &history).await;
}

/// A program and users of the test's own, each with points to spend.
async fn prepare(caller: &Caller) -> Cast {
    let post = async |path: &str, body: Value| {
        let response = caller.request(Method::POST, path).json(&body).send().await.expect("the server answers");
        let status = response.status();
        let body: Value = response.json().await.expect("JSON");
        assert!(status.is_success(), "{path}: {body}");
        body
    };
    let program = post("/points/programs", json!({ "name": "faults" })).await["id"].as_str().expect("an id").to_owned();
    let mut users = Vec::new();
    for n in 0..USERS {
        let user = post("/users", json!({ "external_ref": format!("fault-{n}"), "role": "member" })).await["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        post("/points/credits", json!({ "program_id": program, "user_id": user, "amount": INITIAL, "reason": "start" })).await;
        read_until(caller, &format!("/users/{user}/points"), |points| points["items"][0]["posted"] == INITIAL).await;
        users.push(user);
    }
    Cast { program, users }
}

/// The same key gets the first answer.
async fn assert_repeats(caller: &Caller, load: &[(Planned, Answer)]) {
    let repeats = stream::iter(load).for_each_concurrent(CALLERS, async |(plan, answer)| {
        assert_eq!(plan.send(caller).await, *answer, "{}", plan.key);
    });
    repeats.await;
}

/// Every balance is what the acknowledged commands add up to, every statement has each of them once, and the books agree.
async fn assert_books(caller: &Caller, cast: &Cast, history: &[(Planned, Answer)]) {
    let reached = history.iter().map(|(_, answer)| answer.position).max().expect("commands were sent");
    for (user, id) in cast.users.iter().enumerate() {
        let ours = || history.iter().filter(move |(plan, _)| plan.changes.iter().any(|(changed, _)| *changed == user));
        let change: i64 =
            history.iter().flat_map(|(plan, _)| &plan.changes).filter(|(changed, _)| *changed == user).map(|(_, by)| by).sum();
        let path = format!("/users/{id}/points?min_position={reached}");
        let points = read_until(caller, &path, |points| points["items"][0]["pending"] == 0).await;
        assert_eq!(points["items"][0]["posted"], INITIAL + change, "balance of user {user}");
        let expected: BTreeSet<&str> = ours().map(|(_, answer)| answer.transaction_id.as_str()).collect();
        let lines = statement(caller, id).await;
        // One more line is the credit that the user began with.
        assert_eq!(lines.len(), expected.len() + 1, "lines of user {user}");
        let seen: BTreeSet<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(seen.intersection(&expected).count(), expected.len(), "transactions of user {user}");
    }
    let books = read_until(caller, "/points/trial-balance", |books| books["total"].is_number()).await;
    assert_eq!(books["total"], 0, "{books}");
    let report =
        read_until(caller, &format!("/points/reconciliations?min_position={reached}"), |report| report["accounts"].is_number()).await;
    assert_eq!(report["mismatches"], json!([]), "{report}");
    assert!(report["accounts"].as_i64() >= Some(USERS as i64), "{report}");
}

/// The transactions of every line of a user's statement.
async fn statement(caller: &Caller, user: &str) -> Vec<String> {
    let (mut lines, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = read_until(caller, &format!("/users/{user}/points/statement?limit=200{cursor}"), |page| page["items"].is_array()).await;
        let items = page["items"].as_array().into_iter().flatten();
        lines.extend(items.map(|line| line["transaction_id"].as_str().expect("a transaction id").to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return lines,
        }
    }
}

/// Positions and versions have no gap, and each command is recorded under one event and no second one.
async fn assert_log(database_url: &str, cast: &Cast, history: &[(Planned, Answer)]) {
    let options: PgConnectOptions = database_url.parse().expect("a URL");
    let mut connection = PgConnection::connect_with(&options.options([("role", "palmares_relay")])).await.expect("the relay's role");
    let log: Vec<(i64, i64, i64)> = sqlx::query_as("SELECT position, stream_key, version FROM log ORDER BY position")
        .fetch_all(&mut connection)
        .await
        .expect("the log");
    let log: Vec<_> = log.into_iter().map(|(position, stream, version)| (position, Uuid::from_u128(stream as u128), version)).collect();
    assert_contiguous(&log);

    let recorded: Vec<(String, i64)> = sqlx::query_as(
        "SELECT payload ->> 'transaction_id', count(*)
         FROM (SELECT convert_from(payload, 'UTF8')::json AS payload FROM log
               WHERE event_type IN ('points.credit_accepted', 'points.points_debited', 'points.transfer_sent')) e
         WHERE payload ->> 'program_id' = $1 GROUP BY 1",
    )
    .bind(&cast.program)
    .fetch_all(&mut connection)
    .await
    .expect("the transactions");
    assert_eq!(recorded.len(), history.len() + cast.users.len(), "as many transactions as commands");
    let recorded: BTreeMap<String, i64> = recorded.into_iter().collect();
    for (plan, answer) in history {
        assert_eq!(recorded.get(&answer.transaction_id), Some(&1), "{} {answer:?}", plan.key);
    }
}
