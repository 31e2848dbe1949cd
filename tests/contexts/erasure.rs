//! Deletions over HTTP, up to where weeks have to pass; what follows then is in `tests/faults/erasure.rs`.

use super::sign_in::code;
use crate::support::running::{Client, Organization, Reply, eventually, fresh_organization, mint};
use palmares_domain::identity::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// Enrols an authenticator, and answers its secret.
pub(super) async fn enrol(client: &Client) -> String {
    let secret = client.post("/me/mfa/totp", &json!({})).await.expect(200).id("secret");
    client.post("/me/mfa/totp/confirm", &json!({ "code": code(&secret, -1) })).await.expect(200);
    secret
}

pub(super) async fn on(client: &Client, request: &str, verb: &str, body: Value) -> Reply {
    client.post(&format!("/deletion-requests/{request}/{verb}"), &body).await
}

/// Asked for by its subject and proven.
pub(super) async fn in_review(organization: &Organization) -> String {
    let body = json!({ "user_id": organization.member_id, "reason": "I am leaving" });
    let request = organization.member.post("/deletion-requests", &body).await.expect(201).id("id");
    let secret = enrol(&organization.member).await;
    let verified = on(&organization.member, &request, "verify", json!({ "code": code(&secret, 0) })).await.expect(200);
    assert_eq!(verified.body["status"], "IN_REVIEW");
    request
}

impl Organization {
    pub(super) async fn deletion(&self, request: &str) -> Value {
        self.officer.get_at(&format!("/deletion-requests/{request}"), self.head().await).await.expect(200).body
    }
}

// covers: E-60, E-166, E-230, E-231, E-232, E-208, E-281
#[tokio::test]
async fn people_ask_for_their_deletion_prove_it_and_think_better_of_it() {
    let organization = fresh_organization().await;
    let (member, officer) = (&organization.member, &organization.officer);
    let body = json!({ "user_id": organization.member_id, "reason": "I am leaving" });
    let rehearsed = member.post("/deletion-requests?dry_run=true", &body).await.expect(200);
    assert_eq!(rehearsed.body["events"][0]["type"], "compliance.deletion_submitted");
    let made = member.post("/deletion-requests", &body).await.expect(201);
    let request = made.id("id");
    // Whoever asked finds it where the answer says, and so do those who review it.
    let location = made.header("location").strip_prefix("/api/v1").expect("below the API").to_owned();
    for reader in [member, officer] {
        assert_eq!(reader.get_at(&location, made.position()).await.expect(200).body["id"], request);
    }
    member.post("/deletion-requests", &body).await.refused(409, "CONFLICT");
    on(officer, &request, "approve", json!({})).await.refused(422, "VALIDATION_ERROR");

    // Without a second factor nothing is proven, and a wrong code proves nothing.
    on(member, &request, "verify", json!({ "code": "123456" })).await.refused(409, "CONFLICT");
    let secret = enrol(member).await;
    on(member, &request, "verify", json!({ "code": "abcdef" })).await.refused(422, "VALIDATION_ERROR");
    on(officer, &request, "verify", json!({ "code": code(&secret, 0) })).await.refused(404, "RESOURCE_NOT_FOUND");
    on(member, &request, "verify", json!({ "code": code(&secret, 0) })).await.expect(200);

    // Nobody approves their own, and the grace period begins with somebody else's word.
    on(member, &request, "approve", json!({})).await.refused(403, "ACCESS_DENIED");
    assert_eq!(on(officer, &request, "approve", json!({})).await.expect(200).body["status"], "GRACE");
    let shown = organization.deletion(&request).await;
    assert_eq!((&shown["status"], &shown["kind"], &shown["reason"]), (&json!("GRACE"), &json!("OWN_ACCOUNT"), &json!("I am leaving")));
    assert!(shown["due_at"].is_string() && shown["approved_by"].as_array().is_some_and(|by| by.len() == 1));
    let own = member.get(&format!("/deletion-requests/{request}?user_id={}", organization.member_id)).await.expect(200);
    assert_eq!(own.body["status"], "GRACE");
    member
        .get(&format!("/deletion-requests/{request}/certificate?user_id={}", organization.member_id))
        .await
        .refused(404, "RESOURCE_NOT_FOUND");

    on(member, &request, "cancel", json!({})).await.expect(200);
    assert_eq!(organization.deletion(&request).await["status"], "CANCELLED");
    member.get("/points/programs").await.expect(200);
    // Who asks anew begins anew.
    assert_eq!(member.post("/deletion-requests", &body).await.expect(201).id("id"), request);
}

