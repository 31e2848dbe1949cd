//! The third lock: every row of the very table that serves is attacked over HTTP, with the server
//! as it runs and only the ports behind the gate replaced. Nothing behind them is ever reached.

mod callers;

use super::keys::{Ed25519Key, generate_pem};
use super::testing::{House, Rules, house};
use crate::{
    pipeline::{
        Elevated, Program, Shown, Standing,
        api_key::{API_KEY_HEADER, ApiKeyText},
        decision::{Circumstances, DecisionPoint, Question, Verdict},
        elevated::ELEVATION_HEADER,
        route::{Kind, Route, Verb},
        session_secret::{CSRF_HEADER, CookieSecret, SESSION_COOKIE, SessionName, digest_of, fresh_half},
        settings::{Allowance, RateLimits},
    },
    routes,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use palmares_domain::{
    identity::{
        HeldRole, Rights, Role,
        api_key::{Quota, QuotaPeriod},
    },
    kernel::{ApiKeyId, Digest, ElevationId, OrganizationId, RoleId, SessionId, UserId},
};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::{
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
const GLOBEX: OrganizationId = OrganizationId(Uuid::from_u128(2));
const NOWHERE: OrganizationId = OrganizationId(Uuid::from_u128(3));
const ANN: UserId = UserId(Uuid::from_u128(11));
const SUSPENDED: UserId = UserId(Uuid::from_u128(12));
const STRANGER: UserId = UserId(Uuid::from_u128(13));
const STRANDED: UserId = UserId(Uuid::from_u128(14));
const LIVE: SessionId = SessionId(Uuid::from_u128(21));
const ENDED: SessionId = SessionId(Uuid::from_u128(22));
/// Goes on, and was started with a password alone.
const ONE_FACTOR: SessionId = SessionId(Uuid::from_u128(23));
/// It began before its organization asked everyone for a second factor.
const TOO_LITTLE: SessionId = SessionId(Uuid::from_u128(24));
const BOB: UserId = UserId(Uuid::from_u128(16));
/// An elevation by which anyone acts as Bob, who may everything in Acme.
const AS_BOB: ElevationId = ElevationId(Uuid::from_u128(21));
/// Has not agreed to what is required.
const OWING: UserId = UserId(Uuid::from_u128(18));
const ROOT: UserId = UserId(Uuid::from_u128(15));

fn rules() -> Rules {
    Rules {
        standing: |_, user| match user {
            SUSPENDED => Standing::UserSuspended,
            STRANGER => Standing::Unknown,
            STRANDED => Standing::OrganizationSuspended,
            // What the token may be used with is then what counts.
            _ => Standing::Active(Rights::built_in(Role::ALL)),
        },
        signed_in: |session| match session {
            LIVE => Some(Shown::TwoFactors),
            ONE_FACTOR => Some(Shown::OneFactor),
            TOO_LITTLE => Some(Shown::TooLittle),
            _ => None,
        },
        owes_consent: |user| user == OWING,
        program,
        elevation: |elevation| (elevation == AS_BOB).then(|| Elevated::ActingAs(BOB, Rights::built_in([Role::OrganizationAdmin]))),
        exists: |organization| organization != NOWHERE,
    }
}

const KEY: ApiKeyId = ApiKeyId(Uuid::from_u128(31));
const STRANDED_KEY: ApiKeyId = ApiKeyId(Uuid::from_u128(32));
const BUSY_KEY: ApiKeyId = ApiKeyId(Uuid::from_u128(33));
const SECRET: [u8; 32] = [7; 32];

/// Keys that read users, each with the same secret.
fn program(key: ApiKeyId, secret: Digest) -> Option<Program> {
    let grants = ["identity.user".parse().unwrap()].into();
    let active = Standing::Active(Rights::new([HeldRole::custom(RoleId(key.0), grants)]));
    let quota = |requests| Quota { requests, per: QuotaPeriod::Day };
    let program = match key {
        KEY => Program { standing: active, quota: quota(1_000_000) },
        STRANDED_KEY => Program { standing: Standing::OrganizationSuspended, quota: quota(1) },
        BUSY_KEY => Program { standing: active, quota: quota(2) },
        _ => return None,
    };
    (secret == digest_of(&SECRET.into())).then_some(program)
}

fn key(key: ApiKeyId, secret: [u8; 32]) -> String {
    ApiKeyText::new(ACME, key, secret.into()).text()
}

fn gated() -> impl Iterator<Item = &'static Route> {
    routes::all().filter(|route| route.permission.is_some())
}

/// The path with something in every parameter, a parameter of this name holding `value`.
fn path(route: &Route, name: &str, value: &str) -> String {
    let part = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(param) if param == name => value.to_owned(),
        Some("organization_id") => ACME.to_string(),
        Some(param) if param.ends_with("_id") => Uuid::from_u128(99).to_string(),
        Some("domain") => "acme.example".to_owned(),
        Some("step") => "domain_configured".to_owned(),
        Some(_) => "steps".to_owned(),
        None => part.to_owned(),
    };
    route.pattern().split('/').map(part).collect::<Vec<_>>().join("/")
}

