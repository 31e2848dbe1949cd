//! A server whose clock is ahead is one in which people sign in: everything goes by the same clock.

use super::{
    load::read_until,
    world::{Caller, World},
};
use crate::contexts::code;
use palmares::cli::dev::Descriptor;
use reqwest::{Method, header::SET_COOKIE};
use serde_json::{Value, json};

const EMAIL: &str = "ahead@example.test";
const GIVEN: &str = "lantern orbit pebble quartz";
const OWN: &str = "meadow tractor violin glacier";
/// How long a cookie is good, in seconds.
const COOKIE_SECONDS: i64 = 12 * 60 * 60;

#[test]
fn people_sign_in_by_password_and_by_link_where_the_clock_is_ahead() {
    let world = World::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run(world));
}

async fn run(mut world: World) {
    let descriptor = world.descriptor();
    let admin = Caller::new(&world.base_url, &descriptor.tokens.organization_admin);
    let platform = Caller::new(&world.base_url, &descriptor.tokens.platform_admin).in_organization(descriptor.organization_id);
    let user = json!({ "external_ref": "ahead", "role": "member", "email": EMAIL });
    let user = text(&admin.post("/users", user).await, "id");
    platform.post(&format!("/users/{user}/temporary-password"), json!({ "password": GIVEN })).await;
    let door = Caller::new(&world.base_url, "nobody");
    let challenge = text(&door.enter("/auth/signin", credentials(GIVEN)).await, "challenge");
    door.enter("/auth/password", json!({ "challenge": challenge, "password": OWN })).await;
    let before = signed_in(&world, &door.enter("/auth/signin?$jwt=true", credentials(OWN)).await);
    assert_eq!(text(&get(&before, "/me").await, "user_id"), user);

    world.ahead(31);
    read_until(&admin, "/me", |me| me["user_id"].is_string()).await;
    assert_eq!(before.status(Method::GET, "/me", &Value::Null).await, 401, "a month later an access token is over");

    // By password, with tokens: a session is signed in for as long as it would be at any other time.
    let answered = door.enter("/auth/signin?$jwt=true", credentials(OWN)).await;
    let own = signed_in(&world, &answered);
    assert_eq!(text(&get(&own, "/me").await, "user_id"), user);
    let refreshed = door.enter("/auth/refresh", json!({ "refresh_token": answered["refresh_token"] })).await;
    let refreshed = Caller::new(&world.base_url, &text(&refreshed, "access_token"));
    assert_eq!(text(&get(&refreshed, "/me").await, "user_id"), user);

    // What has ended by time alone is shown as ended.
    let shown = |sessions: &Value, status: &str| {
        sessions["items"].as_array().is_some_and(|sessions| sessions.iter().any(|session| session["status"] == status))
    };
    read_until(&own, "/me/sessions", |sessions| shown(sessions, "ACTIVE") && shown(sessions, "EXPIRED")).await;

    // With a cookie.
    let response = door.request(Method::POST, "/auth/signin").json(&credentials(OWN)).send().await.expect("the server answers");
    assert_eq!(response.status(), 200);
    let cookie = response.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok()).expect("a cookie").to_owned();
    let max_age = cookie.split("; ").find_map(|part| part.strip_prefix("Max-Age=")).expect("an age").parse::<i64>().expect("seconds");
    assert!((COOKIE_SECONDS - 60..=COOKIE_SECONDS).contains(&max_age), "{cookie}");

    // By link.
    door.enter("/auth/magic-link", json!({ "organization": "acme", "email": EMAIL })).await;
    let token = link_in_mail(&world).await;
    let own = signed_in(&world, &door.enter("/auth/magic-link/complete", json!({ "token": token, "$jwt": true })).await);
    assert_eq!(text(&get(&own, "/me").await, "user_id"), user);

    // An authenticator knows nothing of it.
    let secret = text(&own.post("/me/mfa/totp", json!({})).await, "secret");
    own.post("/me/mfa/totp/confirm", json!({ "code": code(&secret, 0) })).await;

    // The tokens that it writes down are good by its clock.
    let told = Descriptor::read(&world.data_dir).expect("the system has told where it is");
    let member = Caller::new(&world.base_url, &told.tokens.member);
    assert!(get(&member, "/me").await["user_id"].is_string());
}

fn credentials(password: &str) -> Value {
    json!({ "organization": "acme", "email": EMAIL, "password": password })
}

/// Whoever an answer of a door let in.
fn signed_in(world: &World, answered: &Value) -> Caller {
    assert_eq!(answered["status"], "SIGNED_IN", "{answered}");
    Caller::new(&world.base_url, &text(answered, "access_token"))
}

fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap_or_else(|| panic!("no {member} in {answer}")).to_owned()
}

async fn get(caller: &Caller, path: &str) -> Value {
    let response = caller.request(Method::GET, path).send().await.expect("the server answers");
    assert_eq!(response.status(), 200, "{path}");
    response.json().await.expect("JSON")
}

/// The token of the link, out of the mailbox of the server that runs now.
async fn link_in_mail(world: &World) -> String {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let start = format!("{}/auth/magic-link#token=", world.base_url);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let told = Descriptor::read(&world.data_dir).expect("the system has told where it is");
        let got: Vec<Value> = match http.get(format!("{}/messages", told.mailbox_url)).query(&[("to", EMAIL)]).send().await {
            Ok(got) => got.json().await.expect("mails"),
            Err(error) => vec![error.to_string().into()],
        };
        let lines = got.iter().filter_map(|mail| mail["text"].as_str()).flat_map(str::lines);
        if let Some(token) = lines.filter_map(|line| line.strip_prefix(&start)).next() {
            return token.to_owned();
        }
        assert!(std::time::Instant::now() < deadline, "no link came to {EMAIL}: {got:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
