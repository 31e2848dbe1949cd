//! The generic handler of commands: gate, body, idempotency, execution, answer.

use super::{
    body,
    call::{Answer, Call, apart},
    gate::{Entered, Terms},
    query::require_ids,
    related::Belonging,
    respond,
    route::{BASE, Becomes, Route, Settle, Settled},
    server::Services,
    worded::{language_of, word},
};
use crate::problem::{Problem, Said};
use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
    web::{BytesMut, Payload},
};
use aws_lc_rs::digest;
use futures::StreamExt;
use palmares_commands::{
    engine::{Answer as Outcome, Capability, Receipt, Refused, Rejection},
    identity::AssignRole,
};
use palmares_domain::compliance::access_record::Aim;
use palmares_domain::kernel::{Code, CommandId, Idempotency, OrganizationId, Tenant, UserId, derive_uuid};
use serde_json::{Map, Value};
use std::{future::Future, time::Duration};
use tokio::time::Instant;

/// The header under which a command may be repeated.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const IDEMPOTENCY_KEY_MAX_CHARS: usize = 255;

/// The permission under which roles are given.
const GIVES_ROLES: &str = AssignRole::PERMISSION;

/// How long a client may take to send a body.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// Puts into an operation what its caller cannot know and its execution needs.
pub trait Prepare<O> {
    /// What is made on the way and shown to the caller once, such as the secret of a key. It enters
    /// neither the log nor the stored answer, so whoever repeats the command is not shown it again.
    type Shown;
    /// The field of the first answer that shows it, where there is one.
    const FIELD: Option<&'static str> = None;

    fn prepare(operation: O, tenant: Tenant, services: &Services) -> impl Future<Output = Result<(O, Self::Shown), Problem>>;

    /// The first answer, with what is shown once.
    fn show(_: Self::Shown, _: Tenant, answer: Outcome) -> Outcome {
        answer
    }
}

/// The operation as its caller gave it.
pub struct AsGiven;

impl<O> Prepare<O> for AsGiven {
    type Shown = ();

    async fn prepare(operation: O, _: Tenant, _: &Services) -> Result<(O, ()), Problem> {
        Ok((operation, ()))
    }
}

/// Serves one command.
pub async fn serve<O: Capability, P: Prepare<O>>(call: &mut Call<'_>) -> Answer {
    let services = call.services;
    let Opened { entered, object, terms, took } = apart(open(call, O::PERMISSION)).await?;
    let (tenant, dry_run) = (entered.tenant(), terms.dry_run);
    let (operation, shown) = P::prepare(body::typed(object)?, tenant, services).await?;
    let of = Belonging::of_operation(&operation);
    let started = Instant::now();
    let admitted = services.gate.admit(call, entered, of, terms, operation).await?;
    gate_took(call, took + started.elapsed());
    let mut receipt = services.engine.execute(admitted).await?;
    if !(dry_run || receipt.replayed) {
        receipt.answer = P::show(shown, tenant, receipt.answer);
    }
    apart(close(call, (tenant, of.owner), dry_run, receipt)).await
}

/// A command whose caller is let in, and whose input nobody looked at yet.
struct Opened {
    entered: Entered,
    object: Map<String, Value>,
    terms: Terms,
    /// How long it took to find out who asks.
    took: Duration,
}

async fn open(call: &mut Call<'_>, operation: &'static str) -> Result<Opened, Problem> {
    let started = Instant::now();
    let entered = match call.services.gate.enter(call).await {
        Ok(entered) => entered,
        Err(problem) if GIVES_ROLES == operation => return Err(reaching(call, problem).await),
        Err(problem) => return Err(problem),
    };
    let took = started.elapsed();
    require_ids(call)?;
    let dry_run = dry_run(&call.query())?;
    let object = object(call).await?;
    let idempotency = idempotency(call, &entered, operation, &object)?;
    Ok(Opened { entered, terms: Terms { idempotency, if_match: if_match(call)?, dry_run }, object, took })
}

