//! Rights for a while: asked for with a reason, decided by a second person, over by themselves, and
//! marked on everything that is done with them.

use super::exports::{built, opened};
use crate::support::running::{Client, Organization, Reply, eventually, fresh_organization, mint, running};
use palmares_domain::{identity::Role, kernel::OrganizationId};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// Requests that name an elevation.
struct Elevated<'a> {
    client: &'a Client,
    id: &'a str,
}

impl Elevated<'_> {
    async fn get(&self, path: &str) -> Reply {
        Reply::of(self.client.request(Method::GET, path).header("Palmares-Elevation", self.id)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        self.client.post_with(path, body, &[("Palmares-Elevation", self.id)]).await
    }
}

async fn ask(client: &Client, wanted: Value, seconds: u32) -> Reply {
    let mut body = json!({ "duration_seconds": seconds, "reason": "the yearly audit" });
    body.as_object_mut().expect("an object").extend(wanted.as_object().expect("an object").clone());
    client.post("/elevations", &body).await
}

async fn step(client: &Client, id: &str, verb: &str) -> Reply {
    client.post(&format!("/elevations/{id}/{verb}"), &json!({})).await
}

/// Asks, has it approved and starts it.
async fn in_force(asker: &Client, approver: &Client, wanted: Value, seconds: u32) -> String {
    let id = ask(asker, wanted, seconds).await.expect(201).id("id");
    step(approver, &id, "approve").await.expect(200);
    step(asker, &id, "start").await.expect(200);
    id
}

/// Someone of the platform, with one of its roles.
async fn of_the_platform(role: Role) -> (String, Client) {
    let admin = Client::anonymous().with_token(&running().descriptor.tokens.platform_admin);
    let body = json!({ "external_ref": format!("{}-{}", role.name(), Uuid::now_v7()), "role": role.name() });
    let user = admin.post("/users", &body).await.expect(201).id("id");
    let client = admin.with_token(&mint(&user, OrganizationId::PLATFORM, role));
    (user, client)
}

impl Organization {
    async fn second_admin(&self) -> Client {
        let user = self.add_member("second-admin").await;
        self.admin.post(&format!("/users/{user}/roles"), &json!({ "role": "organization_admin" })).await.expect(200);
        self.admin.with_token(&mint(&user, self.id, Role::OrganizationAdmin))
    }

    async fn elevation(&self, id: &str) -> Value {
        let listed = self.admin.get_at("/elevations", self.head().await).await.expect(200);
        listed.items().iter().find(|elevation| elevation["id"] == *id).expect("the elevation").clone()
    }

    async fn audit(&self, filter: &str) -> Vec<Value> {
        let path = format!("/audit-logs?limit=200&{filter}");
        self.officer.get_at(&path, self.head().await).await.expect(200).items().to_vec()
    }
}

// covers: E-254, E-247
#[tokio::test]
async fn a_role_for_a_while_needs_a_reason_a_second_person_and_a_start() {
    let organization = fresh_organization().await;
    let member = &organization.member;
    member.get("/users").await.refused(403, "ACCESS_DENIED");
    let id = ask(member, json!({ "role": "organization_admin" }), 600).await.expect(201).id("id");
    let elevated = Elevated { client: member, id: &id };

    // Neither asked for nor approved is in force.
    elevated.get("/users").await.refused(403, "ACCESS_DENIED");
    step(member, &id, "start").await.refused(422, "VALIDATION_ERROR");
    step(&organization.admin, &id, "approve").await.expect(200);
    let refused = elevated.get("/users").await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "gate.elevation_not_active");

    step(member, &id, "start").await.expect(200);
    elevated.get("/users").await.expect(200);
    member.get("/users").await.refused(403, "ACCESS_DENIED");
    let program = elevated.post("/points/programs", &json!({ "name": "elevated" })).await.expect(201).id("id");
    let shown = organization.elevation(&id).await;
    assert_eq!(
        (&shown["status"], &shown["role"], &shown["reason"]),
        (&json!("ACTIVE"), &json!("organization_admin"), &json!("the yearly audit"))
    );

    step(member, &id, "end").await.expect(200);
    elevated.get("/users").await.refused(403, "ACCESS_DENIED");
    step(member, &id, "review").await.refused(403, "ACCESS_DENIED");
    step(&organization.officer, &id, "review").await.expect(200);
    assert_eq!(organization.elevation(&id).await["status"], "REVIEWED");

    // What was done with it says so, and so does what was read.
    let marked = organization.audit(&format!("elevation_id={id}")).await;
    assert!(marked.iter().any(|entry| entry["event_type"] == "points.program_defined" && entry["payload"]["program_id"] == program));
    assert!(marked.iter().any(|entry| entry["event_type"] == "compliance.sensitive_data_read"));
    assert!(marked.iter().all(|entry| entry["actor_id"] == organization.member_id && entry["on_behalf_of"].is_null()));
}

