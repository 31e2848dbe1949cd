//! How subject requests are answered: by a copy that its subject alone opens, by letters, by somebody else, in time.

use super::{
    erasure::{in_review, on},
    exports::{download, proof},
};
use crate::support::{
    mail::{Mail, mails_to},
    running::{Client, Organization, Reply, eventually, fresh_organization, mint},
};
use age::{scrypt::Identity, secrecy::SecretString};
use chrono::{DateTime, Days, Months, Utc};
use palmares_domain::identity::Role;
use serde_json::{Value, json};
use uuid::Uuid;

impl Organization {
    async fn answers(&self, request: &str, verb: &str, body: Value) -> Reply {
        self.officer.post(&format!("/subject-requests/{request}/{verb}"), &body).await
    }
}

/// The letter to an address whose subject says this, as soon as it is there.
async fn letter(address: &str, says: &str) -> Mail {
    let found = async || mails_to(address).await.into_iter().find(|mail| mail.subject.contains(says));
    eventually(&format!("a letter to {address}: {says}"), found).await
}

async fn asks(client: &Client, kind: &str) -> String {
    client.post("/me/subject-requests", &json!({ "kind": kind })).await.expect(201).id("id")
}

// covers: E-178
#[tokio::test]
async fn a_copy_is_answered_by_an_export_that_its_subject_alone_opens() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let client = person.signed_in(&organization).await;
    let (request, other) = (asks(&client, "access").await, asks(&client, "portability").await);
    let early = organization.answers(&request, "exports", json!({ "format": "json" })).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(early.body["errors"][0]["field"], "status");
    organization.answers(&request, "take", json!({})).await.expect(200);
    organization.answers(&other, "take", json!({})).await.expect(200);

    // Saying so is no answer.
    for body in [json!({}), json!({ "note": "sent by post" })] {
        let refused = organization.answers(&request, "fulfil", body).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], "export_id", "{}", refused.body);
    }
    // Nor is a summary, or a table of what was asked for whole.
    for (request, format, allowed) in
        [(&request, "pdf", json!(["json"])), (&request, "csv", json!(["json"])), (&other, "pdf", json!(["json", "csv"]))]
    {
        let refused = organization.answers(request, "exports", json!({ "format": format })).await.refused(422, "VALIDATION_ERROR");
        let named = &refused.body["errors"][0];
        assert_eq!((&named["field"], &named["allowed"]), (&json!("format"), &allowed), "{}", refused.body);
    }
    organization.answers(&other, "exports", json!({ "format": "csv" })).await.expect(200);
    let export = organization.answers(&request, "exports", json!({ "format": "json" })).await.expect(200);
    assert!(export.body["identity"].is_null() && export.body["status"] == "REQUESTED", "{}", export.body);
    let export = export.id("id");
    let carrying = json!({ "export_id": export });
    organization.answers(&other, "fulfil", carrying.clone()).await.refused(404, "RESOURCE_NOT_FOUND");
    organization.answers(&other, "fulfil", json!({ "export_id": Uuid::now_v7() })).await.refused(404, "RESOURCE_NOT_FOUND");
    let done = eventually("the export is built", async || {
        let reply = organization.answers(&request, "fulfil", carrying.clone()).await;
        if reply.status == 409 {
            assert_eq!(reply.body["reason"], "compliance.export_not_ready");
            return None;
        }
        Some(reply.expect(200))
    })
    .await;
    assert_eq!(done.body["effect"], "COPY_PROVIDED");

    // The letter has the key, and the file leaves for its subject alone, who shows once more who they are.
    let letter = letter(&person.email, "has answered your request").await;
    assert!(letter.text.contains("a copy of what is recorded of you"), "{}", letter.text);
    let key = letter.text.lines().map(str::trim).find(|line| line.len() == 39 && !line.contains(' ')).expect("a key").to_owned();
    for (stranger, proof) in [(&organization.officer, "none"), (&organization.member, "none")] {
        assert_eq!(download(stranger, &export, proof).await.status().as_u16(), 403);
        stranger.get(&format!("/me/exports/{export}")).await.refused(404, "RESOURCE_NOT_FOUND");
    }
    client.get(&format!("/me/exports/{export}/download")).await.refused(403, "ACCESS_DENIED");
    let file = download(&client, &export, &proof(&client).await).await;
    let named = format!("attachment; filename=\"personal-data-{export}.json.age\"");
    assert_eq!(file.headers()["content-disposition"], named.as_str());
    let sealed = file.bytes().await.expect("the whole file");
    assert!(sealed.starts_with(b"age-encryption.org/v1"));
    let clear = age::decrypt(&Identity::new(SecretString::from(key.clone())), &sealed).expect("the key fits");
    let document: Value = serde_json::from_slice(&clear).expect("a JSON document");
    assert_eq!(document["user_id"], person.user.as_str());

    let shown = client.get_at(&format!("/me/subject-requests/{request}"), done.position()).await.expect(200).body;
    assert_eq!((&shown["status"], &shown["export_id"]), (&json!("FULFILLED"), &json!(export)));
    assert!(!json!(organization.domain_events().await).to_string().contains(&key), "the key stands nowhere in the log");
}

