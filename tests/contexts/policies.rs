//! An organization's own policies: written, refused, made to hold, and taken back.

use crate::support::running::{Client, Organization, Reply, fresh_organization, mint};
use palmares_domain::kernel::RoleId;
use serde_json::{Value, json};

const NO_PROGRAMS: &str = r#"forbid (principal in Role::"member", action == Action::"points.program.read", resource);"#;

impl Organization {
    async fn write(&self, name: &str, text: &str) -> String {
        self.admin.post("/policy-store/policies", &json!({ "name": name, "text": text })).await.expect(201).id("id")
    }

    async fn activate(&self) -> Reply {
        self.admin.post("/policy-store/versions", &json!({})).await.expect(200)
    }

    async fn attempts(&self) -> usize {
        let audit = self.officer.get_at("/audit-logs?limit=200", self.head().await).await.expect(200);
        audit.items().iter().filter(|entry| entry.to_string().contains("identity.permission_escalation_attempt")).count()
    }
}

fn policies_of(decision: &Value) -> Vec<&str> {
    decision["policies"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

async fn programs(client: &Client) -> Reply {
    client.get("/points/programs").await
}

// covers: H-06, H-07, H-08, H-30, W-41
#[tokio::test]
async fn a_forbid_holds_from_the_next_request_after_its_version_is_activated_and_not_before() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    organization.write("no-programs", NO_PROGRAMS).await;
    programs(&organization.member).await.expect(200);
    let activated = organization.activate().await;
    assert_eq!((&activated.body["version"], &activated.body["status"]), (&json!(1), &json!("ACTIVE")));
    programs(&organization.member).await.refused(403, "ACCESS_DENIED");
    programs(&organization.admin).await.expect(200);
    programs(&other.member).await.expect(200);

    // What refused is in the audit log, by name and version.
    let audit = organization.officer.get_at("/audit-logs?limit=200", organization.head().await).await.expect(200);
    assert!(audit.items().iter().any(|entry| entry.to_string().contains("org.no-programs@v1")), "{}", audit.body);

    let versions = organization.officer.get_at("/policy-store/versions", organization.head().await).await.expect(200);
    assert_eq!((versions.items().len(), &versions.items()[0]["holds"]), (1, &json!(true)));
    assert_eq!(other.officer.get_at("/policy-store/versions", organization.head().await).await.expect(200).items().len(), 0);
    assert_eq!(other.officer.get("/policy-store/policies").await.expect(200).items().len(), 0);
}

// covers: H-31
#[tokio::test]
async fn a_policy_that_does_not_type_check_is_refused_in_the_validators_words() {
    let organization = fresh_organization().await;
    let before = organization.domain_events().await.len();
    for (text, words) in [
        ("permit (principal, action == Action::\"points.hold.palce\", resource);", "points.hold.palce"),
        ("forbid (principal, action, resource) when { principal.salary > 3 };", "salary"),
        ("forbid (principal, action, resource) when { resource.owner == principal };", "owner"),
        ("forbid (principal in Role::\"memebr\", action, resource);", "memebr"),
        ("forbid (principal, action, resource in Relation::\"befriended\");", "befriended"),
        ("forbid (principal, action", ""),
        (&format!("forbid (principal, action, resource) when {{ {}true{} }};", "(".repeat(1900), ")".repeat(1900)), "nested"),
    ] {
        let refused = organization.admin.post("/policy-store/policies", &json!({ "name": "bad", "text": text })).await;
        let refused = refused.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["reason"], "identity.policy_invalid", "{text}");
        assert_eq!(refused.body["errors"][0]["field"], "text", "{text}");
        assert!(refused.body["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{text}: {}", refused.body);
    }
    let everything = json!({ "name": "all", "text": "permit (principal, action, resource);" });
    let refused = organization.admin.post("/policy-store/policies", &everything).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["reason"], "identity.policy_permits_everything");
    let store = json!({ "name": "store", "text": "permit (principal, action == Action::\"identity.policy.write\", resource);" });
    let refused = organization.admin.post("/policy-store/policies", &store).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["reason"], "identity.policy_beyond_reach");
    let long = json!({ "name": "long", "text": format!("{NO_PROGRAMS}{}", " ".repeat(4096)) });
    organization.admin.post("/policy-store/policies", &long).await.refused(422, "VALIDATION_ERROR");
    organization
        .admin
        .post("/policy-store/policies", &json!({ "name": "A b", "text": NO_PROGRAMS }))
        .await
        .refused(422, "VALIDATION_ERROR");
    organization.admin.post("/policy-store/versions/one/activate", &json!({})).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(organization.domain_events().await.len(), before);

    let schema = organization.officer.get("/policy-store/schema").await.expect(200);
    assert!(schema.body["cedarschema"].as_str().is_some_and(|text| text.contains("action \"points.hold.place\"")), "{}", schema.body);
}

