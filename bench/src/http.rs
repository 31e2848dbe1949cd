//! Holds over HTTP, through the whole gate, on the running binary.

use crate::Plan;
use crate::load::{closed_loop, mix};
use crate::results::{self, Row};
use crate::running::{Caller, Running, text};
use anyhow::ensure;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use std::sync::Arc;

const CALLERS: [usize; 2] = [1, 64];
const MEMBERS: usize = 500;

pub async fn measure(plan: &Plan) -> anyhow::Result<()> {
    let running = Running::start().await?;
    let holds = Arc::new(Holds::open(running.administrator()?, MEMBERS).await?);
    let mut rows = Vec::new();
    for _ in 0..plan.runs {
        for callers in CALLERS {
            let holds = holds.clone();
            let command = move |number| {
                let holds = holds.clone();
                async move { holds.place(number).await }
            };
            rows.push(Row::of("HTTP, whole gate", callers, closed_loop(callers, plan.span, command).await?));
        }
    }
    results::write("http", &results::medians(&rows))
}

/// A program and members with points in it.
pub struct Holds {
    caller: Caller,
    program: String,
    members: Vec<String>,
}

impl Holds {
    pub async fn open(caller: Caller, members: usize) -> anyhow::Result<Self> {
        let program = text(&caller.post("points/programs", &json!({ "name": "bench" })).await?["id"])?;
        let mut holds = Self { caller, program, members: Vec::new() };
        let made = stream::iter((0..members).map(|number| holds.member(number))).buffer_unordered(16).try_collect().await?;
        holds.members = made;
        Ok(holds)
    }

    async fn member(&self, number: usize) -> anyhow::Result<String> {
        let user = self.caller.post("users", &json!({ "external_ref": format!("bench-{number}"), "role": "member" })).await?;
        let id = text(&user["id"])?;
        let credit = json!({ "program_id": self.program, "user_id": id, "amount": 1_000_000, "reason": "bench" });
        // A reactor resolves the credit: until then there is nothing to hold.
        let credited = self.caller.post("points/credits", &credit).await?;
        ensure!(credited["status"] == "RESOLVED", "the credit is not resolved: {credited}");
        Ok(id)
    }

    /// Places a hold for one of the members.
    pub async fn place(&self, number: u64) -> anyhow::Result<()> {
        let user = &self.members[(mix(number) % self.members.len() as u64) as usize];
        let body = json!({ "program_id": self.program, "user_id": user, "amount": 1, "reason": "bench" });
        self.caller.post("points/holds", &body).await.map(drop)
    }
}
