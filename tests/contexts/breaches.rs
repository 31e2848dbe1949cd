//! Breaches: opened, assessed, told to the authority within 72 hours, or it is on record that nobody was.

use super::proofs::sealed;
use crate::support::running::{Organization, Reply, eventually, fresh_organization};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

impl Organization {
    async fn open_breach(&self, hours_ago: i64) -> Reply {
        let aware_at = Utc::now() - TimeDelta::hours(hours_ago);
        let body = json!({ "nature": "confidentiality", "summary": "A backup lay open.", "aware_at": aware_at });
        self.officer.post("/breaches", &body).await
    }

    async fn step_of_breach(&self, breach: &str, step: &str, body: Value) -> Reply {
        self.officer.post(&format!("/breaches/{breach}/{step}"), &body).await
    }

    /// What the authority is told of it.
    async fn describe_breach(&self, breach: &str) -> Reply {
        self.step_of_breach(breach, "describe", known("The backup was locked.")).await
    }

    async fn breach(&self, id: &str, position: i64) -> Value {
        let listed = self.officer.get_at("/breaches", position).await.expect(200);
        listed.items().iter().find(|breach| breach["id"] == id).cloned().unwrap_or_else(|| panic!("no {id} in {}", listed.body))
    }
}

fn known(measures: &str) -> Value {
    json!({ "data_categories": "Names and addresses.", "people_categories": "Members.", "records": 40, "measures": measures,
        "consequences": "Unwanted letters.", "contact": "The data protection officer, +33 1 23 45 67 89." })
}

#[tokio::test]
async fn a_breach_is_assessed_told_and_closed_under_its_clock() {
    let organization = fresh_organization().await;
    let opened = organization.open_breach(10).await.expect(201);
    let id = opened.id("id");
    let shown = organization.breach(&id, opened.position()).await;
    assert_eq!((&shown["status"], &shown["overdue"], &shown["hours_left"]), (&json!("OPENED"), &json!(false), &json!(61)));
    let time = |name: &str| shown[name].as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok()).expect("a time");
    assert_eq!(time("due_at") - time("aware_at"), TimeDelta::hours(72));

    organization.step_of_breach(&id, "close", json!({})).await.refused(422, "VALIDATION_ERROR");
    organization.step_of_breach(&id, "assess", json!({ "risk": "high", "subjects": 12 })).await.expect(200);
    organization.step_of_breach(&id, "waive", json!({ "reason": "It was encrypted." })).await.refused(409, "CONFLICT");
    organization.step_of_breach(&id, "notify-authority", json!({ "reference": "CNIL-1" })).await.expect(200);
    organization.step_of_breach(&id, "close", json!({})).await.refused(409, "CONFLICT");
    organization.step_of_breach(&id, "inform-subjects", json!({})).await.expect(200);
    let refused = organization.step_of_breach(&id, "close", json!({})).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "compliance.breach_not_described");
    organization.describe_breach(&id).await.expect(200);
    let closed = organization.step_of_breach(&id, "close", json!({})).await.expect(200);
    let shown = organization.breach(&id, closed.position()).await;
    assert_eq!((&shown["status"], &shown["hours_left"], &shown["overdue"]), (&json!("CLOSED"), &Value::Null, &json!(false)));
    assert_eq!((&shown["risk"], &shown["subjects"], &shown["reference"]), (&json!("high"), &json!(12), &json!("CNIL-1")));
    assert!(shown["notified_at"].is_string() && shown["informed_at"].is_string() && shown["closed_at"].is_string());
}

