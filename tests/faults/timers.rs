//! What is due is recorded when its time has come: weeks pass on the clock of a server that is killed in between.

use super::{
    load::read_until,
    world::{Caller, World},
};
use reqwest::Method;
use serde_json::{Value, json};

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
