//! Identity: who someone is, what their roles let them do, and what they could do on another day.

use crate::support::running::{Client, Organization, fresh_organization, mint};
use palmares_domain::{
    identity::{Role, RoleRef},
    kernel::RoleId,
};
use serde_json::{Value, json};

impl Organization {
    /// Composes a role and says its id.
    async fn compose(&self, name: &str, grants: &[&str]) -> String {
        self.admin.post("/roles", &json!({ "name": name, "grants": grants })).await.expect(201).id("id")
    }

    async fn assign(&self, user: &str, role: &str) -> i64 {
        self.admin.post(&format!("/users/{user}/roles"), &json!({ "role": role })).await.expect(200).position()
    }

    /// The user, with a token that is good for these roles.
    fn acting_as(&self, user: &str, role: impl Into<RoleRef>) -> Client {
        self.admin.with_token(&mint(user, self.id, role))
    }

    async fn check(&self, user: &str, permission: &str, as_of: Option<i64>) -> Value {
        let asked = json!({ "user_id": user, "permission": permission, "as_of": as_of.map(|position| position.to_string()) });
        self.admin.post("/authz/check", &asked).await.expect(200).body
    }
}

fn custom(role: &str) -> RoleId {
    role.parse().expect("the id of a role")
}

// covers: T-26, T-27, T-29, E-273, T-25, W-40, H-67
#[tokio::test]
async fn a_role_composed_at_run_time_grants_what_it_names_and_nothing_else() {
    let organization = fresh_organization().await;
    let program = organization.program().await;
    let coach = organization.compose("Coach", &["points.credit", "identity.user.read"]).await;
    let user = organization.member_id.clone();
    let body = json!({ "program_id": program, "user_id": user, "amount": 5 });

    let before = organization.acting_as(&user, custom(&coach));
    before.post("/points/credits", &body).await.refused(403, "ACCESS_DENIED");
    organization.assign(&user, &coach).await;
    before.post("/points/credits", &body).await.expect(202);
    before.post("/points/debits", &body).await.refused(403, "ACCESS_DENIED");

    // The token of a member is good for that role only, whatever else its holder has.
    organization.member.post("/points/credits", &body).await.refused(403, "ACCESS_DENIED");
}

// covers: W-41
#[tokio::test]
async fn a_change_of_a_role_holds_from_the_next_request_on() {
    let organization = fresh_organization().await;
    let coach = organization.compose("Coach", &["identity.user.list"]).await;
    let user = organization.member_id.clone();
    organization.assign(&user, &coach).await;
    let client = organization.acting_as(&user, custom(&coach));
    client.get("/users").await.expect(200);
    client.get("/audit-logs").await.refused(403, "ACCESS_DENIED");

    organization.admin.post(&format!("/roles/{coach}/grants"), &json!({ "grants": ["compliance"] })).await.expect(200);
    client.get("/audit-logs").await.expect(200);
    client.get("/users").await.refused(403, "ACCESS_DENIED");

    organization.admin.post(&format!("/roles/{coach}/retire"), &json!({})).await.expect(200);
    client.get("/audit-logs").await.refused(403, "ACCESS_DENIED");

    let other = organization.compose("Reader", &["identity.user.list"]).await;
    organization.assign(&user, &other).await;
    let client = organization.acting_as(&user, custom(&other));
    client.get("/users").await.expect(200);
    organization.admin.post(&format!("/users/{user}/roles/{other}/unassign"), &json!({})).await.expect(200);
    client.get("/users").await.refused(403, "ACCESS_DENIED");
}

