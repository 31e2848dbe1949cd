//! Experts: whom they look after, what they read of them, what those who run a program read instead,
//! and what people take out of themselves.

use super::exports::{built, opened};
use crate::support::running::{Client, Organization, Reply, fresh_organization, mint};
use palmares_domain::identity::Role;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

const DAY: &str = "2020-03-02";

impl Organization {
    async fn person_of(&self, role: Role) -> (String, Client) {
        let body = json!({ "external_ref": Uuid::now_v7().to_string(), "role": role.name() });
        let user = self.admin.post("/users", &body).await.expect(201).id("id");
        let client = self.admin.with_token(&mint(&user, self.id, role));
        (user, client)
    }

    async fn assign_expert(&self, user: &str, expert: &str) -> Reply {
        self.admin.post(&format!("/users/{user}/experts"), &json!({ "expert_id": expert })).await
    }

    /// Records the steps of one day, and says where that is true.
    async fn walked(&self, user: &str, day: &str, steps: i64) -> i64 {
        let item = json!({ "source": "watch", "source_record_id": format!("{user}-{day}"), "user_id": user, "metric": "steps",
            "value": steps, "local_day": day, "time_zone": "Europe/Paris" });
        let recorded = self.admin.post("/activities", &json!({ "items": [item] })).await.expect(200);
        assert_eq!(recorded.body["accepted"], 1, "{}", recorded.body);
        recorded.position()
    }

    async fn participation(&self, client: &Client, from: &str, until: &str, position: i64) -> Reply {
        client.get_at(&format!("/wellness/participation?metric=steps&from={from}&until={until}"), position).await
    }
}

// covers: E-22, E-69, E-121, E-81
#[tokio::test]
async fn an_expert_reads_what_those_record_to_whom_they_are_assigned() {
    let organization = fresh_organization().await;
    let (expert, reads) = organization.person_of(Role::Expert).await;
    let user = organization.member_id.clone();
    let position = organization.walked(&user, DAY, 4000).await;
    let (records, days) = (format!("/users/{user}/activities"), format!("/users/{user}/activities/days"));

    reads.get(&records).await.refused(404, "RESOURCE_NOT_FOUND");
    let assigned = organization.assign_expert(&user, &expert).await.expect(200);
    assert_eq!((&assigned.body["status"], &assigned.body["expert_id"]), (&json!("ASSIGNED"), &json!(expert)));
    let seen = reads.get_at(&days, position).await.expect(200);
    assert_eq!(seen.items()[0]["total"], 4000);
    assert_eq!(reads.get(&records).await.expect(200).items()[0]["value"], 4000);

    // So it is explained, for that person.
    let explained = organization.officer.post("/authz/explain", &json!({ "user_id": expert })).await.expect(200).body;
    let related = explained["related"].as_array().expect("a list");
    assert_eq!((related.len(), &related[0]["owner_id"], &related[0]["relations"]), (1, &json!(user), &json!(["assigned"])));
    let right = &related[0]["permissions"][0];
    assert_eq!((&right["permission"], &right["over"]), (&json!("challenges.activity.read"), &json!("person")));

    // Of that person alone, and nothing else of them.
    let other = organization.add_member("other").await;
    reads.get(&format!("/users/{other}/activities")).await.refused(404, "RESOURCE_NOT_FOUND");
    reads.get(&format!("/users/{user}/points")).await.refused(404, "RESOURCE_NOT_FOUND");
    let record = json!({ "items": [{ "source": "watch", "source_record_id": "x", "user_id": user, "retract": true }] });
    reads.post("/activities", &record).await.refused(404, "RESOURCE_NOT_FOUND");

    // Every read is on record, with the policy that permitted it.
    let head = organization.head().await;
    organization.officer.get_at("/events?limit=1", head).await.expect(200);
    let seen = organization.officer.all(&format!("/events?type=compliance.sensitive_data_read&actor_id={expert}")).await;
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|event| event.to_string().contains("expert.assigned@")), "{seen:?}");

    organization.admin.send("DELETE", &format!("/users/{user}/experts/{expert}"), &json!({})).await.expect(200);
    reads.get(&records).await.refused(404, "RESOURCE_NOT_FOUND");
}

