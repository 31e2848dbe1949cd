//! The audit log as a SIEM gets it: every entry, in order, whoever was away meanwhile.

use super::found;
use crate::support::{
    mail::mail_to,
    running::{Client, Organization, eventually, fresh_organization, mint, running},
    sink::Sink,
};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use palmares_domain::{identity::Role, kernel::RoleId};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

async fn open(client: &Client, sink: &Sink, more: Value) -> String {
    let mut body = json!({ "url": sink.url(), "format": "json_lines", "from_beginning": true });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    client.post("/siem-streams", &body).await.expect(201).id("id")
}

async fn stream(organization: &Organization, id: &str) -> Value {
    let listed = organization.officer.get("/siem-streams").await.expect(200);
    listed.items().iter().find(|stream| stream["id"] == id).cloned().unwrap_or_default()
}

/// Waits until the sink has the entry at this position.
async fn reached(sink: &Sink, position: i64) {
    eventually("the sink has it", || async { sink.lines().iter().any(|line| line["position"].as_i64() >= Some(position)).then_some(()) })
        .await;
}

/// The lines by their numbers, each once; asserts that none is missing, that the order is the log's, and
/// that a line that came twice is the same both times.
fn complete(lines: &[Value]) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for line in lines {
        let record = usize::try_from(line["record"].as_i64().expect("a number")).expect("a number from 1");
        match kept.get(record - 1) {
            Some(first) => assert_eq!((&first["event_id"], &first["position"]), (&line["event_id"], &line["position"])),
            None => {
                assert_eq!(record, kept.len() + 1, "a record is missing");
                kept.push(line.clone());
            }
        }
    }
    assert!(kept.is_sorted_by(|one, next| one["position"].as_i64() < next["position"].as_i64()), "out of order");
    kept
}

/// The last position of the organization's own entries.
async fn last(organization: &Organization) -> i64 {
    found(organization, "from=2000-01-01T00:00:00Z").await[0]["position"].as_i64().expect("a position")
}

// covers: P-10
#[tokio::test]
async fn nothing_is_lost_while_the_sink_is_away() {
    let organization = fresh_organization().await;
    let mut sink = Sink::start().await;
    let id = open(&organization.officer, &sink, json!({})).await;
    organization.add_member("before").await;
    reached(&sink, last(&organization).await).await;

    sink.go_down().await;
    for name in ["one", "two", "three"] {
        organization.add_member(name).await;
    }
    let behind = eventually("it was tried in vain", || async {
        Some(stream(&organization, &id).await).filter(|stream| stream["attempts"].as_i64() > Some(1))
    })
    .await;
    assert!(behind["lag_entries"].as_i64() > Some(0) && behind["error"].is_string() && behind["status"] == "ACTIVE", "{behind}");
    let meanwhile = last(&organization).await;
    sink.come_back().await;
    reached(&sink, meanwhile).await;

    let kept = complete(&sink.lines());
    let mut expected = found(&organization, "from=2000-01-01T00:00:00Z").await;
    expected.reverse();
    let position = |entry: &Value| entry["position"].as_i64();
    expected.retain(|entry| position(entry) <= Some(meanwhile));
    let got: Vec<_> = kept.iter().filter(|line| position(line) <= Some(meanwhile)).map(|line| &line["event_id"]).collect();
    assert_eq!(got, expected.iter().map(|entry| &entry["event_id"]).collect::<Vec<_>>(), "every entry of the audit log, in its order");
    // Without topics the records are the organization's entries: both numbers grow alike.
    assert!(kept.iter().all(|line| line["number"] == line["record"]), "{kept:?}");
    let caught_up = eventually("it has caught up", || async {
        Some(stream(&organization, &id).await).filter(|stream| stream["attempts"] == 0 && stream["error"].is_null())
    });
    assert!(caught_up.await["records"].as_i64() >= Some(i64::try_from(got.len()).expect("some")));
}

// covers: P-10
#[tokio::test]
async fn what_is_sent_is_signed_and_only_what_was_asked_for() {
    let organization = fresh_organization().await;
    let folder = running().data_dir.join("secrets").join(organization.id.to_string());
    std::fs::create_dir_all(&folder).expect("a folder for secrets");
    std::fs::write(folder.join("siem"), "a secret of the sink\n").expect("a secret");
    let sink = Sink::start().await;
    open(&organization.officer, &sink, json!({ "secret_ref": "siem", "topics": ["identity.role"] })).await;
    organization.add_member("not asked for").await;
    organization.admin.post("/roles", &json!({ "name": "Desk", "grants": ["identity.user.list"] })).await.expect(201);
    reached(&sink, found(&organization, "event_type=identity.role_composed").await[0]["position"].as_i64().expect("a position")).await;
    let kept = complete(&sink.lines());
    assert!(kept.iter().all(|line| line["action"].as_str().is_some_and(|action| action.starts_with("identity.role."))), "{kept:?}");

    let request = sink.received().remove(0);
    let signed = &request.headers["palmares-signature"];
    let (time, signature) = signed.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).expect("a time and a signature");
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"a secret of the sink");
    let message = [time.as_bytes(), b".", request.body.as_slice()].concat();
    let expected: String = aws_lc_rs::hmac::sign(&key, &message).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(signature, expected);
    assert_eq!(request.headers["palmares-records"], format!("1-{}", kept.len()));
}

