//! Invitations: someone is asked to join, and joins with what the letter says, once.

use crate::support::running::{AUDIENCE, Client, ISSUER, Organization, Reply, eventually, fresh_organization, mint, running, token_keys};
use chrono::{DateTime, TimeDelta, Utc};
use palmares::{
    pipeline::{Environment, TokenKeys, keys::generate_pem},
    sign_in::invitation_token::{InvitationToken, SetupToken, invitation_token, read_setup_token, setup_token},
};
use palmares_domain::{
    identity::Role,
    kernel::{InvitationId, OrganizationId, RoleId},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// An invitation as it was answered.
struct Invited {
    organization: OrganizationId,
    id: InvitationId,
    user: String,
    position: i64,
}

impl Invited {
    fn of(organization: OrganizationId, reply: &Reply) -> Self {
        let id = reply.id("id").parse().expect("the id of an invitation");
        Self { organization, id, user: reply.id("user_id"), position: reply.position() }
    }

    /// What the letter holds, as the reactor that sends it makes it.
    fn token(&self, generation: u32) -> String {
        self.token_until(generation, Utc::now() + TimeDelta::hours(1))
    }

    fn token_until(&self, generation: u32, until: DateTime<Utc>) -> String {
        let content = InvitationToken { organization: self.organization, invitation: self.id, generation };
        invitation_token(&token_keys(), &content, until).expect("a token")
    }
}

impl Organization {
    fn invitations(&self) -> String {
        format!("/organizations/{}/invitations", self.id)
    }

    async fn invite(&self, email: &str, role: &str) -> Invited {
        let reply = self.admin.post(&self.invitations(), &json!({ "email": email, "role": role })).await.expect(201);
        Invited::of(self.id, &reply)
    }

    async fn invitation(&self, invited: &Invited, position: i64) -> Value {
        self.admin.get_at(&format!("{}/{}", self.invitations(), invited.id), position).await.expect(200).body
    }

    async fn status_of(&self, user: &str, position: i64) -> Value {
        self.admin.get_at(&format!("/users/{user}"), position).await.expect(200).body["status"].clone()
    }
}

async fn show(token: &str) -> Reply {
    Client::anonymous().get(&format!("/invitations/{token}")).await
}

async fn accept(token: &str) -> Reply {
    Client::anonymous().post("/invitations/accept", &json!({ "token": token })).await
}

/// Refused at both doors, by an answer that says nothing but that.
async fn assert_not_valid(case: &str, token: &str) {
    for reply in [show(token).await, accept(token).await] {
        let mut body = reply.refused(404, "RESOURCE_NOT_FOUND").body;
        body.as_object_mut().expect("a problem").remove("request_id");
        let expected = json!({
            "type": "urn:palmares:problem:resource-not-found", "title": "Not found", "status": 404, "code": "RESOURCE_NOT_FOUND",
            "reason": "identity.invitation_not_valid", "errors": [],
            "detail": "The invitation is not valid, or no longer; ask whoever sent it for a new one.",
        });
        assert_eq!(body, expected, "{case}");
    }
}

// covers: E-118, E-119, E-128, E-131, E-144, E-219, E-220, E-221
#[tokio::test]
async fn someone_is_invited_reads_what_it_says_and_accepts_once() {
    let organization = fresh_organization().await;
    let body = json!({ "email": "Ada.Lovelace@acme.example", "role": "analyst", "display_name": "Ada", "valid_for_hours": 48 });
    let reply = organization.admin.post(&format!("/organizations/{}/invite", organization.id), &body).await.expect(201);
    let invited = Invited::of(organization.id, &reply);
    assert_eq!((&reply.body["status"], reply.header("location")), (&json!("PENDING"), format!("/api/v1/users/{}", invited.user).as_str()));
    assert_eq!(organization.status_of(&invited.user, invited.position).await, "INVITED");
    let read = organization.invitation(&invited, invited.position).await;
    assert_eq!((&read["email"], &read["role"], &read["generation"]), (&json!("Ada.Lovelace@acme.example"), &json!("analyst"), &json!(1)));
    let expires_at: DateTime<Utc> = read["expires_at"].as_str().expect("a time").parse().expect("a time");
    let hours = (expires_at - Utc::now()).as_seconds_f64() / 3600.0;
    assert!((47.9..=48.0).contains(&hours), "{hours}");

    let token = invited.token_until(1, expires_at);
    let shown = show(&token).await.expect(200).body;
    let says = json!({
        "organization_name": "Test", "role": "analyst", "email": "A***@acme.example", "expires_at": read["expires_at"], "status": "PENDING",
    });
    assert_eq!(shown, says);
    show(&token).await.expect(200);

    let taken = accept(&token).await.expect(200).body;
    let steps = json!([taken["status"], taken["user_id"], taken["organization_id"], taken["next"]]);
    assert_eq!(steps, json!(["ACCEPTED", invited.user, organization.id, "set_password"]));
    let goes_on = read_setup_token(&token_keys(), taken["setup_token"].as_str().expect("a token")).expect("a token for the next step");
    let user = invited.user.parse().expect("a user id");
    assert_eq!(goes_on, SetupToken { organization: organization.id, invitation: invited.id, user });
    assert_not_valid("used", &token).await;

    let head = organization.head().await;
    assert_eq!(organization.invitation(&invited, head).await["status"], "ACCEPTED");
    assert_eq!(organization.status_of(&invited.user, head).await, "PENDING_ACTIVATION");
    // Whoever has not done what is asked of them may not act.
    let early = organization.admin.with_token(&mint(&invited.user, organization.id, Role::Analyst));
    early.get("/points/programs").await.refused(401, "AUTHENTICATION_FAILED");

    let log = json!(organization.domain_events().await).to_string();
    assert!(log.contains("identity.invitation_accepted"));
    for secret in [&token, "Lovelace", "acme.example"] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}

// covers: E-130, E-132
#[tokio::test]
async fn an_invitation_sent_again_ends_the_one_before_it() {
    let organization = fresh_organization().await;
    let invited = organization.invite("ada@acme.example", "member").await;
    let resend = format!("/invitations/{}/resend", invited.id);
    organization.admin.post(&resend, &json!({})).await.refused(429, "RATE_LIMITED");
    assert_not_valid("of a generation that was not sent", &invited.token(2)).await;
    show(&invited.token(1)).await.expect(200);
    // Once a minute: the condition that is waited for is that the minute is over.
    let deadline = Instant::now() + Duration::from_secs(90);
    let resent = loop {
        let reply = organization.admin.post(&resend, &json!({ "valid_for_hours": 1 })).await;
        if reply.status != 429 {
            break reply.expect(200);
        }
        assert!(Instant::now() < deadline, "not sent again within a minute and a half");
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    assert_not_valid("superseded", &invited.token(1)).await;
    let read = organization.invitation(&invited, resent.position()).await;
    assert_eq!((&read["generation"], &read["email"]), (&json!(2), &json!("ada@acme.example")));
    let events = organization.domain_events().await;
    let issued = events.iter().filter(|event| event["type"] == "identity.invitation_issued").count();
    assert_eq!(issued, 2, "every reissue is an event");
    accept(&invited.token(2)).await.expect(200);
}

#[tokio::test]
async fn a_revoked_invitation_is_good_for_nothing_and_its_address_may_be_invited_again() {
    let organization = fresh_organization().await;
    let invited = organization.invite("ada@acme.example", "member").await;
    let revoke = format!("/invitations/{}/revoke", invited.id);
    let revoked = organization.admin.post(&revoke, &json!({})).await.expect(200);
    assert_eq!(revoked.body["status"], "REVOKED");
    assert_not_valid("revoked", &invited.token(1)).await;
    assert_eq!(organization.invitation(&invited, revoked.position()).await["status"], "REVOKED");
    for step in ["revoke", "resend"] {
        let refused = organization.admin.post(&format!("/invitations/{}/{step}", invited.id), &json!({})).await;
        assert_eq!(refused.refused(422, "VALIDATION_ERROR").body["reason"], "identity.invitation_transition_forbidden", "{step}");
    }
    let again = organization.invite("ada@acme.example", "member").await;
    assert_ne!(again.user, invited.user);
    accept(&again.token(1)).await.expect(200);
}

// covers: E-118
#[tokio::test]
async fn every_bad_token_is_answered_alike() {
    let (organization, other) = (fresh_organization().await, fresh_organization().await);
    let invited = organization.invite("ada@acme.example", "member").await;
    let stranger = generate_pem().expect("a key");
    let stranger = TokenKeys::from_pems(ISSUER, AUDIENCE, [stranger.as_str()]).expect("a key");
    let stranger = stranger.in_environment(Environment::development());
    let content = InvitationToken { organization: organization.id, invitation: invited.id, generation: 1 };
    let until = Utc::now() + TimeDelta::hours(1);
    let user = invited.user.parse().expect("a user id");
    let setup = SetupToken { organization: organization.id, invitation: invited.id, user };
    let of = |content: &InvitationToken| invitation_token(&token_keys(), content, until).expect("a token");
    let good = invited.token(1);
    let (body, signature) = good.rsplit_once('.').expect("a signed token");
    let cases = [
        ("malformed", "not-a-token".to_owned()),
        ("altered", format!("{body}.{}", signature.chars().rev().collect::<String>())),
        ("signed by a stranger", invitation_token(&stranger, &content, until).expect("a token")),
        ("for another purpose", setup_token(&token_keys(), &setup, until).expect("a token")),
        ("of a signed-in user", mint(&invited.user, organization.id, Role::Member)),
        ("expired", invited.token_until(1, Utc::now() - TimeDelta::seconds(1))),
        ("of another generation", of(&InvitationToken { generation: 2, ..content })),
        ("of an unknown invitation", of(&InvitationToken { invitation: InvitationId(Uuid::now_v7()), ..content })),
        ("of another organization", of(&InvitationToken { organization: other.id, ..content })),
        ("of no organization", of(&InvitationToken { organization: OrganizationId(Uuid::now_v7()), ..content })),
    ];
    let before = organization.domain_events().await;
    for (case, token) in &cases {
        assert_not_valid(case, token).await;
    }
    // While its organization is suspended it is good for nothing, and afterwards again.
    let platform = organization.admin.with_token(&running().descriptor.tokens.platform_admin);
    platform.post(&format!("/organizations/{}/suspend", organization.id), &json!({})).await.expect(200);
    assert_not_valid("of a suspended organization", &good).await;
    platform.post(&format!("/organizations/{}/resume", organization.id), &json!({})).await.expect(200);
    let happened = organization.domain_events().await;
    assert_eq!(happened.len(), before.len() + 2, "a bad token left a trace");
    accept(&good).await.expect(200);
}

#[tokio::test]
async fn a_door_takes_a_token_and_nothing_else() {
    let anonymous = Client::anonymous();
    for (body, field, reason) in [
        (json!({}), "token", "required"),
        (json!({ "token": 7 }), "token", "wrong_type"),
        (json!({ "token": "t", "a": 1 }), "a", "unknown_field"),
    ] {
        let refused = anonymous.post("/invitations/accept", &body).await.refused(422, "VALIDATION_ERROR");
        assert_eq!((&refused.body["errors"][0]["field"], &refused.body["errors"][0]["reason"]), (&json!(field), &json!(reason)));
    }
}

// covers: E-132
#[tokio::test]
async fn an_address_is_invited_once_and_bad_input_is_named() {
    let organization = fresh_organization().await;
    organization.invite("ada@acme.example", "member").await;
    let before = organization.domain_events().await;
    let invite = async |body: &Value| organization.admin.post(&organization.invitations(), body).await;
    let twice = invite(&json!({ "email": "ADA@acme.example", "role": "member" })).await.refused(409, "CONFLICT");
    assert_eq!((&twice.body["errors"][0]["field"], &twice.body["reason"]), (&json!("email"), &json!("identity.email_taken")));
    for (field, value, reason) in [
        ("email", json!("ada"), "identity.email_invalid"),
        ("email", json!("a b@acme.example"), "identity.email_invalid"),
        ("email", json!(null), "wrong_type"),
        ("role", json!("king"), "not_allowed"),
        ("role", json!(Uuid::now_v7()), "identity.role_not_found"),
        ("display_name", json!(""), "identity.display_name_invalid"),
        ("valid_for_hours", json!(0), "identity.invitation_validity_invalid"),
        ("valid_for_hours", json!(721), "identity.invitation_validity_invalid"),
        ("organization_id", json!(organization.id), "unknown_field"),
    ] {
        let mut body = json!({ "email": "grace@acme.example", "role": "member" });
        body[field] = value;
        let refused = invite(&body).await.refused(422, "VALIDATION_ERROR");
        let error = &refused.body["errors"][0];
        assert_eq!((&error["field"], &error["reason"]), (&json!(field), &json!(reason)), "{body}");
    }
    assert_eq!(organization.domain_events().await, before);
    // Another organization knows the same address as somebody else.
    fresh_organization().await.invite("ada@acme.example", "member").await;
}

// covers: E-46
#[tokio::test]
async fn only_who_may_invites_and_only_to_what_they_may_themselves() {
    let organization = fresh_organization().await;
    let path = organization.invitations();
    let body = json!({ "email": "ada@acme.example", "role": "member" });
    for caller in [&organization.member, &organization.analyst, &organization.officer] {
        caller.post(&path, &body).await.refused(403, "ACCESS_DENIED");
        caller.get("/invitations").await.refused(403, "ACCESS_DENIED");
    }
    let grants = json!({ "name": "Recruiter", "grants": ["identity.invitation"] });
    let recruiter = organization.admin.post("/roles", &grants).await.expect(201).id("id");
    let user = &organization.member_id;
    organization.admin.post(&format!("/users/{user}/roles"), &json!({ "role": recruiter })).await.expect(200);
    let role: RoleId = recruiter.parse().expect("the id of a role");
    let recruiter = organization.admin.with_token(&mint(user, organization.id, role));
    for reach in ["organization_admin", "compliance_officer"] {
        let refused = recruiter.post(&path, &json!({ "email": "ada@acme.example", "role": reach })).await.refused(403, "ACCESS_DENIED");
        assert_eq!(refused.body["reason"], "identity.permission_escalation_attempt");
    }
    let refused = organization.admin.post(&path, &json!({ "email": "ada@acme.example", "role": "platform_admin" })).await;
    refused.refused(403, "ACCESS_DENIED");
    recruiter.post(&path, &body).await.expect(201);
    // To send again what gives more than one's own rights is to give it.
    let admin = organization.invite("grace@acme.example", "organization_admin").await;
    let refused = recruiter.post(&format!("/invitations/{}/resend", admin.id), &json!({})).await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "identity.permission_escalation_attempt");

    let audit = organization.officer.get_at("/audit-logs?limit=200", organization.head().await).await.expect(200);
    let attempts = audit.items().iter().filter(|entry| entry.to_string().contains("identity.permission_escalation_attempt")).count();
    assert_eq!(attempts, 4, "{}", audit.body);
}

#[tokio::test]
async fn an_invitation_of_another_organization_is_not_there() {
    let (own, other) = (fresh_organization().await, fresh_organization().await);
    let invited = other.invite("ada@acme.example", "member").await;
    let before = other.domain_events().await;
    for step in ["resend", "revoke"] {
        let path = format!("/invitations/{}/{step}", invited.id);
        own.admin.post(&path, &json!({})).await.refused(404, "RESOURCE_NOT_FOUND");
    }
    own.admin.get_at(&format!("{}/{}", own.invitations(), invited.id), invited.position).await.refused(404, "RESOURCE_NOT_FOUND");
    let foreign = json!({ "email": "eve@acme.example", "role": "organization_admin" });
    own.admin.post(&other.invitations(), &foreign).await.refused(403, "TENANT_MISMATCH");
    assert!(own.admin.get_at("/invitations", invited.position).await.expect(200).items().is_empty());
    assert_eq!(other.domain_events().await, before);
}

#[tokio::test]
async fn invitations_are_listed_by_status_and_the_look_is_recorded() {
    let organization = fresh_organization().await;
    let first = organization.invite("ada@acme.example", "member").await;
    let second = organization.invite("grace@acme.example", "analyst").await;
    let revoke = format!("/invitations/{}/revoke", first.id);
    let position = organization.admin.post(&revoke, &json!({})).await.expect(200).position();
    let listed = organization.admin.get_at("/invitations?status=PENDING", position).await.expect(200);
    let [only] = listed.items() else { panic!("{}", listed.body) };
    assert_eq!((&only["id"], &only["email"], &only["role"]), (&json!(second.id), &json!("grace@acme.example"), &json!("analyst")));
    assert_eq!(organization.admin.get("/invitations").await.expect(200).items().len(), 2);
    organization.admin.get("/invitations?status=LOST").await.refused(422, "VALIDATION_ERROR");
    eventually("the look is in the audit trail", async || {
        let audit = organization.officer.get("/audit-logs?limit=200").await.expect(200);
        let look = |entry: &Value| entry["event_type"] == "compliance.sensitive_data_read" && entry["action"] == "identity.invitation.read";
        audit.items().iter().any(look).then_some(())
    })
    .await;
}

// covers: E-123, E-127
#[tokio::test]
async fn the_platform_invites_the_first_administrator_of_a_new_organization() {
    let organization = fresh_organization().await;
    let platform = organization.admin.with_token(&running().descriptor.tokens.platform_admin);
    let slug = format!("org-{}", Uuid::now_v7().simple());
    let created = platform.post("/organizations", &json!({ "name": "New", "slug": slug })).await.expect(201);
    let id: OrganizationId = created.id("id").parse().expect("an organization id");
    let body = json!({ "email": "first@new.example", "role": "organization_admin" });
    let reply = platform.post(&format!("/organizations/{id}/invitations"), &body).await.expect(201);
    let invited = Invited::of(id, &reply);
    let token = invited.token(1);
    assert_eq!(show(&token).await.expect(200).body["organization_name"], "New");
    assert_eq!(accept(&token).await.expect(200).body["organization_id"], json!(id));
    let in_new = platform.in_organization(id);
    let listed = eventually("the acceptance shows", async || {
        let listed = in_new.get("/invitations").await.expect(200);
        (listed.items()[0]["status"] == "ACCEPTED").then_some(listed)
    })
    .await;
    assert_eq!(listed.items().len(), 1);
    let user = in_new.get_at(&format!("/users/{}", invited.user), invited.position).await.expect(200);
    assert_eq!(user.body["role"], "organization_admin");
    // It names nobody of the organization in which the platform usually works.
    organization.admin.get(&format!("/users/{}", invited.user)).await.refused(404, "RESOURCE_NOT_FOUND");
}
