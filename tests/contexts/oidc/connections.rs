//! Connections themselves: who decides about them, what they need, and whom they let join.

use super::*;

#[tokio::test]
async fn a_connection_that_is_disabled_or_was_changed_signs_nobody_in() {
    let organization = fresh_organization().await;
    let provider = IdentityProvider::start(true);
    Browser::new().open(&organization.start()).await.refused(404, "sign_in.not_connected");
    organization.connect(&provider, CLIENTS[0]).await;
    let (_, email) = organization.member_with_email().await;
    provider.knows("ada", &verified(&email)).await;
    let mut browser = Browser::new();
    let sent = browser.open(&organization.start()).await;
    let back = browser.log_in(sent.location(), "ada").await;

    let connection = organization.connection();
    organization.admin.post(&format!("{connection}/disable"), &json!({})).await.expect(200);
    Browser::new().open(&organization.start()).await.refused(404, "sign_in.not_connected");
    browser.come_back(&back).await.refused(404, "sign_in.not_connected");
    // With another client it is enabled anew, and what was begun before is over.
    organization.connect(&provider, CLIENTS[1]).await;
    browser.come_back(&back).await.refused(404, "sign_in.not_connected");
    // The client before is free for others.
    let other = fresh_organization().await;
    other.connect(&provider, CLIENTS[0]).await;
    Browser::new().open("/auth/oidc/start?organization=no-such-organization").await.refused(404, "sign_in.not_connected");
    for elsewhere in ["//evil.example", "https://evil.example", "/%5Cevil.example", "people"] {
        let page = Browser::new().open(&format!("{}&redirect={elsewhere}", organization.start())).await;
        page.refused(422, "gate.request_invalid");
        assert_eq!(page.body["errors"][0]["field"], "redirect");
    }
    // The secret of another organization is nobody else's to name.
    let stranger = fresh_organization().await;
    let body = json!({ "issuer": provider.issuer, "client_id": "third", "secret_ref": "login" });
    stranger.admin.send("PUT", &stranger.connection(), &body).await.expect(200);
    stranger.admin.post(&format!("{}/enable", stranger.connection()), &json!({})).await.expect(200);
    Browser::new().open(&stranger.start()).await.refused(503, "sign_in.provider_unavailable");
}

// covers: E-103, E-106
#[tokio::test]
async fn people_of_a_proven_domain_join_when_they_first_come() {
    let organization = fresh_organization().await;
    let provider = IdentityProvider::start(false);
    organization.connect(&provider, CLIENTS[0]).await;
    let domain = organization.proven_domain().await;
    let email = format!("ada@{domain}");
    provider.knows("ada", &verified(&email)).await;
    provider.knows("eve", &json!({ "email": format!("eve@{domain}"), "email_verified": false })).await;
    organization.sign_in_as(&mut Browser::new(), "ada").await.refused(401, "sign_in.failed");

    let open = |mode: &str| json!({ "mode": mode });
    let auto_join = format!("/organizations/{}/domains/{domain}/auto-join", organization.id);
    organization.admin.send("PUT", &auto_join, &open("approval")).await.expect(200);
    let waits = organization.sign_in_as(&mut Browser::new(), "ada").await;
    assert_eq!(fragment(&waits, "status").as_deref(), Some("APPROVAL_REQUIRED"));
    organization.sign_in_as(&mut Browser::new(), "eve").await.refused(401, "sign_in.failed");
    organization.admin.send("PUT", &auto_join, &open("automatic")).await.expect(200);
    organization.sign_in_as(&mut Browser::new(), "eve").await.refused(401, "sign_in.failed");

    let mut browser = Browser::new();
    assert_eq!(organization.sign_in_as(&mut browser, "ada").await.status, 302);
    let me = who(&browser).await.expect(200);
    assert_eq!((&me.body["roles"], me.id("organization_id")), (&json!(["member"]), organization.id.to_string()));
    let head = organization.head().await;
    let user = organization.admin.get_at(&format!("/users/{}", me.id("user_id")), head).await.expect(200);
    assert_eq!((&user.body["display_name"], &user.body["email"]), (&json!("Ada Example"), &json!(email)));
    // The second time they are known.
    let mut again = Browser::new();
    assert_eq!(organization.sign_in_as(&mut again, "ada").await.status, 302);
    assert_eq!(who(&again).await.expect(200).id("user_id"), me.id("user_id"));

    // Another organization's provider may say what it likes of the domain.
    let other = fresh_organization().await;
    other.connect(&provider, CLIENTS[1]).await;
    provider.knows("bob", &verified(&format!("bob@{domain}"))).await;
    other.sign_in_as(&mut Browser::new(), "bob").await.refused(401, "sign_in.failed");
}

