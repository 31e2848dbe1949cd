//! Organizations: what they set for themselves, how they are set up, and which domains are theirs.

use crate::support::{
    dns::dns,
    running::{Client, Organization, eventually, fresh_organization, mint, running},
};
use chrono::{DateTime, TimeDelta, Utc};
use palmares_domain::{identity::Role, kernel::OrganizationId};
use serde_json::{Value, json};
use sqlx::Connection;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The platform's administrator, at home.
async fn platform() -> Client {
    let running = tokio::task::spawn_blocking(running).await.expect("the system starts");
    Client::anonymous().with_token(&running.descriptor.tokens.platform_admin)
}

fn slug() -> String {
    format!("org-{}", Uuid::now_v7().simple())
}

/// A domain of which no other test has heard.
fn fresh_domain() -> String {
    format!("d{}.example", Uuid::now_v7().simple())
}

impl Organization {
    fn path(&self, rest: &str) -> String {
        format!("/organizations/{}{rest}", self.id)
    }

    async fn settings(&self) -> Value {
        self.admin.get_at(&self.path("/settings"), self.head().await).await.expect(200).body
    }

    async fn patch(&self, client: &Client, settings: Value) -> crate::support::running::Reply {
        client.send("PATCH", &self.path("/settings"), &settings).await
    }

    /// Claims a domain and publishes the record that proves it.
    async fn proven(&self, domain: &str) {
        let claimed = self.admin.post(&self.path("/domains"), &json!({ "domain": domain })).await.expect(200);
        dns().publish(&claimed.id("record_name"), &[&["v=spf1 -all"], &[claimed.id("record_value").as_str()]]);
    }

    /// A domain that only the caller knows, claimed and proven.
    pub(super) async fn proven_domain(&self) -> String {
        let domain = fresh_domain();
        self.proven(&domain).await;
        self.verify(&domain).await.expect(200);
        domain
    }

    async fn verify(&self, domain: &str) -> crate::support::running::Reply {
        self.admin.post(&self.path(&format!("/domains/{domain}/verify")), &json!({})).await
    }
}

// covers: E-08, E-09, E-42
#[tokio::test]
async fn an_organization_sets_what_is_its_own_by_a_merge_patch() {
    let organization = fresh_organization().await;
    let before = organization.settings().await;
    assert_eq!((&before["display_name"], &before["password_min_length"], &before["plan"]), (&json!("Test"), &json!(12), &json!("starter")));

    let patch = json!({
        "display_name": "Acme", "time_zone": "Europe/Paris", "default_locale": "fr", "password_min_length": 16,
        "branding": { "primary_color": "#00aa7f", "sender_name": "Acme Wellness" }, "allowed_email_domains": ["BÜCHER.example"],
    });
    organization.patch(&organization.admin, patch).await.expect(200);
    let after = organization.settings().await;
    assert_eq!((&after["display_name"], &after["time_zone"]), (&json!("Acme"), &json!("Europe/Paris")));
    assert_eq!(after["branding"], json!({ "logo_url": null, "primary_color": "#00aa7f", "sender_name": "Acme Wellness" }));
    assert_eq!(after["allowed_email_domains"], json!(["xn--bcher-kva.example"]));

    // What is null follows the platform again, what is missing stays.
    organization
        .patch(&organization.admin, json!({ "branding": { "primary_color": null }, "password_min_length": null }))
        .await
        .expect(200);
    let reset = organization.settings().await;
    assert_eq!((&reset["password_min_length"], &reset["display_name"]), (&json!(12), &json!("Acme")));
    assert_eq!(reset["branding"], json!({ "logo_url": null, "primary_color": null, "sender_name": "Acme Wellness" }));
    organization.patch(&organization.admin, json!({ "branding": null })).await.expect(200);
    assert_eq!(organization.settings().await["branding"]["sender_name"], Value::Null);
}