// covers: E-247, E-46
#[tokio::test]
async fn nobody_approves_their_own_request_or_what_they_could_not_give() {
    let organization = fresh_organization().await;
    let id = ask(&organization.admin, json!({ "act_as": organization.member_id }), 600).await.expect(201).id("id");
    let own = step(&organization.admin, &id, "approve").await.refused(403, "ACCESS_DENIED");
    assert_eq!(own.body["reason"], "identity.elevation_own_request");

    // An approver who may approve, and no more.
    let approver = json!({ "name": "Approver", "grants": ["identity.elevation"] });
    let role = organization.admin.post("/roles", &approver).await.expect(201).id("id");
    let user = organization.add_member("approver").await;
    organization.admin.post(&format!("/users/{user}/roles"), &json!({ "role": role })).await.expect(200);
    let approver =
        organization.admin.with_token(&mint(&user, organization.id, role.parse::<palmares_domain::kernel::RoleId>().expect("a role")));
    let asked = ask(&organization.member, json!({ "role": "organization_admin" }), 600).await.expect(201).id("id");
    let refused = step(&approver, &asked, "approve").await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "identity.permission_escalation_attempt");
    step(&organization.member, &asked, "approve").await.refused(403, "ACCESS_DENIED");
    assert_eq!(organization.elevation(&asked).await["status"], "REQUESTED");
    step(&organization.admin, &asked, "refuse").await.expect(200);
    step(&organization.admin, &asked, "approve").await.refused(422, "VALIDATION_ERROR");
    let withdrawn = ask(&organization.member, json!({ "role": "analyst" }), 600).await.expect(201).id("id");
    step(&organization.analyst, &withdrawn, "withdraw").await.refused(404, "RESOURCE_NOT_FOUND");
    step(&organization.member, &withdrawn, "withdraw").await.expect(200);
}

// covers: E-254
#[tokio::test]
async fn it_is_over_by_itself() {
    let organization = fresh_organization().await;
    let id = in_force(&organization.member, &organization.admin, json!({ "role": "organization_admin" }), 1).await;
    let elevated = Elevated { client: &organization.member, id: &id };
    let refused = eventually("the elevation is over", async || {
        let reply = elevated.get("/roles").await;
        (reply.status != 200).then_some(reply)
    });
    assert_eq!(refused.await.refused(403, "ACCESS_DENIED").body["reason"], "gate.elevation_not_active");
    eventually("its end is recorded", async || (organization.elevation(&id).await["status"] == "EXPIRED").then_some(())).await;
    step(&organization.member, &id, "end").await.refused(422, "VALIDATION_ERROR");
}

// covers: E-254, E-46
#[tokio::test]
async fn what_one_has_for_a_while_one_cannot_make_last() {
    let organization = fresh_organization().await;
    let id = in_force(&organization.member, &organization.admin, json!({ "role": "organization_admin" }), 600).await;
    let elevated = Elevated { client: &organization.member, id: &id };
    let myself = format!("/users/{}/roles", organization.member_id);
    let refused = elevated.post(&myself, &json!({ "role": "organization_admin" })).await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "identity.permission_escalation_attempt");
    let role = json!({ "name": "Mine", "grants": ["points"] });
    elevated.post("/roles", &role).await.refused(403, "ACCESS_DENIED");
    // Nor does it lead to the next one.
    let other = ask(&organization.analyst, json!({ "role": "organization_admin" }), 600).await.expect(201).id("id");
    elevated.post(&format!("/elevations/{other}/approve"), &json!({})).await.refused(403, "ACCESS_DENIED");
}