// covers: E-46, E-247
#[tokio::test]
async fn nobody_gives_away_more_than_they_may_and_the_attempt_is_audited() {
    let organization = fresh_organization().await;
    let recruiter = organization.compose("Recruiter", &["identity.user", "identity.assignment", "identity.role"]).await;
    let user = organization.member_id.clone();
    organization.assign(&user, &recruiter).await;
    let client = organization.acting_as(&user, custom(&recruiter));
    let before = organization.domain_events().await.len();

    for (path, body) in [
        (format!("/users/{user}/roles"), json!({ "role": "organization_admin" })),
        ("/users".to_owned(), json!({ "external_ref": "accomplice", "role": "compliance_officer" })),
        ("/roles".to_owned(), json!({ "name": "Treasurer", "grants": ["points.credit"] })),
        ("/roles".to_owned(), json!({ "name": "Everything", "grants": ["identity"] })),
        (format!("/roles/{recruiter}/grants"), json!({ "grants": ["identity.user", "points"] })),
    ] {
        let refused = client.post(&path, &body).await.refused(403, "ACCESS_DENIED");
        assert_eq!(refused.body["reason"], "identity.permission_escalation_attempt", "{path}");
    }
    assert_eq!(organization.domain_events().await.len(), before, "a refused attempt changed something");
    let audit = organization.officer.get_at("/audit-logs?limit=200", organization.head().await).await.expect(200);
    let attempts = audit.items().iter().filter(|entry| entry.to_string().contains("identity.permission_escalation_attempt")).count();
    assert_eq!(attempts, 5, "{}", audit.body);

    // An organization's administrator does not reach what is the platform's.
    let roles = json!({ "name": "Founder", "grants": ["organizations"] });
    organization.admin.post("/roles", &roles).await.refused(403, "ACCESS_DENIED");
    let user = json!({ "role": "platform_admin" });
    organization.admin.post(&format!("/users/{}/roles", organization.member_id), &user).await.refused(403, "ACCESS_DENIED");
}

// covers: E-199
#[tokio::test]
async fn roles_are_listed_with_what_they_grant_permission_by_permission() {
    let organization = fresh_organization().await;
    let reader = organization.compose("Reader", &["identity.user.list"]).await;
    let keeper = organization.compose("Keeper", &["identity.user.list", "points.hold"]).await;
    let listed = organization.admin.get_at("/roles", organization.head().await).await.expect(200);
    for (row, (id, name, grants)) in listed
        .items()
        .iter()
        .zip([(&reader, "Reader", vec!["identity.user.list"]), (&keeper, "Keeper", vec!["identity.user.list", "points.hold"])])
    {
        assert_eq!((&row["id"], &row["name"], &row["status"]), (&json!(id), &json!(name), &json!("ACTIVE")));
        assert_eq!(row["grants"], json!(grants));
        assert!(row["created_at"].is_string(), "{row}");
    }
    assert_eq!(listed.items().len(), 2);

    // One permission is one right; a group is each of its permissions, and none beside them.
    let permissions = ["identity.user.list", "identity.role.read", "points.hold.place", "points.hold.void", "points.debit.create"];
    for (role, permitted) in [(&reader, [true, false, false, false, false]), (&keeper, [true, false, true, true, false])] {
        let user = organization.add_member(role).await;
        organization.assign(&user, role).await;
        for (permission, permitted) in permissions.into_iter().zip(permitted) {
            let decision = organization.check(&user, permission, None).await["decision"].clone();
            assert_eq!(decision, if permitted { "PERMIT" } else { "DENY" }, "{permission}");
        }
    }
    // A user has several roles, and a role several users.
    let (one, other) = (organization.add_member("one").await, organization.add_member("other").await);
    for (user, role) in [(&one, &reader), (&one, &keeper), (&other, &reader)] {
        organization.assign(user, role).await;
    }
    let head = organization.head().await;
    let shown = organization.admin.get_at(&format!("/users/{one}"), head).await.expect(200);
    let roles = shown.body["roles"].as_array().expect("roles").clone();
    assert!(roles.contains(&json!(reader)) && roles.contains(&json!(keeper)), "{roles:?}");
    let readers = organization.admin.get_at(&format!("/users?role={reader}"), head).await.expect(200);
    assert_eq!(readers.items().len(), 3);
}

