//! Imports of people: a table is uploaded and looked at, run row by row, run again, taken back.

use crate::support::{
    mail::mail_to,
    running::{Client, Organization, Reply, eventually, fresh_organization, mint, running},
};
use palmares_domain::kernel::RoleId;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::{collections::BTreeMap, time::Instant};

impl Organization {
    async fn upload(&self, csv: &str) -> Reply {
        self.admin.post("/users/imports", &json!({ "csv": csv, "mode": "invite" })).await
    }

    async fn act(&self, import: &str, step: &str) -> Reply {
        self.admin.post(&format!("/users/imports/{import}/{step}"), &json!({})).await
    }

    /// The import, once it stands like this.
    async fn import_that_is(&self, import: &str, status: &str) -> Value {
        eventually(&format!("the import is {status}"), async || {
            let read = self.admin.get(&format!("/users/imports/{import}?limit=1")).await;
            (read.status == 200 && read.body["status"] == status).then_some(read.body)
        })
        .await
    }

    async fn import_rows(&self, import: &str) -> Vec<Value> {
        self.admin.all(&format!("/users/imports/{import}")).await
    }

    async fn count_of(&self, event_type: &str) -> usize {
        self.domain_events().await.iter().filter(|event| event["type"] == event_type).count()
    }

    async fn invite_alone(&self, email: &str) -> Reply {
        let path = format!("/organizations/{}/invitations", self.id);
        self.admin.post(&path, &json!({ "email": email, "role": "member" })).await.expect(201)
    }
}

/// A table of so many people of an organization, a few lines among them wrong in one way each.
fn staff(organization: &Organization, people: usize, wrong: &[&str]) -> String {
    let mut csv = String::from("\u{feff}display_name,email,role\r\n");
    for number in 0..people {
        let role = if number % 10 == 0 { "analyst" } else { "member" };
        csv += &format!("\"Person, {number}\",{},{role}\r\n", address(organization, number));
    }
    wrong.iter().for_each(|line| csv += &format!("{line}\r\n"));
    csv
}

fn address(organization: &Organization, number: usize) -> String {
    format!("person.{number}@{}.example", organization.slug)
}

async fn database() -> PgConnection {
    PgConnection::connect(&running().descriptor.database_url).await.expect("the database")
}

