//! What the running binary tells a receiver of OTLP about the requests that it serves, and what not.

use super::site::Site;
use crate::support::{running::Reply, servers::embedded};
use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, web};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value as Any},
    trace::v1::Span,
};
use prost::Message;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use uuid::Uuid;

/// Everything that a span may say.
const ATTRIBUTES: [&str; 4] = ["http.request.method", "http.response.status_code", "http.route", "palmares.request_id"];
const KIND_SERVER: i32 = 2;
const STATUS_ERROR: i32 = 2;

/// What was received.
type Received = Arc<Mutex<Vec<web::Bytes>>>;

/// A receiver of traces on loopback: its address, what it has received, and how to stop it.
fn receiver() -> (String, Received, ServerHandle) {
    async fn accept(body: web::Bytes, received: web::Data<Mutex<Vec<web::Bytes>>>) -> HttpResponse {
        received.lock().expect("no panic").push(body);
        HttpResponse::Ok().finish()
    }
    let received = Received::default();
    let data = web::Data::from(received.clone());
    #[expect(clippy::disallowed_methods, reason = "a receiver of the test's own, no route of palmares")]
    let server = HttpServer::new(move || App::new().app_data(data.clone()).route("/v1/traces", web::post().to(accept)))
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .expect("a free port");
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    tokio::spawn(server);
    (format!("http://{address}"), received, handle)
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<&str, String> {
    let text = |value: &Any| match value {
        Any::StringValue(text) => text.clone(),
        Any::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes
        .iter()
        .map(|entry| (entry.key.as_str(), entry.value.as_ref().and_then(|value| value.value.as_ref()).map_or_else(String::new, text)))
        .collect()
}

#[test]
fn a_request_is_traced_under_its_callers_trace_and_tells_no_secret() {
    // The node belongs to this thread, which outlives it.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (endpoint, received, receiver) = receiver();
        let mut site = Site::new("of_traces").await;
        site.set("NATS_URL", &embedded().nats_url());
        site.set("PALMARES_NATS_REPLICAS", "1");
        site.set("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
        // It is never ready, for want of a worker; its requests are traced all the same.
        let api = site.answers("api-1", site.start("api-1"), "/health").await;
        let bootstrapped: Value = serde_json::from_str(&site.run(&["bootstrap", "--external-ref", "secret-reference"])).expect("JSON");
        let id = |name: &str| bootstrapped[name].as_str().expect("an id").to_owned();
        let (user, organization) = (id("user_id"), id("organization_id"));
        let token = site.run(&["token", "--user", &user, "--organization", &organization, "--role", "platform_admin"]);

        let (trace, parent) = (Uuid::now_v7().simple().to_string(), "00f067aa0ba902b7");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let url = format!("http://{}/api/v1", api.address);
        let traced = http.post(format!("{url}/organizations")).bearer_auth(&token);
        let traced = traced.header("traceparent", format!("00-{trace}-{parent}-01")).header("tracestate", "secret=state");
        let traced = Reply::of(traced.json(&json!({ "name": "Secret Name", "slug": "secret-slug" }))).await.expect(201);
        let unknown =
            Reply::of(http.get(format!("{url}/secret-path/{user}?secret=query")).header("traceparent", "no-trace")).await.expect(404);
        // What is left is exported by the stop.
        assert!(api.stop(), "it ends well when it is asked to");
        receiver.stop(true).await;

        let bodies = std::mem::take(&mut *received.lock().expect("no panic"));
        let all = bodies.concat();
        for secret in [token.as_str(), "ecret", &user, &traced.id("id"), "127.0.0.1"] {
            assert!(!all.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} was exported");
        }
        let mut spans: Vec<Span> = Vec::new();
        for body in bodies {
            for of_resource in ExportTraceServiceRequest::decode(body).expect("OTLP").resource_spans {
                let resource = of_resource.resource.expect("a resource");
                assert_eq!(texts(&resource.attributes)["service.name"], "palmares");
                spans.extend(of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
        }
        for span in &spans {
            let said: BTreeSet<&str> = span.attributes.iter().map(|entry| entry.key.as_str()).collect();
            assert!(said.is_subset(&ATTRIBUTES.into()), "{said:?}");
            assert!(span.events.is_empty() && span.trace_state.is_empty());
            assert_eq!(span.kind, KIND_SERVER);
        }

        let of = |reply: &Reply| {
            let mut found =
                spans.iter().filter(|span| texts(&span.attributes)["palmares.request_id"] == reply.header("palmares-request-id"));
            let span = found.next().expect("a span of the request");
            assert!(found.next().is_none(), "one span for one request");
            span
        };
        let span = of(&traced);
        assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (trace, parent.to_owned()));
        assert_eq!(span.name, "POST /api/v1/organizations");
        let said = texts(&span.attributes);
        assert_eq!((said["http.route"].as_str(), said["http.response.status_code"].as_str()), ("/api/v1/organizations", "201"));
        assert!(span.end_time_unix_nano > span.start_time_unix_nano);

        let span = of(&unknown);
        assert_eq!((span.name.as_str(), span.parent_span_id.len()), ("GET", 0), "a trace of its own");
        assert!(!texts(&span.attributes).contains_key("http.route"));
        assert_ne!(span.status.as_ref().map(|status| status.code), Some(STATUS_ERROR), "the caller's mistake is no fault");
    });
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
