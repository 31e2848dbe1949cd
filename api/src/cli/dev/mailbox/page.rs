//! The page of caught mails and text messages, the same as JSON for tests and tools, and where texts are handed in.
//!
//! A server of its own, on loopback: `palmares serve` knows nothing of it, so that no setting can bring
//! it into production.

use super::caught::{Caught, Mail};
use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::Server,
    http::{Method, StatusCode, header},
    web,
};
use minijinja::{Environment, context};
use serde::Deserialize;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};
use uuid::Uuid;

/// Nothing is fetched and nothing runs, in the mails neither: their frame inherits it. Mails bring
/// their styles along.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Where texts are handed in.
pub(super) const TEXTS: &str = "/texts";

const PAGE: &str = include_str!("page.html");

/// Starts to serve on a free port.
pub(super) fn serve(caught: Arc<Caught>, secret: Arc<str>) -> io::Result<(SocketAddr, Server)> {
    let secret = Secret(secret);
    #[expect(clippy::disallowed_methods, reason = "a server of its own, of which the one that serves people knows nothing")]
    let server = HttpServer::new(move || {
        App::new().app_data(web::Data::from(caught.clone())).app_data(web::Data::new(secret.clone())).default_service(web::to(answer))
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(1)
    .bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = server.addrs().first().copied().ok_or_else(|| io::Error::other("no address"))?;
    Ok((address, server.run()))
}

#[derive(Deserialize)]
struct Filter {
    to: Option<String>,
}

/// By which the system is known that hands texts in.
#[derive(Clone)]
struct Secret(Arc<str>);

/// A text as gateways take it.
#[derive(Deserialize)]
struct Text {
    id: Uuid,
    to: String,
    text: String,
}

fn take(request: &HttpRequest, secret: &Secret, caught: &Caught, body: &[u8]) -> HttpResponse {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given.and_then(|given| given.strip_prefix("Bearer ")) != Some(&*secret.0) {
        return plain(StatusCode::UNAUTHORIZED, "whoever hands texts in says the secret");
    }
    match serde_json::from_slice::<Text>(body) {
        Ok(Text { id, to, text }) => {
            caught.keep_text(id, to, text);
            plain(StatusCode::ACCEPTED, "caught")
        }
        Err(_) => plain(StatusCode::UNPROCESSABLE_ENTITY, "a text has id, to and text"),
    }
}

async fn answer(request: HttpRequest, body: web::Bytes, caught: web::Data<Caught>, secret: web::Data<Secret>) -> HttpResponse {
    // A page elsewhere could have its own name lead here, and read links that sign people in.
    if !names_loopback(&request) {
        return plain(StatusCode::MISDIRECTED_REQUEST, "ask by the address of this machine");
    }
    if request.method() == Method::POST && request.path() == TEXTS {
        return take(&request, &secret, &caught, &body);
    }
    if request.method() != Method::GET {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "there is only to read here");
    }
    let to = web::Query::<Filter>::from_query(request.query_string()).ok().and_then(|filter| filter.into_inner().to);
    match request.path() {
        "/" => page(caught.to(to.as_deref()), None),
        "/messages" => dressed(StatusCode::OK).json(caught.to(to.as_deref())),
        path => match path.strip_prefix("/messages/").and_then(|id| Uuid::try_parse(id).ok()).and_then(|id| caught.find(id)) {
            Some(mail) => page(caught.to(None), Some(&mail)),
            None => plain(StatusCode::NOT_FOUND, "there is no such mail"),
        },
    }
}

fn names_loopback(request: &HttpRequest) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn page(mails: Vec<Arc<Mail>>, shown: Option<&Mail>) -> HttpResponse {
    match render(&mails, shown) {
        Ok(html) => dressed(StatusCode::OK).content_type("text/html; charset=utf-8").body(html),
        Err(error) => {
            tracing::warn!(%error, "the page of the mailbox cannot be shown");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be shown")
        }
    }
}

fn render(mails: &[Arc<Mail>], shown: Option<&Mail>) -> Result<String, minijinja::Error> {
    let mails: Vec<_> = mails.iter().map(|mail| entry(mail)).collect();
    let html = shown.and_then(|mail| mail.html.as_deref()).map(framed);
    // Links that stand on a line of their own can be followed.
    let lines = shown.map(|mail| mail.text.lines()).into_iter().flatten();
    let lines: Vec<_> = lines.map(|line| context! { text => line, link => is_link(line) }).collect();
    let mut environment = Environment::new();
    environment.add_template("page.html", PAGE)?;
    environment.get_template("page.html")?.render(context! { mails, shown => shown.map(entry), html, lines })
}

fn entry(mail: &Mail) -> minijinja::Value {
    let time = mail.received_at.format("%H:%M:%S UTC").to_string();
    context! { id => mail.id.to_string(), to => mail.to.join(", "), from => &mail.from, subject => &mail.subject, time }
}

fn is_link(line: &str) -> bool {
    (line.starts_with("http://") || line.starts_with("https://")) && !line.contains(char::is_whitespace)
}

/// The page of a mail, with its links leading to a window of their own: the frame may not navigate.
fn framed(html: &str) -> String {
    html.replacen("<head>", "<head><base target=\"_blank\">", 1)
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse {
    dressed(status).content_type("text/plain; charset=utf-8").body(text)
}

fn dressed(status: StatusCode) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    response
}