// covers: E-197
#[tokio::test]
async fn an_organization_has_its_fields_its_users_and_its_experts() {
    let organization = fresh_organization().await;
    let shown = organization.platform.get_at(&organization.path(""), organization.head().await).await.expect(200).body;
    let fields = (&shown["id"], &shown["name"], &shown["slug"], &shown["status"]);
    assert_eq!(fields, (&json!(organization.id), &json!("Test"), &json!(organization.slug), &json!("ACTIVE")));
    let created: DateTime<Utc> = shown["created_at"].as_str().expect("a time").parse().expect("a time");
    assert!(Utc::now() - created < TimeDelta::minutes(5), "{created}");
    // What it subscribed to is one of its settings, which are one document.
    organization.patch(&organization.platform, json!({ "plan": "enterprise" })).await.expect(200);
    let settings = organization.settings().await;
    assert_eq!((&settings["plan"], &settings["display_name"]), (&json!("enterprise"), &json!("Test")));

    let (mut users, other) = (vec![organization.add_member("one").await, organization.add_member("two").await], fresh_organization().await);
    for reference in ["first", "second"] {
        let body = json!({ "external_ref": reference, "role": "expert" });
        users.push(organization.platform.post("/users", &body).await.expect(201).id("id"));
    }
    let head = organization.head().await;
    let ids = |reply: &crate::support::running::Reply| -> BTreeSet<String> {
        reply.items().iter().map(|user| user["id"].as_str().expect("an id").to_owned()).collect()
    };
    let all = ids(&organization.admin.get_at("/users", head).await.expect(200));
    assert!(users.iter().all(|user| all.contains(user)), "{all:?}");
    let experts = ids(&organization.admin.get_at("/users?role=expert", head).await.expect(200));
    assert_eq!(experts, users[2..].iter().cloned().collect());
    // Each is of one organization.
    assert!(ids(&other.admin.get_at("/users", head).await.expect(200)).is_disjoint(&all));
}

// covers: E-42, P-82
#[tokio::test]
async fn what_the_platform_sets_is_not_the_organizations_to_set_and_the_attempt_is_audited() {
    let organization = fresh_organization().await;
    let before = organization.settings().await;
    for (field, value) in [
        ("plan", json!("enterprise")),
        ("isolation_mode", json!("dedicated")),
        ("feature_flags", json!(["reporting"])),
        ("retention_days", json!(400)),
        ("plan", Value::Null),
    ] {
        // Not even beside what it may set.
        let refused = organization.patch(&organization.admin, json!({ field: value, "mfa_required_for_all": true })).await;
        let refused = refused.refused(403, "ACCESS_DENIED");
        assert_eq!(
            (&refused.body["reason"], &refused.body["errors"][0]["field"]),
            (&json!("organizations.setting_platform_only"), &json!(field))
        );
    }
    assert_eq!(organization.settings().await, before);
    let audit = organization.officer.get_at("/audit-logs?limit=200", organization.head().await).await.expect(200);
    let attempts = audit.items().iter().filter(|entry| entry.to_string().contains("organizations.setting_platform_only")).count();
    assert_eq!(attempts, 5, "{}", audit.body);
    for caller in [&organization.officer, &organization.analyst, &organization.member] {
        organization.patch(caller, json!({ "display_name": "Mine" })).await.refused(403, "ACCESS_DENIED");
    }

    let all = json!({ "plan": "enterprise", "isolation_mode": "dedicated", "feature_flags": ["reporting"], "retention_days": 400 });
    organization.patch(&organization.platform, all.clone()).await.expect(200);
    let after = organization.settings().await;
    for (field, value) in all.as_object().expect("an object") {
        assert_eq!(&after[field], value);
    }
}

#[tokio::test]
async fn a_setting_that_is_out_of_bounds_changes_nothing() {
    let organization = fresh_organization().await;
    let before = organization.domain_events().await;
    for (patch, field) in [
        (json!({ "password_min_length": 11 }), "password_min_length"),
        (json!({ "session_max_hours": 721 }), "session_max_hours"),
        (json!({ "session_max_hours": -1 }), "session_max_hours"),
        (json!({ "time_zone": "Mars/Olympus" }), "time_zone"),
        (json!({ "branding": { "logo_url": "http://acme.example/a.png" } }), "branding.logo_url"),
        (json!({ "branding": { "color": "red" } }), "branding.color"),
        (json!({ "allowed_email_domains": [] }), "allowed_email_domains"),
        (json!({ "allowed_email_domains": ["acme"] }), "allowed_email_domains[0]"),
        (json!({ "free_form": 1 }), "free_form"),
    ] {
        let refused = organization.patch(&organization.admin, patch.clone()).await.refused(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["errors"][0]["field"], field, "{patch}");
    }
    assert_eq!(organization.domain_events().await, before);
}