/// What is known comes in phases: told early, assessed as high afterwards, and closed on a recorded ground.
#[tokio::test]
async fn a_breach_that_was_told_early_is_assessed_afterwards_and_again() {
    let organization = fresh_organization().await;
    let id = organization.open_breach(1).await.expect(201).id("id");
    organization.step_of_breach(&id, "notify-authority", json!({})).await.expect(200);
    let refused = organization.step_of_breach(&id, "close", json!({})).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "compliance.breach_not_assessed");
    organization.step_of_breach(&id, "assess", json!({ "risk": "likely", "subjects": 3 })).await.expect(200);
    let high = json!({ "risk": "high", "subjects": 300 });
    let refused = organization.step_of_breach(&id, "assess", high.clone()).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["field"], "reason");
    let again = json!({ "risk": "high", "subjects": 300, "reason": "More logs were found." });
    let assessed = organization.step_of_breach(&id, "assess", again).await.expect(200);
    assert_eq!(assessed.body["status"], "NOTIFIED", "what was told stays told");
    let shown = organization.breach(&id, assessed.position()).await;
    assert_eq!((&shown["status"], &shown["risk"], &shown["subjects"]), (&json!("NOTIFIED"), &json!("high"), &json!(300)));
    assert_eq!((&shown["reassessment_reason"], &shown["overdue"]), (&json!("More logs were found."), &json!(false)));

    let refused = organization.step_of_breach(&id, "close", json!({})).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "compliance.breach_subjects_not_informed");
    organization.describe_breach(&id).await.expect(200);
    let closed = organization.step_of_breach(&id, "close", json!({ "not_informed": "unintelligible" })).await.expect(200);
    let shown = organization.breach(&id, closed.position()).await;
    assert_eq!((&shown["status"], &shown["not_informed"]), (&json!("CLOSED"), &json!("unintelligible")));
    let refused = organization.step_of_breach(&id, "assess", high).await.refused(422, "VALIDATION_ERROR");
    assert_eq!((&refused.body["errors"][0]["present"], refused.body["errors"][0].get("allowed")), (&json!("CLOSED"), None));
}

#[tokio::test]
async fn who_is_late_is_marked_by_a_timer_and_says_why() {
    let organization = fresh_organization().await;
    let opened = organization.open_breach(80).await.expect(201);
    let id = opened.id("id");
    let shown = organization.breach(&id, opened.position()).await;
    assert_eq!((&shown["overdue"], &shown["hours_left"]), (&json!(true), &json!(-9)));
    eventually("it is on record that nobody told the authority", || async {
        let events = organization.officer.all("/events?type=compliance.breach_overdue").await;
        events.iter().any(|event| event["stream"]["id"] == id.as_str()).then_some(())
    })
    .await;
    let refused = organization.step_of_breach(&id, "notify-authority", json!({})).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["field"], "delay_reason");
    let told = organization.step_of_breach(&id, "notify-authority", json!({ "delay_reason": "Found late." })).await.expect(200);
    let shown = organization.breach(&id, told.position()).await;
    assert_eq!((&shown["status"], &shown["delay_reason"]), (&json!("NOTIFIED"), &json!("Found late.")));

    // What the authority calls it is known later, and neither the reason nor the time is lost by that.
    let again = json!({ "reference": "CNIL-2", "delay_reason": "Found late." });
    let again = organization.step_of_breach(&id, "notify-authority", again).await.expect(200);
    let named = organization.breach(&id, again.position()).await;
    assert_eq!((&named["reference"], &named["delay_reason"]), (&json!("CNIL-2"), &json!("Found late.")));
    assert_eq!(named["notified_at"], shown["notified_at"]);
}

/// The timer rang while nobody had to be told: what puts the case back on the clock says that it is over.
#[tokio::test]
async fn a_breach_that_was_waived_and_found_harmful_later_is_overdue() {
    let organization = fresh_organization().await;
    let due_at = Utc::now() + TimeDelta::seconds(5);
    let body = json!({ "nature": "confidentiality", "summary": "A laptop was lost.", "aware_at": due_at - TimeDelta::hours(72) });
    let id = organization.officer.post("/breaches", &body).await.expect(201).id("id");
    organization.step_of_breach(&id, "assess", json!({ "risk": "unlikely", "subjects": 1 })).await.expect(200);
    organization.step_of_breach(&id, "waive", json!({ "reason": "It was encrypted." })).await.expect(200);
    eventually("its time is over", async || (Utc::now() > due_at + TimeDelta::seconds(1)).then_some(())).await;
    let harmful = json!({ "risk": "high", "subjects": 300, "reason": "The key was with it." });
    let back = organization.step_of_breach(&id, "assess", harmful).await.expect(200);
    let shown = organization.breach(&id, back.position()).await;
    assert_eq!((&shown["status"], &shown["overdue"]), (&json!("ASSESSED"), &json!(true)));
    organization.officer.get_at("/events?limit=1", back.position()).await.expect(200);
    let recorded = organization.officer.all("/events?type=compliance.breach_overdue").await;
    assert_eq!(recorded.iter().filter(|event| event["stream"]["id"] == id.as_str()).count(), 1);
}