// covers: E-281, E-60
#[tokio::test]
async fn who_is_to_be_deleted_sees_exports_and_cancels_and_nothing_else() {
    let organization = fresh_organization().await;
    let other = organization.add_member("other").await;
    in_review(&organization).await;
    let member = &organization.member;
    let own = format!("/users/{}", organization.member_id);
    for path in ["/me", "/me/exports", "/me/privacy", "/me/consents", "/me/subject-requests", "/me/sessions", &own] {
        member.get(path).await.expect(200);
    }
    member.post("/me/exports", &json!({ "format": "json" })).await.expect(202);
    // What is said of their rights is what the gate lets them do.
    let explained = organization.officer.post("/authz/explain", &json!({ "user_id": organization.member_id })).await.expect(200);
    assert_eq!((&explained.body["may_act"], &explained.body["leaving"]), (&json!(true), &json!(true)));
    let rights: Vec<&str> =
        explained.body["permissions"].as_array().expect("a list").iter().flat_map(|right| right["permission"].as_str()).collect();
    assert!(rights.contains(&"compliance.subject_export.request"), "{rights:?}");
    assert!(!rights.contains(&"points.balance.read") && !rights.contains(&"identity.elevation.request"), "{rights:?}");
    for path in ["/points/programs", "/leaderboards/steps", &format!("/users/{}/points", organization.member_id)] {
        member.get(path).await.refused(403, "ACCESS_DENIED");
    }
    member
        .post("/elevations", &json!({ "role": "organization_admin", "duration_seconds": 60, "reason": "no" }))
        .await
        .refused(403, "ACCESS_DENIED");
    member.post(&format!("/users/{other}/cancel-deletion"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    member.post(&format!("/users/{}/cancel-deletion", organization.member_id), &json!({})).await.expect(200);
    member.get("/points/programs").await.expect(200);
}

/// An administrator's roles are worth nothing either on the way out.
#[tokio::test]
async fn an_administrator_on_the_way_out_administers_nothing() {
    let organization = fresh_organization().await;
    let leaving = organization.add_member("leaving").await;
    organization.admin.post(&format!("/users/{leaving}/roles"), &json!({ "role": "organization_admin" })).await.expect(200);
    let client = organization.admin.with_token(&mint(&leaving, organization.id, Role::OrganizationAdmin));
    client.get("/users").await.expect(200);
    let request = client.post("/deletion-requests", &json!({ "user_id": leaving })).await.expect(201).id("id");
    let secret = enrol(&client).await;
    on(&client, &request, "verify", json!({ "code": code(&secret, 0) })).await.expect(200);
    client.get("/users").await.refused(403, "ACCESS_DENIED");
    client.post("/users", &json!({ "external_ref": "x", "role": "member" })).await.refused(403, "ACCESS_DENIED");
    client.get("/deletion-requests").await.refused(404, "RESOURCE_NOT_FOUND");
    client.get(&format!("/deletion-requests?user_id={leaving}")).await.expect(200);
}

// covers: E-169
#[tokio::test]
async fn what_is_open_before_an_expert_goes_is_named_and_can_be_looked_at() {
    let organization = fresh_organization().await;
    let body = json!({ "external_ref": Uuid::now_v7().to_string(), "role": "expert" });
    let expert = organization.admin.post("/users", &body).await.expect(201).id("id");
    let client = organization.admin.with_token(&mint(&expert, organization.id, Role::Expert));
    let assign = format!("/users/{}/experts", organization.member_id);
    organization.admin.post(&assign, &json!({ "expert_id": expert })).await.expect(200);
    let request = client.post("/deletion-requests", &json!({ "user_id": expert })).await.expect(201).id("id");
    let secret = enrol(&client).await;
    on(&client, &request, "verify", json!({ "code": code(&secret, 0) })).await.expect(200);
    organization.officer.get_at("/events?limit=1", organization.head().await).await.expect(200);

    let dependencies = async || {
        let checks = organization.officer.get(&format!("/deletion-requests/{request}/checks")).await.expect(200).body["checks"].clone();
        let checks = checks.as_array().expect("checks").clone();
        checks.iter().find(|check| check["check"] == "dependencies").expect("the check")["outcome"].clone()
    };
    eventually("it is open", async || (dependencies().await == "open").then_some(())).await;
    let refused = on(&organization.officer, &request, "approve", json!({})).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "compliance.deletion_checks_open");
    let named = &refused.body["errors"][0];
    assert_eq!((&named["field"], &named["reason"]), (&json!("checks.dependencies"), &json!("compliance.check_dependencies")));
    organization.admin.send("DELETE", &format!("{assign}/{expert}"), &json!({})).await.expect(200);
    eventually("nobody is looked after any more", async || (dependencies().await == "clear").then_some(())).await;

    // What the approval found stands with when it looked, and where it is looked at anew stands beside it.
    let approved = on(&organization.officer, &request, "approve", json!({})).await.expect(200);
    let path = format!("/deletion-requests/{request}?user_id={expert}");
    for reader in [&client, &organization.officer] {
        let shown = reader.get_at(&path, approved.position()).await.expect(200).body;
        let found = shown["checks"].as_array().expect("checks").iter().find(|check| check["check"] == "dependencies").cloned();
        let found = found.expect("the check");
        assert_eq!((&found["outcome"], found["looked_at"].is_string()), (&json!("clear"), true), "{found}");
        let anew = shown["present_checks"].as_str().and_then(|address| address.strip_prefix("/api/v1")).expect("an address");
        let present = reader.get(anew).await.expect(200).body;
        assert!(present["checks"].as_array().is_some_and(|checks| !checks.is_empty()), "{present}");
    }
    let others = format!("/deletion-requests/{request}/checks?user_id={}", organization.member_id);
    organization.member.get(&others).await.refused(404, "RESOURCE_NOT_FOUND");
}

/// What somebody took out, to its end.
async fn taken_out(client: &Client, path: &str, form: &str) -> String {
    let export = client.request(Method::GET, path).header("Accept", form).send().await.expect("the server answers");
    assert_eq!(export.status().as_u16(), 200, "{path}");
    export.text().await.expect("a whole export")
}

// covers: E-170
#[tokio::test]
async fn an_organization_is_taken_out_by_an_export_of_all_of_it_and_by_none_of_a_part() {
    let organization = fresh_organization().await;
    let path = format!("/organizations/{}", organization.id);
    let request = organization.admin.send("DELETE", &path, &json!({})).await.expect(202).id("id");
    let package = async || {
        // What was exported until now is known to whoever looks.
        let head = organization.head().await;
        organization.officer.get_at("/audit-logs?limit=1", head).await.expect(200);
        organization.officer.get_at("/deletion-requests", head).await.expect(200);
        let checks = organization.platform.get(&format!("/deletion-requests/{request}/checks")).await.expect(200).body;
        let checks = checks["checks"].as_array().expect("checks").clone();
        checks.iter().find(|check| check["check"] == "export_package").expect("the check")["outcome"].clone()
    };
    assert_eq!(package().await, "open");
    let (lines, all) = ("application/x-ndjson", "/audit-logs/export");
    let empty = format!("{all}?actor_id={}", Uuid::now_v7());
    assert_eq!(taken_out(&organization.admin, &empty, lines).await, "");
    assert!(!taken_out(&organization.admin, &format!("{all}?to=2099-01-01T00:00:00Z"), lines).await.is_empty());
    assert!(!taken_out(&organization.analyst, "/events", lines).await.is_empty());
    assert_eq!(package().await, "open", "nothing, a part of it, or what an analyst is cleared for");

    assert!(taken_out(&organization.admin, all, lines).await.contains(&request));
    assert_eq!(package().await, "clear");
    let ended = organization.officer.get("/audit-logs?event_type=compliance.whole_log_exported").await.expect(200).items().to_vec();
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert!(ended[0]["payload"]["size_bytes"].as_i64() > Some(1_000), "{}", ended[0]);
}

#[tokio::test]
async fn a_hold_on_somebody_who_is_not_there_is_refused_and_named() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    let before = organization.domain_events().await;
    let hold = |subjects: Value| json!({ "subjects": subjects, "matter": "case 7" });
    let subjects = json!([organization.member_id, Uuid::now_v7(), other.member_id]);
    let refused = organization.officer.post("/legal-holds", &hold(subjects)).await.refused(422, "VALIDATION_ERROR");
    let named: Vec<_> = refused.body["errors"].as_array().expect("errors").iter().map(|error| error["field"].clone()).collect();
    assert_eq!(named, ["subjects[1]", "subjects[2]"]);
    assert_eq!(organization.domain_events().await, before);

    let placed = organization.officer.post("/legal-holds", &hold(json!([organization.member_id]))).await.expect(201).id("id");
    let extend = format!("/legal-holds/{placed}/extend");
    let refused = organization.officer.post(&extend, &json!({ "subjects": [other.member_id] })).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["field"], "subjects[0]");
}