// covers: E-133, E-134
#[tokio::test]
async fn two_hundred_people_are_looked_at_invited_and_what_failed_is_run_again() {
    let organization = fresh_organization().await;
    let existing = format!("there@{}.example", organization.slug);
    organization.invite_alone(&existing).await;
    let (first, long) = (address(&organization, 0), "x".repeat(201));
    let wrong = [
        "Nobody,nobody,member".to_owned(),
        "King,king@acme.example,king".to_owned(),
        "=HYPERLINK(1),sum@acme.example,member".to_owned(),
        "Root,root@acme.example,platform_admin".to_owned(),
        format!("{long},long@acme.example,member"),
        format!("Again,{},member", first.to_uppercase()),
        "only,two".to_owned(),
        format!("There,{existing},member"),
    ];
    let csv = staff(&organization, 192, &wrong.each_ref().map(String::as_str));
    let before = organization.domain_events().await.len();
    let uploaded = organization.upload(&csv).await.expect(201);
    let import = uploaded.id("id");
    assert_eq!(uploaded.header("location"), format!("/api/v1/users/imports/{import}"));
    let counts = json!([uploaded.body["status"], uploaded.body["rows"], uploaded.body["to_invite"], uploaded.body["existing"]]);
    assert_eq!((counts, &uploaded.body["rejected"]), (json!(["PREVIEWED", 200, 192, 1]), &json!(7)));

    // The preview names every fault, and nothing has happened yet but the import itself.
    let read = organization.admin.get_at(&format!("/users/imports/{import}"), uploaded.position()).await.expect(200).body;
    let counts = json!([read["status"], read["rows"], read["to_invite"], read["existing"], read["rejected"], read["invited"]]);
    assert_eq!(counts, json!(["PREVIEWED", 200, 192, 1, 7, 0]));
    let rows = organization.import_rows(&import).await;
    let spoilt = rows.iter().find(|row| row["row"] == 193).expect("the row");
    let message = spoilt["errors"][0]["message"].as_str().expect("a sentence");
    assert!(message.starts_with("Row 193, email: ") && message.ends_with('.'), "{message}");
    let errors: BTreeMap<i64, (Value, Value)> = rows
        .iter()
        .filter(|row| row["status"] == "REJECTED")
        .map(|row| (row["row"].as_i64().expect("a number"), (row["errors"][0]["field"].clone(), row["errors"][0]["reason"].clone())))
        .collect();
    let expected = [
        (193, "email", "identity.email_invalid"),
        (194, "role", "identity.role_not_found"),
        (195, "display_name", "identity.import_formula"),
        (196, "role", "identity.platform_role_elsewhere"),
        (197, "display_name", "identity.import_cell_too_long"),
        (198, "email", "identity.import_email_repeated"),
        (199, "row", "identity.import_cell_count"),
    ];
    assert_eq!(errors, expected.map(|(row, field, reason)| (row, (json!(field), json!(reason)))).into());
    let said = json!([rows[0]["email"], rows[0]["display_name"], rows[0]["role"], rows[0]["status"], rows[199]["status"]]);
    assert_eq!(said, json!([first, "Person, 0", "analyst", "READY", "EXISTING"]));
    let events = organization.domain_events().await;
    assert!(events[before..].iter().all(|event| event["stream"]["type"] == "user_import"), "somebody was invited before it was confirmed");

    // Somebody else is quicker with one of them.
    let taken = organization.invite_alone(&address(&organization, 7)).await;
    assert_eq!(organization.act(&import, "confirm").await.expect(202).body["status"], "CONFIRMED");
    let partial = organization.import_that_is(&import, "PARTIAL").await;
    assert_eq!(json!([partial["invited"], partial["failed"], partial["run"]]), json!([191, 1, 1]));
    let rows = organization.admin.get(&format!("/users/imports/{import}?row_status=FAILED")).await.expect(200);
    let [failed] = rows.items() else { panic!("{}", rows.body) };
    assert_eq!((&failed["row"], &failed["errors"][0]["reason"]), (&json!(8), &json!("identity.email_taken")));
    let letter = mail_to(&first).await;
    assert!(letter.text.contains("Test"), "{}", letter.text);

    let revoke = format!("/invitations/{}/revoke", taken.id("id"));
    organization.admin.post(&revoke, &json!({})).await.expect(200);
    assert_eq!(organization.act(&import, "retry").await.expect(202).body["status"], "RUNNING");
    let done = organization.import_that_is(&import, "DONE").await;
    assert_eq!(json!([done["invited"], done["failed"], done["run"]]), json!([192, 0, 2]));
    assert_eq!(organization.count_of("identity.import_row_succeeded").await, 192);
    // The one who was there, the one who was quicker, and everyone of the table.
    assert_eq!(organization.count_of("identity.user_invited").await, 194);
    let row = &organization.import_rows(&import).await[0];
    let invitation = format!("/organizations/{}/invitations/{}", organization.id, row["invitation_id"].as_str().expect("an id"));
    let invitation = organization.admin.get(&invitation).await.expect(200).body;
    assert_eq!((&invitation["email"], &invitation["status"]), (&json!(first), &json!("PENDING")));
    assert_eq!(invitation["invited_by"], done["confirmed_by"]);
    for step in ["confirm", "retry", "roll-back", "cancel"] {
        let refused = organization.act(&import, step).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["reason"], "identity.import_transition_forbidden", "{step}");
    }
}

// covers: E-134
#[tokio::test]
async fn an_import_that_failed_in_part_is_rolled_back() {
    let organization = fresh_organization().await;
    let import = organization.upload(&staff(&organization, 4, &[])).await.expect(201).id("id");
    organization.invite_alone(&address(&organization, 3)).await;
    organization.act(&import, "confirm").await.expect(202);
    organization.import_that_is(&import, "PARTIAL").await;
    let rows = organization.import_rows(&import).await;
    // Somebody took one back themselves.
    let revoke = format!("/invitations/{}/revoke", rows[1]["invitation_id"].as_str().expect("an id"));
    organization.admin.post(&revoke, &json!({})).await.expect(200);
    assert_eq!(organization.act(&import, "roll-back").await.expect(202).body["status"], "ROLLED_BACK");
    let rolled_back = eventually("every row is rolled back", async || {
        let read = organization.admin.get(&format!("/users/imports/{import}")).await.expect(200);
        (read.body["invited"] == 0).then_some(read.body)
    })
    .await;
    let counts = json!([rolled_back["status"], rolled_back["revoked"], rolled_back["kept"], rolled_back["failed"]]);
    assert_eq!(counts, json!(["ROLLED_BACK", 2, 1, 1]));
    let statuses: Vec<_> = rolled_back["items"].as_array().expect("rows").iter().map(|row| row["status"].clone()).collect();
    assert_eq!(json!(statuses), json!(["REVOKED", "KEPT", "REVOKED", "FAILED"]));
    // Their addresses are free again.
    organization.invite_alone(&address(&organization, 0)).await;
    organization.act(&import, "retry").await.refused(422, "VALIDATION_ERROR");
}

