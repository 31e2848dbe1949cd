//! Who is refused at a door learns nothing from how long it took, nor from anything else in the answer.

use super::sign_in::GIVEN;
use crate::support::{
    running::{Client, Organization, Reply, fresh_organization},
    timing::{TOLD_APART, rank_score},
};
use palmares::sign_in::BEAT;
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
/// Attempts that one person gets: after five failures in a quarter of an hour a challenge is asked for.
const TRIES_PER_PERSON: usize = 4;
/// Rounds that come from one address, for the same reason.
const ROUNDS_PER_ADDRESS: usize = 11;
const WRONG: &str = "quartz pebble orbit lantern";

/// The cases of a door: a name, and a body for each try.
type Cases = Vec<(&'static str, Vec<Value>)>;

/// Whom a body is about.
#[derive(Clone, Copy)]
enum Whom {
    Member,
    Suspended,
    /// A user who has no password.
    Newcomer,
    Nobody,
    /// Nobody, of an organization that is not there either.
    NoOrganization,
}

/// A body for each try: of people who are tried in turn, or of another nobody each time.
async fn bodies(organization: &Organization, whom: Whom, password: &str) -> Vec<Value> {
    let nobody = |organization: &str| {
        let email = format!("{}@example.test", Uuid::now_v7().simple());
        json!({ "organization": organization, "email": email, "password": password })
    };
    let somebody = async || match whom {
        Whom::Newcomer => organization.newcomer("member").await,
        Whom::Suspended => {
            let person = organization.person("member").await;
            organization.admin.post(&format!("/users/{}/suspend", person.user), &json!({})).await.expect(200);
            person
        }
        _ => organization.person("member").await,
    };
    match whom {
        Whom::Nobody => (0..TRIES).map(|_| nobody(&organization.slug)).collect(),
        Whom::NoOrganization => (0..TRIES).map(|_| nobody(&format!("org-{}", Uuid::now_v7().simple()))).collect(),
        _ => {
            let mut people = Vec::new();
            for _ in 0..TRIES.div_ceil(TRIES_PER_PERSON) {
                people.push(somebody().await.body(password));
            }
            people.into_iter().cycle().take(TRIES).collect()
        }
    }
}

/// The cases of a door that asks for no password.
async fn mailed_cases() -> Cases {
    let organization = fresh_organization().await;
    let mut cases = Vec::new();
    for (name, whom) in
        [("a member", Whom::Member), ("nobody", Whom::Nobody), ("no organization", Whom::NoOrganization), ("suspended", Whom::Suspended)]
    {
        let mut bodies = bodies(&organization, whom, GIVEN).await;
        for body in &mut bodies {
            body.as_object_mut().expect("a body").remove("password");
        }
        cases.push((name, bodies));
    }
    cases
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

/// Asserts that a door answers all cases alike, in the same time.
async fn nobody_tells_apart(path: &str, status: u16, cases: &Cases) {
    let seed = rand::random();
    println!("{path}: the order of the requests is that of the seed {seed}");
    let random = &mut StdRng::seed_from_u64(seed);
    let mut client = Client::anonymous();
    let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    let mut first = None;
    for round in 0..TRIES {
        if round % ROUNDS_PER_ADDRESS == 0 {
            let number = u8::try_from(round / ROUNDS_PER_ADDRESS).expect("few");
            client = Client::coming_from([127, 3, number, 1], "a stopwatch");
            // The connection is made before the clock runs.
            client.get("/me").await.expect(401);
        }
        // In each round every case has its turn, so that whatever else the machine does hits all alike.
        let mut order: Vec<_> = cases.iter().collect();
        order.shuffle(random);
        for (name, bodies) in order {
            let request = client.request(Method::POST, path).json(&bodies[round]);
            let started = Instant::now();
            let reply = Reply::of(request).await;
            let took = started.elapsed();
            assert!(took >= BEAT, "{path}: {name} is answered after {took:?}, which is when the work was done");
            let said = said(&reply.expect(status));
            assert_eq!(first.get_or_insert_with(|| said.clone()), &said, "{path}: {name} is answered differently");
            if round >= WARM_UP {
                times.entry(name).or_default().push(took);
            }
        }
    }
    for (one, left) in &times {
        for (other, right) in times.iter().filter(|(other, _)| *other > one) {
            let score = rank_score(left, right);
            println!("{path}: {one} / {other}: {score:.1}");
            assert!(score.abs() < TOLD_APART, "{path}: “{one}” and “{other}” are told apart by {score:.1} deviations (seed {seed})");
        }
    }
}

// covers: E-88, E-99, E-38
#[tokio::test]
async fn who_is_not_let_in_cannot_tell_why_by_the_clock() {
    let organization = fresh_organization().await;
    let mut cases = Vec::new();
    for (name, whom, password) in [
        ("a wrong password", Whom::Member, WRONG),
        ("nobody", Whom::Nobody, GIVEN),
        ("no organization", Whom::NoOrganization, GIVEN),
        ("suspended", Whom::Suspended, GIVEN),
        ("no password", Whom::Newcomer, GIVEN),
    ] {
        cases.push((name, bodies(&organization, whom, password).await));
    }
    nobody_tells_apart("/auth/signin", 401, &cases).await;
}

// covers: E-88, E-93
#[tokio::test]
async fn who_asks_for_a_link_cannot_tell_by_the_clock_whether_it_is_sent() {
    nobody_tells_apart("/auth/magic-link", 202, &mailed_cases().await).await;
}

// covers: E-88, E-217
#[tokio::test]
async fn who_asks_for_a_new_password_cannot_tell_by_the_clock_whether_it_may_be_set() {
    nobody_tells_apart("/auth/password-reset", 202, &mailed_cases().await).await;
}