/// One queue for whoever waits, however they came.
// covers: E-103, E-137
#[tokio::test]
async fn people_of_a_domain_that_joins_by_approval_wait_until_somebody_approves() {
    let organization = fresh_organization().await;
    let provider = IdentityProvider::start(false);
    organization.connect(&provider, CLIENTS[0]).await;
    let domain = organization.proven_domain().await;
    let auto_join = format!("/organizations/{}/domains/{domain}/auto-join", organization.id);
    organization.admin.send("PUT", &auto_join, &json!({ "mode": "approval" })).await.expect(200);
    let email = format!("ada@{domain}");
    provider.knows("ada", &verified(&email)).await;
    for _ in 0..2 {
        let mut browser = Browser::new();
        let page = organization.sign_in_as(&mut browser, "ada").await;
        assert_eq!(fragment(&page, "status").as_deref(), Some("APPROVAL_REQUIRED"));
        assert!(browser.cookie(SESSION_COOKIE).is_none(), "signed in before the approval");
    }
    let queue = organization.admin.get_at("/signups?status=AWAITING_APPROVAL", organization.head().await).await.expect(200);
    let [waiting] = queue.items() else { panic!("one waits: {}", queue.body) };
    assert_eq!((&waiting["email"], &waiting["display_name"]), (&json!(email), &json!("Ada Example")));
    assert_eq!(waiting["passed"], json!(["domain_auto_join", "email_verification"]));
    let id = waiting["id"].as_str().expect("an id").to_owned();
    organization.admin.post(&format!("/signups/{id}/approve"), &json!({})).await.expect(200);
    let mut browser = Browser::new();
    assert_eq!(fragment(&organization.sign_in_as(&mut browser, "ada").await, "status").as_deref(), Some("SIGNED_IN"));
    assert_eq!(who(&browser).await.expect(200).id("user_id"), id);
    // By the account from now on, whatever the address there.
    provider.knows("ada", &json!({ "email": "else@example.test", "email_verified": false })).await;
    let mut again = Browser::new();
    organization.sign_in_as(&mut again, "ada").await;
    assert_eq!(who(&again).await.expect(200).id("user_id"), id);

    // Whom somebody refused is not let in, and does not stand in the queue again.
    provider.knows("bob", &verified(&format!("bob@{domain}"))).await;
    organization.sign_in_as(&mut Browser::new(), "bob").await;
    let queue = organization.admin.get_at("/signups?status=AWAITING_APPROVAL", organization.head().await).await.expect(200);
    let bob = queue.items()[0]["id"].as_str().expect("an id").to_owned();
    organization.admin.post(&format!("/signups/{bob}/refuse"), &json!({})).await.expect(200);
    organization.sign_in_as(&mut Browser::new(), "bob").await.refused(401, "sign_in.failed");
}

// covers: E-94, A9
#[tokio::test]
async fn saml_is_answered_with_a_reason_and_faulty_connections_with_their_field() {
    let organization = fresh_organization().await;
    let path = organization.connection();
    let put = async |body: Value| organization.admin.send("PUT", &path, &body).await;
    let saml = put(json!({ "kind": "saml" })).await.refused(422, "VALIDATION_ERROR");
    assert_eq!((&saml.body["reason"], &saml.body["errors"][0]["field"]), (&json!("identity.saml_not_enabled"), &json!("kind")));
    let good = json!({ "issuer": "https://login.acme.example", "client_id": "palmares", "secret_ref": "login" });
    for (field, value) in [
        ("issuer", json!("http://login.acme.example")),
        ("issuer", json!("https://10.0.0.1")),
        ("issuer", json!("login")),
        ("client_id", json!("")),
        ("secret_ref", json!("../../keys/jwt.pem")),
        ("scopes", json!(["a b"])),
        ("kind", json!("ldap")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let refused = put(body).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], field);
    }
    organization.admin.get(&path).await.refused(404, "RESOURCE_NOT_FOUND");
    organization.admin.post(&format!("{path}/enable"), &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    // Nobody else signs in by it, so the client of this test is its own.
    let client = Uuid::now_v7().to_string();
    let mut body = good;
    body["client_id"] = json!(client);
    put(body).await.expect(200);
    let shown = organization.admin.get(&path).await.expect(200);
    let told = json!({
        "organization_id": organization.id, "kind": "oidc", "issuer": "https://login.acme.example", "client_id": client,
        "secret_ref": "login", "scopes": ["email", "profile"], "status": "DISABLED",
    });
    assert_eq!(shown.body, told);
    organization.platform.get(&path).await.expect(200);
}

// covers: PM-37, PM-38, PM-39, PM-40, E-46
#[tokio::test]
async fn only_administrators_decide_where_people_sign_in() {
    let organization = fresh_organization().await;
    let path = organization.connection();
    let body = json!({ "issuer": "https://login.acme.example", "client_id": Uuid::now_v7() });
    organization.platform.send("PUT", &path, &body).await.expect(200);
    organization.admin.send("PUT", &path, &body).await.expect(200);
    for caller in [&organization.officer, &organization.analyst, &organization.member] {
        caller.send("PUT", &path, &body).await.refused(403, "ACCESS_DENIED");
        caller.post(&format!("{path}/enable"), &json!({})).await.refused(403, "ACCESS_DENIED");
        caller.post(&format!("{path}/disable"), &json!({})).await.refused(403, "ACCESS_DENIED");
        caller.get(&path).await.refused(403, "ACCESS_DENIED");
    }
    // Who says who somebody is can be anybody, so a part of an administrator's rights is not enough.
    let role = json!({ "name": "Connector", "grants": ["identity"] });
    let role = organization.admin.post("/roles", &role).await.expect(201).id("id");
    let body = json!({ "external_ref": "connector", "role": role });
    let connector = organization.admin.post("/users", &body).await.expect(201).id("id");
    let role: palmares_domain::kernel::RoleId = role.parse().expect("a role");
    let connector = organization.admin.with_token(&crate::support::running::mint(&connector, organization.id, role));
    connector.get(&path).await.expect(200);
    let body = json!({ "issuer": "https://evil.example", "client_id": Uuid::now_v7() });
    let refused = connector.send("PUT", &path, &body).await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "identity.permission_escalation_attempt");
    connector.post(&format!("{path}/enable"), &json!({})).await.refused(403, "ACCESS_DENIED");
    connector.post(&format!("{path}/disable"), &json!({})).await.expect(200);
}