// covers: E-162, E-47
#[tokio::test]
async fn a_hold_stops_a_deletion_by_itself_and_lets_it_go_on() {
    let organization = fresh_organization().await;
    let request = in_review(&organization).await;
    on(&organization.officer, &request, "approve", json!({})).await.expect(200);
    let body = json!({ "subjects": [organization.member_id], "matter": "case 7" });
    let hold = organization.officer.post("/legal-holds", &body).await.expect(201).id("id");
    let status = async |wanted: &str| (organization.deletion(&request).await["status"] == wanted).then_some(());
    eventually("the deletion is held", async || status("HELD").await).await;
    on(&organization.officer, &request, "approve", json!({})).await.refused(409, "LEGAL_HOLD");
    // By which one is told to whoever may see holds, and to nobody else.
    let checks = format!("/deletion-requests/{request}/checks?user_id={}", organization.member_id);
    assert_eq!(organization.officer.get(&checks).await.expect(200).body["holds"], json!([hold]));
    assert_eq!(organization.member.get(&checks).await.expect(200).body["holds"], Value::Null);

    organization.admin.post(&format!("/legal-holds/{hold}/release"), &json!({})).await.refused(403, "ACCESS_DENIED");
    let span = json!({ "subjects": [], "span": { "from": "2030-01-02T00:00:00Z", "until": "2030-01-01T00:00:00Z" } });
    organization.officer.post(&format!("/legal-holds/{hold}/extend"), &span).await.refused(422, "VALIDATION_ERROR");
    let another = organization.add_member("another").await;
    organization.officer.post(&format!("/legal-holds/{hold}/extend"), &json!({ "subjects": [another] })).await.expect(200);
    let listed = organization.officer.get_at("/legal-holds", organization.head().await).await.expect(200);
    assert_eq!((&listed.items()[0]["matter"], listed.items()[0]["subjects"].as_array().map(Vec::len)), (&json!("case 7"), Some(2)));
    organization.officer.post(&format!("/legal-holds/{hold}/release"), &json!({})).await.expect(200);
    eventually("the deletion goes on", async || status("GRACE").await).await;
    // Held again, now that everybody is; whoever may stay for good need not wait for the hold's end.
    organization.officer.post("/legal-holds", &json!({ "matter": "case 8" })).await.expect(201);
    eventually("the deletion is held again", async || status("HELD").await).await;
    on(&organization.member, &request, "cancel", json!({})).await.expect(200);
    organization.member.get("/me").await.expect(200);
}

