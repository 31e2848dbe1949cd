//! Signing in at the identity provider of one's organization: a real one (`oidc-provider`), over HTTP.

mod connections;

use crate::support::{
    provider::{Browser, CLIENT_SECRET, CLIENTS, IdentityProvider, Page},
    running::{Client, Organization, Reply, fresh_organization, mint, running},
};
use palmares_domain::identity::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const FLOW_COOKIE: &str = "__Host-palmares-oidc";
const SESSION_COOKIE: &str = "__Host-palmares";

impl Organization {
    fn connection(&self) -> String {
        format!("/organizations/{}/identity-connection", self.id)
    }

    /// Keeps the client's secret, as an operator would.
    fn keep_secret(&self, name: &str) {
        let folder = running().data_dir.join("secrets").join(self.id.to_string());
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(name), format!("{CLIENT_SECRET}\n")).expect("a secret");
    }

    /// Connects the organization to a provider by this client.
    async fn connect(&self, provider: &IdentityProvider, client: &str) {
        self.keep_secret("login");
        let body = json!({ "kind": "oidc", "issuer": provider.issuer, "client_id": client, "secret_ref": "login" });
        self.admin.send("PUT", &self.connection(), &body).await.expect(200);
        self.admin.post(&format!("{}/enable", self.connection()), &json!({})).await.expect(200);
    }

    /// A member with an address of this organization.
    async fn member_with_email(&self) -> (String, String) {
        let email = format!("{}@example.test", Uuid::now_v7().simple());
        let body = json!({ "external_ref": email, "email": email, "role": "member" });
        let user = self.platform.post("/users", &body).await.expect(201).id("id");
        (user, email)
    }

    fn start(&self) -> String {
        format!("/auth/oidc/start?organization={}", self.slug)
    }

    /// Signs in from the first page to the last.
    async fn sign_in_as(&self, browser: &mut Browser, account: &str) -> Page {
        let sent = browser.open(&self.start()).await;
        assert_eq!(sent.status, 302, "{}", sent.body);
        let back = browser.log_in(sent.location(), account).await;
        browser.come_back(&back).await
    }
}

fn verified(email: &str) -> Value {
    json!({ "email": email, "email_verified": true, "name": "Ada Example" })
}

async fn who(browser: &Browser) -> Reply {
    let cookie = format!("{SESSION_COOKIE}={}", browser.cookie(SESSION_COOKIE).unwrap_or_default());
    Reply::of(Client::anonymous().request(Method::GET, "/me").header("Cookie", cookie)).await
}

