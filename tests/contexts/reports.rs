//! Reports that an organization's administrators take out.

use crate::support::running::{Client, Organization, fresh_organization, mint};
use palmares_domain::identity::Role;
use reqwest::Method;
use serde_json::{Value, json};

const PARTICIPATION: &str = "/reports/participation?metric=steps&from=2020-03-02&until=2020-03-03";

/// What is sent, with its status and media type.
async fn sent(client: &Client, path: &str, accept: &str) -> (u16, String, String) {
    let response = client.request(Method::GET, path).header("Accept", accept).send().await.expect("the server answers");
    let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    (response.status().as_u16(), kind, response.text().await.expect("the whole answer"))
}

async fn table(client: &Client, path: &str) -> Vec<String> {
    let (status, kind, text) = sent(client, path, "text/csv").await;
    assert_eq!((status, kind.as_str()), (200, "text/csv"), "{text}");
    text.lines().map(str::to_owned).collect()
}

async fn document(client: &Client, path: &str) -> Value {
    let (status, kind, text) = sent(client, path, "application/json").await;
    assert_eq!((status, kind.as_str()), (200, "application/json"), "{text}");
    serde_json::from_str(&text).expect("a JSON document")
}

impl Organization {
    async fn walks(&self, user: &str, day: &str, steps: i64) {
        let item = json!({ "source": "watch", "source_record_id": format!("{user}-{day}"), "user_id": user, "metric": "steps",
            "value": steps, "local_day": day, "time_zone": "Europe/Paris" });
        self.admin.post("/activities", &json!({ "items": [item] })).await.expect(200);
    }
}

// covers: E-44, E-271
#[tokio::test]
async fn an_administrator_takes_out_what_all_did_together_and_not_what_few_did() {
    let organization = fresh_organization().await;
    for number in 0..5 {
        let user = organization.add_member(&format!("walker-{number}")).await;
        organization.walks(&user, "2020-03-02", 1000 + number).await;
        if number > 0 {
            organization.walks(&user, "2020-03-03", 98_765).await;
        }
    }
    let rows = table(&organization.admin, PARTICIPATION).await;
    assert_eq!(rows, ["day,metric,participants,total,average", "2020-03-02,steps,5,5010,1002", "2020-03-03,steps,,,"]);

    let report = document(&organization.admin, PARTICIPATION).await;
    let of_five = json!({ "day": "2020-03-02", "metric": "steps", "participants": 5, "total": 5010, "average": 1002 });
    let of_four = json!({ "day": "2020-03-03", "metric": "steps", "participants": null, "total": null, "average": null });
    assert_eq!(report["rows"], json!([of_five, of_four]));
    assert_eq!((&report["organization_id"], &report["subjects_min"]), (&json!(organization.id), &json!(5)));
    // Without a metric it is about all of them.
    let all = table(&organization.admin, "/reports/participation?from=2020-03-02&until=2020-03-03").await;
    assert_eq!(all.len(), 1 + 2 * palmares_domain::challenges::Metric::ALL.len());

    // Another organization's people are in no report of this one.
    let other = fresh_organization().await;
    assert_eq!(table(&other.admin, PARTICIPATION).await[1..], ["2020-03-02,steps,,,", "2020-03-03,steps,,,"]);
}

// covers: E-44, E-271
#[tokio::test]
async fn an_administrator_takes_out_how_many_there_are_and_how_much_they_do() {
    let organization = fresh_organization().await;
    let program = organization.program().await;
    let credit = json!({ "program_id": program, "user_id": organization.member_id, "amount": 70 });
    organization.admin.post_with("/points/credits", &credit, &[("Prefer", "wait=30")]).await.expect(200);
    let today = chrono::Utc::now().date_naive();
    let path = format!("/reports/usage?from={today}&until={today}");
    let header = "day,users,active_users,sign_ins,participants,points_issued,points_spent";
    assert_eq!(table(&organization.admin, &path).await, [header.to_owned(), format!("{today},,,,,,")], "they are four");
    for number in 0..5 {
        let user = organization.add_member(&format!("walker-{number}")).await;
        organization.walks(&user, "2020-03-02", 1000).await;
    }
    assert_eq!(table(&organization.admin, &path).await[1], format!("{today},9,,,5,70,0"));
    let row = json!({ "day": today, "users": 9, "active_users": null, "sign_ins": null, "participants": 5, "points_issued": 70,
        "points_spent": 0 });
    assert_eq!(document(&organization.admin, &path).await["rows"], json!([row]));
}

// covers: E-44
#[tokio::test]
async fn a_report_is_recorded_as_an_export_and_is_the_administrators() {
    let organization = fresh_organization().await;
    let today = chrono::Utc::now().date_naive();
    let usage = format!("/reports/usage?from={today}&until={today}");
    let expert = organization.add_member("expert").await;
    organization.admin.post(&format!("/users/{expert}/roles"), &json!({ "role": "expert" })).await.expect(200);
    let expert = organization.admin.with_token(&mint(&expert, organization.id, Role::Expert));
    for caller in [&organization.member, &organization.analyst, &organization.officer, &expert] {
        for path in [PARTICIPATION, usage.as_str()] {
            assert_eq!(sent(caller, path, "text/csv").await.0, 403, "{path}");
            assert_eq!(sent(caller, path, "application/json").await.0, 403, "{path}");
        }
    }
    for path in [PARTICIPATION, usage.as_str()] {
        table(&organization.admin, path).await;
        document(&organization.platform, path).await;
    }
    let head = organization.head().await;
    organization.officer.get_at("/audit-logs?limit=1", head).await.expect(200);
    let exports = organization.officer.all("/audit-logs?audit_name=DATA_EXPORTED").await;
    assert_eq!(exports.len(), 4, "{exports:?}");
    let told: Vec<_> = exports.iter().map(|export| (export["action"].as_str(), export["payload"]["filters"].clone())).collect();
    let asked = json!({ "metric": "steps", "from": "2020-03-02", "until": "2020-03-03" });
    assert_eq!(told[3], (Some("challenges.participation.export"), asked));
    assert_eq!(told[1], (Some("operations.analytics.export"), json!({ "from": today, "until": today })));

    // What cannot be reported on is no export.
    for (path, field) in [
        ("/reports/participation?from=2020-03-02&until=2020-03-01".to_owned(), "until"),
        ("/reports/participation?from=2020-03-02&until=2021-03-03".to_owned(), "until"),
        ("/reports/participation?from=2020-03-02&until=2020-03-03&metric=shoes".to_owned(), "metric"),
        ("/reports/usage?from=2020-03-02".to_owned(), "until"),
        (format!("/reports/usage?from={today}&until={}", today.succ_opt().expect("tomorrow").succ_opt().expect("a day")), "until"),
    ] {
        let refused = organization.admin.get(&path).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], field, "{path}");
    }
    let head = organization.head().await;
    organization.officer.get_at("/audit-logs?limit=1", head).await.expect(200);
    assert_eq!(organization.officer.all("/audit-logs?audit_name=DATA_EXPORTED").await.len(), 4);
}