// covers: E-33
#[tokio::test]
async fn whoever_acts_as_another_may_do_what_both_may_and_nothing_else() {
    let organization = fresh_organization().await;
    let program = organization.program().await;
    let (support_id, support) = of_the_platform(Role::PlatformSupport).await;
    let support = support.in_organization(organization.id);
    let id = in_force(&support, &organization.admin, json!({ "act_as": organization.member_id }), 600).await;
    let elevated = Elevated { client: &support, id: &id };

    // Both may.
    elevated.get("/points/programs").await.expect(200);
    // Support alone may, then the member alone.
    support.get("/users").await.expect(200);
    elevated.get("/users").await.refused(403, "ACCESS_DENIED");
    let balance = format!("/users/{}/points?program_id={program}", organization.member_id);
    organization.member.get(&balance).await.expect(200);
    let refused = elevated.get(&balance).await;
    assert!([403, 404].contains(&refused.status), "{}", refused.body);
    elevated.post("/points/credits", &json!({})).await.refused(403, "ACCESS_DENIED");

    let audit = organization.audit(&format!("on_behalf_of={}", organization.member_id)).await;
    assert!(!audit.is_empty() && audit.iter().all(|entry| entry["actor_id"] == support_id && entry["elevation_id"] == id), "{audit:?}");
    assert!(audit.iter().any(|entry| entry["event_type"] == "compliance.sensitive_data_read"));
}

// covers: E-33
#[tokio::test]
async fn an_administrator_acts_as_a_member_and_every_event_says_so() {
    let organization = fresh_organization().await;
    let second = organization.second_admin().await;
    let program = organization.program().await;
    let credit = json!({ "program_id": program, "user_id": organization.member_id, "amount": 9 });
    organization.admin.post_with("/points/credits", &credit, &[("Prefer", "wait=30")]).await.expect(200);
    let friend = organization.add_member("friend").await;
    let id = in_force(&second, &organization.admin, json!({ "act_as": organization.member_id }), 600).await;
    let elevated = Elevated { client: &second, id: &id };

    let transfer = json!({ "program_id": program, "from_user_id": organization.member_id, "to_user_id": friend, "amount": 4 });
    elevated.post("/points/transfers", &transfer).await.expect(201);
    // What is the member's own, but only the administrator's by role, and the other way round.
    elevated.get("/users").await.refused(403, "ACCESS_DENIED");
    elevated.post("/points/credits", &credit).await.refused(403, "ACCESS_DENIED");
    // How the member signs in is out of reach, whoever may read it otherwise.
    elevated.get("/me").await.refused(403, "ACCESS_DENIED");
    elevated.post(&format!("/elevations/{id}/end"), &json!({})).await.refused(403, "ACCESS_DENIED");

    let events = organization.audit(&format!("elevation_id={id}")).await;
    let sent = events.iter().find(|entry| entry["event_type"] == "points.transfer_sent").expect("the transfer");
    assert_eq!(sent["on_behalf_of"], organization.member_id);
    assert_ne!(sent["actor_id"], organization.member_id);
    // Reason, start and end stand in the trail as well.
    step(&second, &id, "end").await.expect(200);
    let life = organization.audit(&format!("target_id={id}")).await;
    let mut types: Vec<_> = life.iter().map(|entry| entry["event_type"].as_str().expect("a type")).collect();
    types.reverse();
    assert_eq!(
        types,
        [
            "identity.elevation_requested",
            "identity.elevation_approved",
            "identity.elevation_started",
            // Who acts as another ends nothing of it.
            "compliance.access_refused",
            "identity.elevation_ended"
        ]
    );
}

// covers: E-33
#[tokio::test]
async fn nobody_uses_anothers_elevation_and_the_attempt_is_audited() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    let id = in_force(&organization.member, &organization.admin, json!({ "role": "organization_admin" }), 600).await;
    for (client, named) in
        [(&organization.analyst, id.clone()), (&organization.admin, Uuid::now_v7().to_string()), (&other.member, id.clone())]
    {
        let refused = Elevated { client, id: &named }.get("/users").await.refused(403, "ACCESS_DENIED");
        assert_eq!(refused.body["reason"], "gate.elevation_not_active");
    }
    Elevated { client: &organization.member, id: "mine" }.get("/users").await.refused(422, "VALIDATION_ERROR");
    let attempts = organization.audit("outcome=refused").await;
    let attempts = attempts.iter().filter(|entry| entry["policies"][0] == "gate.elevation_not_active").count();
    assert_eq!(attempts, 2);
}

