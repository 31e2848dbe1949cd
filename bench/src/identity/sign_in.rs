//! Signing in by password over HTTP: a hash takes most of it, and two are made at a time.

use crate::Plan;
use crate::load::closed_loop;
use crate::results::{self, Row};
use crate::running::{Caller, text};
use anyhow::ensure;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const CALLERS: [usize; 3] = [1, 2, 8];
const ORGANIZATION: &str = "acme";
const GIVEN: &str = "lantern orbit pebble quartz";
const OWN: &str = "meadow tractor violin glacier";
/// Attempts that a person gets: ten in a quarter of an hour, of which one was needed to set the password.
const ATTEMPTS: usize = 9;
/// More than this machine signs in; a run that needs more people than there are fails, and is not slowed down.
const RATE_MAX_PER_S: f64 = 120.0;

pub async fn measure(administrator: &Caller, plan: &Plan) -> anyhow::Result<Vec<Row>> {
    // A loop warms up for a fifth of its span.
    let attempts = RATE_MAX_PER_S * 1.2 * plan.span.as_secs_f64() * (plan.runs * CALLERS.len()) as f64;
    let wanted = (attempts as usize).div_ceil(ATTEMPTS);
    let people: Vec<_> = stream::iter((0..wanted).map(|number| person(administrator, number))).buffer_unordered(4).try_collect().await?;
    println!("{wanted} people can sign in");
    let (people, next) = (Arc::new(people), Arc::new(AtomicUsize::new(0)));
    let mut rows = Vec::new();
    for _ in 0..plan.runs {
        for callers in CALLERS {
            let (caller, people, next) = (administrator.clone(), people.clone(), next.clone());
            let command = move |_| {
                let (caller, people) = (caller.clone(), people.clone());
                let turn = next.fetch_add(1, Ordering::Relaxed);
                async move {
                    let answer = caller.knock("auth/signin", &body(&people[turn % people.len()], OWN)).await?;
                    ensure!(answer["status"] == "SIGNED_IN", "not signed in: {answer}");
                    Ok(())
                }
            };
            rows.push(Row::of("sign-in by password", callers, closed_loop(callers, plan.span, command).await?));
        }
    }
    Ok(results::medians(&rows))
}

fn body(email: &str, password: &str) -> Value {
    json!({ "organization": ORGANIZATION, "email": email, "password": password })
}

/// Makes somebody with a password of their own, and says their address.
async fn person(administrator: &Caller, number: usize) -> anyhow::Result<String> {
    let email = format!("signer-{number}@example.test");
    let user = json!({ "external_ref": email, "email": email, "role": "member" });
    let user = text(&administrator.post("users", &user).await?["id"])?;
    administrator.post(&format!("users/{user}/temporary-password"), &json!({ "password": GIVEN })).await?;
    let asked = administrator.knock("auth/signin", &body(&email, GIVEN)).await?;
    administrator.knock("auth/password", &json!({ "challenge": asked["challenge"], "password": OWN })).await?;
    Ok(email)
}
