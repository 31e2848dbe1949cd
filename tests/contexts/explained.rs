//! What somebody may is explained: also what they may in a team, now and then.

use crate::support::running::{Organization, fresh_organization};
use serde_json::{Value, json};

/// What they are in this team at a position, and what they may there beside what they may anyway.
async fn in_team(organization: &Organization, user: &str, team: &str, position: i64) -> Option<(Value, Vec<String>)> {
    let asked = json!({ "user_id": user, "as_of": position.to_string() });
    let explained = organization.officer.post("/authz/explain", &asked).await.expect(200).body;
    let related = explained["related"].as_array().expect("a list").iter().find(|related| related["team_id"] == team)?;
    let rights = related["permissions"].as_array().expect("rights");
    assert!(rights.iter().all(|right| right["over"] == "team"), "{rights:?}");
    let rights = rights.iter().map(|right| right["permission"].as_str().expect("a name").to_owned()).collect();
    Some((related["relations"].clone(), rights))
}

#[tokio::test]
async fn what_somebody_may_in_a_team_is_explained_now_and_then() {
    let organization = fresh_organization().await;
    let (owner, member) = (organization.add_member("owner").await, organization.add_member("player").await);
    let created = organization.admin.post("/teams", &json!({ "name": "Sales", "owner_id": owner })).await.expect(201);
    let team = created.id("id");
    let add = json!({ "user_id": member, "role": "member" });
    let joined = organization.admin.post(&format!("/teams/{team}/members"), &add).await.expect(200).position();

    let (relations, rights) = in_team(&organization, &owner, &team, joined).await.expect("the team");
    assert_eq!(relations, json!(["team_owner"]));
    for right in ["recognition.team.read", "recognition.member.add", "recognition.member.remove"] {
        assert!(rights.iter().any(|permission| permission == right), "{right} in {rights:?}");
    }
    let as_member = Some((json!(["team_member"]), vec!["recognition.team.read".to_owned()]));
    assert_eq!(in_team(&organization, &member, &team, joined).await, as_member);
    assert_eq!(in_team(&organization, &member, &team, created.position()).await, None, "not in it yet");
    assert_eq!(in_team(&organization, &organization.member_id, &team, joined).await, None);

    // Whoever has left may nothing more there, and could then.
    let path = format!("/teams/{team}/members/{member}");
    let left = organization.admin.send("DELETE", &path, &json!({})).await.expect(200).position();
    assert_eq!(in_team(&organization, &member, &team, left).await, None);
    assert_eq!(in_team(&organization, &member, &team, joined).await, as_member);
}
