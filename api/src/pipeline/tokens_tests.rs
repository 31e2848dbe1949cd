use super::*;
use crate::pipeline::{
    Mailbox,
    keys::{Ed25519Key, generate_pem},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use palmares_domain::identity::Role;
use serde_json::{Value, json};

const ISSUER: &str = "https://palmares.test";
const AUDIENCE: &str = "palmares";

struct House {
    pem: String,
    keys: TokenKeys,
}

fn house() -> House {
    let pem = generate_pem().unwrap();
    let keys = TokenKeys::from_pems(ISSUER, AUDIENCE, [pem.as_str()]).unwrap();
    House { pem, keys }
}

fn now() -> u64 {
    Utc::now().timestamp().try_into().unwrap()
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": Uuid::from_u128(1), "org": Uuid::from_u128(2), "roles": ["member"], "env": "production",
        "jti": Uuid::from_u128(3), "iat": now(), "nbf": now(), "exp": now() + 60,
    })
}

impl House {
    fn sign(&self, header: &Header, claims: &Value) -> String {
        let key = Ed25519Key::from_pem(&self.pem).unwrap();
        jsonwebtoken::encode(header, claims, &EncodingKey::from_ed_der(key.private_der().unwrap())).unwrap()
    }

    fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(Ed25519Key::from_pem(&self.pem).unwrap().id());
        header
    }

    /// A token that is right but for one claim.
    fn with(&self, claim: &str, value: Value) -> String {
        let mut claims = claims();
        claims[claim] = value;
        self.sign(&self.header(), &claims)
    }
}

#[test]
fn a_minted_token_says_what_it_was_minted_for() {
    let house = house();
    let token =
        house.keys.mint(UserId(Uuid::from_u128(1)), OrganizationId::PLATFORM, [Role::PlatformAdmin], Duration::from_secs(60)).unwrap();
    let claims = house.keys.verify(&token).unwrap();
    assert_eq!((claims.sub, claims.org), (UserId(Uuid::from_u128(1)), OrganizationId::PLATFORM));
    assert_eq!(claims.roles, [Role::PlatformAdmin.into()]);
    assert!(claims.nbf < claims.iat && claims.exp == claims.iat + 60);
}

// covers: H-24, H-27
#[test]
fn what_a_token_tells_its_holder_is_not_read() {
    let house = house();
    let told = Told { org_slug: Some("acme".to_owned()), mailbox: Some(Mailbox::verified("ada@acme.example".to_owned())) };
    let (user, ttl) = (UserId(Uuid::from_u128(1)), Duration::from_secs(60));
    let token = house.keys.mint_for(None, user, OrganizationId::PLATFORM, [Role::Member], told, ttl).unwrap();
    let body = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["org_slug"], &body["email"], &body["email_verified"]), (&json!("acme"), &json!("ada@acme.example"), &json!(true)));
    assert!(!format!("{:?}", house.keys.verify(&token).unwrap()).contains("ada"), "an address comes where it may be logged");
    let plain = house.keys.mint(user, OrganizationId::PLATFORM, [Role::Member], ttl).unwrap();
    let plain = URL_SAFE_NO_PAD.decode(plain.split('.').nth(1).unwrap()).unwrap();
    assert!(["email", "org_slug"].iter().all(|claim| !String::from_utf8_lossy(&plain).contains(claim)));

    let good_for = |claims: Claims| (claims.sub, claims.org, claims.roles, claims.env);
    let read = good_for(house.keys.verify(&house.sign(&house.header(), &claims())).unwrap());
    for (claim, lie) in [("email", json!(7)), ("org_slug", json!(["x"])), ("tenantRole", json!("platform_admin")), ("tenantId", json!(0))] {
        assert_eq!(good_for(house.keys.verify(&house.with(claim, lie)).unwrap()), read, "{claim} was read");
    }
}

#[test]
fn every_fault_of_a_token_is_refused() {
    let house = house();
    assert!(house.keys.verify(&house.sign(&house.header(), &claims())).is_ok(), "the base of the cases is a good token");
    let cases = [
        ("another audience", house.with("aud", json!("elsewhere"))),
        ("another issuer", house.with("iss", json!("https://elsewhere.test"))),
        ("another environment", house.with("env", json!("staging"))),
        ("an environment that is none", house.with("env", json!(7))),
        ("expired", house.with("exp", json!(now() - 1))),
        ("not yet valid", house.with("nbf", json!(now() + 60))),
        ("a time that is text", house.with("exp", json!("tomorrow"))),
        ("an unknown role", house.with("roles", json!(["owner"]))),
        ("a user id that is none", house.with("sub", json!("alice"))),
        ("an empty text", String::new()),
        ("no token", "not-a-token".to_owned()),
        ("only dots", "..".to_owned()),
        ("too long", "a".repeat(TOKEN_MAX_BYTES + 1)),
    ];
    for (name, token) in cases {
        assert!(house.keys.verify(&token).is_err(), "{name} was accepted");
    }
}

// covers: H-28
#[test]
fn every_claim_is_required() {
    let house = house();
    for claim in ["iss", "aud", "sub", "org", "roles", "env", "jti", "iat", "nbf", "exp"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(claim);
        assert!(house.keys.verify(&house.sign(&house.header(), &claims)).is_err(), "a token without {claim} was accepted");
    }
}

