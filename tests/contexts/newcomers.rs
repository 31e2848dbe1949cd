//! From an invitation to an account: what is asked of newcomers, and that they are in when it is done.

use super::sign_in::{OWN, code, door};
use crate::support::{
    mail::{mail_to, mails_to, token_in},
    running::{Client, Reply, eventually, fresh_organization, running},
};
use serde_json::{Value, json};
use uuid::Uuid;

pub fn address() -> String {
    format!("{}@acme.example", Uuid::now_v7().simple())
}

/// Accepts the invitation in the mail of this address, and answers what is needed to go on.
pub async fn accepted(address: &str) -> Reply {
    let token = token_in(&mail_to(address).await, "invitation");
    door("/invitations/accept", &json!({ "token": token })).await.expect(200)
}

pub async fn complete(setup_token: &Value, password: &str) -> Reply {
    door("/invitations/complete?$jwt=true", &json!({ "setup_token": setup_token, "password": password })).await
}

/// From an organization that nobody is in to a member who signs in by a link.
// covers: E-127, E-131, E-144, E-145, E-37, H-67
#[tokio::test]
async fn an_organization_fills_with_people_by_invitation() {
    let running = tokio::task::spawn_blocking(running).await.expect("the system starts");
    let platform = Client::anonymous().with_token(&running.descriptor.tokens.platform_admin);
    let slug = format!("org-{}", Uuid::now_v7().simple());
    let created = platform.post("/organizations", &json!({ "name": "Acme", "slug": slug, "setup": true })).await.expect(201);
    let id = created.id("id");
    let platform = platform.in_organization(id.parse().expect("an id"));
    let invitations = format!("/organizations/{id}/invitations");

    // The first administrator is in once a second factor is enrolled.
    let boss = address();
    platform.post(&invitations, &json!({ "email": boss, "role": "organization_admin" })).await.expect(201);
    let taken = accepted(&boss).await;
    let asked = complete(&taken.body["setup_token"], OWN).await.expect(200);
    assert_eq!((&asked.body["status"], &asked.body["access_token"]), (&json!("ENROLMENT_REQUIRED"), &Value::Null));
    door("/auth/signin", &json!({ "organization": slug, "email": boss, "password": OWN })).await.refused(401, "AUTHENTICATION_FAILED");
    let challenge = asked.body["challenge"].clone();
    let secret = door("/auth/mfa/enrol", &json!({ "challenge": challenge })).await.expect(200).id("secret");
    door("/auth/mfa/confirm", &json!({ "challenge": challenge, "code": code(&secret, -20) })).await.refused(401, "AUTHENTICATION_FAILED");
    let signed_in = door("/auth/mfa/confirm", &json!({ "challenge": challenge, "code": code(&secret, -1) })).await.expect(200);
    assert_eq!((&signed_in.body["status"], signed_in.body["recovery_codes"].as_array().map(Vec::len)), (&json!("SIGNED_IN"), Some(10)));
    door("/auth/mfa/confirm", &json!({ "challenge": challenge, "code": code(&secret, 0) })).await.refused(401, "AUTHENTICATION_FAILED");
    let admin = Client::anonymous().with_token(&signed_in.id("access_token"));
    let me = admin.get("/me").await.expect(200);
    assert_eq!((me.id("user_id"), &me.body["roles"]), (taken.id("user_id"), &json!(["organization_admin"])));
    assert_eq!((&me.body["email"], &me.body["email_verified"]), (&json!(boss), &json!(true)), "the invitation came by mail");

    // Who invites a member, who needs no more than a password.
    let member = address();
    admin.post(&invitations, &json!({ "email": member, "role": "member" })).await.expect(201);
    let taken = accepted(&member).await;
    let signed_in = complete(&taken.body["setup_token"], OWN).await.expect(200);
    assert_eq!(signed_in.body["status"], "SIGNED_IN");
    let me = Client::anonymous().with_token(&signed_in.id("access_token")).get("/me").await.expect(200);
    assert_eq!((&me.body["email"], &me.body["email_verified"]), (&json!(member), &json!(true)), "the invitation came by mail");

    door("/auth/magic-link", &json!({ "organization": slug, "email": member })).await.expect(202);
    let letter =
        eventually("the letter", async || mails_to(&member).await.into_iter().find(|mail| mail.text.contains("/auth/magic-link#")));
    let token = token_in(&letter.await, "auth/magic-link");
    let signed_in = door("/auth/magic-link/complete", &json!({ "token": token, "$jwt": true })).await.expect(200);
    let me = Client::anonymous().with_token(&signed_in.id("access_token")).get("/me").await.expect(200);
    assert_eq!(me.id("user_id"), taken.id("user_id"));
    eventually("both are active", async || {
        let users = admin.get("/users").await.expect(200);
        (users.items().len() == 2 && users.items().iter().all(|user| user["status"] == "ACTIVE")).then_some(())
    })
    .await;
}

