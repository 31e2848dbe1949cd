//! Subject requests: people ask for their rights, somebody answers in time, and a page shows it all.

use crate::support::running::{Client, Organization, Reply, eventually, fresh_organization, running};
use chrono::{DateTime, Months, Utc};
use serde_json::{Value, json};
use sqlx::Connection;
use uuid::Uuid;

async fn ask(client: &Client, kind: &str) -> Reply {
    client.post("/me/subject-requests", &json!({ "kind": kind, "details": "all that you have" })).await
}

impl Organization {
    async fn answer_request(&self, request: &str, verb: &str, body: Value) -> Reply {
        self.officer.post(&format!("/subject-requests/{request}/{verb}"), &body).await
    }

    async fn queue(&self, filter: &str, position: i64) -> Vec<Value> {
        self.officer.get_at(&format!("/subject-requests?limit=50{filter}"), position).await.expect(200).items().to_vec()
    }
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no time: {value}"))
}

#[tokio::test]
async fn a_request_is_received_taken_extended_and_fulfilled() {
    let organization = fresh_organization().await;
    let (member, user) = (&organization.member, organization.member_id.clone());
    let asked = ask(member, "rectification").await.expect(201);
    let request = asked.id("id");
    let listed = organization.queue("&status=RECEIVED", asked.position()).await;
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0]["user_id"], &listed[0]["kind"]), (&json!(user), &json!("rectification")));
    assert_eq!((&listed[0]["details"], &listed[0]["overdue"]), (&json!("all that you have"), &json!(false)));
    let (received, due) = (time(&listed[0]["received_at"]), time(&listed[0]["due_at"]));
    assert_eq!(Some(due), received.checked_add_months(Months::new(1)));

    // Nothing is answered before somebody took it up.
    organization.answer_request(&request, "fulfil", json!({})).await.refused(422, "VALIDATION_ERROR");
    organization.answer_request(&request, "take", json!({})).await.expect(200);
    organization.answer_request(&request, "take", json!({})).await.refused(422, "VALIDATION_ERROR");
    for months in [0, 3] {
        let refused = organization.answer_request(&request, "extend", json!({ "months": months, "reason": "many systems" })).await;
        assert_eq!(refused.refused(422, "VALIDATION_ERROR").body["errors"][0]["field"], "months");
    }
    organization.answer_request(&request, "extend", json!({ "months": 2, "reason": "many systems" })).await.expect(200);
    organization.answer_request(&request, "extend", json!({ "months": 1, "reason": "more" })).await.refused(409, "CONFLICT");
    let deletion = json!({ "deletion_request_id": Uuid::now_v7() });
    organization.answer_request(&request, "fulfil", deletion).await.refused(422, "VALIDATION_ERROR");
    let done = organization.answer_request(&request, "fulfil", json!({ "note": "sent by post" })).await.expect(200);
    assert_eq!(done.body["status"], "FULFILLED");

    // The person sees the same, with the reason why it took longer.
    let own = member.get_at("/me/subject-requests", done.position()).await.expect(200);
    let own = &own.items()[0];
    assert_eq!((&own["status"], &own["note"]), (&json!("FULFILLED"), &json!("sent by post")));
    assert_eq!((&own["extended"], &own["extension_reason"]), (&json!(true), &json!("many systems")));
    assert_eq!(Some(time(&own["due_at"])), received.checked_add_months(Months::new(3)));
    assert!(own["decided_at"].is_string());
    for (verb, body) in [("refuse", json!({ "ground": "excessive" })), ("fulfil", json!({}))] {
        organization.answer_request(&request, verb, body).await.refused(422, "VALIDATION_ERROR");
    }
    member.post(&format!("/me/subject-requests/{request}/withdraw"), &json!({})).await.refused(422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_request_is_refused_on_a_ground_or_withdrawn_by_whoever_made_it() {
    let organization = fresh_organization().await;
    let member = &organization.member;
    let refused = ask(member, "objection").await.expect(201).id("id");
    organization.answer_request(&refused, "take", json!({})).await.expect(200);
    organization.answer_request(&refused, "refuse", json!({ "note": "no" })).await.refused(422, "VALIDATION_ERROR");
    organization.answer_request(&refused, "refuse", json!({ "ground": "because" })).await.refused(422, "VALIDATION_ERROR");
    organization.answer_request(&refused, "refuse", json!({ "ground": "compelling_grounds", "note": "see article 21" })).await.expect(200);

    let withdrawn = ask(member, "restriction").await.expect(201).id("id");
    let path = format!("/me/subject-requests/{withdrawn}/withdraw");
    organization.analyst.post(&path, &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    let position = member.post(&path, &json!({})).await.expect(200).position();
    let erasure = ask(member, "erasure").await.expect(201).id("id");
    organization.answer_request(&erasure, "take", json!({})).await.expect(200);
    let done = organization.answer_request(&erasure, "fulfil", json!({ "note": "deleted" })).await.expect(200);

    let listed = organization.queue(&format!("&user_id={}", organization.member_id), done.position().max(position)).await;
    let of = |id: &str| listed.iter().find(|request| request["id"] == id).expect("a request").clone();
    assert_eq!((&of(&refused)["status"], &of(&refused)["ground"]), (&json!("REFUSED"), &json!("compelling_grounds")));
    assert_eq!(of(&refused)["note"], "see article 21");
    assert_eq!(of(&withdrawn)["status"], "WITHDRAWN");
    assert_eq!((&of(&erasure)["status"], &of(&erasure)["deletion_request_id"]), (&json!("FULFILLED"), &Value::Null));
    assert_eq!(organization.queue("&kind=erasure", 0).await.len(), 1);
}

/// That a request becomes overdue its own rules say; here its timer stands where it belongs.
#[tokio::test]
async fn a_timer_waits_for_every_due_date_and_moves_with_it() {
    let organization = fresh_organization().await;
    let asked = ask(&organization.member, "access").await.expect(201);
    let request: Uuid = asked.id("id").parse().expect("an id");
    let extended =
        organization.answer_request(&request.to_string(), "extend", json!({ "months": 1, "reason": "many systems" })).await.expect(200);
    let own = organization.member.get_at("/me/subject-requests", extended.position()).await.expect(200);
    let due = time(&own.items()[0]["due_at"]);
    let timers = eventually("the timer is moved", || async {
        let mut database = sqlx::PgConnection::connect(&running().descriptor.database_url).await.expect("the database");
        sqlx::query("SET ROLE palmares_projector").execute(&mut database).await.expect("the role");
        let query = "SELECT due_at FROM timers WHERE stream_id = $1 AND kind = 'compliance.subject_request_due'";
        let found: Vec<DateTime<Utc>> = sqlx::query_scalar(query).bind(request).fetch_all(&mut database).await.expect("the timers");
        found.first().is_some_and(|at| *at >= due).then_some(found)
    })
    .await;
    assert_eq!(timers.len(), 1, "one timer for each request");
    assert!(organization.queue("&overdue=true", 0).await.is_empty());
    assert_eq!(organization.queue("&overdue=false", 0).await.len(), 1);
}

#[tokio::test]
async fn only_who_answers_sees_the_queue_and_nobody_asks_for_another() {
    let organization = fresh_organization().await;
    let (member, user) = (&organization.member, organization.member_id.clone());
    let asked = ask(member, "access").await.expect(201);
    let before = organization.domain_events().await;
    for caller in [member, &organization.analyst] {
        caller.get("/subject-requests").await.refused(404, "RESOURCE_NOT_FOUND");
        for verb in ["take", "extend", "exports", "fulfil", "refuse"] {
            let path = format!("/subject-requests/{}/{verb}", asked.id("id"));
            caller.post(&path, &json!({})).await.refused(403, "ACCESS_DENIED");
        }
    }
    let of_another = json!({ "user_id": user, "kind": "access" });
    organization.analyst.post("/subject-requests", &of_another).await.refused(404, "RESOURCE_NOT_FOUND");
    organization.analyst.get(&format!("/subject-requests?user_id={user}")).await.refused(404, "RESOURCE_NOT_FOUND");
    for (body, field) in [
        (json!({ "kind": "everything" }), "kind"),
        (json!({}), "kind"),
        (json!({ "kind": "access", "details": " " }), "details"),
        (json!({ "kind": "access", "details": "x".repeat(501) }), "details"),
    ] {
        let refused = member.post("/me/subject-requests", &body).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
    }
    let nobodys = json!({ "user_id": Uuid::now_v7(), "kind": "access" });
    organization.officer.post("/subject-requests", &nobodys).await.refused(404, "RESOURCE_NOT_FOUND");
    assert_eq!(organization.domain_events().await, before);

    // What reached the officer otherwise is recorded in the person's name.
    let recorded = organization.officer.post("/subject-requests", &of_another).await.expect(201);
    let own = member.get_at("/me/subject-requests", recorded.position()).await.expect(200);
    assert_eq!(own.items().len(), 2);
}

// covers: E-176
#[tokio::test]
async fn the_privacy_center_shows_what_is_held_agreed_to_and_asked() {
    let organization = fresh_organization().await;
    let (member, user) = (&organization.member, organization.member_id.clone());
    let document = json!({ "consent_type": "marketing", "version": "1", "language": "en", "text": "We write you letters." });
    organization.officer.post("/legal-documents", &document).await.expect(201);
    member.post("/consents", &json!({ "consent_type": "marketing", "policy_version": "1", "language": "en" })).await.expect(200);
    let item = json!({ "source": "watch", "source_record_id": "1", "user_id": user, "metric": "steps", "value": 4000,
        "local_day": "2020-03-02", "time_zone": "Europe/Paris" });
    organization.admin.post("/activities", &json!({ "items": [item] })).await.expect(200);
    ask(member, "rectification").await.expect(201);
    let position = organization.head().await;

    let page = member.get_at("/me/privacy", position).await.expect(200).body;
    assert_eq!(page["user_id"], user.as_str());
    let purposes: Vec<_> = page["data_by_purpose"].as_array().expect("purposes").iter().map(|held| held["purpose"].clone()).collect();
    assert!(purposes.contains(&json!("health")) && purposes.contains(&json!("profile")), "{purposes:?}");
    let classes: Vec<_> = page["data_by_class"].as_array().expect("classes").iter().map(|held| held["data_class"].clone()).collect();
    assert!(classes.contains(&json!("RESTRICTED")) && classes.contains(&json!("CONFIDENTIAL")), "{classes:?}");
    let types: Vec<_> = page["data_by_event"].as_array().expect("types").iter().map(|held| held["type"].clone()).collect();
    for expected in ["identity.user_created", "compliance.consent_granted", "compliance.subject_request_received"] {
        assert!(types.contains(&json!(expected)), "no {expected} in {types:?}");
    }
    assert_eq!(page["consents"][0]["consent_type"], "marketing");
    assert_eq!(page["open_requests"][0]["kind"], "rectification");
    assert_eq!((&page["exports"], &page["more_exports"], &page["sessions"]), (&json!([]), &json!(false), &json!([])));
    assert_eq!(page["deletion"], json!({ "requested": false, "account_status": "ACTIVE" }));

    // Nobody looks at another's.
    let other = organization.analyst.get("/me/privacy").await.expect(200).body;
    assert_ne!(other["user_id"], user.as_str());
    organization.analyst.get(&format!("/me/privacy?user_id={user}")).await.refused(422, "VALIDATION_ERROR");
}