// covers: H-30
#[tokio::test]
async fn an_earlier_version_holds_again() {
    let organization = fresh_organization().await;
    let policy = organization.write("no-programs", NO_PROGRAMS).await;
    organization.activate().await;
    organization.admin.post("/policy-store/versions", &json!({})).await.refused(409, "CONFLICT");
    organization.admin.post(&format!("/policy-store/policies/{policy}/revoke"), &json!({})).await.expect(200);
    programs(&organization.member).await.refused(403, "ACCESS_DENIED");
    assert_eq!(organization.activate().await.body["version"], 2);
    programs(&organization.member).await.expect(200);

    organization.admin.post("/policy-store/versions/1/activate", &json!({})).await.expect(200);
    programs(&organization.member).await.refused(403, "ACCESS_DENIED");
    organization.admin.post("/policy-store/versions/1/activate", &json!({})).await.refused(409, "CONFLICT");
    organization.admin.post("/policy-store/versions/7/activate", &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");

    let listed = organization.officer.get_at("/policy-store/versions", organization.head().await).await.expect(200);
    let shown: Vec<_> = listed.items().iter().map(|version| (&version["version"], &version["holds"], &version["policies"])).collect();
    assert_eq!(shown, [(&json!(2), &json!(false), &json!([])), (&json!(1), &json!(true), &json!([policy]))]);
    let policies = organization.officer.get("/policy-store/policies?status=REVOKED").await.expect(200);
    assert_eq!((&policies.items()[0]["name"], &policies.items()[0]["text"]), (&json!("no-programs"), &json!(NO_PROGRAMS)));
}

// covers: H-32, H-33, E-121
#[tokio::test]
async fn a_policy_made_of_a_template_lets_an_expert_see_one_person() {
    let organization = fresh_organization().await;
    let expert = organization.add_member("coach").await;
    organization.admin.post(&format!("/users/{expert}/roles"), &json!({ "role": "expert" })).await.expect(200);
    let coach = organization.admin.with_token(&mint(&expert, organization.id, palmares_domain::identity::Role::Expert));
    let (ann, bob) = (organization.member_id.clone(), organization.add_member("bob").await);
    let points = |user: &str| format!("/users/{user}/points");
    coach.get(&points(&ann)).await.refused(404, "RESOURCE_NOT_FOUND");

    let text = r#"permit (principal == ?principal, action == Action::"points.balance.read", resource in ?resource)
        when { resource has owner_status && resource.owner_status == "ACTIVE" };"#;
    let template =
        organization.admin.post("/policy-store/templates", &json!({ "name": "coach-of", "text": text })).await.expect(201).id("id");
    let path = format!("/policy-store/templates/{template}/policies");
    let refused = organization.admin.post(&path, &json!({ "name": "half", "principal": { "user": expert } })).await;
    assert_eq!(refused.refused(422, "VALIDATION_ERROR").body["reason"], "identity.policy_invalid");
    let instance = json!({ "name": "coach-of-ann", "principal": { "user": expert }, "resource": { "owner": ann } });
    let policy = organization.admin.post(&path, &instance).await.expect(201).id("id");
    organization.activate().await;

    coach.get(&points(&ann)).await.expect(200);
    coach.get(&points(&bob)).await.refused(404, "RESOURCE_NOT_FOUND");
    organization.member.get(&points(&bob)).await.refused(404, "RESOURCE_NOT_FOUND");
    // The policy looks at where its person stands.
    organization.admin.post(&format!("/users/{ann}/suspend"), &json!({})).await.expect(200);
    coach.get(&points(&ann)).await.refused(404, "RESOURCE_NOT_FOUND");
    organization.admin.post(&format!("/users/{ann}/resume"), &json!({})).await.expect(200);
    coach.get(&points(&ann)).await.expect(200);

    let revoke = format!("/policy-store/templates/{template}/revoke");
    organization.admin.post(&revoke, &json!({})).await.refused(409, "CONFLICT");
    organization.admin.post(&format!("/policy-store/policies/{policy}/revoke"), &json!({})).await.expect(200);
    organization.activate().await;
    organization.admin.post(&revoke, &json!({})).await.expect(200);
    coach.get(&points(&ann)).await.refused(404, "RESOURCE_NOT_FOUND");
    let listed = organization.officer.get_at("/policy-store/policies", organization.head().await).await.expect(200);
    assert_eq!((&listed.items()[0]["template_id"], &listed.items()[0]["principal"]), (&json!(template), &json!({ "user": expert })));
    let templates = organization.officer.get("/policy-store/templates").await.expect(200);
    assert_eq!((&templates.items()[0]["name"], &templates.items()[0]["status"]), (&json!("coach-of"), &json!("REVOKED")));
}

// covers: E-46, E-247
#[tokio::test]
async fn nobody_permits_by_policy_what_they_may_not_and_the_attempt_is_audited() {
    let organization = fresh_organization().await;
    let role = json!({ "name": "Lawyer", "grants": ["identity.policy", "points.program"] });
    let role = organization.admin.post("/roles", &role).await.expect(201).id("id");
    let user = organization.member_id.clone();
    organization.admin.post(&format!("/users/{user}/roles"), &json!({ "role": role })).await.expect(200);
    let lawyer = organization.admin.with_token(&mint(&user, organization.id, role.parse::<RoleId>().expect("the id of a role")));
    let write = async |name: &str, text: &str| lawyer.post("/policy-store/policies", &json!({ "name": name, "text": text })).await;

    write("own", r#"permit (principal, action in Action::"points.program", resource);"#).await.expect(201);
    for above in [r#"action == Action::"points.credit.create""#, r#"action in [Action::"points"]"#] {
        let refused = write("above", &format!("permit (principal, {above}, resource);")).await.refused(403, "ACCESS_DENIED");
        assert_eq!(refused.body["reason"], "identity.permission_escalation_attempt");
    }
    write("forbid", r#"forbid (principal in Role::"member", action in Action::"points.credit", resource);"#).await.expect(201);

    // What another wrote who may is not the lawyer's to make hold either.
    organization.write("credits", r#"permit (principal in Role::"expert", action == Action::"points.credit.create", resource);"#).await;
    lawyer.post("/policy-store/versions", &json!({})).await.refused(403, "ACCESS_DENIED");
    organization.activate().await;
    assert_eq!(organization.attempts().await, 3);

    // Not even an administrator reaches what is the platform's.
    let platform = json!({ "name": "found", "text": r#"permit (principal, action in Action::"organizations", resource);"# });
    organization.admin.post("/policy-store/policies", &platform).await.refused(403, "ACCESS_DENIED");
}

// covers: H-30, E-122
#[tokio::test]
async fn a_member_neither_reads_nor_writes_and_another_tenants_policies_are_not_there() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    let policy = organization.write("no-programs", NO_PROGRAMS).await;
    let body = json!({ "name": "mine", "text": NO_PROGRAMS });
    for path in ["/policy-store/policies", "/policy-store/templates", "/policy-store/versions"] {
        organization.member.post(path, &body).await.refused(403, "ACCESS_DENIED");
        organization.officer.post(path, &body).await.refused(403, "ACCESS_DENIED");
        organization.member.get(path).await.refused(403, "ACCESS_DENIED");
    }
    organization.member.get("/policy-store/schema").await.refused(403, "ACCESS_DENIED");
    other.admin.post(&format!("/policy-store/policies/{policy}/revoke"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    organization.activate().await;
    other.admin.post("/policy-store/versions/1/activate", &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
}

// covers: E-122, E-275
#[tokio::test]
async fn a_decision_names_the_policy_and_its_version_as_of_then() {
    let organization = fresh_organization().await;
    let user = organization.member_id.clone();
    organization.write("no-programs", NO_PROGRAMS).await;
    let before = organization.head().await;
    organization.activate().await;
    let check = async |as_of: Option<i64>| {
        let asked = json!({ "user_id": user, "permission": "points.program.read", "as_of": as_of.map(|position| position.to_string()) });
        organization.admin.post("/authz/check", &asked).await.expect(200).body
    };
    let now = check(None).await;
    assert_eq!((&now["decision"], policies_of(&now)), (&json!("DENY"), vec!["org.no-programs@v1"]));
    assert_eq!(now["policy_version"], 1);
    let then = check(Some(before)).await;
    assert_eq!((&then["decision"], &then["policy_version"]), (&json!("PERMIT"), &Value::Null));

    let explain = async |as_of: Option<i64>| {
        let asked = json!({ "user_id": user, "as_of": as_of.map(|position| position.to_string()) });
        let explained = organization.officer.post("/authz/explain", &asked).await.expect(200).body;
        let rights = explained["permissions"].as_array().cloned().unwrap_or_default();
        rights.iter().any(|right| right["permission"] == "points.program.read")
    };
    assert!(explain(Some(before)).await && !explain(None).await);
}

#[tokio::test]
async fn an_organization_that_locked_itself_out_takes_it_back() {
    let organization = fresh_organization().await;
    let policy = organization.write("nothing", "forbid (principal, action, resource);").await;
    organization.activate().await;
    organization.admin.get("/users").await.refused(403, "ACCESS_DENIED");
    organization.platform.get("/users").await.expect(200);
    organization.admin.post(&format!("/policy-store/policies/{policy}/revoke"), &json!({})).await.expect(200);
    organization.activate().await;
    organization.admin.get("/users").await.expect(200);
}

/// A policy that errs is a deny, whatever the roles permit.
#[tokio::test]
async fn a_policy_that_cannot_be_evaluated_denies() {
    let organization = fresh_organization().await;
    let text = r#"forbid (principal, action == Action::"points.program.read", resource) when { 9223372036854775807 + 1 > 0 };"#;
    organization.write("errs", text).await;
    organization.activate().await;
    programs(&organization.admin).await.refused(403, "ACCESS_DENIED");
    organization.admin.get("/users").await.expect(200);
}
