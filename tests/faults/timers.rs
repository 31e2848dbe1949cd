//! What is due is recorded when its time has come: weeks pass on the clock of a server that is killed in between.

use super::{
    load::read_until,
    remains::superuser_url,
    world::{Caller, World},
};
use crate::support::running::eventually;
use palmares_projections::compliance::due::SUBJECT_REQUESTS;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

const BREACH: &str = "compliance.breach_overdue";
const REQUEST: &str = "compliance.subject_request_overdue";
const EXPORT: &str = "compliance.subject_export_expired";

// covers: E-178
#[test]
fn an_export_goes_and_what_nobody_answered_is_overdue_when_its_time_is_over() {
    let world = World::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run(world));
}

async fn run(mut world: World) {
    let descriptor = world.descriptor();
    let officer = Caller::new(&world.base_url, &descriptor.tokens.compliance_officer);
    let member = Caller::new(&world.base_url, &descriptor.tokens.member);
    let export = made(&member, "/me/exports", json!({ "format": "json" })).await;
    read_until(&member, "/me/exports", |seen| of(seen, &export)["status"] == "READY").await;
    let request = made(&member, "/me/subject-requests", json!({ "kind": "access" })).await;
    let withdrawn = made(&member, "/me/subject-requests", json!({ "kind": "objection" })).await;
    made(&member, &format!("/me/subject-requests/{withdrawn}/withdraw"), json!({})).await;
    let breach = json!({ "nature": "confidentiality", "summary": "A backup lay open.", "aware_at": chrono::Utc::now() });
    let breach = made(&officer, "/breaches", breach).await;

    // Nothing is over as long as the clock does not say so. Lists tell what is overdue by it; that it is on
    // record only the events tell.
    let path = format!("/me/exports/{export}/download");
    let on_record = async |event: &str, times: usize| {
        read_until(&officer, &format!("/events?type={event}"), |seen| items(seen).len() == times && seen.is_object()).await
    };
    for event in [BREACH, REQUEST, EXPORT] {
        on_record(event, 0).await;
    }

    // Five days: the authority should have been told.
    world.ahead(5);
    on_record(BREACH, 1).await;
    on_record(REQUEST, 0).await;
    let late = |listed: &Value| items(listed).iter().map(|item| item["overdue"] == true).collect::<Vec<_>>();
    assert_eq!(late(&seen(&officer, "/breaches").await), [true]);
    assert!(!late(&seen(&member, "/me/subject-requests").await).contains(&true));
    assert_eq!(of(&seen(&member, "/me/exports").await, &export)["status"], "READY");

    // Forty days: the export is gone, and the request should have been answered.
    world.ahead(40);
    let expired = on_record(EXPORT, 1).await;
    assert_eq!(items(&expired)[0]["payload"]["export_id"], export.as_str(), "{expired}");
    let overdue = on_record(REQUEST, 1).await;
    assert_eq!(items(&overdue)[0]["payload"]["request_id"], request.as_str(), "{overdue}");
    assert_eq!(items(&on_record(BREACH, 1).await)[0]["payload"]["breach_id"], breach.as_str());
    assert!(late(&seen(&member, "/me/subject-requests").await).contains(&true));
    read_until(&member, "/me/exports", |seen| of(seen, &export)["status"] == "EXPIRED").await;
    let gone = member.request(Method::GET, &path).send().await.expect("the server answers");
    assert_ne!(gone.status(), 200, "its file went with it");
}

/// Whoever removes a timer keeps something from being done; nobody has to wait until it is missed.
// covers: E-184
#[test]
fn a_timer_that_somebody_removed_moved_or_set_is_found_before_its_time() {
    let world = World::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(tampered(world));
}

async fn tampered(world: World) {
    let descriptor = world.descriptor();
    let officer = Caller::new(&world.base_url, &descriptor.tokens.compliance_officer);
    let member = Caller::new(&world.base_url, &descriptor.tokens.member);
    made(&member, "/me/subject-requests", json!({ "kind": "access" })).await;
    let of_request = read_until(&officer, "/events?type=compliance.subject_request_received", |seen| items(seen).len() == 1).await;
    let at = &items(&of_request)[0]["position"];
    let superuser = PgPool::connect(&superuser_url(&world)).await.expect("the superuser");
    let tamper = async |sql: &str| _ = sqlx::raw_sql(sql).execute(&superuser).await.expect(sql);
    let mine = format!("kind = '{}'", SUBJECT_REQUESTS.kind);
    let is_set = format!("SELECT EXISTS (SELECT FROM timers WHERE {mine})");
    let is_set = async || sqlx::query_scalar::<_, bool>(&is_set).fetch_one(&superuser).await.expect("timers").then_some(());
    eventually("the timer is set", is_set).await;
    let found = || -> Vec<(Value, Value)> {
        let (_, told) = world.verify_log();
        let beside = told.iter().filter(|line| line["event"] == "beside").map(|line| &line["beside"]);
        beside.map(|beside| (beside["unfit"].clone(), beside["at"].clone())).collect()
    };
    assert_eq!(found(), []);

    let (gone, added) = ((json!("timer_gone"), at.clone()), (json!("timer_added"), Value::Null));
    let forged = format!(
        "INSERT INTO timers SELECT organization_id, gen_random_uuid(), kind, gen_random_uuid(), due_at, payload, try_at FROM timers WHERE {mine}"
    );
    let tampering = [
        (forged, vec![added.clone()]),
        (
            format!("UPDATE timers SET due_at = due_at + interval '1 year', try_at = try_at + interval '1 year' WHERE {mine}"),
            vec![added, gone.clone()],
        ),
        (format!("DELETE FROM timers WHERE {mine}"), vec![gone]),
    ];
    tamper("CREATE TABLE kept AS TABLE timers").await;
    for (sql, expected) in tampering {
        tamper(&sql).await;
        assert_eq!(found(), expected, "{sql}");
        tamper("DELETE FROM timers; INSERT INTO timers SELECT * FROM kept").await;
        assert_eq!(found(), [], "as it was after {sql}");
    }
    // Made anew from the log, what was removed is there again.
    tamper(&format!("DELETE FROM timers WHERE {mine}")).await;
    let platform = Caller::new(&world.base_url, &descriptor.tokens.platform_admin);
    platform.post(&format!("/projections/{}/rebuild", SUBJECT_REQUESTS.name), json!({})).await;
    eventually("the timer is back", is_set).await;
    eventually("everything fits", async || found().is_empty().then_some(())).await;
}

/// Carries a command out; the id of what it made.
async fn made(caller: &Caller, path: &str, body: Value) -> String {
    let response = caller.request(Method::POST, path).json(&body).send().await.expect("the server answers");
    let status = response.status();
    let body: Value = response.json().await.expect("JSON");
    assert!(status.is_success(), "{path}: {body}");
    body["id"].as_str().unwrap_or_default().to_owned()
}

async fn seen(caller: &Caller, path: &str) -> Value {
    read_until(caller, path, |seen| !items(seen).is_empty()).await
}

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().map_or(&[], Vec::as_slice)
}

fn of<'a>(page: &'a Value, id: &str) -> &'a Value {
    items(page).iter().find(|item| item["id"] == id).unwrap_or(&Value::Null)
}