// covers: P-10
#[tokio::test]
async fn sinks_are_spoken_to_in_their_own_terms() {
    let organization = fresh_organization().await;
    organization.admin.post(&format!("/users/{}/suspend", organization.member_id), &json!({})).await.expect(200);
    organization.analyst.get("/users").await.refused(403, "ACCESS_DENIED");
    let (events, ocsf) = (Sink::start().await, Sink::start().await);
    open(&organization.officer, &events, json!({ "format": "cloudevents" })).await;
    open(&organization.officer, &ocsf, json!({ "format": "ocsf" })).await;
    let end = last(&organization).await;
    eventually("both have it", || async {
        let events = events.lines().iter().any(|event| event["data"]["position"].as_i64() >= Some(end));
        let ocsf = ocsf.lines().iter().any(|event| event["unmapped"]["position"].as_i64() >= Some(end));
        (events && ocsf).then_some(())
    })
    .await;
    assert_eq!(events.received()[0].headers["content-type"], "application/cloudevents-batch+json");
    let sequences: Vec<_> = events.lines().iter().map(|event| event["sequence"].as_str().expect("a text").to_owned()).collect();
    assert!(sequences.is_sorted() && sequences.len() == sequences.iter().collect::<BTreeSet<_>>().len());
    for event in events.lines() {
        for attribute in ["id", "source", "type", "subject", "time"] {
            assert!(event[attribute].is_string(), "no {attribute} in {event}");
        }
        assert_eq!(event["specversion"], "1.0");
    }
    let of = |code: &str| ocsf.lines().into_iter().find(|event| event["metadata"]["event_code"] == code).unwrap_or_default();
    let suspended = of("identity.user_suspended");
    assert_eq!((&suspended["class_uid"], &suspended["activity_id"], &suspended["type_uid"]), (&json!(3007), &json!(6), &json!(300_706)));
    assert_eq!(suspended["user"]["uid"], organization.member_id);
    let refused = of("compliance.access_refused");
    assert_eq!((&refused["class_uid"], &refused["type_uid"], &refused["status_id"]), (&json!(6003), &json!(600_302), &json!(2)));
    for (index, event) in ocsf.lines().iter().enumerate() {
        let number = |name: &str| event[name].as_u64().expect("a number");
        assert_eq!(number("type_uid"), number("class_uid") * 100 + number("activity_id"), "{event}");
        assert_eq!((number("category_uid"), event["metadata"]["sequence"].as_u64()), (number("class_uid") / 1000, Some(index as u64 + 1)));
        assert_eq!(event["metadata"]["version"], "1.9.0");
    }
}

/// Another compliance officer, with an address.
async fn second_officer(organization: &Organization) -> (String, Client) {
    let email = format!("officer-{}@example.test", Uuid::new_v4());
    let body = json!({ "external_ref": email, "role": Role::ComplianceOfficer.name(), "email": email });
    let user = organization.admin.post("/users", &body).await.expect(201).id("id");
    let client = organization.admin.with_token(&mint(&user, organization.id, Role::ComplianceOfficer));
    (email, client)
}

