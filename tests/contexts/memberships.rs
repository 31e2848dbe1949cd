//! One person in several organizations: accounts that are linked by whoever has both, and the way from
//! one to the other.

use super::sign_in::{GIVEN, OWN, Person, code, door};
use crate::support::running::{Client, Organization, Reply, fresh_organization};
use chrono::Utc;
use palmares::sign_in::membership_token::link_token;
use palmares_domain::{
    identity::memberships::Account,
    kernel::{OrganizationId, UserId},
};
use serde_json::{Value, json};
use uuid::Uuid;

/// Somebody with an account in each of two organizations.
struct Both {
    here: Organization,
    there: Organization,
    one: Person,
    other: Person,
    at_one: Client,
    at_other: Client,
}

impl Both {
    async fn of(role_here: &str, role_there: &str) -> Self {
        let (here, there) = (fresh_organization().await, fresh_organization().await);
        let one = here.person(role_here).await.with_own_password().await;
        let other = there.person(role_there).await.with_own_password().await;
        let (at_one, at_other) = (one.acting(&here).await, other.acting(&there).await);
        Self { here, there, one, other, at_one, at_other }
    }

    async fn members() -> Self {
        Self::of("member", "member").await
    }

    /// What is offered to the account there.
    async fn offer(&self) -> Reply {
        offer(&self.at_one, &self.there.slug, &self.other.email).await
    }

    /// Links the two, and answers the membership's id.
    async fn linked(&self) -> String {
        let token = self.offer().await.expect(200).id("link_token");
        accept(&self.at_other, &token).await.expect(200).id("id")
    }

    async fn events(&self) -> (Vec<Value>, Vec<Value>) {
        (self.here.domain_events().await, self.there.domain_events().await)
    }
}

impl Person {
    /// Acts by a token of an operator, so that no second factor is in the way of whoever administers.
    async fn acting(&self, organization: &Organization) -> Client {
        let me = organization.admin.get(&format!("/users/{}", self.user)).await.expect(200);
        let role: palmares_domain::identity::RoleRef = me.id("role").parse().expect("a role");
        organization.member.with_token(&crate::support::running::mint(&self.user, organization.id, role))
    }

    fn account(&self, organization: OrganizationId) -> Account {
        Account { organization_id: organization, user_id: UserId(self.user.parse().expect("a user id")) }
    }
}

async fn offer(client: &Client, organization: &str, email: &str) -> Reply {
    client.post("/me/memberships", &json!({ "organization": organization, "email": email })).await
}

async fn accept(client: &Client, token: &str) -> Reply {
    client.post("/me/memberships/accept", &json!({ "link_token": token })).await
}

async fn ask_way(client: &Client, membership: &str) -> Reply {
    client.post(&format!("/me/memberships/{membership}/switch"), &json!({})).await
}

async fn enter(token: &str) -> Reply {
    door("/auth/switch", &json!({ "switch_token": token, "$jwt": true })).await
}

async fn unlink(client: &Client, membership: &str) -> Reply {
    client.send("DELETE", &format!("/me/memberships/{membership}"), &json!({})).await
}

async fn memberships(client: &Client) -> Vec<Value> {
    client.get("/me/memberships").await.expect(200).items().to_vec()
}

fn count(events: &[Value], name: &str) -> usize {
    events.iter().filter(|event| event["type"] == name).count()
}

#[track_caller]
fn refused_offer(reply: Reply) {
    let refused = reply.refused(422, "VALIDATION_ERROR");
    let error = &refused.body["errors"][0];
    assert_eq!((&error["field"], &error["reason"]), (&json!("link_token"), &json!("identity.membership_link_not_valid")));
}

// covers: E-200
#[tokio::test]
async fn who_has_both_accounts_links_them_and_sees_each_from_the_other() {
    let both = Both::members().await;
    let id = both.linked().await;
    let sides = [(&both.at_one, &both.there, &both.other), (&both.at_other, &both.here, &both.one)];
    for (client, organization, person) in sides {
        let listed = memberships(client).await;
        assert_eq!(listed.len(), 1);
        let shown = &listed[0];
        assert_eq!(
            (&shown["id"], &shown["organization_id"], &shown["user_id"]),
            (&json!(id), &json!(organization.id), &json!(person.user))
        );
        let organization_shown = ["organization_slug", "organization_name", "organization_status"].map(|field| shown[field].clone());
        assert_eq!(organization_shown, [json!(organization.slug), json!("Test"), json!("ACTIVE")]);
        assert_eq!((&shown["status"], &shown["roles"], &shown["last_switched_at"]), (&json!("ACTIVE"), &json!(["member"]), &Value::Null));
    }
    // Each log has its half, and none says where the other one is.
    let (here, there) = both.events().await;
    let strangers = [(here, &both.there, &both.other), (there, &both.here, &both.one)];
    for (events, organization, person) in strangers {
        let linked: Vec<_> = events.iter().filter(|event| event["type"] == "identity.membership_linked").collect();
        assert_eq!(linked.len(), 1);
        let said = linked[0]["payload"].to_string();
        assert!(!said.contains(&organization.id.to_string()) && !said.contains(&person.user), "{said}");
    }
}