#[test]
fn the_algorithm_belongs_to_the_key() {
    let house = house();
    let kid = house.header().kid.unwrap();
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap());
    let unsigned = format!("{}.{}.", encode(&json!({"alg": "none", "typ": "JWT", "kid": kid})), encode(&claims()));
    assert!(house.keys.verify(&unsigned).is_err(), "an unsigned token was accepted");

    // The classic confusion: the public key, which everyone knows, used as an HMAC secret.
    let public = Ed25519Key::from_pem(&house.pem).unwrap().public().to_vec();
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(kid);
    let confused = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(&public)).unwrap();
    assert!(house.keys.verify(&confused).is_err(), "an HMAC under the public key was accepted");
}

#[test]
fn only_our_own_keys_sign() {
    let (house, stranger) = (house(), self::house());
    let foreign = stranger.sign(&stranger.header(), &claims());
    assert!(matches!(house.keys.verify(&foreign), Err(TokenFault::UnknownKey)));
    let borrowed_name = stranger.sign(&house.header(), &claims());
    assert!(matches!(house.keys.verify(&borrowed_name), Err(TokenFault::Refused(_))));
    let nameless = house.sign(&Header::new(Algorithm::EdDSA), &claims());
    assert!(matches!(house.keys.verify(&nameless), Err(TokenFault::NoKeyId)));
    let mut critical = house.header();
    critical.crit = Some(vec!["b64".to_owned()]);
    assert!(house.keys.verify(&house.sign(&critical, &claims())).is_err());
}

#[test]
fn an_altered_token_is_refused() {
    let house = house();
    let token = house.sign(&house.header(), &claims());
    let mut parts: Vec<&str> = token.split('.').collect();
    let forged = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&json!({"roles": ["platform_admin"]})).unwrap());
    parts[1] = &forged;
    assert!(house.keys.verify(&parts.join(".")).is_err());
}

#[test]
fn a_retired_key_verifies_and_no_longer_signs() {
    let (old, new) = (generate_pem().unwrap(), generate_pem().unwrap());
    let before = TokenKeys::from_pems(ISSUER, AUDIENCE, [old.as_str()]).unwrap();
    let after = TokenKeys::from_pems(ISSUER, AUDIENCE, [new.as_str(), old.as_str()]).unwrap();
    let mint = |keys: &TokenKeys| {
        keys.mint(UserId(Uuid::from_u128(1)), OrganizationId::PLATFORM, [Role::Member; 0], Duration::from_secs(60)).unwrap()
    };
    assert!(after.verify(&mint(&before)).is_ok());
    assert!(before.verify(&mint(&after)).is_err());
    let jwks = after.jwks();
    let set = jwks["keys"].as_array().unwrap();
    assert_eq!(set.len(), 2);
    assert!(set.iter().all(|key| key.get("d").is_none() && key["crv"] == "Ed25519"));
}

// covers: H-20, H-28
#[test]
fn what_is_signed_in_one_environment_is_good_in_no_other() {
    let house = house();
    let staging = TokenKeys::from_pems(ISSUER, AUDIENCE, [house.pem.as_str()]).unwrap().in_environment("staging".parse().unwrap());
    let mint = |keys: &TokenKeys| keys.mint(UserId(Uuid::from_u128(1)), OrganizationId::PLATFORM, [Role::Member], Duration::from_secs(60));
    let seal = |keys: &TokenKeys| keys.seal("link", &json!({ "user": 1 }), Utc::now() + Duration::from_secs(60));
    for (keys, other) in [(&house.keys, &staging), (&staging, &house.keys)] {
        let (token, sealed) = (mint(keys).unwrap(), seal(keys).unwrap());
        assert!(keys.verify(&token).is_ok() && keys.unseal::<Value>("link", &sealed).is_ok());
        assert!(matches!(other.verify(&token), Err(TokenFault::OtherEnvironment(_))));
        assert!(other.unseal::<Value>("link", &sealed).is_err());
    }
}

#[test]
fn what_is_signed_goes_by_the_clock_of_who_signs_and_of_who_accepts() {
    let house = house();
    let ahead = TokenKeys::from_pems(ISSUER, AUDIENCE, [house.pem.as_str()]).unwrap().by_clock(Clock::ahead_by(TimeDelta::days(31)));
    let mint = |keys: &TokenKeys| keys.mint(UserId(Uuid::from_u128(1)), OrganizationId::PLATFORM, [Role::Member], Duration::from_secs(60));
    let (now, later) = (mint(&house.keys).unwrap(), mint(&ahead).unwrap());
    assert!(house.keys.verify(&now).is_ok() && ahead.verify(&later).is_ok());
    let fault = |checked: Result<Claims, TokenFault>| match checked {
        Err(TokenFault::Refused(error)) => error.into_kind(),
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(ahead.verify(&now)), ErrorKind::ExpiredSignature);
    assert_eq!(fault(house.keys.verify(&later)), ErrorKind::ImmatureSignature);
    let sealed = house.keys.seal("link", &json!({}), Utc::now() + TimeDelta::minutes(15)).unwrap();
    assert!(house.keys.unseal::<Value>("link", &sealed).is_ok() && ahead.unseal::<Value>("link", &sealed).is_err());
}

#[test]
fn the_thumbprint_is_that_of_the_rfc() {
    // RFC 8037, appendix A.1 and A.3.
    let public = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
    let der = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00], public.as_slice()].concat();
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let key = Ed25519Key::from_pem(&format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")).unwrap();
    assert_eq!(key.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert!(key.private_der().is_none());
}