// covers: E-33
#[tokio::test]
async fn nobody_acts_as_the_platforms_people_or_from_another_organization() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    let (support_id, support) = of_the_platform(Role::PlatformSupport).await;
    let platform = Client::anonymous().with_token(&running().descriptor.tokens.platform_admin);
    ask(&platform, json!({ "act_as": support_id }), 60).await.refused(403, "ACCESS_DENIED");
    ask(&organization.admin, json!({ "act_as": other.member_id }), 60).await.refused(422, "VALIDATION_ERROR");
    ask(&organization.member, json!({ "act_as": other.member_id }), 60).await.refused(403, "ACCESS_DENIED");
    ask(&organization.admin, json!({ "role": "platform_support" }), 60).await.refused(422, "VALIDATION_ERROR");
    ask(&organization.admin, json!({}), 60).await.refused(422, "VALIDATION_ERROR");
    ask(&organization.admin, json!({ "act_as": organization.member_id }), 3601).await.refused(422, "VALIDATION_ERROR");
    // It acts where it was approved, and nowhere else.
    let here = support.in_organization(organization.id);
    let id = in_force(&here, &organization.admin, json!({ "act_as": organization.member_id }), 600).await;
    let there = support.in_organization(other.id);
    let refused = Elevated { client: &there, id: &id }.get("/points/programs").await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "gate.elevation_not_active");
}

// covers: E-33, E-59
#[tokio::test]
async fn what_somebody_is_refused_as_another_stands_where_they_act_and_is_told_to_that_one() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let user = person.user.clone();
    let (support_id, support) = of_the_platform(Role::PlatformSupport).await;
    let support = support.in_organization(organization.id);
    let id = in_force(&support, &organization.admin, json!({ "act_as": user }), 600).await;
    let elevated = Elevated { client: &support, id: &id };
    elevated.post("/me/exports", &json!({ "format": "json" })).await.refused(403, "ACCESS_DENIED");
    elevated.get("/me/privacy").await.refused(403, "ACCESS_DENIED");
    step(&organization.admin, &id, "end").await.expect(200);

    let refused = organization.audit(&format!("outcome=refused&actor_id={support_id}")).await;
    let mut routes: Vec<_> = refused.iter().map(|entry| entry["payload"]["route"].as_str().expect("a route")).collect();
    routes.sort_unstable();
    assert_eq!(routes, ["/api/v1/me/exports", "/api/v1/me/privacy"], "{refused:?}");
    assert!(refused.iter().all(|entry| entry["on_behalf_of"] == user && entry["elevation_id"] == id), "{refused:?}");
    let platform = Client::anonymous().with_token(&running().descriptor.tokens.platform_admin);
    let at_home = platform.get(&format!("/audit-logs?outcome=refused&actor_id={support_id}")).await.expect(200);
    assert!(at_home.items().is_empty(), "{}", at_home.body);

    // Whoever was acted as learns all of it: that it was asked for, allowed, used, ended, and what it was tried for.
    let client = person.signed_in(&organization).await;
    let (export, identity) = built(&client, "json").await;
    let document: Value = serde_json::from_slice(&opened(&client, &export, &identity).await).expect("a JSON document");
    let events = document["events"].as_array().expect("events");
    let mut steps: Vec<_> = events.iter().filter(|event| event["stream"]["id"] == id.as_str()).map(|event| event["type"].clone()).collect();
    steps.dedup();
    let life = ["requested", "approved", "started", "ended"].map(|step| json!(format!("identity.elevation_{step}")));
    assert_eq!(steps, life);
    let tried = events.iter().filter(|event| event["type"] == "compliance.access_refused" && event["actor_id"] == support_id.as_str());
    assert_eq!(tried.count(), 2);
}