#[tokio::test]
async fn an_assignment_ends_by_itself_and_with_its_experts_role() {
    let organization = fresh_organization().await;
    let (expert, reads) = organization.person_of(Role::Expert).await;
    let user = organization.member_id.clone();
    let (records, experts) = (format!("/users/{user}/activities"), format!("/users/{user}/experts"));
    let until = chrono::Utc::now() + Duration::from_secs(4);
    organization.admin.post(&experts, &json!({ "expert_id": expert, "until": until })).await.expect(200);
    reads.get(&records).await.expect(200);
    crate::support::running::eventually("the assignment is over", || async { (reads.get(&records).await.status == 404).then_some(()) })
        .await;
    assert!(chrono::Utc::now() >= until);
    organization.admin.send("DELETE", &format!("{experts}/{expert}"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");

    // What is over can be given anew, and is worth nothing to whoever is no expert any more.
    let again = organization.assign_expert(&user, &expert).await.expect(200);
    reads.get(&records).await.expect(200);
    organization.admin.post(&format!("/users/{expert}/roles"), &json!({ "role": "member" })).await.expect(200);
    organization.admin.post(&format!("/users/{expert}/roles/expert/unassign"), &json!({})).await.expect(200);
    let as_member = organization.admin.with_token(&mint(&expert, organization.id, Role::Member));
    as_member.get(&records).await.refused(404, "RESOURCE_NOT_FOUND");

    let listed = organization.admin.get_at(&experts, again.position()).await.expect(200);
    let statuses: Vec<_> = listed.items().iter().map(|item| item["status"].as_str().unwrap_or_default()).collect();
    assert_eq!(statuses, ["ACTIVE", "EXPIRED"]);
}

// covers: E-68
#[tokio::test]
async fn who_is_assigned_to_whom_is_checked() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    let (expert, client) = organization.person_of(Role::Expert).await;
    let (foreign, _) = other.person_of(Role::Expert).await;
    let user = organization.member_id.clone();
    let experts = format!("/users/{user}/experts");
    let before = organization.domain_events().await;

    for nobody in [user.clone(), foreign.clone(), Uuid::now_v7().to_string()] {
        let refused = organization.assign_expert(&user, &nobody).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], "expert_id");
        assert_eq!(refused.body["errors"][0]["reason"], "experts.not_an_expert");
    }
    let own = organization.assign_expert(&expert, &expert).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(own.body["errors"][0]["reason"], "experts.own_expert");
    let over = json!({ "expert_id": expert, "until": "2020-01-01T00:00:00Z" });
    let over = organization.admin.post(&experts, &over).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(over.body["errors"][0]["field"], "until");
    let elsewhere = format!("/users/{}/experts", other.member_id);
    organization.admin.post(&elsewhere, &json!({ "expert_id": expert })).await.refused(404, "RESOURCE_NOT_FOUND");
    for caller in [&organization.member, &client, &organization.analyst, &organization.officer] {
        caller.post(&experts, &json!({ "expert_id": expert })).await.refused(403, "ACCESS_DENIED");
    }
    assert_eq!(organization.domain_events().await, before);

    organization.assign_expert(&user, &expert).await.expect(200);
    organization.assign_expert(&user, &expert).await.refused(409, "CONFLICT");
    for caller in [&organization.member, &client] {
        caller.send("DELETE", &format!("{experts}/{expert}"), &json!({})).await.refused(403, "ACCESS_DENIED");
    }
    organization.platform.send("DELETE", &format!("{experts}/{expert}"), &json!({})).await.expect(200);
    organization.platform.post(&experts, &json!({ "expert_id": expert })).await.expect(200);

    // Their own experts people may see; those of others look as if there were none.
    let head = organization.head().await;
    assert_eq!(organization.member.get_at("/me/experts?active=true", head).await.expect(200).items().len(), 1);
    client.get(&experts).await.refused(404, "RESOURCE_NOT_FOUND");
}

// covers: E-69
#[tokio::test]
async fn whoever_runs_a_program_never_reads_what_one_person_did() {
    let organization = fresh_organization().await;
    let user = organization.member_id.clone();
    organization.walked(&user, DAY, 4000).await;
    let records = format!("/users/{user}/activities");
    for caller in [&organization.admin, &organization.platform] {
        caller.get(&records).await.refused(404, "RESOURCE_NOT_FOUND");
        caller.get(&format!("{records}/days")).await.refused(404, "RESOURCE_NOT_FOUND");
    }

    // An administrator who takes the role Expert does not get around it.
    let (admin, _) = organization.person_of(Role::OrganizationAdmin).await;
    organization.admin.post(&format!("/users/{admin}/roles"), &json!({ "role": "expert" })).await.expect(200);
    let keys = crate::support::running::token_keys();
    let id = palmares_domain::kernel::UserId(admin.parse().expect("a user"));
    let token = keys.mint(id, organization.id, [Role::OrganizationAdmin, Role::Expert], Duration::from_secs(600)).expect("a token");
    let both = organization.admin.with_token(&token);
    let own = both.post(&format!("/users/{user}/experts"), &json!({ "expert_id": admin })).await.refused(403, "ACCESS_DENIED");
    assert_eq!(own.body["reason"], "experts.assigns_oneself");
    organization.assign_expert(&user, &admin).await.expect(200);
    both.get(&records).await.refused(404, "RESOURCE_NOT_FOUND");

    // Neither a role of the organization's own nor a key opens it.
    let role = json!({ "name": "Curious", "grants": ["challenges"] });
    let role = organization.admin.post("/roles", &role).await.expect(201).id("id");
    let (curious, _) = organization.person_of(Role::Member).await;
    organization.admin.post(&format!("/users/{curious}/roles"), &json!({ "role": role })).await.expect(200);
    let role: palmares_domain::kernel::RoleId = role.parse().expect("a role");
    let curious = organization.admin.with_token(&mint(&curious, organization.id, role));
    curious.get("/leaderboards/steps").await.expect(200);
    curious.get(&records).await.refused(404, "RESOURCE_NOT_FOUND");
    let key = json!({ "name": "Robot", "grants": ["challenges"], "quota": { "requests": 100, "per": "minute" } });
    let key = organization.admin.post("/api-keys", &key).await.expect(201).id("key");
    let robot = Client::anonymous().request(Method::GET, &records).header("Authorization", format!("Bearer {key}"));
    Reply::of(robot).await.refused(404, "RESOURCE_NOT_FOUND");
}