// covers: E-200
#[tokio::test]
async fn an_offer_is_of_no_use_to_anybody_else_late_or_twice() {
    let both = Both::members().await;
    let stranger = both.there.person("member").await.acting(&both.there).await;
    let elsewhere = fresh_organization().await;
    let token = both.offer().await.expect(200).id("link_token");
    let before = both.events().await;
    refused_offer(accept(&stranger, &token).await);
    refused_offer(accept(&elsewhere.member, &token).await);
    refused_offer(accept(&both.at_one, &token).await);
    refused_offer(accept(&both.at_other, "").await);
    refused_offer(accept(&both.at_other, both.at_other.token()).await);
    accept(&Client::anonymous(), &token).await.refused(401, "AUTHENTICATION_FAILED");
    // The same offer, signed by the same key, ten minutes ago.
    let keys = crate::support::running::token_keys();
    let link = json!({ "membership": uuid::Uuid::now_v7(), "from": both.one.account(both.here.id), "to": "00".repeat(32) });
    let late = keys.seal("membership_link", &link, Utc::now() - chrono::TimeDelta::seconds(1)).expect("a token");
    refused_offer(accept(&both.at_other, &late).await);
    assert_eq!(both.events().await, before);

    let id = accept(&both.at_other, &token).await.expect(200).id("id");
    let after = both.events().await;
    refused_offer(accept(&both.at_other, &token).await);
    assert_eq!(both.events().await, after);
    // Not even once it was parted.
    unlink(&both.at_other, &id).await.expect(200);
    refused_offer(accept(&both.at_other, &token).await);
    assert!(memberships(&both.at_one).await.is_empty());
}

// covers: E-200
#[tokio::test]
async fn an_offer_of_somebody_who_was_suspended_is_void() {
    let both = Both::members().await;
    let token = both.offer().await.expect(200).id("link_token");
    both.here.admin.post(&format!("/users/{}/suspend", both.one.user), &json!({})).await.expect(200);
    let before = both.events().await;
    refused_offer(accept(&both.at_other, &token).await);
    assert_eq!(both.events().await, before);
    both.here.admin.post(&format!("/users/{}/resume", both.one.user), &json!({})).await.expect(200);
    both.there.admin.post(&format!("/users/{}/suspend", both.other.user), &json!({})).await.expect(200);
    accept(&both.at_other, &token).await.refused(401, "AUTHENTICATION_FAILED");
}

// covers: E-200
#[tokio::test]
async fn nobody_learns_from_an_offer_who_is_there() {
    let both = Both::members().await;
    let known = both.offer().await.expect(200);
    let unknown = offer(&both.at_one, &both.there.slug, "nobody@example.test").await.expect(200);
    let nowhere = offer(&both.at_one, "no-such-organization", "nobody@example.test").await.expect(200);
    let members = |reply: &Reply| reply.body.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!((members(&known), members(&known)), (members(&unknown), members(&nowhere)));
    let own = offer(&both.at_one, &both.here.slug, &both.one.email).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(own.body["errors"][0]["reason"], "identity.membership_same_organization");
}

#[tokio::test]
async fn two_accounts_of_one_organization_and_a_second_one_there_are_not_linked() {
    let both = Both::members().await;
    let (one, other) = (both.one.account(both.here.id), both.other.account(both.there.id));
    // As the offer would be if the first check were not there.
    let colleague = both.here.person("member").await;
    let keys = crate::support::running::token_keys();
    let (token, _) = link_token(&keys, colleague.account(both.here.id), one).expect("a token");
    let refused = accept(&both.at_one, &token).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "identity.membership_same_organization");
    both.linked().await;
    for (from, client) in [(one, &both.at_other), (other, &both.at_one)] {
        let to = if from == one { other } else { one };
        let (again, _) = link_token(&keys, from, to).expect("a token");
        let refused = accept(client, &again).await.refused(409, "CONFLICT");
        assert_eq!(refused.body["reason"], "identity.membership_linked_already");
    }
}

