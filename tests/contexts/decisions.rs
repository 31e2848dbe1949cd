//! The log of decisions: who was let do what, who was not, and which policies decided.

use crate::support::running::{Organization, eventually, fresh_organization};
use serde_json::{Value, json};

impl Organization {
    /// Decisions that are known by now, newest first.
    async fn decisions(&self, query: &str) -> Vec<Value> {
        let listed = self.officer.get_at(&format!("/authz/decisions?limit=200{query}"), self.head().await).await.expect(200);
        listed.items().to_vec()
    }
}

fn first_policy(decision: &Value) -> &str {
    decision["policies"][0].as_str().unwrap_or_else(|| panic!("no policy in {decision}"))
}

// covers: E-122, W-41
#[tokio::test]
async fn a_permitted_command_shows_with_its_policy_and_a_refused_one_with_what_refused_it() {
    let organization = fresh_organization().await;
    let program = organization.program().await;
    let debit = json!({ "program_id": program, "user_id": organization.member_id, "amount": 1 });
    organization.member.post("/points/debits", &debit).await.refused(403, "ACCESS_DENIED");

    let permitted = organization.decisions("&permission=points.program.define").await;
    let [permitted] = permitted.as_slice() else { panic!("one decision, not {permitted:?}") };
    assert_eq!((&permitted["outcome"], &permitted["reason"]), (&json!("PERMIT"), &Value::Null));
    assert!(first_policy(permitted).starts_with("role.organization_admin@"), "{permitted}");
    assert_eq!((&permitted["target"]["type"], &permitted["target"]["id"]), (&json!("points_program"), &json!(program)));
    assert_eq!(permitted["roles"], json!(["organization_admin"]));

    let refused = organization.decisions(&format!("&outcome=DENY&actor={}", organization.member_id)).await;
    let [refused] = refused.as_slice() else { panic!("one decision, not {refused:?}") };
    assert_eq!((&refused["permission"], &refused["outcome"]), (&json!("points.debit.create"), &json!("DENY")));
    assert_eq!((&refused["reason"], &refused["route"]), (&json!("gate.permission_missing"), &json!("/api/v1/points/debits")));
    assert!(first_policy(refused).starts_with("default_deny@"), "{refused}");
    assert!(refused["target"].is_null() && refused["request_id"].is_string() && refused["correlation_id"].is_string());
}

#[tokio::test]
async fn a_read_that_is_remembered_is_a_decision_and_a_command_of_several_events_is_one() {
    let organization = fresh_organization().await;
    organization.admin.get("/users").await.expect(200);
    let read = organization.decisions("&permission=identity.user.list").await;
    assert_eq!((read.len(), &read[0]["route"], &read[0]["outcome"]), (1, &json!("/api/v1/users"), &json!("PERMIT")));

    let role = json!({ "name": "Coach", "grants": ["points", "challenges"] });
    let role = organization.admin.post("/roles", &role).await.expect(201).id("id");
    // Grants and takes, in two events.
    let grants = json!({ "grants": ["points", "identity.user"] });
    organization.admin.post(&format!("/roles/{role}/grants"), &grants).await.expect(200);
    let changes = organization.domain_events().await;
    let changed =
        |event: &&Value| ["identity.permissions_granted", "identity.permissions_revoked"].contains(&event["type"].as_str().unwrap_or(""));
    assert_eq!(changes.iter().filter(changed).count(), 2);
    assert_eq!(organization.decisions("&permission=identity.role.change").await.len(), 1);
}

#[tokio::test]
async fn decisions_are_listed_page_by_page_within_their_time_and_organization() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    for name in ["One", "Two", "Three"] {
        organization.admin.post("/roles", &json!({ "name": name, "grants": ["points"] })).await.expect(201);
    }
    let all = organization.decisions("&permission=identity.role.compose").await;
    let positions: Vec<_> = all.iter().map(|decision| decision["position"].as_i64().expect("a position")).collect();
    assert!(positions.len() == 3 && positions.is_sorted_by(|newer, older| newer > older), "{positions:?}");

    let list = "/authz/decisions?permission=identity.role.compose&limit=2";
    let first = organization.officer.get(list).await.expect(200);
    // What is decided between two pages comes before the first and moves nothing.
    organization.admin.post("/roles", &json!({ "name": "Four", "grants": ["points"] })).await.expect(201);
    organization.decisions("").await;
    let cursor = first.body["next_cursor"].as_str().expect("another page");
    let second = organization.officer.get(&format!("{list}&cursor={cursor}")).await.expect(200);
    assert_eq!([first.items(), second.items()].concat(), all);

    let at = all[1]["at"].as_str().expect("a time").replace('+', "%2B");
    let until = organization.decisions(&format!("&permission=identity.role.compose&until={at}")).await;
    let from = organization.decisions(&format!("&permission=identity.role.compose&from={at}")).await;
    assert_eq!((until.len(), from.len()), (1, 3), "{until:?} {from:?}");

    assert!(other.decisions("&permission=identity.role.compose").await.is_empty());
    let foreign = other.decisions(&format!("&actor={}", all[0]["actor_id"].as_str().expect("an id"))).await;
    assert!(foreign.is_empty(), "{foreign:?}");
    for caller in [&organization.member, &organization.analyst] {
        caller.get("/authz/decisions").await.refused(403, "ACCESS_DENIED");
    }
    organization.officer.get("/authz/decisions?outcome=MAYBE").await.refused(422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_rebuild_gives_the_same_decisions() {
    let organization = fresh_organization().await;
    organization.admin.post("/roles", &json!({ "name": "Coach", "grants": ["points"] })).await.expect(201);
    organization.member.get("/users").await.refused(403, "ACCESS_DENIED");
    organization.decisions("").await;
    let until = organization.head().await;
    let of_before = async || {
        let mut all = organization.decisions("").await;
        all.retain(|decision| decision["position"].as_i64().is_some_and(|position| position <= until));
        all
    };
    let before = of_before().await;
    assert!(before.len() > 2, "{before:?}");
    organization.platform.post("/projections/decisions/rebuild", &json!({})).await.expect(202);
    eventually("the rebuild is done", || async {
        let listed = organization.analyst.get("/projections").await.expect(200);
        let row = listed.items().iter().find(|row| row["name"] == "decisions").expect("the projection");
        assert_eq!(row["rebuild_error"], Value::Null);
        (row["rebuild_position"].is_null() && row["status"] == "running").then_some(())
    })
    .await;
    assert_eq!(of_before().await, before);
}