#[tokio::test]
async fn a_role_grants_permissions_that_exist_under_a_name_of_its_own() {
    let organization = fresh_organization().await;
    let refused = organization.admin.post("/roles", &json!({ "name": "Coach", "grants": ["points", "points.hold.palce"] })).await;
    let refused = refused.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["field"], "grants[1]");
    assert_eq!(refused.body["errors"][0]["reason"], "identity.permission_unknown");
    let coach = organization.compose("Coach", &["points"]).await;
    organization.admin.post("/roles", &json!({ "name": "coach", "grants": ["points"] })).await.refused(409, "CONFLICT");
    organization.admin.post(&format!("/roles/{coach}/grants"), &json!({ "grants": [] })).await.refused(422, "VALIDATION_ERROR");
    let listed = organization.admin.get_at("/roles", organization.head().await).await.expect(200);
    assert_eq!((listed.items().len(), &listed.items()[0]["name"]), (1, &json!("Coach")));
    assert_eq!(listed.items()[0]["grants"], json!(["points"]));
    let other = fresh_organization().await;
    other.admin.post(&format!("/roles/{coach}/retire"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    assert_eq!(other.admin.get_at("/roles", organization.head().await).await.expect(200).items().len(), 0);
}

// covers: E-146, E-148, E-153, E-154
#[tokio::test]
async fn a_user_walks_the_life_cycle_and_a_forbidden_step_is_audited() {
    let organization = fresh_organization().await;
    let user = organization.member_id.clone();
    let step = async |caller: &Client, verb: &str| caller.post(&format!("/users/{user}/{verb}"), &json!({})).await;
    let status = async || {
        let found = organization.admin.get_at(&format!("/users/{user}"), organization.head().await).await.expect(200);
        found.body["status"].clone()
    };

    let refused = step(&organization.admin, "resume").await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["reason"], "identity.transition_forbidden");
    step(&organization.admin, "deactivate").await.expect(200);
    assert_eq!(status().await, "DEACTIVATED");
    organization.member.get(&format!("/users/{user}")).await.refused(401, "AUTHENTICATION_FAILED");

    // Who brings a deactivated user back is not who approved it.
    let second = organization.add_member("second-admin").await;
    organization.assign(&second, Role::OrganizationAdmin.name()).await;
    let second = organization.acting_as(&second, Role::OrganizationAdmin);
    step(&organization.admin, "reactivate").await.refused(409, "CONFLICT");
    step(&organization.admin, "approve-reactivation").await.expect(200);
    step(&organization.admin, "reactivate").await.refused(409, "CONFLICT");
    step(&second, "reactivate").await.expect(200);
    assert_eq!(status().await, "ACTIVE");

    // What is their own they may ask for themselves; nothing changes before they have shown who they are.
    step(&organization.member, "request-deletion").await.expect(201);
    assert_eq!(status().await, "ACTIVE");
    let cancel = format!("/users/{user}/cancel-deletion");
    organization.admin.post(&cancel, &json!({ "reason": "They called, and asked us to." })).await.expect(200);
    step(&organization.admin, "cancel-deletion").await.refused(422, "VALIDATION_ERROR");
    assert_eq!(status().await, "ACTIVE");

    let audit = organization.officer.get_at("/audit-logs?limit=200", organization.head().await).await.expect(200);
    let attempts = audit.items().iter().filter(|entry| entry.to_string().contains("transition_forbidden")).count();
    assert_eq!(attempts, 2, "{}", audit.body);
}