// covers: P-10
#[tokio::test]
async fn a_stream_is_paused_resumed_and_given_up() {
    let organization = fresh_organization().await;
    let sink = Sink::start().await;
    let id = open(&organization.officer, &sink, json!({ "from_beginning": false })).await;
    organization.add_member("first").await;
    reached(&sink, last(&organization).await).await;
    let opened = found(&organization, "event_type=compliance.siem_stream_opened").await[0]["position"].clone();
    assert_eq!(sink.lines()[0]["position"], opened, "it begins with its own opening");

    organization.officer.post(&format!("/siem-streams/{id}/pause"), &json!({})).await.expect(200);
    organization.officer.post(&format!("/siem-streams/{id}/pause"), &json!({})).await.refused(409, "CONFLICT");
    eventually("it is paused", || async { (stream(&organization, &id).await["status"] == "PAUSED").then_some(()) }).await;
    sink.says(410);
    let (email, second) = second_officer(&organization).await;
    second.post(&format!("/siem-streams/{id}/resume"), &json!({})).await.expect(200);
    organization.add_member("while it refuses").await;
    let failed =
        eventually("it is given up", || async { Some(stream(&organization, &id).await).filter(|stream| stream["status"] == "FAILED") })
            .await;
    assert_eq!(failed["failure"], "REFUSED_BY_SINK");
    assert_eq!(failed["error"], "answered 410");
    let letter = mail_to(&email).await;
    assert!(letter.text.contains("Nothing is lost"), "whoever resumed it is told: {}", letter.text);
    sink.says(204);
    organization.officer.post(&format!("/siem-streams/{id}/resume"), &json!({})).await.expect(200);
    reached(&sink, last(&organization).await).await;
    complete(&sink.lines());
}

// covers: P-10
#[tokio::test]
async fn a_sink_that_says_no_is_asked_again_after_a_minute_and_not_given_up() {
    let organization = fresh_organization().await;
    let sink = Sink::start().await;
    sink.says(404);
    let id = open(&organization.officer, &sink, json!({})).await;
    let refused = eventually("it was refused", || async {
        Some(stream(&organization, &id).await).filter(|stream| stream["attempts"].as_i64() > Some(0))
    })
    .await;
    assert_eq!((&refused["error"], &refused["status"]), (&json!("answered 404"), &json!("ACTIVE")));
    let at: DateTime<Utc> = refused["try_at"].as_str().expect("a time").parse().expect("a time");
    assert!(at - Utc::now() > TimeDelta::seconds(30), "{refused}");
    // Whoever put it right does not wait for that.
    sink.says(200);
    for step in ["pause", "resume"] {
        organization.officer.post(&format!("/siem-streams/{id}/{step}"), &json!({})).await.expect(200);
    }
    reached(&sink, last(&organization).await).await;
    assert_eq!(sink.received().iter().filter(|request| !request.taken).count(), 1);
}

// covers: P-10
#[tokio::test]
async fn a_sink_that_takes_little_at_a_time_gets_it_all() {
    let organization = fresh_organization().await;
    for name in ["one", "two", "three"] {
        organization.add_member(name).await;
    }
    let sink = Sink::start().await;
    sink.takes_at_most(1);
    open(&organization.officer, &sink, json!({})).await;
    reached(&sink, last(&organization).await).await;
    complete(&sink.lines());
    let (taken, refused): (Vec<_>, Vec<_>) = sink.received().into_iter().partition(|request| request.taken);
    assert!(!refused.is_empty() && taken.len() >= sink.lines().len(), "{} of {}", taken.len(), refused.len());
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_without_what_is_ours() {
    let organization = fresh_organization().await;
    let sink = Sink::start().await;
    let id = open(&organization.officer, &sink, json!({ "secret_ref": "nobody-made-it" })).await;
    let told = eventually("it was tried in vain", || async {
        Some(stream(&organization, &id).await).filter(|stream| stream["error"].is_string())
    })
    .await;
    assert_eq!(told["error"], "secret missing");
    assert!(sink.received().is_empty(), "nothing goes out unsigned");
}

// covers: P-54
#[tokio::test]
async fn whoever_may_not_read_what_is_confidential_opens_no_stream() {
    let organization = fresh_organization().await;
    let sink = Sink::start().await;
    let body = json!({ "url": sink.url(), "format": "ocsf" });
    for (cleared, grants) in
        [(false, vec!["compliance.siem_stream"]), (true, vec!["compliance.siem_stream", "compliance.confidential.read"])]
    {
        let name = format!("Streams {cleared}");
        let role = organization.admin.post("/roles", &json!({ "name": name, "grants": grants })).await.expect(201).id("id");
        let user = organization.add_member(&name).await;
        organization.admin.post(&format!("/users/{user}/roles"), &json!({ "role": role })).await.expect(200);
        let client = organization.admin.with_token(&mint(&user, organization.id, role.parse::<RoleId>().expect("a role")));
        let opened = client.post("/siem-streams", &body).await;
        if cleared {
            opened.expect(201);
        } else {
            assert_eq!(opened.refused(403, "ACCESS_DENIED").body["reason"], "compliance.siem_stream_above_clearance");
        }
    }
}

#[tokio::test]
async fn a_stream_is_closed_for_good_and_its_cursor_goes() {
    let organization = fresh_organization().await;
    let sink = Sink::start().await;
    let id = open(&organization.officer, &sink, json!({ "topics": ["identity"] })).await;
    eventually("it was sent something", || async { (stream(&organization, &id).await["records"].as_i64() > Some(0)).then_some(()) }).await;
    let step = async |step: &str| organization.officer.post(&format!("/siem-streams/{id}/{step}"), &json!({})).await;
    let closed = step("close").await.expect(200);
    assert_eq!(closed.body["status"], "CLOSED");
    let gone = eventually("the cursor is gone", || async {
        Some(stream(&organization, &id).await).filter(|stream| stream["status"] == "CLOSED" && stream["records"] == 0)
    })
    .await;
    assert_eq!((&gone["lag_entries"], &gone["position"]), (&json!(0), &json!(0)));
    for again in ["pause", "resume", "close"] {
        let refused = step(again).await.refused(409, "CONFLICT");
        assert_eq!(refused.body["reason"], "compliance.siem_stream_closed", "{again}");
    }
}

#[tokio::test]
async fn a_stream_is_of_its_organization_and_leads_to_no_private_place() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    let sink = Sink::start().await;
    let id = open(&organization.officer, &sink, json!({})).await;
    other.officer.post(&format!("/siem-streams/{id}/pause"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    assert!(other.officer.get("/siem-streams").await.expect(200).items().is_empty());
    organization.member.get("/siem-streams").await.refused(403, "ACCESS_DENIED");
    let before = other.domain_events().await;
    for (url, field) in [
        ("http://10.0.0.1/in", "url"),
        ("https://169.254.169.254/latest", "url"),
        ("https://169.254.169.0xfe/latest", "url"),
        ("http://siem.acme.example/in", "url"),
        ("https://siem.acme.example/in?token=1", "url"),
        ("ftp://siem.acme.example", "url"),
    ] {
        let body = json!({ "url": url, "format": "ocsf" });
        let refused = other.officer.post("/siem-streams", &body).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], field, "{url}");
    }
    for body in [
        json!({ "url": sink.url(), "format": "xml" }),
        json!({ "url": sink.url(), "format": "ocsf", "topics": ["Not A Topic"] }),
        json!({ "url": sink.url(), "format": "ocsf", "secret_ref": "../other" }),
        json!({ "url": sink.url(), "format": "ocsf", "topics": ["nonsense"] }),
    ] {
        other.officer.post("/siem-streams", &body).await.refused(422, "VALIDATION_ERROR");
    }
    assert_eq!(other.domain_events().await, before);
}