// covers: T-89, E-223, E-224, E-225, E-43
#[tokio::test]
async fn the_platform_renames_an_organization_and_its_administrator_asks_for_its_deletion() {
    let organization = fresh_organization().await;
    let path = organization.path("");
    organization.admin.send("PATCH", &path, &json!({ "name": "Mine" })).await.refused(403, "ACCESS_DENIED");
    let renamed = organization.platform.send("PATCH", &path, &json!({ "name": "Acme Holding" })).await.expect(200);
    let found = organization.platform.get_at(&path, renamed.position()).await.expect(200);
    assert_eq!(found.body["name"], "Acme Holding");

    // Asking begins a review, and its people go on.
    let deleted = organization.admin.send("DELETE", &path, &json!({})).await.expect(202);
    assert_eq!(deleted.body["status"], "SUBMITTED");
    assert_eq!(deleted.header("location"), format!("/api/v1/deletion-requests/{}", deleted.id("id")));
    organization.admin.get("/users").await.expect(200);
    organization.admin.send("DELETE", &path, &json!({})).await.refused(409, "CONFLICT");
    organization.platform.post(&organization.path("/cancel-deletion"), &json!({})).await.expect(200);
    organization.admin.get("/users").await.expect(200);
}

/// An organization in its set-up, with its first administrator.
pub(super) async fn in_setup() -> (Client, String, String) {
    let (platform, slug) = (platform().await, slug());
    let created = platform.post("/organizations", &json!({ "name": "New", "slug": slug, "setup": true })).await.expect(201);
    assert_eq!(created.body["status"], "PENDING_SETUP");
    let id = created.id("id");
    (platform.in_organization(id.parse().expect("an id")), id, slug)
}

async fn onboarding(platform: &Client, id: &str, until: impl Fn(&Value) -> bool) -> Value {
    eventually("the checklist shows it", async || {
        let reply = platform.get(&format!("/organizations/{id}/onboarding")).await;
        (reply.status == 200 && until(&reply.body)).then_some(reply.body)
    })
    .await
}

// covers: E-123, E-277, E-01, H-86
#[tokio::test]
async fn an_organization_is_active_once_its_checklist_is_done() {
    let (platform, id, _) = in_setup().await;
    let path = |rest: &str| format!("/organizations/{id}/{rest}");
    let list = onboarding(&platform, &id, |_| true).await;
    assert_eq!((&list["next"], &list["complete"]), (&json!("administrator_invited"), &json!(false)));
    let refused = platform.post(&path("activate"), &json!({})).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "organizations.setup_incomplete");
    let missing: Vec<_> = refused.body["errors"].as_array().expect("errors").iter().map(|error| error["field"].clone()).collect();
    assert_eq!(missing, ["setup.administrator_invited", "setup.domain_configured", "setup.subscription_configured"]);
    let said = platform.post(&path("onboarding/administrator_invited/complete"), &json!({})).await.refused(409, "CONFLICT");
    assert_eq!(said.body["reason"], "organizations.step_seen_by_itself");

    // The first administrator is seen, and goes on with the set-up before the organization is active.
    let body = json!({ "external_ref": "first-admin", "role": "organization_admin" });
    let admin = platform.post("/users", &body).await.expect(201).id("id");
    let list = onboarding(&platform, &id, |list| list["next"] == "domain_configured").await;
    assert!(list["steps"][0]["at"].is_string() && list["steps"][0]["by"].is_string(), "{list}");
    let token = crate::support::running::mint(&admin, id.parse().expect("an id"), palmares_domain::identity::Role::OrganizationAdmin);
    let admin = platform.with_token(&token);
    admin.post(&path("onboarding/subscription_configured/complete"), &json!({})).await.refused(403, "ACCESS_DENIED");
    admin.post(&path("activate"), &json!({})).await.refused(403, "ACCESS_DENIED");
    let domain = fresh_domain();
    let claimed = admin.post(&path("domains"), &json!({ "domain": domain })).await.expect(200);
    dns().publish(&claimed.id("record_name"), &[&[claimed.id("record_value").as_str()]]);
    admin.post(&path(&format!("domains/{domain}/verify")), &json!({})).await.expect(200);
    onboarding(&platform, &id, |list| list["next"] == "subscription_configured").await;

    platform.post(&path("onboarding/subscription_configured/complete"), &json!({})).await.expect(200);
    platform.post(&path("onboarding/subscription_configured/complete"), &json!({})).await.refused(409, "CONFLICT");
    let active = platform.post(&path("activate"), &json!({})).await.expect(200);
    assert_eq!(active.body["status"], "ACTIVE");
    let list = onboarding(&platform, &id, |list| list["status"] == "ACTIVE").await;
    assert_eq!((&list["next"], &list["complete"]), (&Value::Null, &json!(true)));
    let again = platform.post(&path("activate"), &json!({})).await.refused(422, "VALIDATION_ERROR").body["errors"][0].clone();
    assert_eq!((&again["field"], &again["present"]), (&json!("status"), &json!("ACTIVE")));
    assert!(again["allowed"].as_array().is_some_and(|ways| ways.contains(&json!("SUSPENDED"))), "{again}");
    // Of an organization that was active at once there is no checklist.
    let other = fresh_organization().await;
    other.admin.get_at(&other.path("/onboarding"), other.head().await).await.refused(404, "RESOURCE_NOT_FOUND");
}