/// A refusal, with the role that was reached for: who tries to give one is recorded with which. It is the one
/// case in which the body of somebody who is refused is looked at.
async fn reaching(call: &mut Call<'_>, problem: Problem) -> Problem {
    if call.caller.is_none() || problem.code != Code::AccessDenied {
        return problem;
    }
    let role = object(call).await.ok().and_then(|object| object.get("role")?.as_str()?.parse().ok());
    Problem { aim: Some(Box::new(Aim { role, ..Aim::default() })), ..problem }
}

fn gate_took(call: &Call<'_>, took: Duration) {
    metrics::histogram!("palmares_gate_seconds", "route" => call.pattern).record(took.as_secs_f64());
}

/// Answers, once it is done where the caller prefers to wait for that.
async fn close(call: &Call<'_>, (tenant, owner): (Tenant, Option<UserId>), dry_run: bool, mut receipt: Receipt) -> Answer {
    if let (false, Some(settle), Some(patience)) = (dry_run, call.route.settle, call.preferred_wait(call.services.settings.wait_max))
        && let Some(settled) = settled(call, settle, tenant, &receipt, patience).await?
    {
        let mut response = headers(StatusCode::OK, settled.position, settled.version);
        response.insert_header(("Preference-Applied", "wait"));
        return Ok(response.json(settled.answer));
    }
    if call.route.words_rows {
        word(&mut receipt.answer.0, language_of(call).await);
    }
    Ok(answer(&receipt, call.route, owner, dry_run))
}

/// Waits until what was accepted is done, looking again whenever the log grew.
async fn settled(
    call: &Call<'_>,
    settle: Settle,
    tenant: Tenant,
    receipt: &Receipt,
    patience: Duration,
) -> Result<Option<Settled>, Problem> {
    let deadline = Instant::now() + patience;
    let mut head = call.services.head.subscribe();
    loop {
        head.mark_unchanged();
        if let Some(settled) = settle(call.services, tenant, &receipt.answer.0, deadline - Instant::now()).await? {
            return Ok(Some(settled));
        }
        // Past the deadline, or when nobody tells of the head any more, the answer is "accepted".
        if !matches!(tokio::time::timeout_at(deadline, head.changed()).await, Ok(Ok(()))) {
            return Ok(None);
        }
    }
}

/// The body with the parameters of the path put in. An absent body is an empty object.
pub(super) async fn object(call: &mut Call<'_>) -> Result<Map<String, Value>, Problem> {
    let limit = call.route.body_max_bytes.unwrap_or(call.services.settings.body_max_bytes);
    let bytes = match call.payload.take() {
        Some(payload) => match tokio::time::timeout(BODY_PATIENCE, collect(payload, limit)).await {
            Ok(bytes) => bytes?,
            Err(_) => return Err(Problem::invalid_field("", "body_incomplete")),
        },
        None => BytesMut::new(),
    };
    let mut object = if bytes.is_empty() {
        Map::new()
    } else {
        body::require_json(call.request.headers())?;
        body::object(&bytes)?
    };
    body::merge(&mut object, &call.params)?;
    Ok(object)
}

/// Reads no further than the limit, whatever the length that was announced.
async fn collect(mut payload: Payload, limit: usize) -> Result<BytesMut, Problem> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_| Problem::invalid_field("", "body_incomplete"))?;
        if bytes.len() + piece.len() > limit {
            return Err(Problem::new(Code::PayloadTooLarge, "gate.body_too_large"));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// The name under which this command may be repeated, where the caller gave a key.
///
/// The hash covers the operation and the canonical form of its whole input, so that the order of
/// fields and white space do not make two requests of one, and the resource in the path does.
pub(super) fn idempotency(
    call: &Call<'_>,
    entered: &Entered,
    operation: &str,
    input: &Map<String, Value>,
) -> Result<Option<Idempotency>, Problem> {
    let Some(key) = call.request.headers().get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = key.as_bytes();
    if !(1..=IDEMPOTENCY_KEY_MAX_CHARS).contains(&key.len()) || !key.iter().all(u8::is_ascii_graphic) {
        return Err(Problem::invalid_field(IDEMPOTENCY_KEY, "idempotency_key"));
    }
    Ok(Some(Idempotency {
        command_id: command_id(entered.tenant().organization(), (entered.actor(), entered.on_behalf_of()), operation, key),
        request_hash: request_hash(operation, input),
    }))
}

/// A key is its caller's own, be it a person or a program, and apart for each person as whom they act: nobody
/// else who sends it gets their answer.
fn command_id(organization: OrganizationId, caller: (UserId, Option<UserId>), operation: &str, key: &[u8]) -> CommandId {
    let (actor, on_behalf_of) = caller;
    let mut parts = vec![organization.0.as_bytes().as_slice(), actor.0.as_bytes(), operation.as_bytes(), key];
    parts.extend(on_behalf_of.as_ref().map(|other| other.0.as_bytes().as_slice()));
    CommandId(derive_uuid("command", &parts))
}

fn request_hash(operation: &str, input: &Map<String, Value>) -> [u8; 32] {
    let mut text = Vec::from(operation);
    text.push(b'\n');
    body::canonical(&Value::Object(input.clone()), &mut text);
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, &text).as_ref());
    hash
}