fn fragment(page: &Page, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(page.location()).expect("an address");
    let pairs = url.fragment().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

// covers: W-21, W-59, E-91, E-92, A9
#[tokio::test]
async fn a_member_signs_in_at_the_provider_and_is_known_by_their_verified_address() {
    let organization = fresh_organization().await;
    let provider = IdentityProvider::start(false);
    organization.connect(&provider, CLIENTS[0]).await;
    let (user, email) = organization.member_with_email().await;
    provider.knows("ada", &verified(&email)).await;

    let mut browser = Browser::new();
    let sent = browser.open(&format!("{}&redirect=/people?tab=me", organization.start())).await;
    assert_eq!(sent.status, 302);
    let to = reqwest::Url::parse(sent.location()).expect("an address");
    assert!(to.as_str().starts_with(&provider.issuer));
    let asked = |name: &str| to.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    assert_eq!((asked("code_challenge_method").as_deref(), asked("response_type").as_deref()), (Some("S256"), Some("code")));
    assert_eq!(asked("scope").as_deref(), Some("openid email profile"));
    assert!(asked("nonce").is_some_and(|nonce| nonce.len() >= 16) && asked("state").is_some_and(|state| state.len() >= 16));
    let set = sent.headers["set-cookie"].to_str().expect("a cookie");
    for attribute in [FLOW_COOKIE, "HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=600"] {
        assert!(set.contains(attribute), "no {attribute} in {set}");
    }
    let kept = browser.cookie(FLOW_COOKIE).expect("a cookie").to_owned();
    assert!(!kept.contains(&asked("state").expect("a state")), "the browser can read what it keeps for us");

    let back = browser.log_in(sent.location(), "ada").await;
    let page = browser.come_back(&back).await;
    assert_eq!(page.status, 302, "{}", page.body);
    let base = &running().descriptor.base_url;
    assert!(page.location().starts_with(&format!("{base}/people?tab=me#status=SIGNED_IN")), "{}", page.location());
    assert!(browser.cookie(FLOW_COOKIE).is_none(), "the browser keeps what is over");
    let me = who(&browser).await.expect(200);
    assert_eq!((me.id("user_id"), me.id("organization_id")), (user.clone(), organization.id.to_string()));
    let cookie = format!("{SESSION_COOKIE}={}", browser.cookie(SESSION_COOKIE).expect("a session"));
    let out = Client::anonymous().request(Method::POST, "/auth/logout").header("Cookie", cookie).json(&json!({}));
    let csrf = fragment(&page, "csrf_token").expect("what a page proves itself with");
    Reply::of(out.header("Palmares-Csrf", csrf)).await.expect(200);

    // From now on by the account, whatever the address there.
    provider.knows("ada", &json!({ "email": "else@example.test", "email_verified": false })).await;
    let mut again = Browser::new();
    assert_eq!(organization.sign_in_as(&mut again, "ada").await.status, 302);
    assert_eq!(who(&again).await.expect(200).id("user_id"), user);
    let listed = organization.domain_events().await;
    let count = |name: &str| listed.iter().filter(|event| event["type"] == name).count();
    assert_eq!(count("identity.external_identity_linked"), 1);
}

// covers: E-214, A9
#[tokio::test]
async fn a_program_of_the_user_gets_tokens_in_place_of_a_page() {
    let organization = fresh_organization().await;
    let provider = IdentityProvider::start(true);
    organization.connect(&provider, CLIENTS[0]).await;
    let (user, email) = organization.member_with_email().await;
    provider.knows("ada", &verified(&email)).await;
    let mut browser = Browser::new();
    let sent = browser.open(&format!("{}&$jwt=true", organization.start())).await;
    let back = browser.log_in(sent.location(), "ada").await;
    let page = browser.come_back(&back).await;
    assert_eq!((page.status, page.location.as_deref(), page.body["status"].as_str()), (200, None, Some("SIGNED_IN")), "{}", page.body);
    let token = page.body["access_token"].as_str().expect("a token");
    assert_eq!(organization.member.with_token(token).get("/me").await.expect(200).id("user_id"), user);
}

// covers: E-113
#[tokio::test]
async fn an_administrator_still_needs_a_second_factor_of_ours() {
    let organization = fresh_organization().await;
    let provider = IdentityProvider::start(true);
    organization.connect(&provider, CLIENTS[0]).await;
    let email = format!("{}@example.test", Uuid::now_v7().simple());
    let body = json!({ "external_ref": email, "email": email, "role": "organization_admin" });
    organization.platform.post("/users", &body).await.expect(201);
    provider.knows("ada", &verified(&email)).await;
    let mut browser = Browser::new();
    let page = organization.sign_in_as(&mut browser, "ada").await;
    assert_eq!(fragment(&page, "status").as_deref(), Some("ENROLMENT_REQUIRED"));
    assert!(browser.cookie(SESSION_COOKIE).is_none(), "signed in by one factor");
    let challenge = fragment(&page, "challenge").expect("a challenge");
    Client::anonymous().post("/auth/mfa/enrol", &json!({ "challenge": challenge })).await.expect(200);
}

// covers: W-21
#[tokio::test]
async fn nobody_comes_in_by_an_address_that_the_provider_did_not_verify_or_that_nobody_has() {
    let organization = fresh_organization().await;
    let provider = IdentityProvider::start(true);
    organization.connect(&provider, CLIENTS[0]).await;
    let (user, email) = organization.member_with_email().await;
    provider.knows("unverified", &json!({ "email": email, "email_verified": false })).await;
    provider.knows("silent", &json!({ "email": email })).await;
    provider.knows("stranger", &verified("stranger@example.test")).await;
    provider.knows("nameless", &json!({})).await;
    let before = organization.domain_events().await;
    for account in ["unverified", "silent", "stranger", "nameless"] {
        let mut browser = Browser::new();
        organization.sign_in_as(&mut browser, account).await.refused(401, "sign_in.failed");
        assert!(browser.cookie(SESSION_COOKIE).is_none(), "{account} is signed in");
    }
    assert_eq!(organization.domain_events().await, before);

    // Nor by the address of somebody who may not act.
    provider.knows("ada", &verified(&email)).await;
    organization.admin.post(&format!("/users/{user}/suspend"), &json!({})).await.expect(200);
    organization.sign_in_as(&mut Browser::new(), "ada").await.refused(401, "sign_in.failed");
}

// covers: W-22, A14
#[tokio::test]
async fn a_login_through_one_organizations_connection_is_never_anybody_of_another() {
    let (own, other) = (fresh_organization().await, fresh_organization().await);
    let provider = IdentityProvider::start(true);
    own.connect(&provider, CLIENTS[0]).await;
    let (user, email) = own.member_with_email().await;
    provider.knows("ada", &verified(&email)).await;
    assert_eq!(own.sign_in_as(&mut Browser::new(), "ada").await.status, 302);

    // The same client of the same provider is one organization's.
    let body = json!({ "issuer": provider.issuer, "client_id": CLIENTS[0] });
    let taken = other.admin.send("PUT", &other.connection(), &body).await.refused(409, "CONFLICT");
    assert_eq!(taken.body["reason"], "identity.connection_taken");
    // By a client of its own, the other one finds nobody: the person is a user of the first.
    other.connect(&provider, CLIENTS[1]).await;
    let mut browser = Browser::new();
    other.sign_in_as(&mut browser, "ada").await.refused(401, "sign_in.failed");
    assert!(browser.cookie(SESSION_COOKIE).is_none());
    // A user there with the same address is another person to us, and the account may be both.
    let body = json!({ "external_ref": email, "email": email, "role": "member" });
    let namesake = other.platform.post("/users", &body).await.expect(201).id("id");
    assert_eq!(other.sign_in_as(&mut browser, "ada").await.status, 302);
    let me = who(&browser).await.expect(200);
    assert_eq!((me.id("user_id"), me.id("organization_id")), (namesake.clone(), other.id.to_string()));
    assert_ne!(namesake, user);

    // What the provider answers to one organization's attempt is no answer to the other's.
    let (mut mine, mut theirs) = (Browser::new(), Browser::new());
    let to_own = mine.open(&own.start()).await;
    let to_other = theirs.open(&other.start()).await;
    let back = mine.log_in(to_own.location(), "ada").await;
    theirs.log_in(to_other.location(), "ada").await;
    theirs.come_back(&back).await.refused(401, "sign_in.flow_over");
}

#[tokio::test]
async fn what_was_not_begun_here_and_now_comes_to_nothing() {
    let organization = fresh_organization().await;
    let provider = IdentityProvider::start(true);
    organization.connect(&provider, CLIENTS[0]).await;
    let (_, email) = organization.member_with_email().await;
    provider.knows("ada", &verified(&email)).await;
    let mut browser = Browser::new();
    let sent = browser.open(&organization.start()).await;
    let back = browser.log_in(sent.location(), "ada").await;
    let kept = browser.cookie(FLOW_COOKIE).expect("a cookie").to_owned();

    // Another state, another browser, a cookie that was altered.
    let other_state = back.replace("state=", "state=x");
    browser.come_back(&other_state).await.refused(401, "sign_in.flow_over");
    Browser::new().come_back(&back).await.refused(401, "sign_in.flow_over");
    let mut forged = Browser::new();
    let altered = if kept.starts_with('A') { 'B' } else { 'A' };
    forged.set_cookie(FLOW_COOKIE, &format!("{altered}{}", &kept[1..]));
    forged.come_back(&back).await.refused(401, "sign_in.flow_over");
    // Somebody else's name for the provider (RFC 9207).
    let impostor = reqwest::Url::parse(&back).expect("an address");
    let pairs: Vec<_> = impostor
        .query_pairs()
        .into_owned()
        .map(|(name, value)| if name == "iss" { (name, "https://evil.example".to_owned()) } else { (name, value) })
        .collect();
    let mut other_issuer = impostor.clone();
    other_issuer.query_pairs_mut().clear().extend_pairs(pairs);
    assert_ne!(other_issuer, impostor, "the provider names itself");
    browser.come_back(other_issuer.as_str()).await.refused(401, "sign_in.failed");
    assert!(browser.cookie(SESSION_COOKIE).is_none());

    // None of it used the code up; a second use of it gets nothing.
    assert_eq!(browser.come_back(&back).await.status, 302);
    let mut replay = Browser::new();
    replay.set_cookie(FLOW_COOKIE, &kept);
    replay.come_back(&back).await.refused(401, "sign_in.failed");
    assert!(replay.cookie(SESSION_COOKIE).is_none());
}

#[tokio::test]
async fn a_token_for_another_attempt_or_another_client_proves_nothing() {
    let organization = fresh_organization().await;
    let provider = IdentityProvider::start(true);
    organization.connect(&provider, CLIENTS[0]).await;
    let (_, email) = organization.member_with_email().await;
    provider.knows("ada", &verified(&email)).await;
    let changed = |url: &str, name: &str, value: &str| {
        let mut changed = reqwest::Url::parse(url).expect("an address");
        let pairs: Vec<_> =
            changed.query_pairs().into_owned().map(|(key, old)| if key == name { (key, value.to_owned()) } else { (key, old) }).collect();
        changed.query_pairs_mut().clear().extend_pairs(pairs);
        changed.to_string()
    };
    // The nonce of another attempt; a code for another client; a code for another's PKCE challenge.
    for (parameter, value) in [
        ("nonce", "the-nonce-of-another-attempt"),
        ("client_id", CLIENTS[1]),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ] {
        let mut browser = Browser::new();
        let sent = browser.open(&organization.start()).await;
        let back = browser.log_in(&changed(sent.location(), parameter, value), "ada").await;
        browser.come_back(&back).await.refused(401, "sign_in.failed");
        assert!(browser.cookie(SESSION_COOKIE).is_none(), "signed in with another {parameter}");
    }
    // The provider signs nobody in.
    let mut browser = Browser::new();
    let sent = browser.open(&organization.start()).await;
    let back = browser.log_in(sent.location(), "nobody-there").await;
    assert!(back.contains("error=access_denied"), "{back}");
    browser.come_back(&back).await.refused(401, "sign_in.provider_refused");
}

// covers: W-59
#[tokio::test]
async fn a_provider_may_change_its_keys_and_be_away() {
    let organization = fresh_organization().await;
    let provider = IdentityProvider::start(true);
    organization.connect(&provider, CLIENTS[0]).await;
    let (user, email) = organization.member_with_email().await;
    provider.knows("ada", &verified(&email)).await;
    assert_eq!(organization.sign_in_as(&mut Browser::new(), "ada").await.status, 302);

    let provider = provider.restarted();
    provider.knows("ada", &verified(&email)).await;
    let mut browser = Browser::new();
    assert_eq!(organization.sign_in_as(&mut browser, "ada").await.status, 302);
    assert_eq!(who(&browser).await.expect(200).id("user_id"), user);

    let mut late = Browser::new();
    let sent = late.open(&organization.start()).await;
    let back = late.log_in(sent.location(), "ada").await;
    drop(provider);
    late.come_back(&back).await.refused(503, "sign_in.provider_unavailable");
}

// covers: W-59
#[tokio::test]
async fn an_account_at_the_provider_is_unlinked_by_its_user() {
    let organization = fresh_organization().await;
    let provider = IdentityProvider::start(true);
    organization.connect(&provider, CLIENTS[0]).await;
    let (user, email) = organization.member_with_email().await;
    provider.knows("ada", &verified(&email)).await;
    organization.sign_in_as(&mut Browser::new(), "ada").await;
    let client = organization.member.with_token(&mint(&user, organization.id, Role::Member));
    let listed = client.get("/me/identities").await.expect(200);
    let identity = &listed.items()[0];
    assert_eq!((listed.items().len(), &identity["issuer"], &identity["enabled"]), (1, &json!(provider.issuer), &json!(true)));
    assert_eq!(identity["subject"], "ada");
    let path = format!("/me/identities/{}", identity["id"].as_str().expect("an id"));
    organization.member.send("DELETE", &path, &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    client.send("DELETE", &format!("{path}?dry_run=true"), &json!({})).await.expect(200);
    assert_eq!(client.get("/me/identities").await.expect(200).items().len(), 1);
    client.send("DELETE", &path, &json!({})).await.expect(200);
    client.send("DELETE", &path, &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    assert!(client.get("/me/identities").await.expect(200).items().is_empty());
    // The provider vouches for the same address, and yet it is not linked again before its user says so.
    organization.sign_in_as(&mut Browser::new(), "ada").await.refused(401, "sign_in.failed");
    assert!(client.get("/me/identities").await.expect(200).items().is_empty());
    client.post("/me/identities/allow", &json!({})).await.expect(200);
    client.post("/me/identities/allow", &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    assert_eq!(organization.sign_in_as(&mut Browser::new(), "ada").await.status, 302);
    assert_eq!(client.get("/me/identities").await.expect(200).items().len(), 1);
    client.send("DELETE", &path, &json!({})).await.expect(200);
    // An administrator allows it for somebody who has no other way left.
    organization.admin.post(&format!("/users/{user}/identities/allow"), &json!({})).await.expect(200);
    assert_eq!(organization.sign_in_as(&mut Browser::new(), "ada").await.status, 302);
    client.send("DELETE", &path, &json!({})).await.expect(200);
    // Nobody is found by it any more, and the account is free for whom the provider vouches for.
    provider.knows("ada", &json!({ "email": email, "email_verified": false })).await;
    organization.sign_in_as(&mut Browser::new(), "ada").await.refused(401, "sign_in.failed");
    let (_, other) = organization.member_with_email().await;
    provider.knows("ada", &verified(&other)).await;
    assert_eq!(organization.sign_in_as(&mut Browser::new(), "ada").await.status, 302);
}