// covers: E-171, E-172
#[tokio::test]
async fn a_forced_deletion_is_the_platforms_with_its_ground_and_incident() {
    let organization = fresh_organization().await;
    let forced =
        |ground: &str, incident: &str| json!({ "user_id": organization.member_id, "forced": { "ground": ground, "incident": incident } });
    organization.admin.post("/deletion-requests", &forced("fraud", "INC-1")).await.refused(403, "ACCESS_DENIED");
    organization.platform.post("/deletion-requests", &forced("dislike", "INC-1")).await.refused(422, "VALIDATION_ERROR");
    organization.platform.post("/deletion-requests", &forced("fraud", "no reference")).await.refused(422, "VALIDATION_ERROR");
    let request = organization.platform.post("/deletion-requests", &forced("fraud", "INC-1")).await.expect(201).id("id");
    let shown = organization.deletion(&request).await;
    assert_eq!((&shown["kind"], &shown["ground"], &shown["incident"]), (&json!("FORCED"), &json!("fraud"), &json!("INC-1")));
    on(&organization.member, &request, "cancel", json!({})).await.refused(403, "ACCESS_DENIED");
    on(&organization.admin, &request, "cancel", json!({})).await.refused(403, "ACCESS_DENIED");

    // Asked for anew, each incident stays on record, newest first.
    on(&organization.platform, &request, "cancel", json!({})).await.expect(200);
    assert_eq!(organization.platform.post("/deletion-requests", &forced("abuse", "INC-2")).await.expect(201).id("id"), request);
    on(&organization.platform, &request, "cancel", json!({})).await.expect(200);
    organization.platform.post("/deletion-requests", &forced("fraud", "INC-3")).await.expect(201);
    let listed = organization.officer.get_at("/deletion-requests", organization.head().await).await.expect(200);
    let shown = &listed.items()[0];
    assert_eq!((&shown["incident"], &shown["status"]), (&json!("INC-3"), &json!("SUBMITTED")));
    let earlier: Vec<_> = shown["earlier"].as_array().expect("a list").iter().map(|of| (&of["incident"], &of["status"])).collect();
    assert_eq!(earlier, [(&json!("INC-2"), &json!("CANCELLED")), (&json!("INC-1"), &json!("CANCELLED"))]);
    assert!(shown["earlier"][1]["created_at"].is_string() && shown["earlier"][1]["requested_by"].is_string(), "{shown}");
}