#[tokio::test]
async fn any_other_request_is_answered_by_what_was_done_and_the_answer_says_what_that_changes() {
    let organization = fresh_organization().await;
    for kind in ["restriction", "objection", "rectification", "erasure"] {
        let request = asks(&organization.member, kind).await;
        organization.answers(&request, "take", json!({})).await.expect(200);
        let copy = organization.answers(&request, "exports", json!({ "format": "json" })).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(copy.body["errors"][0]["field"], "export_id");
        let silent = organization.answers(&request, "fulfil", json!({})).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(silent.body["errors"][0]["field"], "note", "{}", silent.body);
        let done = organization.answers(&request, "fulfil", json!({ "note": "left out of every report" })).await.expect(200);
        assert_eq!((&done.body["status"], &done.body["effect"]), (&json!("FULFILLED"), &json!("RECORDED_ONLY")));
    }
}

#[tokio::test]
async fn a_request_for_erasure_is_answered_by_an_approved_deletion_of_whoever_asked() {
    let organization = fresh_organization().await;
    let neighbour = organization.add_member("neighbour").await;
    let request = asks(&organization.member, "erasure").await;
    organization.answers(&request, "take", json!({})).await.expect(200);
    let foreign = organization.admin.post("/deletion-requests", &json!({ "user_id": neighbour })).await.expect(201).id("id");
    let by = |deletion: &str| json!({ "note": "It is under way.", "deletion_request_id": deletion });
    for deletion in [Uuid::now_v7().to_string(), foreign] {
        let refused = organization.answers(&request, "fulfil", by(&deletion)).await.refused(404, "RESOURCE_NOT_FOUND");
        assert_eq!(refused.body["reason"], "compliance.deletion_not_found");
    }
    let deletion = in_review(&organization).await;
    let refused = organization.answers(&request, "fulfil", by(&deletion)).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "compliance.deletion_not_approved");
    on(&organization.officer, &deletion, "approve", json!({})).await.expect(200);
    let done = organization.answers(&request, "fulfil", by(&deletion)).await.expect(200);
    let shown = organization.officer.get_at(&format!("/subject-requests/{request}"), done.position()).await.expect(200).body;
    assert_eq!((&shown["status"], &shown["deletion_request_id"]), (&json!("FULFILLED"), &json!(deletion)));
}

#[tokio::test]
async fn nobody_handles_their_own_request_nor_does_a_program() {
    let organization = fresh_organization().await;
    let user = organization.person("compliance_officer").await.user;
    let own = organization.admin.with_token(&mint(&user, organization.id, Role::ComplianceOfficer));
    let request = asks(&own, "access").await;
    let refused = own.post(&format!("/subject-requests/{request}/take"), &json!({})).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "compliance.request_own");
    organization.answers(&request, "take", json!({})).await.expect(200);
    for (verb, body) in [
        ("extend", json!({ "months": 1, "reason": "many systems" })),
        ("exports", json!({ "format": "json" })),
        ("fulfil", json!({ "note": "done" })),
        ("refuse", json!({ "ground": "excessive" })),
    ] {
        let refused = own.post(&format!("/subject-requests/{request}/{verb}"), &body).await.refused(409, "CONFLICT");
        assert_eq!(refused.body["reason"], "compliance.request_own", "{verb}");
    }
    let key = json!({ "name": "Robot", "grants": ["compliance"], "quota": { "requests": 100, "per": "minute" } });
    let key = organization.admin.post("/api-keys", &key).await.expect(201).id("key");
    let robot = Client::anonymous().with_token(&key);
    robot.post(&format!("/subject-requests/{request}/refuse"), &json!({ "ground": "excessive" })).await.refused(403, "ACCESS_DENIED");
}