// covers: E-69
#[tokio::test]
async fn figures_are_over_five_people_at_least() {
    let organization = fresh_organization().await;
    let mut people = Vec::new();
    for number in 0..5 {
        people.push(organization.add_member(&format!("walker-{number}")).await);
    }
    let mut position = 0;
    for user in &people[..4] {
        position = organization.walked(user, DAY, 1000).await;
    }
    let withheld = organization.participation(&organization.admin, DAY, DAY, position).await.expect(200).body;
    assert_eq!(withheld["withheld"], true);
    for figure in ["participants", "days", "total", "average"] {
        assert!(withheld[figure].is_null(), "{withheld}");
    }

    position = organization.walked(&people[4], DAY, 2000).await;
    for caller in [&organization.admin, &organization.platform, &organization.analyst] {
        let shown = organization.participation(caller, DAY, DAY, position).await.expect(200).body;
        let figures = ["withheld", "participants", "days", "total", "average"].map(|figure| shown[figure].clone());
        assert_eq!(figures, [json!(false), json!(5), json!(1), json!(6000), json!(1200)]);
    }

    // A day of one person changes no figure: the difference would be that person's day.
    position = organization.walked(&people[0], "2020-03-03", 777).await;
    let longer = organization.participation(&organization.analyst, DAY, "2020-03-03", position).await.expect(200).body;
    assert_eq!((&longer["total"], &longer["days"]), (&json!(6000), &json!(1)));

    for caller in [&organization.member, &organization.person_of(Role::Expert).await.1] {
        organization.participation(caller, DAY, DAY, 0).await.refused(403, "ACCESS_DENIED");
    }
    for (from, until) in [("2020-03-02", "2020-03-01"), ("2020-01-01", "2020-12-31")] {
        let refused = organization.participation(&organization.admin, from, until, 0).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], "until");
    }
}

// covers: E-70, E-178
#[tokio::test]
async fn people_take_out_what_is_recorded_of_them_and_of_nobody_else() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let (user, own) = (person.user.clone(), person.signed_in(&organization).await);
    let program = organization.program().await;
    let credit = json!({ "program_id": program, "user_id": user, "amount": 30, "reason": "well done" });
    organization.admin.post_with("/points/credits", &credit, &[("Prefer", "wait=30")]).await.expect(200);
    let other = organization.add_member("other").await;
    organization.walked(&other, DAY, 98_765).await;
    organization.walked(&user, DAY, 4321).await;
    let (export, identity) = built(&own, "json").await;
    let document: Value = serde_json::from_slice(&opened(&own, &export, &identity).await).expect("a JSON document");
    let events = document["events"].as_array().expect("events").clone();
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().expect("a type")).collect();
    for expected in ["identity.user_created", "points.credit_accepted", "challenges.activities_recorded"] {
        assert!(types.contains(&expected), "no {expected} in {types:?}");
    }
    let of = |name: &str| events.iter().find(|event| event["type"] == name).expect("an event");
    assert!(of("challenges.activities_recorded")["personal"]["records"].to_string().contains("4321"));
    assert_eq!(of("points.credit_accepted")["personal"]["reason"], "well done");
    let all = document.to_string();
    assert!(!all.contains(&other) && !all.contains("98765"), "nothing of somebody else");
    assert!(events.is_sorted_by_key(|event| event["position"].as_i64()));

    let head = organization.head().await;
    organization.officer.get_at("/events?limit=1", head).await.expect(200);
    let recorded = organization.officer.all(&format!("/events?type=compliance.data_exported&actor_id={user}")).await;
    assert_eq!(recorded.len(), 1);

    // There is no other way to it, in clear or without a proof (E-178); and experts take out nothing as experts.
    own.get("/me/export").await.refused(404, "RESOURCE_NOT_FOUND");
    let (_, expert) = organization.person_of(Role::Expert).await;
    expert.post("/me/exports", &json!({ "format": "json" })).await.refused(403, "ACCESS_DENIED");
    own.post("/me/exports", &json!({ "format": "json", "user_id": other })).await.refused(422, "VALIDATION_ERROR");
}