// covers: E-179, E-180, E-181, E-47
#[tokio::test]
async fn a_schedule_keeps_to_the_platforms_bounds_and_says_what_a_change_would_move() {
    let organization = fresh_organization().await;
    let set = async |days: u32| organization.officer.send("PUT", "/retention-schedules", &json!({ "class": "AUDIT", "days": days })).await;
    set(365).await.refused(422, "VALIDATION_ERROR");
    set(2556).await.refused(422, "VALIDATION_ERROR");
    set(3000).await.expect(200);
    let shown = organization.officer.get_at("/retention-schedules", organization.head().await).await.expect(200);
    let audit = shown.items().iter().find(|period| period["class"] == "AUDIT").expect("a class");
    assert_eq!((&audit["days"], &audit["least_days"]), (&json!(3000), &json!(2557)));
    let what_if = json!({ "class": "BILLING", "days": 2000 });
    let change = organization.officer.post("/retention-schedules/what-if", &what_if).await.expect(200);
    assert_eq!((&change.body["days_before"], &change.body["moves"]), (&json!(3653), &json!([])));
    let shorter = json!({ "class": "BILLING", "days": 100 });
    organization.officer.post("/retention-schedules/what-if", &shorter).await.refused(422, "VALIDATION_ERROR");
    organization.member.get("/retention-schedules").await.refused(403, "ACCESS_DENIED");

    // Who administers the organization keeps what it has to keep longer, and not shorter.
    let by_admin = async |days: u32| {
        let body = json!({ "class": "BILLING", "days": days });
        organization.admin.send("PUT", "/retention-schedules", &body).await
    };
    let refused = by_admin(1827).await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "compliance.retention_not_yours_to_shorten");
    by_admin(4000).await.expect(200);
}

#[tokio::test]
async fn a_change_of_a_period_says_which_deletions_that_are_under_way_it_would_move() {
    let organization = fresh_organization().await;
    let request = in_review(&organization).await;
    let moves = async |class: &str, days: u32| {
        let asked = json!({ "class": class, "days": days });
        organization.officer.get_at("/retention-schedules", organization.head().await).await.expect(200);
        organization.officer.get_at("/deletion-requests", organization.head().await).await.expect(200);
        let change = organization.officer.post("/retention-schedules/what-if", &asked).await.expect(200);
        change.body["moves"].as_array().expect("moves").clone()
    };
    assert_eq!(moves("DELETION_RECOVERY", 40).await, [] as [Value; 0], "nothing has a date before it is approved");
    on(&organization.officer, &request, "approve", json!({})).await.expect(200);
    // The grace period has begun, and ends when its subject was told.
    assert_eq!(moves("DELETION_GRACE", 40).await, [] as [Value; 0]);
    let days = |moved: &Value| {
        let at = |member: &str| moved[member].as_str().and_then(|at| at.parse::<chrono::DateTime<chrono::Utc>>().ok()).expect("a time");
        (at("after") - at("before")).num_days()
    };
    let moved = moves("DELETION_RECOVERY", 40).await;
    assert!(moved.iter().all(|moved| moved["request_id"] == request && days(moved) == 10), "{moved:?}");
    for class in ["DELETION_RECOVERY", "PROFILE", "BILLING", "BACKUP"] {
        assert_eq!(moved.iter().filter(|moved| moved["class"] == class).count(), 1, "{class} in {moved:?}");
    }
    let moved = moves("BILLING", 3753).await;
    assert_eq!(moved.iter().map(|moved| (&moved["class"], days(moved))).collect::<Vec<_>>(), [(&json!("BILLING"), 100)]);
}

