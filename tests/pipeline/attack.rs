//! Every row of the table that serves, attacked: whoever has no business there is told so, by the
//! right code, and leaves no trace but the record of the refusal.

use crate::support::running::{AUDIENCE, Client, ISSUER, Organization, Reply, fresh_organization, mint, running};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use palmares::{
    pipeline::{
        Environment, Route, TokenKeys,
        keys::generate_pem,
        route::{Kind, Verb},
    },
    routes,
};
use palmares_domain::{
    identity::Role,
    kernel::{OrganizationId, UserId},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// Every row that is for those who are known.
fn guarded() -> impl Iterator<Item = &'static Route> {
    routes::all().filter(|route| !matches!(route.kind, Kind::Public | Kind::Door))
}

/// The path of a row with its parameters filled in; ids of which nobody has heard, where none is given.
fn path(route: &Route, id_of: &dyn Fn(&str) -> Option<String>) -> String {
    let filled = route.path.split('/').map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => id_of(name).unwrap_or_else(|| match name {
            "metric" => "steps".to_owned(),
            "domain" => "acme.example".to_owned(),
            "step" => "domain_configured".to_owned(),
            "name" => "points_balances".to_owned(),
            _ => Uuid::now_v7().to_string(),
        }),
        None => part.to_owned(),
    });
    filled.collect::<Vec<_>>().join("/")
}

async fn attack(client: &Client, route: &Route, path: &str) -> Reply {
    let method = Method::from_bytes(route.verb.name().as_bytes()).expect("a method");
    let request = match route.verb {
        Verb::Get => client.request(method, path),
        _ => client.request(method, path).json(&json!({})),
    };
    Reply::of(request.header("Accept", route.accept.unwrap_or("application/json"))).await
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs()
}

/// The claims of a good token of this user.
fn claims(organization: &Organization) -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": organization.member_id, "org": organization.id, "roles": ["member"],
        "env": "development", "jti": Uuid::now_v7(), "iat": now(), "nbf": now() - 5, "exp": now() + 600,
    })
}

/// Signs claims with the system's own key, as only its owner could.
fn signed(claims: &Value) -> String {
    let body: String = running().pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).expect("a key in PEM");
    jsonwebtoken::encode(&header(), claims, &EncodingKey::from_ed_der(&der)).expect("a token")
}

/// The header of a good token.
fn header() -> Header {
    let keys = TokenKeys::from_pems(ISSUER, AUDIENCE, [running().pem.as_str()]).expect("the key is a key");
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = keys.jwks()["keys"][0]["kid"].as_str().map(str::to_owned);
    header
}

/// Tokens that nobody may use, by what is wrong with them.
fn bad_tokens(organization: &Organization) -> Vec<(&'static str, String)> {
    let with = |name: &str, value: Value| {
        let mut claims = claims(organization);
        claims[name] = value;
        signed(&claims)
    };
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let kid = header().kid;
    let unsigned = format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT", "kid": kid })), part(&claims(organization)));
    let mut confused = Header::new(Algorithm::HS256);
    confused.kid.clone_from(&kid);
    let public =
        TokenKeys::from_pems(ISSUER, AUDIENCE, [running().pem.as_str()]).expect("the key is a key").jwks()["keys"][0]["x"].to_string();
    let confused = jsonwebtoken::encode(&confused, &claims(organization), &EncodingKey::from_secret(public.as_bytes())).expect("a token");
    let stranger = generate_pem().expect("a key");
    let stranger = TokenKeys::from_pems(ISSUER, AUDIENCE, [stranger.as_str()]).expect("a key");
    let user = UserId(organization.member_id.parse().expect("an id"));
    let stranger = stranger.in_environment(Environment::development());
    let foreign = stranger.mint(user, organization.id, [Role::OrganizationAdmin], Duration::from_secs(600)).expect("a token");
    vec![
        ("malformed", "not-a-token".to_owned()),
        ("expired", with("exp", json!(now() - 1))),
        ("not yet valid", with("nbf", json!(now() + 600))),
        ("for another audience", with("aud", json!("elsewhere"))),
        ("of another issuer", with("iss", json!("https://elsewhere.test"))),
        ("of another environment", with("env", json!("production"))),
        ("of a user who does not exist", with("sub", json!(Uuid::now_v7()))),
        ("of an organization that does not exist", with("org", json!(Uuid::now_v7()))),
        ("unsigned", unsigned),
        ("signed with the public key", confused),
        ("signed by a stranger", foreign),
    ]
}