// covers: E-127, E-128, E-145
#[tokio::test]
async fn a_setup_token_is_good_until_everything_is_done_and_for_nothing_else() {
    let organization = fresh_organization().await;
    let path = format!("/organizations/{}/invitations", organization.id);
    let address = address();
    organization.admin.post(&path, &json!({ "email": address, "role": "member" })).await.expect(201);
    let letter = token_in(&mail_to(&address).await, "invitation");
    let taken = accepted(&address).await;
    let setup_token = &taken.body["setup_token"];
    let not_valid = |reply: Reply| {
        assert_eq!(reply.refused(404, "RESOURCE_NOT_FOUND").body["reason"], "identity.invitation_not_valid");
    };
    not_valid(complete(&json!(letter), OWN).await);
    let weak = complete(setup_token, "password1234").await.refused(422, "VALIDATION_ERROR");
    assert_eq!(weak.body["errors"][0]["reason"], "password_guessable");
    for known in [&address, &organization.slug] {
        let own = complete(setup_token, known).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(own.body["errors"][0]["reason"], "password_guessable", "{known}");
    }
    // While the organization is suspended nobody joins it.
    organization.platform.post(&format!("/organizations/{}/suspend", organization.id), &json!({})).await.expect(200);
    not_valid(complete(setup_token, OWN).await);
    organization.platform.post(&format!("/organizations/{}/resume", organization.id), &json!({})).await.expect(200);
    complete(setup_token, OWN).await.expect(200);
    not_valid(complete(setup_token, OWN).await);
    let events = organization.domain_events().await;
    let of_completion = |name: &str| events.iter().find(|event| event["type"] == name).map(|event| event["correlation_id"].clone());
    assert!(of_completion("identity.user_activated").is_some());
    let name = "identity.user_activated";
    assert_eq!(of_completion(name), of_completion("identity.invitation_completed"));
    assert_eq!(of_completion(name), of_completion("identity.password_set"));
}

/// Whoever accepted and then lost what was answered has an address that nobody else may have.
// covers: E-128, E-145, E-217
#[tokio::test]
async fn a_newcomer_who_lost_the_way_goes_on_by_mail() {
    let organization = fresh_organization().await;
    let path = format!("/organizations/{}/invitations", organization.id);
    for role in ["member", "organization_admin"] {
        let address = address();
        organization.platform.post(&path, &json!({ "email": address, "role": role })).await.expect(201);
        accepted(&address).await;
        door("/auth/password-reset", &json!({ "organization": organization.slug, "email": address })).await.expect(202);
        let letter = eventually("the letter", async || {
            mails_to(&address).await.into_iter().find(|mail| mail.text.contains("/auth/password-reset#"))
        });
        let body = json!({ "token": token_in(&letter.await, "auth/password-reset"), "password": OWN });
        let reset = door("/auth/password-reset/complete", &body).await.expect(200);
        door("/auth/password-reset/complete", &body).await.refused(401, "AUTHENTICATION_FAILED");
        let sign_in = json!({ "organization": organization.slug, "email": address, "password": OWN });
        if role == "member" {
            assert_eq!(reset.body, json!({ "status": "CHANGED" }));
            assert_eq!(door("/auth/signin", &sign_in).await.expect(200).body["status"], "SIGNED_IN");
            continue;
        }
        assert_eq!(reset.body["status"], "ENROLMENT_REQUIRED");
        door("/auth/signin", &sign_in).await.refused(401, "AUTHENTICATION_FAILED");
        let challenge = reset.body["challenge"].clone();
        let secret = door("/auth/mfa/enrol", &json!({ "challenge": challenge })).await.expect(200).id("secret");
        let confirm = json!({ "challenge": challenge, "code": code(&secret, -1) });
        assert_eq!(door("/auth/mfa/confirm", &confirm).await.expect(200).body["status"], "SIGNED_IN");
    }
}
