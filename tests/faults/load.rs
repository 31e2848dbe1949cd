//! Commands under idempotency keys, each sent until it is answered.

use super::world::Caller;
use rand::{Rng, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Who moves points, and in which program.
pub struct Cast {
    pub program: String,
    pub users: Vec<String>,
}

/// A command, and what it does to the balance of each user.
#[derive(Clone, Debug)]
pub struct Planned {
    pub key: String,
    pub path: &'static str,
    pub body: Value,
    pub changes: Vec<(usize, i64)>,
}

/// An answer that was given: a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub transaction_id: String,
    pub position: i64,
}

impl Cast {
    /// A credit, a debit or a transfer of a few points.
    pub fn plan(&self, random: &mut StdRng, key: String) -> Planned {
        let user = random.random_range(0..self.users.len());
        let amount: i64 = random.random_range(1..20);
        let mut body = json!({ "program_id": self.program, "amount": amount, "reason": "load" });
        let (path, changes) = match random.random_range(0..3) {
            0 => ("/points/credits", vec![(user, amount)]),
            1 => ("/points/debits", vec![(user, -amount)]),
            _ => {
                let other = (user + random.random_range(1..self.users.len())) % self.users.len();
                body["from_user_id"] = json!(self.users[user]);
                body["to_user_id"] = json!(self.users[other]);
                return Planned { key, path: "/points/transfers", body, changes: vec![(user, -amount), (other, amount)] };
            }
        };
        body["user_id"] = json!(self.users[user]);
        Planned { key, path, body, changes }
    }
}

impl Planned {
    /// Sends it under its key until it is answered. Whoever got no answer does not know whether it
    /// was recorded, so sends the same again.
    pub async fn send(&self, caller: &Caller) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let request = caller.request(Method::POST, self.path).header("Idempotency-Key", &self.key).json(&self.body);
            let missing = match request.send().await {
                Ok(response) => {
                    let status = response.status();
                    let position = response.headers().get("palmares-position").and_then(|value| value.to_str().ok()?.parse().ok());
                    match response.json::<Value>().await {
                        Ok(body) if status.is_success() => {
                            let transaction_id = body["transaction_id"].as_str().expect("a transaction id").to_owned();
                            return Answer { status: status.as_u16(), transaction_id, position: position.expect("a position") };
                        }
                        Ok(body) => {
                            assert!(status.is_server_error(), "{} {}: {status}: {body}", self.key, self.path);
                            body.to_string()
                        }
                        Err(error) => error.to_string(),
                    }
                }
                Err(error) => error.to_string(),
            };
            assert!(Instant::now() < deadline, "{} was never answered: {missing}", self.key);
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// Reads until the answer satisfies `done`.
pub async fn read_until(caller: &Caller, path: &str, done: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = match caller.request(Method::GET, path).header("Prefer", "wait=10").send().await {
            Ok(response) if response.status().is_success() => response.json().await.unwrap_or(Value::Null),
            Ok(response) => json!(response.status().as_u16()),
            Err(error) => json!(error.to_string()),
        };
        if done(&seen) {
            return seen;
        }
        assert!(Instant::now() < deadline, "{path} stays at {seen}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Every item of a list, page by page, at a path that has a query.
pub async fn read_all(caller: &Caller, path: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = read_until(caller, &format!("{path}&limit=100{cursor}"), Value::is_object).await;
        items.extend(page["items"].as_array().expect("a list").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}