// covers: P-06, P-07, E-253, H-26
#[tokio::test]
async fn nobody_passes_without_a_token() {
    let organization = fresh_organization().await;
    let before = organization.domain_events().await;
    let nobody = Client::anonymous();
    for route in guarded() {
        let path = path(route, &|_| None);
        let refused = attack(&nobody, route, &path).await;
        assert_eq!(refused.status, 401, "{} {path}: {}", route.verb.name(), refused.body);
        let refused = refused.refused(401, "AUTHENTICATION_FAILED");
        assert_eq!((refused.body["reason"].as_str(), refused.header("www-authenticate")), (Some("gate.token_missing"), "Bearer"));
    }
    assert_eq!(organization.domain_events().await, before);
}

// covers: P-35, P-23
#[tokio::test]
async fn nobody_passes_with_a_bad_token() {
    let organization = fresh_organization().await;
    let before = organization.domain_events().await;
    let good = organization.admin.with_token(&signed(&claims(&organization)));
    good.get("/points/programs").await.expect(200);
    // A role that its holder does not have is worth nothing, whatever the token says.
    let mut inflated = claims(&organization);
    inflated["roles"] = json!(["organization_admin", "platform_admin"]);
    let inflated = organization.admin.with_token(&signed(&inflated));
    inflated.get("/points/programs").await.refused(403, "ACCESS_DENIED");
    for (fault, token) in bad_tokens(&organization) {
        let client = organization.admin.with_token(&token);
        for route in guarded() {
            let path = path(route, &|_| None);
            let refused = attack(&client, route, &path).await;
            assert_eq!(refused.status, 401, "a token {fault} at {} {path}: {}", route.verb.name(), refused.body);
            refused.refused(401, "AUTHENTICATION_FAILED");
        }
    }
    assert_eq!(organization.domain_events().await, before);
}

// covers: H-24, H-27
#[tokio::test]
async fn what_a_token_tells_beside_what_it_is_good_for_gives_nothing() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    let mut told = claims(&organization);
    for (claim, lie) in [("tenantRole", json!("organization_admin")), ("role", json!("platform_admin")), ("tenantId", json!(other.id))] {
        told[claim] = lie;
    }
    (told["org_slug"], told["email"], told["email_verified"]) = (json!(other.slug), json!("admin@acme.example"), json!(true));
    let client = organization.admin.with_token(&signed(&told));
    let me = client.get("/me").await.expect(200).body;
    assert_eq!((&me["organization_id"], &me["roles"], &me["email"]), (&json!(organization.id), &json!(["member"]), &Value::Null));
    client.get("/users").await.refused(403, "ACCESS_DENIED");
    client.in_organization(other.id).get("/me").await.refused(403, "TENANT_MISMATCH");
}

#[tokio::test]
async fn a_token_outside_of_its_header_is_no_token() {
    let organization = fresh_organization().await;
    let token = organization.admin.token().to_owned();
    let anonymous = Client::anonymous();
    for scheme in ["Basic", "bearer:", "Token"] {
        let request = anonymous.request(Method::GET, "/users").header("Authorization", format!("{scheme} {token}"));
        Reply::of(request).await.refused(401, "AUTHENTICATION_FAILED");
    }
    let request = anonymous.request(Method::GET, &format!("/users?access_token={token}")).header("Cookie", format!("token={token}"));
    Reply::of(request).await.refused(401, "AUTHENTICATION_FAILED");
}

// covers: W-01, H-17, E-07, E-45, P-36, E-20
#[tokio::test]
async fn nobody_acts_in_another_organization() {
    let (own, other) = (fresh_organization().await, fresh_organization().await);
    let before = other.domain_events().await;
    for caller in [&own.admin, &own.officer, &own.analyst, &own.member] {
        let intruder = caller.in_organization(other.id);
        for route in guarded() {
            let path = path(route, &|name| (name == "organization_id").then(|| other.id.to_string()));
            let refused = attack(&intruder, route, &path).await;
            assert_eq!(refused.status, 403, "{} {path}: {}", route.verb.name(), refused.body);
            refused.refused(403, "TENANT_MISMATCH");
        }
    }
    // A token that names the other organization needs a user there.
    let disguised = own.admin.with_token(&mint(&own.member_id, other.id, Role::OrganizationAdmin));
    disguised.get("/users").await.refused(401, "AUTHENTICATION_FAILED");
    assert_eq!(other.domain_events().await, before);
}

