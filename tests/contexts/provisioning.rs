//! What the platform prepares for an organization, as its administrators see it.

use super::organizations::in_setup;
use crate::support::running::{eventually, fresh_organization};
use serde_json::{Value, json};

// covers: H-97
#[tokio::test]
async fn what_the_platform_prepares_is_a_checklist_that_gets_done() {
    let (platform, id, _) = in_setup().await;
    let path = format!("/organizations/{id}/provisioning");
    let done = eventually("everything is prepared", async || {
        let reply = platform.get(&path).await;
        (reply.status == 200 && reply.body["status"] == "COMPLETE").then_some(reply.body)
    })
    .await;
    let steps: Vec<(&Value, &Value, &Value)> =
        done["steps"].as_array().expect("steps").iter().map(|step| (&step["step"], &step["state"], &step["attempts"])).collect();
    let (state, once) = (json!("DONE"), json!(1));
    assert_eq!(
        steps,
        [(&json!("keys"), &state, &once), (&json!("policy_store"), &state, &once), (&json!("points_program"), &state, &once)]
    );
    assert!(done["ended_at"].is_string() && done["steps"][0]["last_error"].is_null(), "{done}");

    let programs = platform.get("/points/programs").await.expect(200);
    assert_eq!(programs.items().iter().map(|program| &program["name"]).collect::<Vec<_>>(), [&json!("Points")]);
    let refused = platform.post(&format!("{path}/retry"), &json!({})).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "organizations.provisioning_not_given_up");
}

// covers: H-97
#[tokio::test]
async fn provisioning_is_the_platforms_to_see_and_to_retry() {
    let organization = fresh_organization().await;
    let path = format!("/organizations/{}/provisioning", organization.id);
    organization.admin.get(&path).await.refused(403, "ACCESS_DENIED");
    organization.admin.post(&format!("{path}/retry"), &json!({})).await.refused(403, "ACCESS_DENIED");
    // An organization that was active at once is not provisioned.
    organization.platform.get_at(&path, organization.head().await).await.refused(404, "RESOURCE_NOT_FOUND");
    let refused = organization.platform.post(&format!("{path}/retry"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    assert_eq!(refused.body["reason"], "organizations.provisioning_not_found");
}