// covers: E-126
#[tokio::test]
async fn a_set_up_may_be_suspended_and_its_organization_is_not_active_by_being_resumed() {
    let (platform, id, _) = in_setup().await;
    let suspended = platform.post(&format!("/organizations/{id}/suspend"), &json!({ "reason": "incomplete" })).await.expect(200);
    assert_eq!(suspended.body["status"], "SUSPENDED");
    let refused = platform.post(&format!("/organizations/{id}/resume"), &json!({})).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "organizations.setup_incomplete");
}

/// It is a text that somebody of the platform typed: sealed in the log, and told in the organization alone, to
/// whoever is cleared for it, while it is suspended.
// covers: W-26, P-55
#[tokio::test]
async fn why_an_organization_is_suspended_is_told_in_it_and_stands_nowhere_in_clear() {
    let (platform, organization) = (platform().await, fresh_organization().await);
    let (id, path) = (organization.id, format!("/organizations/{}", organization.id));
    let inside = platform.in_organization(id);
    let reason = format!("unpaid{}", Uuid::now_v7().simple());
    let suspended = platform.post(&format!("{path}/suspend"), &json!({ "reason": reason })).await.expect(200).position();
    let support = json!({ "external_ref": format!("support-{}", Uuid::now_v7()), "role": "platform_support" });
    let support = platform.post("/users", &support).await.expect(201).id("id");
    let support = platform.with_token(&mint(&support, OrganizationId::PLATFORM, Role::PlatformSupport));
    for (caller, told) in [(&platform, json!(reason)), (&support, Value::Null)] {
        let shown = caller.get_at(&path, suspended).await.expect(200).body;
        assert_eq!((&shown["status"], &shown["suspension_reason"]), (&json!("SUSPENDED"), &told));
    }
    let listed = platform.all("/organizations?status=SUSPENDED").await;
    let listed = listed.iter().find(|listed| listed["id"] == json!(id)).expect("the organization");
    assert_eq!(listed["suspension_reason"], Value::Null, "a list of all is of no organization's log");

    let events = inside.all("/events?type=organizations.organization_suspended").await;
    assert!(events[0]["payload"]["reason"]["sealed"].is_string() && !events[0].to_string().contains(&reason), "{events:?}");
    let resumed = platform.post(&format!("{path}/resume"), &json!({})).await.expect(200).position();
    assert_eq!(inside.get_at(&path, resumed).await.expect(200).body["suspension_reason"], Value::Null);
    let head = organization.head().await;
    organization.officer.get_at("/audit-logs?limit=1", head).await.expect(200);
    let found = organization.officer.all(&format!("/audit-logs?text={reason}")).await;
    assert!(found.is_empty(), "{found:?}");
    let entries = organization.officer.all("/audit-logs?event_type=organizations.organization_suspended").await;
    assert!(entries.len() == 1 && !entries[0].to_string().contains(&reason), "{entries:?}");
}

// covers: E-126
#[tokio::test]
async fn a_set_up_that_was_left_lying_expires_and_its_slug_is_free() {
    let (platform, id, slug) = in_setup().await;
    let taken = json!({ "name": "Other", "slug": slug });
    platform.post("/organizations", &taken).await.refused(409, "CONFLICT");
    let organization: Uuid = id.parse().expect("an id");
    // Thirty days go by: the timer that the set-up began with is due.
    eventually("the timer is there", async || {
        let mut database = sqlx::PgConnection::connect(&running().descriptor.database_url).await.expect("the database");
        sqlx::query("SET ROLE palmares_projector").execute(&mut database).await.expect("the role");
        let due = "UPDATE timers SET try_at = clock_timestamp() WHERE organization_id = $1 AND kind = 'organizations.setup_left' \
                   AND due_at > clock_timestamp() + interval '29 days' RETURNING id";
        sqlx::query(due).bind(organization).fetch_optional(&mut database).await.expect("the timers")
    })
    .await;
    onboarding(&platform, &id, |list| list["status"] == "EXPIRED").await;
    platform.post("/organizations", &taken).await.expect(201);
    platform.send("PATCH", &format!("/organizations/{id}"), &json!({ "name": "Late" })).await.refused(409, "CONFLICT");
}