#[tokio::test]
async fn a_member_asks_for_nobody_elses_deletion() {
    let organization = fresh_organization().await;
    let other = organization.add_member("other").await;
    organization.member.post(&format!("/users/{other}/request-deletion"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
}

// covers: E-122
#[tokio::test]
async fn what_someone_could_do_on_another_day_is_answered_with_role_and_policy() {
    let organization = fresh_organization().await;
    let user = organization.member_id.clone();
    let coach = organization.compose("Coach", &["points.credit"]).await;
    let before = organization.head().await;
    let during = organization.assign(&user, &coach).await;
    organization.admin.post(&format!("/roles/{coach}/rename"), &json!({ "name": "Trainer" })).await.expect(200);
    organization.admin.post(&format!("/users/{user}/roles/{coach}/unassign"), &json!({})).await.expect(200);

    let permission = "points.credit.create";
    assert_eq!(organization.check(&user, permission, Some(before)).await["decision"], "DENY");
    assert_eq!(organization.check(&user, permission, None).await["decision"], "DENY");
    let then = organization.check(&user, permission, Some(during)).await;
    assert_eq!((&then["decision"], &then["as_of"]), (&json!("PERMIT"), &json!(during)));
    assert!(then["policies"][0].as_str().is_some_and(|policy| policy.starts_with(&format!("role.{coach}"))), "{then}");

    let explain = json!({ "user_id": user, "as_of": during.to_string() });
    let explained = organization.officer.post("/authz/explain", &explain).await.expect(200).body;
    let role = explained["held_roles"].as_array().and_then(|roles| roles.iter().find(|role| role["role"] == coach));
    assert_eq!(role.map(|role| (&role["name"], &role["grants"])), Some((&json!("Coach"), &json!(["points.credit"]))));
    let right = |permission: &str| explained["permissions"].as_array()?.iter().find(|right| right["permission"] == permission);
    assert_eq!(right(permission).map(|right| &right["over"]), Some(&json!("organization")));
    assert_eq!(right("points.balance.read").map(|right| &right["over"]), Some(&json!("own")));
    // A policy permits it over whatever there is, and its own rules keep it to what is theirs.
    assert_eq!(right("compliance.consent.give").map(|right| &right["over"]), Some(&json!("own")));
    assert_eq!(right("compliance.legal_document.read").map(|right| &right["over"]), Some(&json!("organization")));
    assert!(right("points.debit.create").is_none());

    // Whoever could not act could do nothing.
    let gone = organization.admin.post(&format!("/users/{user}/suspend"), &json!({})).await.expect(200).position();
    let explain = json!({ "user_id": user, "as_of": gone.to_string() });
    let explained = organization.officer.post("/authz/explain", &explain).await.expect(200).body;
    assert_eq!((&explained["may_act"], &explained["permissions"]), (&json!(false), &json!([])));
}

#[tokio::test]
async fn a_batch_of_questions_is_answered_in_its_order_and_strangers_are_not_there() {
    let organization = fresh_organization().await;
    let user = organization.member_id.clone();
    let questions = json!([
        { "permission": "points.balance.read", "owner_id": user },
        { "permission": "points.balance.read" },
        { "permission": "challenges.leaderboard.read" },
    ]);
    let asked = json!({ "user_id": user, "questions": questions });
    let answered = organization.admin.post("/authz/batch-check", &asked).await.expect(200).body;
    let decisions: Vec<_> = answered["items"].as_array().expect("items").iter().map(|item| item["decision"].clone()).collect();
    assert_eq!(decisions, ["PERMIT", "DENY", "PERMIT"]);
    // Everyone may ask about themselves.
    organization.member.post("/authz/batch-check", &asked).await.expect(200);
    let unknown = json!({ "user_id": user, "questions": [{ "permission": "points.mint" }] });
    let refused = organization.admin.post("/authz/batch-check", &unknown).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["field"], "questions[0].permission");
    let other = fresh_organization().await;
    other.admin.post("/authz/batch-check", &asked).await.refused(404, "RESOURCE_NOT_FOUND");
    other.member.post("/authz/batch-check", &asked).await.refused(404, "RESOURCE_NOT_FOUND");
}

// covers: E-17
#[tokio::test]
async fn the_directory_is_filtered_by_role_and_by_status() {
    let organization = fresh_organization().await;
    let suspended = organization.add_member("on-leave").await;
    let position = organization.admin.post(&format!("/users/{suspended}/suspend"), &json!({})).await.expect(200).position();
    let listed = async |filter: &str| {
        let page = organization.admin.get_at(&format!("/users?{filter}"), position).await.expect(200);
        page.items().iter().map(|user| user["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    let members = listed("role=member").await;
    assert!(members.contains(&suspended) && members.contains(&organization.member_id) && members.len() == 2, "{members:?}");
    assert_eq!(listed("role=member&status=SUSPENDED").await, [suspended]);
    assert_eq!(listed("status=SUSPENDED&role=analyst").await, [""; 0]);
    organization.admin.get("/users?status=NOWHERE").await.refused(422, "VALIDATION_ERROR");
}
