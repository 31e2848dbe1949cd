//! What looks wrong in the audit log: from which time on, and until somebody looked at it.

use super::found;
use crate::support::running::{Client, Organization, eventually, fresh_organization, mint};
use palmares_domain::identity::Role;
use serde_json::{Value, json};

/// The open anomalies of a rule, once everything was counted that was recorded.
async fn open(organization: &Organization, rule: &str) -> Vec<Value> {
    let path = format!("/anomalies?rule={rule}&status=OPEN");
    organization.officer.get_at(&path, organization.head().await).await.expect(200).items().to_vec()
}

/// Somebody of this role, who did nothing yet.
async fn somebody(organization: &Organization, role: Role) -> (String, Client) {
    let body = json!({ "external_ref": format!("suspect-{}", role.name()), "role": role.name() });
    let user = organization.admin.post("/users", &body).await.expect(201).id("id");
    let client = organization.admin.with_token(&mint(&user, organization.id, role));
    (user, client)
}

// covers: E-87
#[tokio::test]
async fn who_names_other_organizations_five_times_is_noticed() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    let (user, client) = somebody(&organization, Role::Member).await;
    let intruder = client.in_organization(other.id);
    for _ in 0..4 {
        intruder.get("/points/programs").await.refused(403, "TENANT_MISMATCH");
    }
    assert!(open(&organization, "CROSS_TENANT_ATTEMPTS").await.is_empty(), "four times is not five times");
    intruder.get("/points/programs").await.refused(403, "TENANT_MISMATCH");
    let raised = eventually("it is noticed", || async { open(&organization, "CROSS_TENANT_ATTEMPTS").await.first().cloned() }).await;
    assert_eq!((&raised["actor_id"], &raised["sightings"]), (&json!(user), &json!(5)));
    intruder.get("/points/programs").await.refused(403, "TENANT_MISMATCH");
    let grown = eventually("it grows", || async {
        open(&organization, "CROSS_TENANT_ATTEMPTS").await.first().filter(|anomaly| anomaly["sightings"] == 6).cloned()
    });
    assert_eq!(grown.await["id"], raised["id"], "it is the same one still");
    // The one that was reached for learns of it: who it was by their id, and nothing else of where they are.
    let raised_there = eventually("it is noticed there", || async { open(&other, "CROSS_TENANT_ATTEMPTS").await.first().cloned() }).await;
    assert_eq!(raised_there["actor_id"], json!(user));
    let there = found(&other, &format!("actor_id={user}")).await;
    assert!(there.len() >= 5 && there.iter().all(|entry| entry["event_type"] == "compliance.access_refused"), "{there:?}");
    for entry in &there {
        assert_eq!((&entry["payload"]["code"], &entry["action"]), (&json!("TENANT_MISMATCH"), &json!("points.program.read")), "{entry}");
        assert_eq!((&entry["actor_role"], &entry["policies"]), (&json!([]), &json!(["gate.tenant_mismatch"])), "{entry}");
        for hidden in ["ip_address", "device_metadata", "session_id", "causation_id"] {
            assert!(entry[hidden].is_null(), "{hidden}: {entry}");
        }
        assert!(!entry.to_string().contains(&organization.id.to_string()), "{entry}");
    }
    let here = found(&organization, &format!("actor_id={user}&outcome=refused")).await;
    assert_eq!(here[0]["payload"]["attempted_id"], json!(other.id), "{}", here[0]);
    // People are told: it is in the log, and so wherever that is sent.
    let told = eventually("it is in the log", || async {
        let found = found(&organization, &format!("event_type=compliance.anomaly_raised&target_id={}", raised["id"].as_str()?)).await;
        Some(found).filter(|found| !found.is_empty())
    });
    let told = told.await;
    assert_eq!(told.len(), 1, "{told:?}");
    let payload = &told[0]["payload"];
    assert_eq!((&payload["rule"], &payload["about"]), (&json!("CROSS_TENANT_ATTEMPTS"), &json!(user)), "{payload}");
    assert!(payload["told"].as_array().is_some_and(|told| !told.is_empty() && !told.contains(&json!(user))), "{payload}");
}