// covers: E-133
#[tokio::test]
async fn an_import_that_is_interrupted_goes_on_and_invites_nobody_twice() {
    let organization = fresh_organization().await;
    let import = organization.upload(&staff(&organization, 150, &[])).await.expect(201).id("id");
    let mut connection = database().await;
    let before: i64 = sqlx::query_scalar("SELECT position FROM log_head").fetch_one(&mut connection).await.expect("the head");
    organization.act(&import, "confirm").await.expect(202);
    // Whoever runs it loses the run again and again, and finds all of it to do once more: in the middle,
    // and when it is done.
    let forget = "UPDATE checkpoints SET position = least(position, $1) WHERE name = 'identity.run_imports'";
    let invited = async || organization.admin.get(&format!("/users/imports/{import}?limit=1")).await.body["invited"].clone();
    for reached in [10, 80, 150] {
        eventually("some are invited", async || invited().await.as_i64().filter(|count| *count >= reached)).await;
        let forgotten = sqlx::query(forget).bind(before).execute(&mut connection).await.expect("the checkpoint");
        assert_eq!(forgotten.rows_affected(), 1);
    }
    let done = organization.import_that_is(&import, "DONE").await;
    assert_eq!(json!([done["invited"], done["failed"], done["run"]]), json!([150, 0, 1]));
    let caught_up = "SELECT position FROM checkpoints WHERE name = 'identity.run_imports' AND position > $1";
    eventually("the events are handled again", async || {
        let mut connection = database().await;
        sqlx::query_scalar::<_, i64>(caught_up).bind(before).fetch_optional(&mut connection).await.expect("the checkpoint")
    })
    .await;
    for (event_type, count) in [
        ("identity.user_invited", 150),
        ("identity.invitation_issued", 150),
        ("identity.import_row_succeeded", 150),
        ("identity.import_started", 1),
        ("identity.import_finished", 1),
    ] {
        assert_eq!(organization.count_of(event_type).await, count, "{event_type}");
    }
}

// covers: E-133
#[tokio::test]
async fn what_names_the_people_of_a_table_stands_nowhere_in_clear() {
    let organization = fresh_organization().await;
    let canary = format!("canary{}", organization.slug.replace('-', ""));
    let rows = [
        format!("{canary} one,{canary}.one@acme.example,member"),
        format!("{canary} two,{canary}.two,member"),
        format!("={canary} three,{canary}.three@acme.example,{canary}"),
    ];
    let csv = format!("display_name,email,role\n{}", rows.join("\n"));
    let headers = [("Idempotency-Key", canary.as_str())];
    let body = json!({ "csv": csv });
    let import = organization.admin.post_with("/users/imports", &body, &headers).await.expect(201).id("id");
    organization.act(&import, "confirm").await.expect(202);
    organization.import_that_is(&import, "DONE").await;
    let shown = organization.import_rows(&import).await;
    assert_eq!(shown[0]["email"], format!("{canary}.one@acme.example"), "whoever may see it does");
    assert!(!json!(shown[1..]).to_string().contains(&canary), "the values of a rejected row are not kept");
    assert!(!json!(organization.domain_events().await).to_string().contains(&canary));

    let mut connection = database().await;
    let tables = "SELECT c.oid::regclass::text FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.expect("the tables");
    assert!(tables.len() > 20, "{tables:?}");
    let hex: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
    for table in tables {
        let sql = format!("SELECT count(*) FROM {table} t WHERE t::text LIKE '%{canary}%' OR t::text LIKE '%{hex}%'");
        let found: i64 = sqlx::query_scalar(&sql).fetch_one(&mut connection).await.expect("a count");
        assert_eq!(found, 0, "{table} holds it in clear");
    }
}

