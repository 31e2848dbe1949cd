//! Who is refused at a door learns nothing from how long it took, nor from anything else in the answer.

use super::sign_in::{GIVEN, Person};
use crate::support::{
    running::{Client, Organization, Reply, fresh_organization},
    timing::{TOLD_APART, rank_score},
};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// How often each case is tried, and how many of them come first and do not count.
const TRIES: usize = 44;
const WARM_UP: usize = 4;
/// Attempts that one person gets: ten in a quarter of an hour are let through.
const TRIES_PER_PERSON: usize = 9;
const WRONG: &str = "quartz pebble orbit lantern";

/// The bodies of a case, one for each try.
type Cases = Vec<(&'static str, Vec<Value>)>;

/// Enough people for all tries, each tried in turn.
async fn people(organization: &Organization, password: &str, make: impl AsyncFn() -> Person) -> Vec<Value> {
    let mut bodies = Vec::new();
    for _ in 0..TRIES.div_ceil(TRIES_PER_PERSON) {
        bodies.push(make().await.body(password));
    }
    assert_eq!(bodies[0]["organization"], json!(organization.slug));
    (0..TRIES).map(|number| bodies[number % bodies.len()].clone()).collect()
}

async fn cases(organization: &Organization) -> Cases {
    let strangers = || (0..TRIES).map(|_| format!("{}@example.test", Uuid::now_v7().simple()));
    let body = |organization: &str, email: String| json!({ "organization": organization, "email": email, "password": GIVEN });
    let suspended = async || {
        let person = organization.person("member").await;
        organization.admin.post(&format!("/users/{}/suspend", person.user), &json!({})).await.expect(200);
        person
    };
    vec![
        ("a wrong password", people(organization, WRONG, async || organization.person("member").await).await),
        ("nobody", strangers().map(|email| body(&organization.slug, email)).collect()),
        ("no organization", strangers().map(|email| body(&format!("org-{}", Uuid::now_v7().simple()), email)).collect()),
        ("suspended", people(organization, GIVEN, suspended).await),
        ("no password", people(organization, GIVEN, async || organization.newcomer("member").await).await),
    ]
}

/// All that an answer says, without what names the request and the moment.
fn said(reply: &Reply) -> (u16, BTreeMap<String, String>, Value) {
    const OF_THE_REQUEST: [&str; 3] = ["date", "palmares-request-id", "palmares-correlation-id"];
    let named = reply.headers.iter().filter(|(name, _)| !OF_THE_REQUEST.contains(&name.as_str()));
    let headers = named.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect();
    let mut body = reply.body.clone();
    body.as_object_mut().expect("a problem").remove("request_id");
    (reply.status, headers, body)
}

// covers: E-88, E-99, E-38
#[tokio::test]
async fn who_is_not_let_in_cannot_tell_why_by_the_clock() {
    let organization = fresh_organization().await;
    let cases = cases(&organization).await;
    let seed = rand::random();
    println!("the order of the requests is that of the seed {seed}");
    let random = &mut StdRng::seed_from_u64(seed);

    let client = Client::anonymous();
    let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    let mut first = None;
    for round in 0..TRIES {
        // In each round every case has its turn, so that whatever else the machine does hits all alike.
        let mut order: Vec<_> = cases.iter().collect();
        order.shuffle(random);
        for (name, bodies) in order {
            let request = client.request(Method::POST, "/auth/signin").json(&bodies[round]);
            let started = Instant::now();
            let reply = Reply::of(request).await;
            let took = started.elapsed();
            let said = said(&reply.refused(401, "AUTHENTICATION_FAILED"));
            assert_eq!(first.get_or_insert_with(|| said.clone()), &said, "{name} is answered differently");
            if round >= WARM_UP {
                times.entry(name).or_default().push(took);
            }
        }
    }
    for (name, times) in &times {
        let mut sorted = times.clone();
        sorted.sort_unstable();
        println!("{name}: median {:?}, {:?} to {:?}", sorted[sorted.len() / 2], sorted[0], sorted[sorted.len() - 1]);
    }
    for (one, left) in &times {
        for (other, right) in times.iter().filter(|(other, _)| *other > one) {
            let score = rank_score(left, right);
            assert!(score.abs() < TOLD_APART, "“{one}” and “{other}” are told apart: {score:.1} standard deviations (seed {seed})");
        }
    }
}
