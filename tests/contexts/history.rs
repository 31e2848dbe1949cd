//! What is kept of what happened: events, their export and their stream, the audit trail, and the
//! read models that are made of them.

use super::{audit::found, live::Subscription};
use crate::support::running::{Client, Organization, eventually, fresh_organization};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) fn position(event: &Value) -> i64 {
    event["position"].as_i64().expect("a position")
}

pub(super) fn is_access(event: &Value) -> bool {
    event["stream"]["type"] == "access_record"
}

/// The names of what decided; policies of one decision have the version of one set.
fn policies(decided: &Value) -> Vec<&str> {
    let decided = decided.as_array().expect("policies").iter().map(|policy| policy.as_str().expect("a name"));
    let (names, versions): (Vec<_>, Vec<_>) = decided.map(|policy| policy.split_once('@').unwrap_or((policy, ""))).unzip();
    let versions: BTreeSet<_> = versions.into_iter().filter(|version| !version.is_empty()).collect();
    assert!(versions.len() == 1 && versions.iter().all(|version| version.len() == 12), "{versions:?}");
    names
}

/// The records of what was exported and streamed until now.
pub(super) async fn exports(organization: &Organization) -> Vec<Value> {
    let head = organization.head().await;
    organization.officer.get_at("/events?type=compliance.data_exported", head).await.expect(200).items().to_vec()
}

/// An organization in which a member got and spent points; with the member's program.
pub(super) async fn eventful() -> (Organization, String) {
    let organization = fresh_organization().await;
    let program = organization.program().await;
    let body = |amount: i64| json!({ "program_id": program, "user_id": organization.member_id, "amount": amount });
    organization.admin.post_with("/points/credits", &body(100), &[("Prefer", "wait=30")]).await.expect(200);
    for amount in 1..=5 {
        organization.admin.post("/points/debits", &body(amount)).await.expect(201);
    }
    (organization, program)
}

#[tokio::test]
async fn events_have_their_declared_shape_and_the_order_of_the_log() {
    let (organization, _) = eventful().await;
    let events = organization.analyst.all("/events").await;
    assert!(events.is_sorted_by(|one, next| position(one) < position(next)));
    for event in &events {
        let names: Vec<_> = event.as_object().expect("an object").keys().map(String::as_str).collect();
        for name in ["position", "id", "type", "schema_version", "stream", "organization_id", "actor_id", "recorded_at", "effective_at"] {
            assert!(names.contains(&name), "no {name} in {event}");
        }
        assert!(event["metadata"].is_object() && event["payload"].is_object(), "{event}");
        assert!(event["stream"]["type"].is_string() && event["stream"]["id"].is_string() && event["stream"]["version"].is_i64());
        assert_eq!(event["organization_id"], organization.id.to_string(), "an event of another organization");
    }
}

/// Whether an event is one that a filter should find.
type Fits<'a> = Box<dyn Fn(&Value) -> bool + 'a>;