// covers: E-87
#[tokio::test]
async fn five_people_who_try_once_each_are_five_people() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    for number in 0..5 {
        let user = organization.add_member(&format!("curious-{number}")).await;
        let client = organization.admin.with_token(&mint(&user, organization.id, Role::Member));
        client.in_organization(other.id).get("/points/programs").await.refused(403, "TENANT_MISMATCH");
    }
    assert!(open(&organization, "CROSS_TENANT_ATTEMPTS").await.is_empty());
}

// covers: E-87
#[tokio::test]
async fn an_export_of_everybody_is_noticed_at_once() {
    let organization = fresh_organization().await;
    let (user, client) = somebody(&organization, Role::ComplianceOfficer).await;
    let reply = client.get("/audit-logs/export").await;
    assert_eq!(reply.status, 200);
    // Positions are those of the whole log, so whether this one reaches back far depends on what others did.
    let exported = found(&organization, &format!("event_type=compliance.data_exported&actor_id={user}")).await.remove(0);
    let reach = exported["position"].as_i64().expect("a position") - exported["payload"]["from_position"].as_i64().expect("a position");
    let raised = open(&organization, "MASS_EXPORTS").await;
    let raised: Vec<_> = raised.iter().filter(|anomaly| anomaly["actor_id"] == user.as_str()).collect();
    assert_eq!(raised.len(), usize::from(reach > 1_000), "{reach} {raised:?}");
}

// covers: E-87, E-195
#[tokio::test]
async fn who_looks_at_many_people_is_noticed() {
    let organization = fresh_organization().await;
    let (user, client) = somebody(&organization, Role::OrganizationAdmin).await;
    let mut people = Vec::new();
    for number in 0..51 {
        people.push(organization.add_member(&format!("person-{number}")).await);
    }
    let look = async |person: &str| client.get(&format!("/users/{person}/sessions")).await.expect(200);
    for person in people.iter().take(50).chain(people.iter().take(5)) {
        look(person).await;
    }
    assert!(open(&organization, "MASS_READS").await.is_empty(), "50 people, some of them twice");
    look(&people[50]).await;
    let raised = eventually("it is noticed", || async { open(&organization, "MASS_READS").await.first().cloned() }).await;
    assert_eq!((&raised["actor_id"], &raised["sightings"]), (&json!(user), &json!(51)));
    // The same people again are as many people.
    for person in people.iter().take(10) {
        look(person).await;
    }
    let still = open(&organization, "MASS_READS").await;
    assert_eq!((still.len(), &still[0]["sightings"]), (1, &json!(51)), "{still:?}");
}

// covers: E-87
#[tokio::test]
async fn a_list_counts_as_many_people_as_it_shows_and_not_as_a_request() {
    let organization = fresh_organization().await;
    let (user, client) = somebody(&organization, Role::OrganizationAdmin).await;
    let mut position = 0;
    for number in 0..48 {
        let body = json!({ "external_ref": format!("listed-{number}"), "role": "member" });
        position = organization.admin.post("/users", &body).await.expect(201).position();
    }
    // Who looks at the same few again and again looks at few, and so does who turns the pages of the log.
    for _ in 0..60 {
        client.get_at("/users?limit=10", position).await.expect(200);
    }
    for _ in 0..30 {
        organization.officer.get("/audit-logs?limit=5").await.expect(200);
    }
    assert!(open(&organization, "MASS_READS").await.is_empty(), "60 requests showed ten people");
    client.get("/users?limit=200").await.expect(200);
    let raised = eventually("it is noticed", || async { open(&organization, "MASS_READS").await.first().cloned() }).await;
    assert_eq!(raised["actor_id"], json!(user));
    assert!(raised["sightings"].as_i64().is_some_and(|people| people >= 51), "{raised}");
}