// covers: E-21, E-200
#[tokio::test]
async fn an_administrator_of_one_organization_is_nothing_but_a_user_of_the_other() {
    let both = Both::of("member", "member").await;
    both.here.admin.post(&format!("/users/{}/roles", both.one.user), &json!({ "role": "organization_admin" })).await.expect(200);
    let admin = both.here.member.with_token(&crate::support::running::mint(
        &both.one.user,
        both.here.id,
        palmares_domain::identity::Role::OrganizationAdmin,
    ));
    admin.get("/users").await.expect(200);
    let id = both.linked().await;
    let way = ask_way(&admin, &id).await.expect(200).id("switch_token");
    let entered = enter(&way).await.expect(200);
    assert_eq!(entered.body["status"], "SIGNED_IN");
    let there = both.there.member.with_token(&entered.id("access_token"));
    let me = there.get("/me").await.expect(200).body;
    assert_eq!((&me["organization_id"], &me["user_id"]), (&json!(both.there.id), &json!(both.other.user)));
    assert_eq!(me["roles"], json!(["member"]));
    there.get("/users").await.refused(403, "ACCESS_DENIED");
    there.post(&format!("/users/{}/suspend", both.there.member_id), &json!({})).await.refused(403, "ACCESS_DENIED");
    there.in_organization(both.here.id).get("/users").await.refused(403, "TENANT_MISMATCH");
    // And as an administrator of the first, they do not reach into the second.
    admin.in_organization(both.there.id).get("/users").await.refused(403, "TENANT_MISMATCH");

    let (here, there) = both.events().await;
    assert_eq!((count(&here, "identity.switched_away"), count(&there, "identity.switched_in")), (1, 1));
    let started = there.iter().rfind(|event| event["type"] == "identity.session_started").expect("a session");
    assert_eq!((&started["payload"]["method"], &started["payload"]["user_id"]), (&json!("switch"), &json!(both.other.user)));
    assert!(!memberships(&admin).await[0]["last_switched_at"].is_null());
}

// covers: E-21, E-113
#[tokio::test]
async fn the_other_organization_asks_for_its_own_second_factor() {
    let both = Both::of("member", "member").await;
    let secret = both.at_other.post("/me/mfa/totp", &json!({})).await.expect(200).id("secret");
    both.at_other.post("/me/mfa/totp/confirm", &json!({ "code": code(&secret, -1) })).await.expect(200);
    let id = both.linked().await;
    let way = ask_way(&both.at_one, &id).await.expect(200).id("switch_token");
    let asked = enter(&way).await.expect(200);
    assert_eq!((&asked.body["status"], &asked.body["access_token"]), (&json!("SECOND_FACTOR_REQUIRED"), &Value::Null));
    let (here, there) = both.events().await;
    assert_eq!((count(&here, "identity.switched_away"), count(&there, "identity.switched_in")), (0, 0), "nobody is over yet");
    let proof = json!({ "challenge": asked.body["challenge"], "method": "totp", "code": code(&secret, 0) });
    let entered = door("/auth/mfa/verify", &proof).await.expect(200);
    assert_eq!(entered.body["status"], "SIGNED_IN");
    let (here, there) = both.events().await;
    assert_eq!((count(&here, "identity.switched_away"), count(&there, "identity.switched_in")), (1, 1));

    // Where one is required and missing, it has to be enrolled first.
    let settings = format!("/organizations/{}/settings", both.here.id);
    both.here.admin.send("PATCH", &settings, &json!({ "mfa_required_for_all": true })).await.expect(200);
    let back = ask_way(&both.at_other, &id).await.expect(200).id("switch_token");
    assert_eq!(enter(&back).await.expect(200).body["status"], "ENROLMENT_REQUIRED");
}