/// What a sink knows of us: where our public keys are, and its own address.
async fn verified(token: &str, audience: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    let descriptor = &running().descriptor;
    let set =
        reqwest::Client::builder().no_proxy().build().expect("a client").get(format!("{}/.well-known/jwks.json", descriptor.base_url));
    let set: JwkSet = set.send().await.expect("the server answers").json().await.expect("a JWK set");
    let header = jsonwebtoken::decode_header(token)?;
    let key = DecodingKey::from_jwk(set.find(&header.kid.expect("a key")).expect("one of ours"))?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[audience]);
    Ok(jsonwebtoken::decode::<Value>(token, &key, &validation)?.claims)
}

// covers: E-84
#[tokio::test]
async fn a_sink_learns_by_our_public_keys_for_which_organization_it_is_sent_something() {
    let (one, other) = (fresh_organization().await, fresh_organization().await);
    let (sink, second) = (Sink::start().await, Sink::start().await);
    open(&one.officer, &sink, json!({})).await;
    open(&other.officer, &second, json!({})).await;
    reached(&sink, last(&one).await).await;
    reached(&second, last(&other).await).await;
    let token = |sink: &Sink| sink.received()[0].headers["palmares-tenant"].clone();
    let origin = |sink: &Sink| format!("http://{}", sink.address);
    let claims = verified(&token(&sink), &origin(&sink)).await.expect("it is ours");
    assert_eq!(claims["organization_id"], json!(one.id));
    assert!(claims["exp"].as_i64() <= Some(Utc::now().timestamp() + 120), "{claims}");
    assert_eq!(verified(&token(&second), &origin(&second)).await.expect("it is ours")["organization_id"], json!(other.id));
    // What one sink was sent is worth nothing at another, nor here, nor with another organization in it.
    assert!(verified(&token(&sink), &origin(&second)).await.is_err());
    one.admin.with_token(&token(&sink)).get("/me").await.refused(401, "AUTHENTICATION_FAILED");
    let (mine, theirs) = (token(&sink), token(&second));
    let part = |token: &str, index: usize| token.split('.').nth(index).expect("three parts").to_owned();
    let swapped = format!("{}.{}.{}", part(&mine, 0), part(&theirs, 1), part(&mine, 2));
    assert!(verified(&swapped, &origin(&second)).await.is_err());
}