#[tokio::test]
async fn whom_a_new_assessment_adds_is_told_before_the_case_is_closed() {
    let organization = fresh_organization().await;
    let id = organization.open_breach(1).await.expect(201).id("id");
    organization.step_of_breach(&id, "assess", json!({ "risk": "likely", "subjects": 3 })).await.expect(200);
    let told = organization.step_of_breach(&id, "inform-subjects", json!({})).await.expect(200);
    assert!(organization.breach(&id, told.position()).await["informed_at"].is_string());
    let more = json!({ "risk": "high", "subjects": 3000, "reason": "More logs were found." });
    let more = organization.step_of_breach(&id, "assess", more).await.expect(200);
    assert_eq!(organization.breach(&id, more.position()).await["informed_at"], Value::Null);
    organization.step_of_breach(&id, "notify-authority", json!({})).await.expect(200);
    organization.describe_breach(&id).await.expect(200);
    let refused = organization.step_of_breach(&id, "close", json!({})).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "compliance.breach_subjects_not_informed");
    organization.step_of_breach(&id, "inform-subjects", json!({})).await.expect(200);
    let closed = organization.step_of_breach(&id, "close", json!({})).await.expect(200);
    let shown = organization.breach(&id, closed.position()).await;
    assert!(shown["status"] == "CLOSED" && shown["informed_at"].is_string(), "{shown}");
}