/// The one version in `If-Match`, as the `ETag` header gave it.
fn if_match(call: &Call<'_>) -> Result<Option<i64>, Problem> {
    let Some(value) = call.request.headers().get(header::IF_MATCH) else {
        return Ok(None);
    };
    let version = value.to_str().ok().and_then(parse_etag).ok_or_else(|| Problem::invalid_field("If-Match", "etag"))?;
    Ok(Some(version))
}

fn parse_etag(text: &str) -> Option<i64> {
    let digits = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn dry_run(query: &[(String, String)]) -> Result<bool, Problem> {
    let mut dry_run = None;
    for (name, value) in query {
        dry_run = match (name.as_str(), value.as_str()) {
            ("dry_run", _) if dry_run.is_some() => return Err(Problem::invalid_field(name, "duplicate_field")),
            ("dry_run", "true") => Some(true),
            ("dry_run", "false") => Some(false),
            ("dry_run", _) => return Err(Problem::invalid_field(name, "wrong_type")),
            _ => return Err(Problem::invalid_field(name, "unknown_field")),
        };
    }
    Ok(dry_run.unwrap_or(false))
}

fn answer(receipt: &Receipt, route: &Route, owner: Option<UserId>, dry_run: bool) -> HttpResponse {
    let status = match (dry_run, route.becomes) {
        (false, Becomes::Created { .. }) => StatusCode::CREATED,
        (false, Becomes::Accepted { .. }) => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    let mut response = headers(status, receipt.position, receipt.version);
    if let (false, Becomes::Created { under, id_field } | Becomes::Accepted { under, id_field }) = (dry_run, route.becomes)
        && let Some(id) = receipt.answer.0.get(id_field).and_then(Value::as_str)
    {
        let whose = route.located_by.zip(owner).map(|(param, owner)| format!("?{param}={owner}")).unwrap_or_default();
        response.insert_header((header::LOCATION, format!("{BASE}{under}/{id}{whose}")));
    }
    response.json(&receipt.answer)
}

fn headers(status: StatusCode, position: i64, version: i64) -> HttpResponseBuilder {
    let mut response = HttpResponseBuilder::new(status);
    response.insert_header((respond::POSITION, position));
    response.insert_header((header::ETAG, respond::etag(version)));
    response
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused.code {
            // A slip of ours: the caller learns no more than that.
            Code::InternalError => Problem::internal(anyhow::anyhow!(refused)),
            code => Problem {
                errors: refused.errors,
                said: refused.said.map(|said| Box::new(Said(said))),
                attempt: refused.attempt,
                aim: refused.aim,
                ..Problem::new(code, refused.reason)
            },
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Refused(refused) => refused.into(),
            Rejection::PreconditionFailed { .. } => Problem::new(Code::PreconditionFailed, "engine.version_mismatch"),
            Rejection::KeyReused => Problem::new(Code::IdempotencyKeyReused, "engine.idempotency_key_reused"),
            Rejection::Unavailable(reason) => Problem::unavailable(anyhow::anyhow!(reason)),
            Rejection::Internal(cause) => Problem::internal(cause),
        }
    }
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