#[tokio::test]
async fn a_preview_says_what_goes_what_stays_on_which_ground_and_when() {
    let organization = fresh_organization().await;
    let body = json!({ "subjects": [organization.member_id], "matter": "case 7" });
    let hold = organization.officer.post("/legal-holds", &body).await.expect(201).id("id");
    let before = organization.domain_events().await;
    let preview = organization.member.get(&format!("/deletion-preview?user_id={}", organization.member_id)).await.expect(200).body;
    let class = |list: &str, class: &str| preview[list].as_array().expect("a list").iter().find(|of| of["class"] == class).cloned();
    let profile = class("goes", "PROFILE").expect("what names the person goes");
    assert!(profile["records"].as_i64() > Some(0) && profile["fields"].to_string().contains("identity.user_created.external_ref"));
    assert_eq!(class("stays", "BILLING").expect("tax law keeps it")["ground"], "tax_law");
    assert!(class("stays", "AUDIT").is_some() && class("goes", "AUDIT").is_none());
    // By which hold it is stopped is told to whoever may see holds.
    assert_eq!(preview["holds"], Value::Null);
    let path = format!("/deletion-preview?user_id={}", organization.member_id);
    assert_eq!(organization.officer.get(&path).await.expect(200).body["holds"], json!([hold]));
    assert_eq!(organization.domain_events().await, before);
    // Fields are those that hold something of the person, who never told a telephone.
    assert!(!profile["fields"].to_string().contains("phone"), "{profile}");
    // What stays in the log is counted, and so is what happens to their points.
    let audited = |preview: &Value| {
        let stays = preview["stays"].as_array().expect("a list").iter().find(|of| of["class"] == "AUDIT").expect("a class");
        stays["records"].as_i64().expect("a number")
    };
    let program = organization.program().await;
    let credit = json!({ "program_id": program, "user_id": organization.member_id, "amount": 10 });
    organization.admin.post_with("/points/credits", &credit, &[("Prefer", "wait=30")]).await.expect(200);
    organization.officer.get_at("/audit-logs?limit=1", organization.head().await).await.expect(200);
    let later = organization.officer.get(&path).await.expect(200).body;
    assert!(audited(&preview) > 0 && audited(&later) > audited(&preview), "{later}");
    let elsewhere = fresh_organization().await;
    for nobody in [elsewhere.member_id, Uuid::now_v7().to_string()] {
        organization.officer.get(&format!("/deletion-preview?user_id={nobody}")).await.refused(404, "RESOURCE_NOT_FOUND");
    }
    let other = organization.add_member("other").await;
    organization.member.get(&format!("/deletion-preview?user_id={other}")).await.refused(404, "RESOURCE_NOT_FOUND");

    // Of the whole organization: what was written about cases goes with the last of it.
    let whole = organization.officer.get("/deletion-preview").await.expect(200).body;
    let of = |field: &str| {
        let found = whole["stays"].as_array().expect("a list").iter().find(|of| of["fields"].to_string().contains(field));
        found.unwrap_or_else(|| panic!("no {field} in {whole}")).clone()
    };
    let cases = of("compliance.legal_hold_placed.matter");
    assert_eq!((&cases["records"], &cases["ground"]), (&json!(1), &json!("legal_obligation_to_account")));
    assert_eq!(cases["destroyed_at"], of("points.credit_accepted.reason")["destroyed_at"]);
}
