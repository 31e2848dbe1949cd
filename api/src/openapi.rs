//! The OpenAPI 3.1 document, made from the rows that serve and the types they name.

pub mod describe;

pub use describe::Description;

use crate::{
    pipeline::{
        api_key::API_KEY_HEADER,
        elevated::ELEVATION_HEADER,
        route::{Becomes, Kind, Route, Verb},
        session_secret::{CSRF_HEADER, SESSION_COOKIE},
        step_up::PROOF_HEADER,
    },
    problem::{self, CODES, PROBLEM_JSON},
};
use palmares_domain::kernel::Code;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Headers that every command takes.
const COMMAND_PARAMETERS: [&str; 5] = ["IdempotencyKey", "IfMatch", "DryRun", "Organization", "Elevation"];
/// Parameters that every query takes.
const QUERY_PARAMETERS: [&str; 4] = ["MinPosition", "Prefer", "Organization", "Elevation"];

/// The document of these routes.
pub fn document<'a>(routes: impl IntoIterator<Item = &'a &'static Route>) -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut schemas = BTreeMap::from([("Problem".to_owned(), describe::schema::<problem::ProblemBody<'_>>())]);
    schemas.extend(describe::nested::<problem::ProblemBody<'_>>());
    for route in routes {
        let description = (route.describe)();
        schemas.extend(description.schemas.clone());
        let path = paths.entry(route.pattern().replace("{*", "{")).or_default();
        let verb = &route.verb.name().to_ascii_lowercase();
        // A row that is chosen by media type shares its path with the plain one: one operation, more answers.
        match path.get_mut(verb) {
            Some(operation) => add_answer(operation, &description),
            None => drop(path.insert(verb.clone(), operation(route, description))),
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Palmares",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Points, challenges and the compliance around them, over an event-sourced log. \
                Every command answers with the position it reached (`Palmares-Position`); a read that names it as \
                `min_position` sees what was written. Without it a read may trail the log, the list of events too. Errors are RFC 9457 problems with a stable `code`.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": common_parameters(),
            "responses": problem_responses(),
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "api_key": { "type": "apiKey", "in": "header", "name": API_KEY_HEADER },
                "session": { "type": "apiKey", "in": "cookie", "name": SESSION_COOKIE, "description": "The session of a browser." },
                "csrf": { "type": "apiKey", "in": "header", "name": CSRF_HEADER,
                    "description": "What signing in answered as `csrf`: with the cookie, each request that changes something says it." },
            },
        },
        "security": security(Verb::Post),
    })
}

/// What proves the caller: a cookie alone where nothing is changed, else with what only our own pages know.
fn security(verb: Verb) -> Value {
    match verb {
        Verb::Get => json!([{ "bearer": [] }, { "api_key": [] }, { "session": [] }]),
        _ => json!([{ "bearer": [] }, { "api_key": [] }, { "session": [], "csrf": [] }]),
    }
}

fn operation(route: &Route, description: Description) -> Value {
    let Description { operation_id, summary, text, input, output, media_type, status, .. } = description;
    let tag = route.permission.and_then(|permission| permission.split('.').next()).unwrap_or("system");
    let (status, output) = match route.kind {
        Kind::Command => outcome(route),
        _ => (status, output),
    };
    let (parameters, body) = input.map_or_else(Default::default, |input| split(route, input));
    let mut operation = json!({
        "operationId": route.operation_id(&operation_id),
        "summary": summary,
        "description": text,
        "tags": [tag],
        "parameters": parameters,
        "responses": { status.to_string(): answer(route, output, media_type) },
    });
    if let Some(body) = body {
        operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": body } } });
    }
    match route.permission {
        Some(permission) => operation["description"] = format!("{text}\n\nNeeds the permission `{permission}`.").into(),
        None => operation["security"] = json!([]),
    }
    if route.permission.is_some() && route.verb == Verb::Get {
        operation["security"] = security(route.verb);
    }
    for code in codes(route.kind) {
        let status = problem::status(code).as_str().to_owned();
        operation["responses"][status] = json!({ "$ref": format!("#/components/responses/{}", problem::status(code).as_u16()) });
    }
    operation
}

/// What a command answers: ids and a status, never the whole resource.
fn outcome(route: &Route) -> (u16, Option<Value>) {
    let (status, id_field) = match route.becomes {
        Becomes::Changed => (200, "id"),
        Becomes::Created { id_field, .. } => (201, id_field),
        Becomes::Accepted { id_field, .. } => (202, id_field),
    };
    let mut output = json!({
        "type": "object",
        "properties": { id_field: { "type": "string", "format": "uuid" }, "status": { "type": "string" } },
        "required": ["status"],
    });
    if let Some(field) = route.shows_once {
        let text = "In the first answer only: it is stored nowhere, and a repeated command is answered without it.";
        output["properties"][field] = json!({ "type": "string", "description": text });
    }
    (status, Some(output))
}

fn answer(route: &Route, output: Option<Value>, media_type: &str) -> Value {
    let schema = output.unwrap_or_else(|| json!({ "type": "string" }));
    let mut answer = json!({ "description": "The answer.", "content": { media_type: { "schema": schema } } });
    let header = |text: &str, kind: &str| json!({ "description": text, "schema": { "type": kind } });
    match route.kind {
        Kind::Command => {
            answer["headers"] = json!({
                "Palmares-Position": header("The position that the command reached.", "integer"),
                "ETag": header("The version of the stream it changed.", "string"),
                "Palmares-Request-Id": header("The request's id in logs and in the metadata of events.", "string"),
            });
        }
        Kind::Query => answer["headers"] = json!({ "Palmares-Position": header("The answer knows everything up to here.", "integer") }),
        Kind::Stream | Kind::Action | Kind::Door | Kind::Public => {}
    }
    answer
}