/// What belongs to one organization, by the names of the parameters that take it.
async fn belongings(organization: &Organization) -> impl Fn(&str) -> Option<String> {
    let program = organization.program().await;
    let body = json!({ "program_id": program, "user_id": organization.member_id, "amount": 50 });
    organization.admin.post_with("/points/credits", &body, &[("Prefer", "wait=30")]).await.expect(200);
    let hold = json!({ "program_id": program, "user_id": organization.member_id, "amount": 10 });
    let hold = organization.admin.post("/points/holds", &hold).await.expect(201);
    let (hold, position) = (hold.id("transaction_id"), hold.position());
    organization.admin.get_at(&format!("/points/transactions/{hold}"), position).await.expect(200);
    let invite = json!({ "email": "invited@acme.example", "role": "member" });
    let invitation = organization.admin.post(&format!("/organizations/{}/invitations", organization.id), &invite).await.expect(201);
    organization.admin.get_at("/invitations", invitation.position()).await.expect(200);
    let invitation = invitation.id("id");
    let user = organization.member_id.clone();
    let team = organization.admin.post("/teams", &json!({ "name": "Sales", "owner_id": user })).await.expect(201);
    organization.admin.get_at("/teams", team.position()).await.expect(200);
    let team = team.id("id");
    move |name: &str| match name {
        "team_id" => Some(team.clone()),
        "invitation_id" => Some(invitation.clone()),
        "user_id" => Some(user.clone()),
        "program_id" => Some(program.clone()),
        "hold_id" | "transaction_id" => Some(hold.clone()),
        _ => None,
    }
}

// covers: E-88, E-89, E-211, H-18, H-19
#[tokio::test]
async fn ids_of_another_organization_name_nothing() {
    let (own, other) = (fresh_organization().await, fresh_organization().await);
    let foreign = belongings(&other).await;
    let mine = belongings(&own).await;
    let (before, own_before) = (other.domain_events().await, own.domain_events().await);
    let named = |route: &&Route| {
        ["{user_id}", "{program_id}", "{hold_id}", "{transaction_id}", "{invitation_id}", "{team_id}"]
            .iter()
            .any(|name| route.path.contains(name))
    };
    for route in guarded().filter(named) {
        let path = path(route, &|name| if name == "organization_id" { Some(own.id.to_string()) } else { foreign(name) });
        let body = match route.path {
            "/points/programs/{program_id}/rules" => json!({ "kind": "expiry", "expires_after_days": 1, "effective_from": "2000-01-01" }),
            path if path.starts_with("/points/accounts/") => json!({ "program_id": mine("program_id") }),
            _ => json!({}),
        };
        // What an administrator may not do, an officer does.
        let caller = if route.path == "/legal-holds/{hold_id}/release" { &own.officer } else { &own.admin };
        let answer = match route.verb {
            Verb::Get => caller.get(&path).await,
            verb => caller.send(verb.name(), &path, &body).await,
        };
        // Lists about a user that is not there are empty, as they are for one of whom nothing is known.
        match (route.verb, answer.status) {
            (Verb::Get, 200) => assert!(is_empty(&answer.body), "GET {path} gave {}", answer.body),
            (_, 404 | 422) => {}
            (verb, status) => panic!("{} {path} answered {status}: {}", verb.name(), answer.body),
        }
    }
    assert_eq!(other.domain_events().await, before);
    assert_eq!(own.domain_events().await, own_before);
}

/// Whether an answer holds nothing of anyone.
fn is_empty(body: &Value) -> bool {
    ["items", "totals", "neighbours"].iter().all(|list| body[list].as_array().is_none_or(Vec::is_empty))
        && ["score", "posted"].iter().all(|figure| body[figure].as_i64().unwrap_or(0) == 0)
        && body["external_ref"].is_null()
}

// covers: E-88, W-01
#[tokio::test]
async fn ids_of_another_organization_in_a_body_name_nothing() {
    let (own, other) = (fresh_organization().await, fresh_organization().await);
    let (foreign, mine) = (belongings(&other).await, belongings(&own).await);
    let (before, own_before) = (other.domain_events().await, own.domain_events().await);
    let (user, program) = (foreign("user_id"), mine("program_id"));
    for path in ["/points/credits", "/points/debits", "/points/holds"] {
        let body = json!({ "program_id": program, "user_id": user, "amount": 1 });
        own.admin.post(path, &body).await.refused(422, "VALIDATION_ERROR");
        let body = json!({ "program_id": foreign("program_id"), "user_id": mine("user_id"), "amount": 1 });
        own.admin.post(path, &body).await.refused(422, "VALIDATION_ERROR");
    }
    let transfer = json!({ "program_id": program, "from_user_id": mine("user_id"), "to_user_id": user, "amount": 1 });
    own.admin.post("/points/transfers", &transfer).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(other.domain_events().await, before);
    assert_eq!(own.domain_events().await, own_before);
}

