//! After many failures whoever signs in solves a challenge first, and nobody learns by that who is here.

use super::sign_in::{GIVEN, OWN, Person};
use crate::support::{
    captcha::{SOLVED, captcha},
    running::{Client, Organization, Reply, fresh_organization},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const FAILURES: usize = 5;

/// Tries to sign in from an address of this machine, with what the widget of a challenge gave.
async fn tried(address: [u8; 4], person: &Person, password: &str, captcha: Option<&str>) -> Reply {
    let mut body = person.body(password);
    if let Some(captcha) = captcha {
        body["captcha"] = json!(captcha);
    }
    Client::coming_from(address, "a guesser").post("/auth/signin?$jwt=true", &body).await
}

#[track_caller]
fn asked_for(reply: Reply, reason: &str) -> Value {
    let mut body = reply.refused(422, "VALIDATION_ERROR").body;
    assert_eq!((&body["errors"][0]["field"], &body["errors"][0]["reason"]), (&json!("captcha"), &json!(reason)));
    body.as_object_mut().expect("a problem").remove("request_id");
    body
}

async fn locked(organization: &Organization) -> Person {
    let person = organization.person("member").await.with_own_password().await;
    organization.admin.post(&format!("/users/{}/suspend", person.user), &json!({})).await.expect(200);
    person
}

// covers: E-100
#[tokio::test]
async fn a_challenge_is_asked_for_after_many_failures_and_not_before() {
    let organization = fresh_organization().await;
    let (person, other) =
        (organization.person("member").await.with_own_password().await, organization.person("member").await.with_own_password().await);
    // Guesses of several machines: each has attempts left.
    for number in 0..FAILURES {
        let address = [127, 4, u8::try_from(number).expect("few"), 1];
        tried(address, &person, GIVEN, None).await.refused(401, "AUTHENTICATION_FAILED");
    }
    let user = |form: &Vec<(String, String)>| form.contains(&("remoteip".to_owned(), "127.4.9.1".to_owned()));
    assert!(!captcha().asked().iter().any(user), "nobody asks the service before there is abuse");
    let here = [127, 4, 9, 1];
    asked_for(tried(here, &person, OWN, None).await, "sign_in.captcha_required");
    for wrong in ["", "guessed"] {
        asked_for(tried(here, &person, OWN, Some(wrong)).await, "identity.captcha_not_solved");
    }
    tried(here, &person, OWN, Some("broken")).await.refused(503, "SERVICE_UNAVAILABLE");
    // A solved challenge is no password, and the password is asked for as before.
    tried(here, &person, GIVEN, Some(SOLVED)).await.refused(401, "AUTHENTICATION_FAILED");
    assert_eq!(tried(here, &person, OWN, Some(SOLVED)).await.expect(200).body["status"], "SIGNED_IN");
    assert!(captcha().asked().iter().any(user), "the service says whether it was solved");
    // Whoever is not guessed at signs in as ever, from the same address.
    assert_eq!(tried(here, &other, OWN, None).await.expect(200).body["status"], "SIGNED_IN");
}

// covers: E-100, E-88
#[tokio::test]
async fn nobody_learns_by_the_challenge_who_is_here() {
    let organization = fresh_organization().await;
    let stranger = |organization: &str| Person {
        organization: organization.to_owned(),
        email: format!("{}@example.test", uuid::Uuid::now_v7().simple()),
        user: String::new(),
    };
    let cases = [
        ("a wrong password", organization.person("member").await.with_own_password().await, GIVEN),
        ("locked", locked(&organization).await, OWN),
        ("nobody", stranger(&organization.slug), OWN),
        ("no organization", stranger(&format!("org-{}", uuid::Uuid::now_v7().simple())), OWN),
    ];
    let mut seen: Vec<Vec<(u16, BTreeSet<String>, Value)>> = Vec::new();
    for (number, (_, person, password)) in cases.iter().enumerate() {
        let address = [127, 5, u8::try_from(number).expect("few"), 1];
        let mut told = Vec::new();
        for captcha in [None; FAILURES + 1].into_iter().chain([Some("guessed"), Some(SOLVED)]) {
            let mut reply = tried(address, person, password, captcha).await;
            reply.body.as_object_mut().expect("a problem").remove("request_id");
            told.push((reply.status, reply.headers.keys().map(ToString::to_string).collect(), reply.body));
        }
        seen.push(told);
    }
    let statuses: Vec<u16> = seen[0].iter().map(|(status, ..)| *status).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 422, 422, 401]);
    for ((name, ..), told) in cases.iter().zip(&seen) {
        assert_eq!(told, &seen[0], "{name} is answered differently");
    }
}