// covers: E-137, E-138
#[tokio::test]
async fn a_domain_is_proven_by_the_dns_and_then_opened() {
    let organization = fresh_organization().await;
    let domain = fresh_domain();
    let claimed = organization.admin.post(&organization.path("/domains"), &json!({ "domain": domain.to_uppercase() })).await.expect(200);
    assert_eq!(claimed.body["record_name"], format!("_palmares-challenge.{domain}"));
    let join = organization.path(&format!("/domains/{domain}/auto-join"));
    let refused = organization.admin.send("PUT", &join, &json!({ "mode": "automatic" })).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "organizations.domain_not_verified");
    let refused = organization.verify(&domain).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "organizations.domain_challenge_missing");
    dns().publish(&claimed.id("record_name"), &[&["palmares-verification=0"]]);
    organization.verify(&domain).await.refused(409, "CONFLICT");
    dns().break_name(&claimed.id("record_name"));
    organization.verify(&domain).await.refused(503, "SERVICE_UNAVAILABLE");

    dns().publish(&claimed.id("record_name"), &[&["v=spf1 -all"], &[claimed.id("record_value").as_str()]]);
    assert_eq!(organization.verify(&domain).await.expect(200).body["status"], "VERIFIED");
    organization.verify(&domain).await.refused(409, "CONFLICT");
    organization.admin.send("PUT", &join, &json!({ "mode": "sometimes" })).await.refused(422, "VALIDATION_ERROR");
    organization.admin.send("PUT", &join, &json!({ "mode": "approval" })).await.expect(200);
    let listed = organization.admin.get_at(&organization.path("/domains"), organization.head().await).await.expect(200);
    assert_eq!((&listed.items()[0]["status"], &listed.items()[0]["auto_join"]), (&json!("VERIFIED"), &json!("approval")));
    assert!(listed.items()[0]["verified_at"].is_string());
}

// covers: E-124
#[tokio::test]
async fn an_unproven_claim_keeps_nobody_out_and_a_proven_domain_is_one_organizations() {
    let (squatter, holder) = (fresh_organization().await, fresh_organization().await);
    let domain = fresh_domain();
    squatter.admin.post(&squatter.path("/domains"), &json!({ "domain": domain })).await.expect(200);
    holder.proven(&domain).await;
    // The record of one organization proves nothing for another.
    squatter.verify(&domain).await.refused(409, "CONFLICT");
    holder.verify(&domain).await.expect(200);
    squatter.admin.send("DELETE", &squatter.path(&format!("/domains/{domain}")), &json!({})).await.expect(200);
    squatter.proven(&domain).await;
    let refused = squatter.verify(&domain).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "organizations.domain_taken");

    let released = holder.admin.send("DELETE", &holder.path(&format!("/domains/{domain}")), &json!({})).await.expect(200);
    assert_eq!(released.body["status"], "RELEASED");
    holder.verify(&domain).await.refused(404, "RESOURCE_NOT_FOUND");
    squatter.verify(&domain).await.expect(200);
    let listed = holder.admin.get_at(&holder.path("/domains"), holder.head().await).await.expect(200);
    assert_eq!(listed.items().len(), 0);
}

#[tokio::test]
async fn a_domain_of_everyone_is_not_claimed() {
    let organization = fresh_organization().await;
    let before = organization.domain_events().await;
    for (domain, reason) in [
        ("gmail.com", "organizations.domain_shared"),
        ("co.uk", "organizations.domain_shared"),
        ("localhost", "organizations.domain_name_invalid"),
        ("10.0.0.1", "organizations.domain_name_invalid"),
        ("a_b.example", "organizations.domain_name_invalid"),
    ] {
        let refused = organization.admin.post(&organization.path("/domains"), &json!({ "domain": domain })).await;
        let refused = refused.refused(422, "VALIDATION_ERROR");
        assert_eq!((&refused.body["errors"][0]["field"], &refused.body["errors"][0]["reason"]), (&json!("domain"), &json!(reason)));
    }
    assert_eq!(organization.domain_events().await, before);
}