// covers: E-62, E-64, E-237, E-291
#[tokio::test]
async fn a_member_does_nothing_but_what_is_a_members() {
    let organization = fresh_organization().await;
    let before = organization.domain_events().await;
    let theirs = [
        "/me",
        "/legal-documents",
        "/elevations",
        "/users/{user_id}",
        "/leaderboards",
        "/points/programs",
        "/points/transfers",
        "/activities",
    ];
    for route in guarded() {
        let open = match route.verb {
            Verb::Get => theirs.iter().any(|start| route.path.starts_with(start)),
            _ => {
                let own = [
                    "/me",
                    "/points/transfers",
                    "/activities",
                    "/users/{user_id}/request-deletion",
                    "/users/{user_id}/sessions",
                    "/users/{user_id}/identities",
                    "/authz/",
                ];
                own.iter().any(|start| route.path.starts_with(start))
            }
        };
        // What is one's own to ask for, to show, to read and to take back looks elsewhere as if it were not there.
        let leaving = [
            "identity.user.delete",
            "identity.user.cancel_deletion",
            "compliance.deletion_request.read",
            "compliance.deletion_request.verify",
        ];
        if open || leaving.iter().any(|own| route.permission == Some(own)) {
            continue;
        }
        // Anyone may ask for more and use what was approved; an elevation of which nobody has heard is none of theirs.
        let asks = ["request", "withdraw", "start", "end"].map(|verb| format!("identity.elevation.{verb}"));
        if asks.iter().any(|ask| route.permission == Some(ask)) {
            continue;
        }
        // Everyone agrees and asks for themselves; what names somebody else looks as if it were not there.
        let own = ["consent.give", "consent.revoke", "consent.read", "subject_request.receive", "subject_request.read"];
        if own.iter().any(|own| route.permission.and_then(|needed| needed.strip_prefix("compliance.")) == Some(*own)) {
            continue;
        }
        // What somebody may in a team depends on the team; one that is not theirs looks as if it were not there.
        let in_team = |needed: &str| needed == "recognition.team.read" || needed.starts_with("recognition.member.");
        if route.permission.is_some_and(in_team) {
            continue;
        }
        let path = path(route, &|name| (name == "organization_id").then(|| organization.id.to_string()));
        let refused = attack(&organization.member, route, &path).await;
        assert_eq!(refused.status, 403, "{} {path}: {}", route.verb.name(), refused.body);
        refused.refused(403, "ACCESS_DENIED");
    }
    assert_eq!(organization.domain_events().await, before);
}

// covers: E-25, E-38, W-41
#[tokio::test]
async fn a_suspended_user_and_a_suspended_organization_are_out_at_once() {
    let organization = fresh_organization().await;
    organization.member.get("/leaderboards/steps").await.expect(200);
    let suspend = format!("/users/{}/suspend", organization.member_id);
    organization.admin.post(&suspend, &json!({})).await.expect(200);
    organization.member.get("/leaderboards/steps").await.refused(401, "AUTHENTICATION_FAILED");

    let platform = organization.admin.with_token(&running().descriptor.tokens.platform_admin);
    platform.post(&format!("/organizations/{}/suspend", organization.id), &json!({})).await.expect(200);
    organization.admin.get("/users").await.refused(403, "ACCESS_DENIED");
    platform.post(&format!("/organizations/{}/resume", organization.id), &json!({})).await.expect(200);
    organization.admin.get("/users").await.expect(200);
}

// covers: E-24, E-222, E-65, H-11, H-86, H-89
#[tokio::test]
async fn nobody_but_the_platform_makes_organizations() {
    let organization = fresh_organization().await;
    let body = json!({ "name": "Mine", "slug": format!("mine-{}", Uuid::now_v7().simple()) });
    for caller in [&organization.admin, &organization.officer, &organization.analyst, &organization.member] {
        caller.post("/organizations", &body).await.refused(403, "ACCESS_DENIED");
    }
    // The role alone, in an organization that is not the platform's, gives nothing.
    let pretender = organization.admin.with_token(&mint(&organization.member_id, organization.id, Role::PlatformAdmin));
    pretender.post("/organizations", &body).await.refused(403, "ACCESS_DENIED");
    let request = pretender.in_organization(OrganizationId::PLATFORM);
    request.get("/users").await.refused(403, "TENANT_MISMATCH");
}