#[tokio::test]
async fn what_is_no_table_of_people_is_refused_as_a_whole() {
    let organization = fresh_organization().await;
    let before = organization.domain_events().await;
    let too_many = format!("email,role\n{}", "a@b.example,member\n".repeat(2_001));
    let too_large = format!("email,role\n{}", "x".repeat(1024 * 1024));
    for (body, field, reason) in [
        (json!({}), "csv", "required"),
        (json!({ "csv": 7 }), "csv", "wrong_type"),
        (json!({ "csv": "email,role\na@b.example,member", "mode": "create" }), "mode", "not_allowed"),
        (json!({ "csv": "email,role\na@b.example,member", "rows": [] }), "rows", "unknown_field"),
        (json!({ "csv": "" }), "csv", "identity.import_header_invalid"),
        (json!({ "csv": "name,mail\nAda,a@b.example" }), "csv", "identity.import_header_invalid"),
        (json!({ "csv": "email,role\n" }), "csv", "identity.import_row_count"),
        (json!({ "csv": too_many }), "csv", "identity.import_row_count"),
        (json!({ "csv": too_large }), "csv", "identity.import_too_large"),
    ] {
        let refused = organization.admin.post("/users/imports", &body).await.refused(422, "VALIDATION_ERROR");
        let error = &refused.body["errors"][0];
        assert_eq!((&error["field"], &error["reason"]), (&json!(field), &json!(reason)));
    }
    let huge = json!({ "csv": "x".repeat(2 * 1024 * 1024) });
    organization.admin.post("/users/imports", &huge).await.refused(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(organization.domain_events().await, before);
}

// covers: E-46
#[tokio::test]
async fn who_may_import_and_into_what() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    let csv = staff(&organization, 2, &["Boss,boss@acme.example,organization_admin"]);
    let body = json!({ "csv": csv });
    for caller in [&organization.member, &organization.analyst, &organization.officer] {
        caller.post("/users/imports", &body).await.refused(403, "ACCESS_DENIED");
        caller.get("/users/imports").await.refused(403, "ACCESS_DENIED");
    }
    let grants = json!({ "name": "Recruiter", "grants": ["identity.user_import"] });
    let recruiter = organization.admin.post("/roles", &grants).await.expect(201).id("id");
    let user = &organization.member_id;
    organization.admin.post(&format!("/users/{user}/roles"), &json!({ "role": recruiter })).await.expect(200);
    let role: RoleId = recruiter.parse().expect("the id of a role");
    let recruiter: Client = organization.admin.with_token(&mint(user, organization.id, role));
    let theirs = recruiter.post("/users/imports", &body).await.expect(201);
    // The analyst and the administrator are more than the recruiter may give.
    assert_eq!(json!([theirs.body["to_invite"], theirs.body["rejected"]]), json!([1, 2]));
    let import = organization.upload(&csv).await.expect(201).id("id");
    let refused = recruiter.post(&format!("/users/imports/{import}/confirm"), &json!({})).await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "identity.permission_escalation_attempt");

    // To another organization it is not there, and what was given up stays so.
    for step in ["confirm", "retry", "roll-back", "cancel"] {
        other.act(&import, step).await.refused(404, "RESOURCE_NOT_FOUND");
    }
    other.admin.get(&format!("/users/imports/{import}")).await.refused(404, "RESOURCE_NOT_FOUND");
    let cancelled = organization.act(&import, "cancel").await.expect(200);
    assert_eq!(cancelled.body["status"], "CANCELLED");
    organization.act(&import, "confirm").await.refused(422, "VALIDATION_ERROR");
    let listed = organization.admin.get_at("/users/imports?status=CANCELLED", cancelled.position()).await.expect(200);
    let [only] = listed.items() else { panic!("{}", listed.body) };
    assert_eq!((&only["id"], &only["rows"]), (&json!(import), &json!(3)));
    assert_eq!(organization.count_of("identity.user_invited").await, 0);
}

#[tokio::test]
async fn the_largest_table_is_taken_in_one_request() {
    let organization = fresh_organization().await;
    let started = Instant::now();
    let uploaded = organization.upload(&staff(&organization, 2_000, &[])).await.expect(201);
    println!("2,000 rows were uploaded in {:?}", started.elapsed());
    assert_eq!(uploaded.body["to_invite"], 2_000);
    let path = format!("/users/imports/{}", uploaded.id("id"));
    let read = organization.admin.get_at(&path, uploaded.position()).await.expect(200);
    println!("and shown after {:?}", started.elapsed());
    assert_eq!(json!([read.body["to_invite"], read.items().len()]), json!([2_000, 50]));
    organization.act(&uploaded.id("id"), "cancel").await.expect(200);
}