fn add_answer(operation: &mut Value, description: &Description) {
    let schema = description.output.clone().unwrap_or_else(|| json!({ "type": "string" }));
    operation["responses"]["200"]["content"][description.media_type] = json!({ "schema": schema });
}

/// Takes a field out of an input that its caller does not give.
fn drop_field(input: &mut Value, name: &str) {
    if let Some(fields) = input.get_mut("properties").and_then(Value::as_object_mut) {
        fields.remove(name);
    }
    if let Some(required) = input.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|field| field != name);
    }
}

/// The fields of an input as parameters of path and query and, for a command, the rest as its body.
fn split(route: &Route, mut input: Value) -> (Vec<Value>, Option<Value>) {
    let in_path: Vec<_> = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
    let required: Vec<String> = input["required"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if route.is_about_caller() {
        drop_field(&mut input, "user_id");
    }
    let mut parameters = Vec::new();
    if let Some(fields) = input.get_mut("properties").and_then(Value::as_object_mut) {
        let names: Vec<_> = fields.keys().cloned().collect();
        for name in names {
            let place = match (in_path.contains(&name.as_str()), route.verb) {
                (true, _) => "path",
                (false, Verb::Get) => "query",
                (false, _) => continue,
            };
            let Some(mut schema) = fields.remove(&name) else { continue };
            let text = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            let needed = place == "path" || required.contains(&name);
            let mut parameter = json!({ "name": name, "in": place, "required": needed, "schema": schema });
            if let Some(text) = text {
                parameter["description"] = text;
            }
            parameters.push(parameter);
        }
    }
    let common: &[&str] = match route.kind {
        Kind::Command => &COMMAND_PARAMETERS,
        Kind::Query => &QUERY_PARAMETERS,
        Kind::Stream | Kind::Action => &QUERY_PARAMETERS[2..],
        Kind::Door | Kind::Public => &[],
    };
    let proof: &[&str] = if route.needs_proof { &["Proof"] } else { &[] };
    parameters.extend(common.iter().chain(proof).map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })));
    if route.verb == Verb::Get {
        return (parameters, None);
    }
    if let Some(needed) = input.get_mut("required").and_then(Value::as_array_mut) {
        needed.retain(|name| name.as_str().is_none_or(|name| !in_path.contains(&name)));
    }
    let empty = input["properties"].as_object().is_none_or(Map::is_empty);
    input["additionalProperties"] = false.into();
    (parameters, (!empty).then_some(input))
}

fn codes(kind: Kind) -> Vec<Code> {
    let gate = [Code::AuthenticationFailed, Code::AccessDenied, Code::ResourceNotFound, Code::ValidationError, Code::RateLimited];
    let own: &[Code] = match kind {
        Kind::Public => return vec![Code::RateLimited],
        Kind::Door => return vec![Code::AuthenticationFailed, Code::ValidationError, Code::RateLimited, Code::ServiceUnavailable],
        Kind::Command => &[Code::Conflict, Code::PreconditionFailed, Code::PayloadTooLarge, Code::ServiceUnavailable],
        Kind::Query => &[Code::ProjectionBehind],
        Kind::Stream | Kind::Action => &[Code::ServiceUnavailable],
    };
    gate.iter().chain(own).copied().collect()
}

/// One response per status, naming the codes that it stands for.
fn problem_responses() -> BTreeMap<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for code in CODES {
        by_status.entry(problem::status(code).as_u16()).or_default().push(problem::name(code));
    }
    let response = |names: Vec<&str>| {
        json!({
            "description": names.join(", "),
            "content": { PROBLEM_JSON: { "schema": { "$ref": "#/components/schemas/Problem" } } },
        })
    };
    by_status.into_iter().map(|(status, names)| (status.to_string(), response(names))).collect()
}

fn common_parameters() -> Value {
    let parameter = |name: &str, place: &str, text: &str, schema: Value| json!({ "name": name, "in": place, "required": false, "description": text, "schema": schema });
    json!({
        "IdempotencyKey": parameter("Idempotency-Key", "header",
            "The same key gives the first answer again; with another request it is refused.",
            json!({ "type": "string", "minLength": 1, "maxLength": 255 })),
        "IfMatch": parameter("If-Match", "header", "Refuse unless the stream is at this version, as its ETag said.", json!({ "type": "string" })),
        "DryRun": parameter("dry_run", "query", "Answer the events that would be recorded, and record nothing.", json!({ "type": "boolean" })),
        "Organization": parameter("Palmares-Organization", "header", "The organization to act in; another one than one's own is for platform admins.",
            json!({ "type": "string", "format": "uuid" })),
        "Elevation": parameter(ELEVATION_HEADER, "header", "The elevation that the request uses: the role that it gives, or the user as whom it acts.",
            json!({ "type": "string", "format": "uuid" })),
        "Proof": { "name": PROOF_HEADER, "in": "header", "required": true, "schema": { "type": "string" },
            "description": "The proof that the caller showed a moment ago who they are, as `POST /me/step-up` gives it." },
        "MinPosition": parameter("min_position", "query", "The answer must know everything up to this position.", json!({ "type": "integer", "minimum": 0 })),
        "Prefer": parameter("Prefer", "header", "`wait=<seconds>`: how long to wait for `min_position`, 30 at most.", json!({ "type": "string" })),
    })
}

#[cfg(test)]
mod tests;
