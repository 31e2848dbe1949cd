//! Figures: of an organization for its administrators, and of all of them for the platform's.

use super::sign_in::{OWN, door};
use crate::support::running::{Organization, fresh_organization};
use palmares_domain::kernel::OrganizationId;
use serde_json::{Value, json};

impl Organization {
    async fn figures(&self) -> Value {
        self.admin.get_at("/analytics", self.head().await).await.expect(200).body
    }

    async fn platform_figures(&self) -> Value {
        let platform = self.platform.in_organization(OrganizationId::PLATFORM);
        platform.get_at("/platform/analytics", self.head().await).await.expect(200).body
    }

    /// Gives a member points, which is done at once.
    async fn give(&self, program: &str, points: i64) {
        let body = json!({ "program_id": program, "user_id": self.member_id, "amount": points });
        self.admin.post_with("/points/credits", &body, &[("Prefer", "wait=30")]).await.expect(200);
    }
}

// covers: E-41
#[tokio::test]
async fn an_administrator_sees_how_many_there_are_and_how_much_they_do() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    for _ in 0..2 {
        door("/auth/signin", &person.body(OWN)).await.expect(200);
    }
    organization.admin.post(&format!("/users/{}/suspend", organization.member_id), &json!({})).await.expect(200);
    let invitations = format!("/organizations/{}/invitations", organization.id);
    let invite = async |name: &str| {
        let body = json!({ "email": format!("{name}@acme.example"), "role": "member" });
        organization.admin.post(&invitations, &body).await.expect(201).id("id")
    };
    invite("ann").await;
    let taken_back = invite("bob").await;
    organization.admin.post(&format!("/invitations/{taken_back}/revoke"), &json!({})).await.expect(200);

    let seen = organization.figures().await;
    // Four of the organization and one person; two are invited.
    assert_eq!((&seen["users"]["ACTIVE"], &seen["users"]["SUSPENDED"], &seen["users"]["INVITED"]), (&json!(4), &json!(1), &json!(2)));
    assert_eq!(seen["invitations"], json!({ "PENDING": 1, "REVOKED": 1 }));
    let days = seen["days"].as_array().expect("days");
    let today = days.last().expect("today");
    assert_eq!((days.len(), &today["day"]), (30, &seen["until"]));
    // Setting a password of one's own signed the person in as well.
    assert_eq!((&today["sign_ins"], &today["active_users"], &today["participants"]), (&json!(3), &json!(1), &Value::Null));
    assert!(days[..29].iter().all(|day| day["sign_ins"] == 0), "{days:?}");
    let weeks = seen["weeks"].as_array().expect("weeks");
    assert_eq!((weeks.len(), &weeks[4]["active_users"]), (5, &json!(1)));

    // What was on an earlier day is the sum up to it.
    let before = organization.admin.get("/analytics?until=2026-01-31").await.expect(200).body;
    assert_eq!((&before["users"], &before["days"][29]["day"]), (&json!({}), &json!("2026-01-31")));
    organization.admin.get("/analytics?until=2999-01-01").await.refused(422, "VALIDATION_ERROR");
}

// covers: E-41
#[tokio::test]
async fn points_are_counted_when_they_are_issued_and_when_they_are_spent() {
    let organization = fresh_organization().await;
    let program = organization.program().await;
    organization.give(&program, 100).await;
    let debit = json!({ "program_id": program, "user_id": organization.member_id, "amount": 30 });
    organization.admin.post("/points/debits", &debit).await.expect(201);
    let seen = organization.figures().await;
    assert_eq!((&seen["points_issued"], &seen["points_spent"]), (&json!(100), &json!(30)));
}

// covers: E-69, E-41
#[tokio::test]
async fn fewer_than_five_who_take_part_are_not_shown() {
    let organization = fresh_organization().await;
    let mut people = Vec::new();
    for name in ["ada", "bea", "cem", "dan", "eve"] {
        people.push(organization.add_member(name).await);
    }
    for (count, user) in (1..).zip(&people) {
        let item = json!({ "source": "watch", "source_record_id": "first", "user_id": user, "metric": "steps",
            "value": 4000, "local_day": "2026-11-01", "time_zone": "Europe/Paris" });
        organization.admin.post("/activities", &json!({ "items": [item] })).await.expect(200);
        let today = organization.figures().await["days"][29]["participants"].clone();
        assert_eq!(today, if count < 5 { Value::Null } else { json!(5) }, "{count} people");
    }
}

// covers: E-26
#[tokio::test]
async fn the_platform_sees_sums_and_no_organization_of_fewer_than_five() {
    // More than all other tests give together.
    const MANY: i64 = 1_000_000_000;
    let organization = fresh_organization().await;
    let program = organization.program().await;
    let issued = |seen: &Value| seen["points_issued"].as_i64().expect("a number");
    let before = organization.platform_figures().await;
    organization.give(&program, MANY).await;
    let few = organization.platform_figures().await;
    assert!(issued(&few) - issued(&before) < MANY / 2, "four people are too few: {few}");
    assert_eq!(few["subjects_min"], 5);
    assert_eq!(organization.figures().await["points_issued"], MANY, "their own administrator sees it");

    organization.add_member("fifth").await;
    let enough = organization.platform_figures().await;
    assert!(issued(&enough) - issued(&few) >= MANY, "{enough}");
    assert!(enough["users"]["ACTIVE"].as_i64().expect("a number") >= 5);
    assert!(enough["organizations"].as_u64() > Some(0) && enough["left_out"].is_u64());
    assert!(!enough.to_string().contains(&organization.id.to_string()), "an organization is named");
}

// covers: E-26, E-41
#[tokio::test]
async fn figures_are_the_administrators() {
    let organization = fresh_organization().await;
    for caller in [&organization.member, &organization.analyst, &organization.officer] {
        caller.get("/analytics").await.refused(403, "ACCESS_DENIED");
    }
    for caller in [&organization.member, &organization.admin] {
        caller.get("/platform/analytics").await.refused(403, "ACCESS_DENIED");
    }
    // In one organization's name there are no figures of all of them.
    organization.platform.get("/platform/analytics").await.refused(404, "RESOURCE_NOT_FOUND");
    organization.platform.get("/analytics").await.expect(200);
}