fn request(house: &House, route: &Route, path: &str) -> RequestBuilder {
    let method = Method::from_bytes(route.verb.name().as_bytes()).unwrap();
    let request = house.client.request(method, format!("http://{}{path}", house.address));
    match route.accept {
        Some(media_type) => request.header("Accept", media_type),
        None => request,
    }
}

fn token(house: &House, user: UserId, organization: OrganizationId, roles: &[Role]) -> String {
    house.tokens.mint(user, organization, roles, Duration::from_secs(60)).unwrap()
}

/// May do everything in Acme that anyone there may.
fn admin(house: &House) -> String {
    token(house, ANN, ACME, &[Role::OrganizationAdmin, Role::Member])
}

/// May do everything.
fn root(house: &House) -> String {
    token(house, ROOT, OrganizationId::PLATFORM, &[Role::PlatformAdmin])
}

async fn expect(case: &str, route: &Route, request: RequestBuilder, status: u16, code: &str) -> Value {
    let response = request.send().await.unwrap();
    let named = format!("{case}: {} {}", route.verb.name(), route.pattern());
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{named}");
    let (got, id) = (response.status(), response.headers()["palmares-request-id"].to_str().unwrap().to_owned());
    let body: Value = response.json().await.unwrap();
    assert_eq!((got, body["code"].as_str()), (StatusCode::from_u16(status).unwrap(), Some(code)), "{named}: {body}");
    assert_eq!(body["request_id"], id, "{named}");
    body
}