#[tokio::test]
async fn events_are_filtered_by_type_stream_actor_correlation_and_position() {
    let (organization, _) = eventful().await;
    let all = organization.domain_events().await;
    let credited = all.iter().find(|event| event["type"] == "points.credit_accepted").expect("a credit");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (stream, correlation) = (text(&credited["stream"]["id"]), text(&credited["metadata"]["correlation_id"]));
    let actor = text(&credited["actor_id"]);
    let filters: [(String, Fits<'_>); 5] = [
        ("type=points.points_debited".to_owned(), Box::new(|event| event["type"] == "points.points_debited")),
        (format!("stream_id={stream}"), Box::new(|event| event["stream"]["id"] == stream)),
        (format!("actor_id={actor}&stream_type=points_account"), {
            let actor = actor.clone();
            Box::new(move |event| event["actor_id"] == actor && event["stream"]["type"] == "points_account")
        }),
        (format!("correlation_id={correlation}"), Box::new(|event| event["metadata"]["correlation_id"] == correlation)),
        (format!("after={}", position(credited)), Box::new(|event| position(event) > position(credited))),
    ];
    for (filter, fits) in filters {
        let mut found = organization.analyst.all(&format!("/events?{filter}")).await;
        found.retain(|event| !is_access(event));
        let expected: Vec<_> = all.iter().filter(|event| fits(event)).cloned().collect();
        assert!(!expected.is_empty(), "{filter} finds nothing");
        assert_eq!(found, expected, "{filter}");
    }
    // The reactor's answer to a credit is of the same correlation.
    let of_credit = organization.analyst.all(&format!("/events?correlation_id={correlation}")).await;
    let types: Vec<_> = of_credit.iter().map(|event| text(&event["type"])).collect();
    assert_eq!(types, ["points.credit_accepted", "points.credit_resolved"]);
}

#[tokio::test]
async fn pages_of_events_make_up_the_whole_list() {
    let (organization, _) = eventful().await;
    let whole = organization.domain_events().await;
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = organization.analyst.get(&format!("/events?limit=3{cursor}")).await.expect(200);
        assert!(page.items().len() <= 3);
        pages.extend_from_slice(page.items());
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    pages.retain(|event| !is_access(event));
    assert_eq!(pages, whole);
}

#[tokio::test]
async fn a_cursor_leads_on_in_the_list_that_gave_it_and_in_no_other() {
    let (organization, _) = eventful().await;
    let first = async |path: &str| organization.officer.get(&format!("{path}?limit=1")).await.expect(200).id("next_cursor");
    let lists = ["/events", "/audit-logs", "/users"];
    for giving in lists {
        let cursor = first(giving).await;
        for asked in lists {
            let reply = organization.officer.get(&format!("{asked}?limit=1&cursor={cursor}")).await;
            if asked == giving {
                reply.expect(200);
            } else {
                let refused = reply.refused(422, "VALIDATION_ERROR");
                let error = &refused.body["errors"][0];
                assert_eq!((&error["field"], &error["reason"]), (&json!("cursor"), &json!("another_list")), "{giving} at {asked}");
            }
        }
    }
}

#[tokio::test]
async fn a_name_that_is_none_is_refused_with_those_that_are_like_it_and_nothing_is_exported() {
    let organization = fresh_organization().await;
    for (filter, field, like) in
        [("type=points.hold_palced", "type", "points.hold_placed"), ("stream_type=points_acount", "stream_type", "points_account")]
    {
        for path in [format!("/events?{filter}"), format!("/events/stream?{filter}")] {
            let refused = organization.analyst.get(&path).await.refused(422, "VALIDATION_ERROR");
            let error = &refused.body["errors"][0];
            assert_eq!((&error["field"], &error["reason"], &error["allowed"][0]), (&json!(field), &json!("name_unknown"), &json!(like)));
        }
        let export = organization.analyst.request(Method::GET, &format!("/events?{filter}")).header("Accept", "application/x-ndjson");
        assert_eq!(export.send().await.expect("an answer").status().as_u16(), 422, "{filter}");
    }
    assert_eq!(exports(&organization).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_span_that_ends_before_it_begins_is_refused_wherever_one_is_asked_for() {
    let organization = fresh_organization().await;
    let (later, earlier) = ("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z");
    let member = format!("/users/{}", organization.member_id);
    for (path, end, reader) in [
        (format!("/events?from={later}&to={earlier}"), "to", &organization.analyst),
        (format!("/authz/decisions?from={later}&until={earlier}"), "until", &organization.officer),
        (format!("{member}/points/statement?from={later}&to={earlier}"), "to", &organization.member),
        (format!("{member}/activities?from=2026-02-01&to=2026-01-01"), "to", &organization.member),
        (format!("{member}/activities/days?from=2026-02-01&to=2026-01-01"), "to", &organization.member),
    ] {
        let error = reader.get(&path).await.refused(422, "VALIDATION_ERROR").body["errors"][0].clone();
        assert_eq!((&error["field"], &error["reason"]), (&json!(end), &json!("ends_before_it_begins")), "{path}");
        reader.get(&path.replace(later, earlier).replace("2026-02-01", "2026-01-01")).await.expect(200);
    }
}

#[tokio::test]
async fn an_export_has_one_line_for_each_event() {
    let (organization, _) = eventful().await;
    let listed = organization.domain_events().await;
    let request = organization.analyst.request(Method::GET, "/events").header("Accept", "application/x-ndjson");
    let response = request.send().await.expect("the export is answered");
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let text = response.text().await.expect("the whole export");
    let mut exported: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line is an event")).collect();
    exported.retain(|event| !is_access(event));
    assert_eq!(exported, listed);

    let recorded = exports(&organization).await;
    assert_eq!(recorded.len(), 1, "an export is recorded");
    assert_eq!(recorded[0]["payload"]["from_position"], 0);
    assert_eq!(policies(&recorded[0]["metadata"]["policies"]), ["role.analyst"]);

    let page = organization.analyst.get("/events?limit=3").await.expect(200);
    let path = format!("/events?cursor={}", page.body["next_cursor"].as_str().expect("a further page"));
    let rest = organization.analyst.request(Method::GET, &path).header("Accept", "application/x-ndjson").send().await;
    assert_eq!(rest.expect("the export is answered").status().as_u16(), 200);
    let recorded = exports(&organization).await;
    let begun = recorded.last().map(|record| record["payload"]["from_position"].clone());
    assert_eq!(begun, page.items().last().map(|event| event["position"].clone()), "the record says where the cursor pointed");
}

// covers: E-195, P-12
#[tokio::test]
async fn who_looks_at_events_is_on_record_and_only_readers_of_the_audit_log_are_told() {
    let organization = fresh_organization().await;
    let types = ["compliance.access_refused", "compliance.sensitive_data_read"];
    organization.member.get("/users").await.refused(403, "ACCESS_DENIED");
    organization.analyst.get("/events?limit=3").await.expect(200);
    organization.analyst.get("/audit-logs").await.refused(403, "ACCESS_DENIED");
    for event_type in types {
        eventually("whoever may read the audit log is told", async || {
            let told = organization.officer.all(&format!("/events?type={event_type}")).await;
            (!told.is_empty() && told.iter().all(is_access)).then_some(())
        })
        .await;
    }
    let looks = found(&organization, "event_type=compliance.sensitive_data_read&action=operations.event.read").await;
    let by = |role: &str| looks.iter().filter(|look| look["actor_role"] == json!([role])).collect::<Vec<_>>();
    assert_eq!(by("analyst").len(), 1, "each page is one look: {looks:?}");
    assert_eq!(by("analyst")[0]["payload"]["route"], "/api/v1/events");
    assert!(!by("compliance_officer").is_empty(), "{looks:?}");

    // An analyst is not, by whatever way.
    for filter in types.map(|name| format!("type={name}")).into_iter().chain(["stream_type=access_record".to_owned()]) {
        let page = organization.analyst.get(&format!("/events?{filter}")).await.expect(200);
        assert!(page.items().is_empty() && page.body["next_cursor"].is_null(), "{filter}: {}", page.body);
    }
    let listed = organization.domain_events().await;
    assert!(!organization.analyst.all("/events").await.iter().any(is_access));
    let exported = async |client: &Client| {
        let answer = client.request(Method::GET, "/events").header("Accept", "application/x-ndjson").send().await.expect("an answer");
        let text = answer.text().await.expect("the whole export");
        text.lines().map(|line| serde_json::from_str(line).expect("an event")).collect::<Vec<Value>>()
    };
    assert!(exported(&organization.officer).await.iter().any(is_access));
    assert!(!exported(&organization.analyst).await.iter().any(is_access));
    let mut told = Subscription::open(&organization.analyst, "/events/stream?after=0", None).await;
    loop {
        let event = told.next().await;
        assert!(!is_access(&event), "{event}");
        if Some(&event) == listed.last() {
            break;
        }
    }
}

// covers: E-185, E-233, P-88
#[tokio::test]
async fn the_audit_trail_tells_who_did_what_and_who_was_refused() {
    let (organization, program) = eventful().await;
    let refused = organization.member.get("/users").await.refused(403, "ACCESS_DENIED");
    let entry = eventually("the refusal is in the trail", || async {
        let trail = organization.officer.get("/audit-logs?outcome=refused").await.expect(200);
        trail.items().iter().find(|entry| entry["request_id"] == refused.body["request_id"]).cloned()
    })
    .await;
    assert_eq!((&entry["actor_id"], &entry["action"]), (&json!(organization.member_id), &json!("identity.user.list")));
    assert_eq!((&entry["payload"]["code"], &entry["payload"]["status"]), (&json!("ACCESS_DENIED"), &json!(403)));
    assert_eq!(entry["ip_address"], "127.0.0.1");
    assert_eq!(policies(&entry["policies"]), ["gate.permission_missing", "default_deny"]);

    let head = organization.head().await;
    organization.officer.get_at("/audit-logs?limit=1", head).await.expect(200);
    let trail = organization.officer.all("/audit-logs").await;
    let defined = trail.iter().find(|entry| entry["event_type"] == "points.program_defined").expect("the program is in the trail");
    assert_eq!((&defined["outcome"], &defined["resource_id"]), (&json!("recorded"), &json!(program)));
    assert_eq!(policies(&defined["policies"]), ["role.organization_admin"]);
    let read = trail.iter().find(|entry| entry["event_type"] == "compliance.sensitive_data_read").expect("who looked is in the trail");
    assert_eq!(policies(&read["policies"]), ["role.compliance_officer"]);
    assert!(trail.is_sorted_by(|newer, older| position(newer) > position(older)));
}

#[tokio::test]
async fn projections_say_where_they_stand() {
    let organization = fresh_organization().await;
    let listed = organization.analyst.get("/projections").await.expect(200);
    assert_eq!(listed.body["next_cursor"], Value::Null);
    let names: Vec<_> = listed.items().iter().filter_map(|row| row["name"].as_str()).collect();
    for name in ["users", "points_balances", "points_transactions", "points_ledger", "activities", "leaderboards", "audit_log"] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    for row in listed.items() {
        for number in ["version", "position", "lag_positions", "parked"] {
            assert!(row[number].as_i64().is_some_and(|number| number >= 0), "{number} of {row}");
        }
        assert!(row["lag_seconds"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{row}");
        assert_eq!(row["parked"], 0, "{row}");
    }
}

#[tokio::test]
async fn an_operator_sees_what_was_set_aside_and_has_a_reactor_take_it_again() {
    let organization = fresh_organization().await;
    let nothing = json!({});
    let listed = organization.platform.get("/projections/points.resolve_credits/parked").await.expect(200);
    assert_eq!(listed.body, json!({ "items": [], "next_cursor": null }));
    let asked = organization.platform.post("/projections/points.resolve_credits/retry", &nothing).await.expect(202);
    assert_eq!(asked.body, json!({ "name": "points.resolve_credits", "events": 0 }));

    let of_projection = organization.platform.post("/projections/points_balances/retry", &nothing).await.refused(409, "CONFLICT");
    assert_eq!(of_projection.body["reason"], "operations.rebuild_instead");
    organization.platform.post("/projections/nothing/retry", &nothing).await.refused(404, "RESOURCE_NOT_FOUND");
    organization.platform.get("/projections/nothing/parked").await.refused(404, "RESOURCE_NOT_FOUND");
    organization.admin.post("/projections/points.resolve_credits/retry", &nothing).await.refused(403, "ACCESS_DENIED");
    organization.admin.get("/projections/points.resolve_credits/parked").await.refused(403, "ACCESS_DENIED");
}

// covers: T-32, T-58
#[tokio::test]
async fn a_rebuild_gives_the_same_answers_and_interrupts_none() {
    let (organization, _) = eventful().await;
    let path = format!("/users/{}/points", organization.member_id);
    let head = organization.domain_events().await.last().map(position).unwrap_or_default();
    let before = organization.admin.get_at(&path, head).await.expect(200);
    organization.admin.post("/projections/points_balances/rebuild", &json!({})).await.refused(403, "ACCESS_DENIED");
    organization.platform.post("/projections/nothing/rebuild", &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");

    let started = organization.platform.post("/projections/points_balances/rebuild", &json!({})).await.expect(202);
    assert_eq!(started.body, json!({ "name": "points_balances", "status": "REBUILDING" }));
    eventually("the rebuild is done", || async {
        assert_eq!(organization.admin.get(&path).await.expect(200).body, before.body);
        let listed = organization.analyst.get("/projections").await.expect(200);
        let row = listed.items().iter().find(|row| row["name"] == "points_balances").expect("the projection");
        assert_eq!(row["rebuild_error"], Value::Null);
        (row["rebuild_position"].is_null() && row["status"] == "running").then_some(())
    })
    .await;
    assert_eq!(organization.admin.get_at(&path, head).await.expect(200).body, before.body);
}