#[tokio::test]
async fn where_harm_is_unlikely_the_authority_need_not_be_told_for_a_reason() {
    let organization = fresh_organization().await;
    let id = organization.open_breach(0).await.expect(201).id("id");
    organization.step_of_breach(&id, "waive", json!({ "reason": "It was encrypted." })).await.refused(422, "VALIDATION_ERROR");
    organization.step_of_breach(&id, "assess", json!({ "risk": "unlikely", "subjects": 1 })).await.expect(200);
    let waived = organization.step_of_breach(&id, "waive", json!({ "reason": "It was encrypted." })).await.expect(200);
    let shown = organization.breach(&id, waived.position()).await;
    assert_eq!((&shown["status"], &shown["waiver_reason"]), (&json!("NOT_REQUIRED"), &json!("It was encrypted.")));

    let before = organization.domain_events().await;
    for (body, field) in [
        (json!({ "nature": "noise", "summary": "x" }), "nature"),
        (json!({ "nature": "integrity", "summary": " " }), "summary"),
        (json!({ "nature": "integrity", "summary": "x", "aware_at": Utc::now() + TimeDelta::hours(1) }), "aware_at"),
        (json!({ "nature": "integrity", "summary": "x", "aware_at": Utc::now() - TimeDelta::days(370) }), "aware_at"),
    ] {
        let refused = organization.officer.post("/breaches", &body).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
    }
    organization.step_of_breach(&Uuid::now_v7().to_string(), "close", json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    for caller in [&organization.member, &organization.analyst] {
        caller.get("/breaches").await.refused(403, "ACCESS_DENIED");
        caller.post("/breaches", &json!({})).await.refused(403, "ACCESS_DENIED");
    }
    assert_eq!(organization.domain_events().await, before);
}

/// What people write may name somebody, whatever they are asked for: it is read where breaches are, and stands
/// nowhere in clear.
// covers: W-26, P-54
#[tokio::test]
async fn what_is_written_about_a_breach_is_read_with_it_and_stands_nowhere_else() {
    let organization = fresh_organization().await;
    let mark = format!("mark{}", Uuid::now_v7().simple());
    let text = |of: &str| format!("{of} {mark}");
    let body = json!({ "nature": "integrity", "summary": text("summary") });
    let id = organization.officer.post("/breaches", &body).await.expect(201).id("id");
    for (risk, of) in [("unlikely", "first"), ("unlikely", "second")] {
        let assessed = json!({ "risk": risk, "subjects": 1, "reason": text(of) });
        organization.step_of_breach(&id, "assess", assessed).await.expect(200);
    }
    organization.step_of_breach(&id, "waive", json!({ "reason": text("waiver") })).await.expect(200);
    organization.step_of_breach(&id, "assess", json!({ "risk": "high", "subjects": 2, "reason": text("third") })).await.expect(200);
    let told = json!({ "reference": text("reference"), "delay_reason": text("delay") });
    let told = organization.step_of_breach(&id, "notify-authority", told).await.expect(200);

    let shown = organization.breach(&id, told.position()).await;
    for (field, of) in [
        ("summary", "summary"),
        ("reassessment_reason", "third"),
        ("waiver_reason", "waiver"),
        ("reference", "reference"),
        ("delay_reason", "delay"),
    ] {
        assert_eq!(shown[field], text(of), "{shown}");
    }

    // Whoever is cleared for everything finds the digest in the log, and the audit log the same.
    let position = organization.head().await;
    organization.officer.get_at("/audit-logs?limit=1", position).await.expect(200);
    let events = organization.officer.all("/events?stream_type=breach_case").await;
    let opened = events.iter().find(|event| event["type"] == "compliance.breach_opened").expect("the first event");
    assert!(opened["payload"]["summary"]["sealed"].is_string(), "{opened}");
    let entries = organization.officer.all(&format!("/audit-logs?target_id={id}")).await;
    let found = organization.officer.all(&format!("/audit-logs?text={mark}")).await;
    assert!(entries.len() >= 6 && found.is_empty(), "{entries:?} {found:?}");
    sealed(&organization).await;
    let evidence = organization.officer.request(reqwest::Method::GET, "/audit-logs/evidence");
    let evidence = evidence.send().await.expect("the server answers").bytes().await.expect("a package");
    for (what, told) in [
        ("events", serde_json::to_string(&events).expect("JSON")),
        ("entries", serde_json::to_string(&entries).expect("JSON")),
        ("evidence", String::from_utf8_lossy(&evidence).into_owned()),
    ] {
        assert!(told.contains(&id) && !told.contains(&mark), "{what} holds it in clear");
    }

    // That somebody read it is on record, and a case is nobody of whom they read.
    let reads = organization.officer.all("/events?type=compliance.sensitive_data_read").await;
    let of_breaches: Vec<_> = reads.iter().filter(|read| read["payload"]["permission"] == "compliance.breach.read").collect();
    assert!(!of_breaches.is_empty(), "{reads:?}");
    assert!(of_breaches.iter().all(|read| !read.to_string().contains(&id)), "{of_breaches:?}");
}

#[tokio::test]
async fn what_the_authority_asks_for_stands_in_the_case_sealed() {
    let organization = fresh_organization().await;
    let id = organization.open_breach(1).await.expect(201).id("id");
    for field in ["data_categories", "people_categories", "consequences", "measures", "contact"] {
        let mut blank = known("Locked.");
        blank[field] = json!(" ");
        let refused = organization.step_of_breach(&id, "describe", blank).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
    }
    organization.step_of_breach(&id, "describe", known("The backup was locked.")).await.expect(200);
    let again = organization.step_of_breach(&id, "describe", known("The backup was deleted.")).await.expect(200);
    let shown = organization.officer.get_at(&format!("/breaches/{id}"), again.position()).await.expect(200).body;
    assert_eq!((&shown["status"], &shown["records"], &shown["summary"]), (&json!("OPENED"), &json!(40), &json!("A backup lay open.")));
    for (field, said) in known("The backup was deleted.").as_object().expect("fields") {
        assert_eq!(&shown[field], said, "{field}");
    }
    assert!(!json!(organization.domain_events().await).to_string().contains("Unwanted letters"), "it is sealed");
    organization.officer.get(&format!("/breaches/{}", Uuid::now_v7())).await.refused(404, "RESOURCE_NOT_FOUND");
    let stranger = fresh_organization().await;
    stranger.officer.get(&format!("/breaches/{id}")).await.refused(404, "RESOURCE_NOT_FOUND");
    for caller in [&organization.member, &organization.analyst] {
        caller.get(&format!("/breaches/{id}")).await.refused(403, "ACCESS_DENIED");
        caller.post(&format!("/breaches/{id}/describe"), &known("None.")).await.refused(403, "ACCESS_DENIED");
    }
}