// covers: E-192, E-87
#[tokio::test]
async fn who_reaches_for_more_rights_three_times_is_noticed_and_looked_at() {
    let organization = fresh_organization().await;
    let manager = json!({ "name": "People manager", "grants": ["identity.assignment", "identity.user", "compliance.anomaly"] });
    let role = organization.admin.post("/roles", &manager).await.expect(201).id("id");
    let user = organization.add_member("reaching").await;
    organization.admin.post(&format!("/users/{user}/roles"), &json!({ "role": role })).await.expect(200);
    let client =
        organization.admin.with_token(&mint(&user, organization.id, role.parse::<palmares_domain::kernel::RoleId>().expect("an id")));
    let reach = async || {
        let body = json!({ "role": "organization_admin" });
        client.post(&format!("/users/{}/roles", organization.member_id), &body).await.refused(403, "ACCESS_DENIED")
    };
    for _ in 0..2 {
        assert_eq!(reach().await.body["reason"], "identity.permission_escalation_attempt");
    }
    assert!(open(&organization, "ESCALATION_ATTEMPTS").await.is_empty());
    reach().await;
    let raised = eventually("it is noticed", || async { open(&organization, "ESCALATION_ATTEMPTS").await.first().cloned() }).await;
    assert_eq!((&raised["actor_id"], &raised["sightings"]), (&json!(user), &json!(3)));
    let attempts = found(&organization, &format!("audit_name=PERMISSION_ESCALATION_ATTEMPT&actor_id={user}")).await;
    assert_eq!(attempts.len(), 3, "{attempts:?}");

    // It says what was counted: which entries, from when to when, and against which number.
    let positions: std::collections::BTreeSet<_> = attempts.iter().filter_map(|entry| entry["position"].as_i64()).collect();
    assert_eq!(raised["entries"], json!(positions), "{raised}");
    assert_eq!((&raised["threshold"], &raised["within_seconds"]), (&json!(3), &json!(3600)));
    let times: std::collections::BTreeSet<_> = attempts.iter().filter_map(|entry| entry["timestamp"].as_str()).collect();
    assert_eq!(raised["window"], json!({ "from": times.first(), "to": times.last() }));

    let path = format!("/anomalies/{}/acknowledge", raised["id"].as_str().expect("an id"));
    let verdict = json!({ "verdict": "HANDLED", "note": "Trained a new colleague." });
    let blank = organization.officer.post(&path, &json!({ "verdict": "HANDLED", "note": " " })).await;
    assert_eq!(blank.refused(422, "VALIDATION_ERROR").body["errors"][0]["field"], "note");
    client.post(&path, &verdict).await.refused(403, "ACCESS_DENIED");
    organization.analyst.post(&path, &verdict).await.refused(403, "ACCESS_DENIED");
    fresh_organization().await.officer.post(&path, &verdict).await.refused(404, "RESOURCE_NOT_FOUND");
    organization.officer.post(&path, &json!({ "verdict": "MAYBE" })).await.refused(422, "VALIDATION_ERROR");
    let done = organization.officer.post(&path, &verdict).await.expect(200);
    assert!(open(&organization, "ESCALATION_ATTEMPTS").await.is_empty());
    // What comes after it is raised anew, though its hour is not over.
    reach().await;
    let anew = eventually("it is noticed again", || async { open(&organization, "ESCALATION_ATTEMPTS").await.first().cloned() }).await;
    assert_ne!(anew["id"], raised["id"]);
    let seen = organization.officer.get_at("/anomalies?status=ACKNOWLEDGED", done.position()).await.expect(200);
    assert_eq!((&seen.items()[0]["id"], &seen.items()[0]["verdict"]), (&raised["id"], &json!("HANDLED")));
    assert_eq!(seen.items()[0]["note"], "Trained a new colleague.");
    let recorded = found(&organization, "event_type=compliance.anomaly_acknowledged").await;
    assert!(recorded[0]["payload"]["note"]["sealed"].is_string() && !recorded[0].to_string().contains("colleague"), "{}", recorded[0]);
    organization.officer.post(&path, &verdict).await.refused(409, "CONFLICT");
    assert!(!found(&organization, "event_type=compliance.anomaly_acknowledged").await.is_empty());
}