#[tokio::test]
async fn the_month_of_a_letter_that_lay_begins_when_it_came_and_officers_are_told_when_it_is_over() {
    let organization = fresh_organization().await;
    let watching = organization.person("compliance_officer").await;
    let user = organization.member_id.clone();
    let recorded = |received_at: DateTime<Utc>| json!({ "user_id": user, "kind": "erasure", "received_at": received_at });
    let now = Utc::now();
    let before = organization.domain_events().await;
    for at in [now + Days::new(1), now - Days::new(370)] {
        let refused = organization.officer.post("/subject-requests", &recorded(at)).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], "received_at");
    }
    let own = json!({ "kind": "erasure", "received_at": now - Days::new(7) });
    let refused = organization.member.post("/me/subject-requests", &own).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["field"], "received_at");
    assert_eq!(organization.domain_events().await, before);

    let came = now - Days::new(7);
    let asked = organization.officer.post("/subject-requests", &recorded(came)).await.expect(201);
    let due: DateTime<Utc> = asked.body["due_at"].as_str().and_then(|at| at.parse().ok()).expect("a due date");
    assert_eq!(Some(due.timestamp()), came.checked_add_months(Months::new(1)).map(|due| due.timestamp()));
    let late = organization.officer.post("/subject-requests", &recorded(now - Days::new(40))).await.expect(201);
    let told = letter(&watching.email, "is overdue").await;
    assert!(told.text.contains("that what is recorded of them be deleted"), "{}", told.text);
    let shown = organization.officer.get_at(&format!("/subject-requests/{}", late.id("id")), late.position()).await.expect(200).body;
    assert_eq!((&shown["overdue"], &shown["status"]), (&json!(true), &json!("RECEIVED")));
    let breach = json!({ "nature": "confidentiality", "summary": "A backup lay open.", "aware_at": now - Days::new(4) });
    organization.officer.post("/breaches", &breach).await.expect(201);
    letter(&watching.email, "was not told in time").await;
    let review = json!({ "role": "compliance_officer", "due_at": Utc::now() + chrono::TimeDelta::seconds(8) });
    organization.officer.post("/access-reviews", &review).await.expect(201);
    letter(&watching.email, "A review of access").await;
}

#[tokio::test]
async fn whoever_asked_is_told_by_letters_what_became_of_it() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await;
    let client = organization.member.with_token(&mint(&person.user, organization.id, Role::Member));
    let request = asks(&client, "objection").await;
    let received = letter(&person.email, "has received your request").await;
    assert!(received.text.contains("not be used against your will"), "{}", received.text);
    organization.answers(&request, "take", json!({})).await.expect(200);
    organization.answers(&request, "extend", json!({ "months": 1, "reason": "It stands in many systems." })).await.expect(200);
    let extended = letter(&person.email, "needs more time").await;
    let due = client.get_at(&format!("/me/subject-requests/{request}"), organization.head().await).await.expect(200).body;
    let due: DateTime<Utc> = due["due_at"].as_str().and_then(|at| at.parse().ok()).expect("a due date");
    assert!(extended.text.contains("It stands in many systems."), "{}", extended.text);
    assert!(extended.text.contains(&due.format("%-d %B %Y").to_string()), "{due}: {}", extended.text);
    organization.answers(&request, "refuse", json!({ "ground": "compelling_grounds", "note": "See article 21." })).await.expect(200);
    let refused = letter(&person.email, "has refused your request").await;
    for said in ["compelling legitimate grounds", "See article 21.", "data protection authority"] {
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
}

#[tokio::test]
async fn what_a_caller_made_is_found_where_the_answer_says() {
    let organization = fresh_organization().await;
    let member = &organization.member;
    let of = |location: &str| location.strip_prefix("/api/v1").unwrap_or_else(|| panic!("{location}")).to_owned();
    let asked = member.post("/me/subject-requests", &json!({ "kind": "access" })).await.expect(201);
    let (own, position) = (of(asked.header("Location")), asked.position());
    assert_eq!(member.get_at(&own, position).await.expect(200).id("id"), asked.id("id"));
    organization.analyst.get_at(&own, position).await.refused(404, "RESOURCE_NOT_FOUND");
    organization.analyst.get(&format!("/subject-requests/{}", asked.id("id"))).await.refused(404, "RESOURCE_NOT_FOUND");
    let recorded = json!({ "user_id": organization.member_id, "kind": "access" });
    let recorded = organization.officer.post("/subject-requests", &recorded).await.expect(201);
    let found = organization.officer.get_at(&of(recorded.header("Location")), recorded.position()).await.expect(200);
    assert_eq!(found.body["user_id"], organization.member_id.as_str());
    organization.officer.get(&format!("/subject-requests/{}", Uuid::now_v7())).await.refused(404, "RESOURCE_NOT_FOUND");

    let export = member.post("/me/exports", &json!({ "format": "pdf" })).await.expect(202);
    let location = of(export.header("Location"));
    let found = member.get_at(&location, export.position()).await.expect(200);
    assert_eq!((found.id("id"), &found.body["format"]), (export.id("id"), &json!("pdf")));
    organization.analyst.get_at(&location, export.position()).await.refused(404, "RESOURCE_NOT_FOUND");
}