/// Tokens that must open nothing.
fn bad_tokens(house: &House) -> Vec<(&'static str, String)> {
    let key = Ed25519Key::from_pem(&house.pem).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": house.issuer, "aud": house.audience, "sub": ANN, "org": ACME, "roles": ["organization_admin"], "env": "production",
        "jti": Uuid::from_u128(7), "iat": now, "nbf": now, "exp": now + 60,
    });
    let sign = |pem: &str, claims: &Value| {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key.id());
        let signer = Ed25519Key::from_pem(pem).unwrap();
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(signer.private_der().unwrap())).unwrap()
    };
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        sign(&house.pem, &claims)
    };
    let mut hmac = Header::new(Algorithm::HS256);
    hmac.kid = Some(key.id());
    let unsigned = json!({"alg": "none", "kid": key.id()}).to_string();
    vec![
        ("malformed", "not.a.token".to_owned()),
        ("expired", with("exp", json!(now - 1))),
        ("not yet valid", with("nbf", json!(now + 600))),
        ("for another audience", with("aud", json!("elsewhere"))),
        ("from another issuer", with("iss", json!("elsewhere"))),
        ("of another environment", with("env", json!("staging"))),
        ("signed by another key", sign(&generate_pem().unwrap(), &claims)),
        ("HMAC under the public key", jsonwebtoken::encode(&hmac, &claims, &EncodingKey::from_secret(key.public())).unwrap()),
        ("unsigned", format!("{}.{}.", URL_SAFE_NO_PAD.encode(unsigned), URL_SAFE_NO_PAD.encode(claims.to_string()))),
        ("of a user who is not there", token(house, STRANGER, ACME, &[Role::OrganizationAdmin])),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_enters_without_a_name() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    let tokens = bad_tokens(&house);
    for route in gated() {
        let path = path(route, "", "");
        expect("no token", route, request(&house, route, &path), 401, "AUTHENTICATION_FAILED").await;
        let basic = request(&house, route, &path).basic_auth("ann", Some("secret"));
        expect("another scheme", route, basic, 401, "AUTHENTICATION_FAILED").await;
        for (case, token) in &tokens {
            expect(case, route, request(&house, route, &path).bearer_auth(token), 401, "AUTHENTICATION_FAILED").await;
        }
    }
    assert!(house.refusals().is_empty(), "a stranger's refusal was recorded as an event");
    assert!(house.reads().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_suspended_is_refused_and_remembered() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    let roles = [Role::OrganizationAdmin];
    for route in gated() {
        let path = path(route, "", "");
        let suspended = request(&house, route, &path).bearer_auth(token(&house, SUSPENDED, ACME, &roles));
        expect("suspended user", route, suspended, 401, "AUTHENTICATION_FAILED").await;
        let stranded = request(&house, route, &path).bearer_auth(token(&house, STRANDED, ACME, &roles));
        let body = expect("suspended organization", route, stranded, 403, "ACCESS_DENIED").await;
        assert_eq!(body["reason"], "gate.organization_suspended");
    }
    assert_eq!(house.refusals().len(), 2 * gated().count());
    assert!(house.refusals().iter().all(|refusal| refusal.policies.is_empty()), "nobody asked a policy yet");
}

/// covers: E-278
#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_yet_to_agree_reads_what_they_are_asked_and_nothing_else() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    let mut let_in = Vec::new();
    for route in gated() {
        let path = path(route, "user_id", &OWING.to_string());
        let asked = request(&house, route, &path).bearer_auth(token(&house, OWING, ACME, &[Role::OrganizationAdmin]));
        if route.before_consent {
            let body = asked.send().await.unwrap().text().await.unwrap_or_default();
            assert!(!body.contains("compliance.consent_required"), "{}", route.path);
            let_in.push(format!("{} {}", route.verb.name(), route.path));
        } else {
            let body = expect("who owes a consent", route, asked, 403, "ACCESS_DENIED").await;
            assert_eq!(body["reason"], "compliance.consent_required", "{}", route.path);
        }
    }
    let_in.sort_unstable();
    insta::assert_debug_snapshot!("before_consent", let_in);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_acts_in_another_organization() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    for route in gated() {
        let own = path(route, "", "");
        for other in [GLOBEX, NOWHERE] {
            let named = request(&house, route, &own).bearer_auth(admin(&house)).header("Palmares-Organization", other.to_string());
            let by_header = expect("another organization by header", route, named, 403, "TENANT_MISMATCH").await;
            assert_eq!(by_header["reason"], "gate.tenant_mismatch");
            if route.path.contains("{organization_id}") {
                let named = request(&house, route, &path(route, "organization_id", &other.to_string())).bearer_auth(admin(&house));
                expect("another organization in the path", route, named, 403, "TENANT_MISMATCH").await;
            }
        }
        let nowhere = request(&house, route, &own.replace(&ACME.to_string(), &NOWHERE.to_string()));
        let nowhere = nowhere.bearer_auth(root(&house)).header("Palmares-Organization", NOWHERE.to_string());
        expect("an organization that is not there", route, nowhere, 404, "RESOURCE_NOT_FOUND").await;
    }
    assert!(house.refusals().iter().all(|refusal| refusal.access.organization == ACME), "a refusal stands in a foreign log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_does_not_permit_is_refused_before_the_body_is_read() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    let nobody = token(&house, ANN, ACME, &[]);
    let fallen = token(&house, ANN, ACME, &[Role::PlatformAdmin, Role::OrganizationAdmin]);
    let mut own = 0;
    for route in gated() {
        let needed = route.permission.unwrap();
        // With what is their own, and in a team of theirs, people need no role for it.
        let of_ones_own = is_of_ones_own(needed) || is_of_ones_team(needed);
        own += usize::from(of_ones_own);
        let without = match needed {
            // Few roles release holds, whoever else is granted it.
            "compliance.legal_hold.release" => "platform.legal_hold_release@",
            needed if Role::PLATFORM_ONLY.contains(&needed) => "platform.platform_only@",
            _ => "default_deny@",
        };
        let cases =
            [("no role", &nobody, without), ("a platform role outside the platform", &fallen, "platform.platform_role_at_home_only@")];
        for (case, token, policy) in cases.into_iter().skip(usize::from(of_ones_own)) {
            let request = request(&house, route, &path(route, "", "")).bearer_auth(token).body("not json");
            expect(case, route, request, 403, "ACCESS_DENIED").await;
            let mut refused = house.refusals().pop().unwrap().policies;
            // What is recorded of somebody is kept even from those who have no right at all.
            refused.retain(|policy| needed != "challenges.activity.read" || !policy.starts_with("platform.wellness_records@"));
            assert!(matches!(refused.as_slice(), [only] if only.starts_with(policy)), "{case}: {refused:?} refused");
        }
    }
    assert_eq!(house.refusals().len(), 2 * gated().count() - own);
}

/// Whether a permission is one that people have over what is their own, whatever their roles.
fn is_of_ones_own(permission: &'static str) -> bool {
    is_permitted(permission, Some(ANN), Circumstances::default())
}

/// Whether a permission is one that people have in teams, whatever their roles: which team it is, the request tells.
fn is_of_ones_team(permission: &'static str) -> bool {
    is_permitted(permission, None, Circumstances { relations: &["team_owner"], ..Circumstances::default() })
}

fn is_permitted(permission: &'static str, owner: Option<UserId>, circumstances: Circumstances<'_>) -> bool {
    static POINT: LazyLock<DecisionPoint> = LazyLock::new(|| DecisionPoint::new(gated().filter_map(|route| route.permission)).unwrap());
    let rights = Rights::default();
    let question = Question { principal: ANN, home: ACME, rights: &rights, permission, organization: ACME, owner, circumstances };
    matches!(POINT.decide(&question), Verdict::Permit(_))
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_are_refused_by_name() {
    let house = house(RateLimits::with_ip_requests(u32::MAX), rules());
    let root = root(&house);
    for route in gated() {
        let plain = path(route, "", "");
        let start = |path: &str| request(&house, route, path).bearer_auth(&root);
        for id in route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).filter(|name| name.ends_with("_id")) {
            for wrong in ["1", "not-an-id", "..%2F..", "00000000-0000-0000-0000-00000000000g"] {
                expect("an id that is none", route, start(&path(route, id, wrong)), 404, "RESOURCE_NOT_FOUND").await;
            }
        }
        let unknown = expect("unknown parameter", route, start(&format!("{plain}?shoe_size=43")), 422, "VALIDATION_ERROR").await;
        assert_eq!((&unknown["errors"][0]["field"], &unknown["errors"][0]["reason"]), (&json!("shoe_size"), &json!("unknown_field")));
        if route.verb == Verb::Get {
            continue;
        }
        let json = |body: &str| start(&plain).header("Content-Type", "application/json").body(body.to_owned());
        for (case, body, reason) in [
            ("half an object", "{", "malformed_json"),
            ("a list", "[]", "not_an_object"),
            ("an unknown field", r#"{"shoe_size": 43}"#, "unknown_field"),
            ("a field twice", r#"{"a": 1, "a": 1}"#, "duplicate_field"),
        ] {
            let body = expect(case, route, json(body), 422, "VALIDATION_ERROR").await;
            assert_eq!(body["errors"][0]["reason"], reason, "{case}: {} {body}", route.pattern());
        }
        let form = start(&plain).header("Content-Type", "text/plain").body("{}");
        expect("not declared as JSON", route, form, 422, "VALIDATION_ERROR").await;
        let limit = route.body_max_bytes.unwrap_or(1024 * 1024);
        let large = json(&format!(r#"{{"a": "{}"}}"#, "x".repeat(limit)));
        expect("too large", route, large, 413, "PAYLOAD_TOO_LARGE").await;
        if route.kind == Kind::Command {
            expect("a key with a space", route, json("{}").header("Idempotency-Key", "a b"), 422, "VALIDATION_ERROR").await;
            expect("a key too long", route, json("{}").header("Idempotency-Key", "k".repeat(256)), 422, "VALIDATION_ERROR").await;
            expect("a weak version", route, json("{}").header("If-Match", "W/\"1\""), 422, "VALIDATION_ERROR").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_too_often_is_told_to_wait() {
    let mut limits = RateLimits::with_ip_requests(u32::MAX);
    let once = Allowance::new(1, Duration::from_secs(300));
    limits.user.read = once;
    limits.user.write = once;
    limits.user.bulk = once;
    limits.user.export = once;
    let house = house(limits, rules());
    for (index, route) in gated().enumerate() {
        // A user of its own for each row, since rows of one class share an allowance; with a role of the platform
        // that is worth nothing here, so that the first request ends at the policy.
        let token = token(&house, UserId(Uuid::from_u128(1_000 + index as u128)), ACME, &[Role::PlatformAdmin]);
        let path = path(route, "", "");
        expect("the first", route, request(&house, route, &path).bearer_auth(&token), 403, "ACCESS_DENIED").await;
        for _ in 0..3 {
            expect("too soon", route, request(&house, route, &path).bearer_auth(&token), 429, "RATE_LIMITED").await;
        }
    }
    let limited = house.refusals().iter().filter(|refusal| refusal.reason == "gate.rate_limited_user").count();
    // Once a minute and route; the minute may turn while the test runs.
    assert!((gated().count()..=2 * gated().count()).contains(&limited), "{limited} refusals were recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_an_allowance_whatever_it_asks() {
    let house = house(RateLimits::with_ip_requests(5), rules());
    let get = |path: &str| house.client.get(format!("http://{}{path}", house.address)).send();
    for path in ["/health", "/nowhere", "/api/v1/users", "/health", "/docs"] {
        assert_ne!(get(path).await.unwrap().status(), StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
    for path in ["/health", "/nowhere", "/api/v1/users"] {
        let refused = get(path).await.unwrap();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS, "{path}");
        assert!(refused.headers().contains_key("retry-after"));
    }
}
