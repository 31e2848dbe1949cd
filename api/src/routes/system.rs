//! Routes for everyone: whether the process is well, what it offers, under which keys it signs.

use crate::{
    openapi::describe::public,
    pipeline::{
        Route,
        call::{Answer, Call},
    },
    problem::Problem,
};
use actix_web::{HttpResponse, http::header};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use utoipa_swagger_ui::Config;

pub const ROUTES: &[Route] = &[
    Route::public("/health", |call| Box::pin(health(call)), || public("health", "Whether the process is up.", "application/json")),
    Route::public("/ready", |call| Box::pin(ready(call)), || public("ready", "Whether it can serve.", "application/json")),
    Route::public("/metrics", |call| Box::pin(metrics(call)), || public("metrics", "Figures for Prometheus.", "text/plain")),
    Route::public("/openapi.json", |call| Box::pin(openapi(call)), || public("openapi", "This document.", "application/json")),
    Route::public("/docs", |call| Box::pin(docs(call)), || public("docs", "This document, to read and to try.", "text/html")),
    Route::public("/docs/{*file}", |call| Box::pin(docs(call)), || public("docs_file", "A part of the page above.", "text/html")),
    Route::public(
        "/.well-known/jwks.json",
        |call| Box::pin(jwks(call)),
        || public("jwks", "The keys that verify our tokens (RFC 7517).", "application/jwk-set+json"),
    ),
];

/// How long a dependency may take to say that it is there.
const READY_PATIENCE: Duration = Duration::from_secs(2);

/// The page runs its own scripts and styles, and loads nothing from elsewhere.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'self'; frame-ancestors 'none'";

async fn health(_: &mut Call<'_>) -> Answer {
    Ok(HttpResponse::Ok().json(json!({ "status": "up" })))
}

async fn ready(call: &mut Call<'_>) -> Answer {
    let progress = &call.services.progress;
    let database = matches!(tokio::time::timeout(READY_PATIENCE, progress.database_answers()).await, Ok(true));
    let projections = database && matches!(tokio::time::timeout(READY_PATIENCE, progress.warm()).await, Ok(true));
    let mut response = if database && projections { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    let word = |well| if well { "ready" } else { "not_ready" };
    Ok(response.json(json!({
        "status": word(database && projections),
        "checks": { "database": word(database), "projections": word(projections) },
    })))
}

async fn metrics(call: &mut Call<'_>) -> Answer {
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(call.services.metrics.render()))
}

async fn openapi(call: &mut Call<'_>) -> Answer {
    Ok(HttpResponse::Ok().content_type("application/json").body(call.services.openapi.clone()))
}

async fn jwks(call: &mut Call<'_>) -> Answer {
    let body = call.services.gate.jwks().to_string();
    Ok(HttpResponse::Ok().content_type("application/jwk-set+json").insert_header((header::CACHE_CONTROL, "public, max-age=300")).body(body))
}

async fn docs(call: &mut Call<'_>) -> Answer {
    let file = call.params.first().map_or("index.html", |(_, file)| file.as_str());
    let file = if file.is_empty() { "index.html" } else { file };
    // The validator's badge would be loaded from its own site.
    let config = Arc::new(Config::new(["/openapi.json"]).validator_url("none").persist_authorization(true));
    let served = utoipa_swagger_ui::serve(file, config).map_err(|error| Problem::internal(anyhow::anyhow!("{error}")))?;
    let served = served.ok_or_else(Problem::not_found)?;
    let mut body = served.bytes.into_owned();
    if file == "index.html" {
        // The page names its parts relative to itself, and it is served at `/docs` as well.
        body = String::from_utf8_lossy(&body).replacen("<head>", "<head>\n    <base href=\"/docs/\" />", 1).into_bytes();
    }
    let mut response = HttpResponse::Ok();
    response.content_type(served.content_type).insert_header((header::CONTENT_SECURITY_POLICY, DOCS_POLICY));
    if served.gzpipped {
        response.insert_header(header::ContentEncoding::Gzip);
    }
    Ok(response.body(body))
}