// covers: E-200
#[tokio::test]
async fn a_way_over_is_open_once_and_closes_with_what_it_comes_from() {
    let both = Both::members().await;
    let id = both.linked().await;
    let way = ask_way(&both.at_one, &id).await.expect(200).id("switch_token");
    enter(&way).await.expect(200);
    enter(&way).await.refused(401, "AUTHENTICATION_FAILED");
    enter("").await.refused(401, "AUTHENTICATION_FAILED");
    enter(both.at_one.token()).await.refused(401, "AUTHENTICATION_FAILED");

    // Whoever signs out meanwhile goes nowhere.
    let signed_in = door("/auth/signin?$jwt=true", &both.one.body(OWN)).await.expect(200);
    let in_session = both.here.member.with_token(&signed_in.id("access_token"));
    let way = ask_way(&in_session, &id).await.expect(200).id("switch_token");
    door("/auth/logout", &json!({ "refresh_token": signed_in.id("refresh_token") })).await.expect(200);
    enter(&way).await.refused(401, "AUTHENTICATION_FAILED");

    let suspend = |organization: &Organization, person: &Person, verb: &str| {
        let (admin, path) = (organization.admin.clone(), format!("/users/{}/{verb}", person.user));
        async move { admin.post(&path, &json!({})).await.expect(200) }
    };
    let way = ask_way(&both.at_one, &id).await.expect(200).id("switch_token");
    suspend(&both.here, &both.one, "suspend").await;
    enter(&way).await.refused(401, "AUTHENTICATION_FAILED");
    ask_way(&both.at_one, &id).await.refused(401, "AUTHENTICATION_FAILED");
    // What happens in one organization does not happen in the other.
    both.at_other.get("/me").await.expect(200);
    assert_eq!(memberships(&both.at_other).await[0]["status"], "SUSPENDED");
    let refused = ask_way(&both.at_other, &id).await.refused(409, "CONFLICT");
    assert_eq!(refused.body["reason"], "identity.membership_not_active");
    suspend(&both.here, &both.one, "resume").await;

    let way = ask_way(&both.at_one, &id).await.expect(200).id("switch_token");
    let before = both.here.domain_events().await;
    suspend(&both.there, &both.other, "suspend").await;
    enter(&way).await.refused(401, "AUTHENTICATION_FAILED");
    assert_eq!(both.here.domain_events().await, before);
}

#[tokio::test]
async fn who_sets_how_somebody_signs_in_here_does_not_get_in_there() {
    for change in ["temporary-password", "email"] {
        let both = Both::members().await;
        let id = both.linked().await;
        let way = ask_way(&both.at_one, &id).await.expect(200).id("switch_token");
        let user = format!("/users/{}/{change}", both.one.user);
        let body = json!({ "email": format!("{}@example.test", Uuid::now_v7()) });
        let body = if change == "email" { body } else { json!({ "password": GIVEN }) };
        both.here.admin.post(&user, &body).await.expect(200);
        enter(&way).await.refused(401, "AUTHENTICATION_FAILED");
        let (here, there) = both.events().await;
        assert_eq!((count(&here, "identity.membership_unlinked"), count(&there, "identity.switched_in")), (1, 0), "{change}");
    }
}

// covers: E-200
#[tokio::test]
async fn either_side_parts_them_whatever_became_of_the_other() {
    let both = Both::members().await;
    let id = both.linked().await;
    let stranger = both.here.person("member").await.acting(&both.here).await;
    for client in [&stranger, &both.here.admin] {
        unlink(client, &id).await.refused(404, "RESOURCE_NOT_FOUND");
        ask_way(client, &id).await.refused(404, "RESOURCE_NOT_FOUND");
    }
    let way = ask_way(&both.at_one, &id).await.expect(200).id("switch_token");
    both.there.admin.post(&format!("/users/{}/deactivate", both.other.user), &json!({})).await.expect(200);
    let path = format!("/me/memberships/{id}");
    both.at_one.send("DELETE", &format!("{path}?dry_run=true"), &json!({})).await.expect(200);
    assert_eq!(memberships(&both.at_one).await.len(), 1);
    unlink(&both.at_one, &id).await.expect(200);
    enter(&way).await.refused(401, "AUTHENTICATION_FAILED");
    unlink(&both.at_one, &id).await.refused(404, "RESOURCE_NOT_FOUND");
    assert!(memberships(&both.at_one).await.is_empty());
    let (here, there) = both.events().await;
    assert_eq!((count(&here, "identity.membership_unlinked"), count(&there, "identity.membership_unlinked")), (1, 1));
    // They may be linked again, by another offer.
    let again = Both::members().await;
    let id = again.linked().await;
    unlink(&again.at_other, &id).await.expect(200);
    assert_ne!(again.linked().await, id);
}
