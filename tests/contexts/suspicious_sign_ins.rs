//! Where people sign in from: what is new to them is told by mail, and what is suspicious has the
//! consequence that the organization chose.

use super::sign_in::{OWN, Person, door};
use crate::support::{
    captcha::SOLVED,
    mail::{mail_to, notice_to, notices_to, token_in},
    running::{Client, Organization, Reply, eventually, fresh_organization},
};
use serde_json::{Value, json};

pub(super) const PHONE: &str = "PalmaresPhone/3.1";
pub(super) const HOME: [u8; 4] = [127, 0, 0, 1];

impl Person {
    pub(super) async fn signs_in_from(&self, address: [u8; 4], password: &str) -> Reply {
        let mut body = self.body(password);
        // Asked for once there were five failures.
        body["captcha"] = json!(SOLVED);
        Client::coming_from(address, PHONE).post("/auth/signin?$jwt=true", &body).await
    }

    /// Wrong passwords from the second network on, in turn from so many.
    pub(super) async fn is_guessed(&self, organization: &Organization, failures: usize, networks: u8) {
        let before = organization.seen("identity.sign_in_failed").await.len();
        for number in 0..failures {
            let network = 2 + u8::try_from(number).expect("few") % networks;
            self.signs_in_from([127, 0, network, 1], "quite another password").await.refused(401, "AUTHENTICATION_FAILED");
        }
        eventually("the failures in the log", async || {
            (organization.seen("identity.sign_in_failed").await.len() == before + failures).then_some(())
        })
        .await;
    }
}

impl Organization {
    /// What the log has of one type.
    async fn seen(&self, event_type: &str) -> Vec<Value> {
        let mut events = self.domain_events().await;
        events.retain(|event| event["type"] == event_type);
        events.into_iter().map(|event| event["payload"].clone()).collect()
    }

    async fn detected(&self) -> Vec<Value> {
        self.seen("identity.suspicious_sign_in_detected").await
    }

    pub(super) async fn chooses(&self, consequence: &str) {
        let path = format!("/organizations/{}/settings", self.id);
        self.admin.send("PATCH", &path, &json!({ "suspicious_sign_in": consequence })).await.expect(200);
        let settings = self.admin.get_at(&path, self.head().await).await.expect(200);
        assert_eq!(settings.body["suspicious_sign_in"], consequence);
    }
}

/// Uses a refresh token from somewhere, and answers the next.
async fn refreshed_from(address: [u8; 4], program: &str, signed_in: &Reply) -> Reply {
    let body = json!({ "refresh_token": signed_in.id("refresh_token") });
    Client::coming_from(address, program).post("/auth/refresh", &body).await
}

async fn is_in(organization: &Organization, signed_in: &Reply) -> bool {
    organization.member.with_token(&signed_in.id("access_token")).get("/me").await.status == 200
}

// covers: E-101
#[tokio::test]
async fn a_place_that_is_new_is_told_by_mail_once_and_the_log_names_no_address() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    person.signs_in_from(HOME, OWN).await.expect(200);
    person.signs_in_from([127, 0, 0, 99], OWN).await.expect(200);
    person.signs_in_from([127, 0, 77, 1], OWN).await.expect(200);
    person.signs_in_from([127, 0, 77, 2], OWN).await.expect(200);
    // The first place is told too, and its letter may come first.
    let notice = eventually("a notice of the second place", async || {
        notices_to(&person.email).await.into_iter().find(|notice| notice.text.contains("Address: 127.0.77.1"))
    })
    .await;
    assert!(notice.subject.contains("A new sign-in") && notice.text.contains(PHONE), "{}", notice.text);
    let events = organization.domain_events().await;
    let news: Vec<_> = events.iter().filter(|event| event["type"] == "identity.new_place_seen").collect();
    // Before, the password was set by a program without a name.
    assert_eq!(news.len(), 2, "{news:?}");
    assert!(!json!(events).to_string().contains("127.0.77."), "an address stands in the log");
    assert!(organization.detected().await.is_empty());
}

// covers: E-101
#[tokio::test]
async fn a_changed_password_is_told_by_mail_and_whom_it_was_not_signs_out_everywhere() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let signed_in = person.signs_in_from(HOME, OWN).await.expect(200);
    let member = organization.member.with_token(&signed_in.id("access_token"));
    let change = json!({ "current_password": OWN, "new_password": "harbour pencil thunder maple" });
    member.post("/me/password", &change).await.expect(200);
    eventually("two notices of a changed password", async || {
        let notices = notices_to(&person.email).await;
        (notices.iter().filter(|notice| notice.subject.contains("was changed")).count() == 2).then_some(())
    })
    .await;
    assert!(is_in(&organization, &signed_in).await);

    let token = token_in(&notice_to(&person.email, "was changed").await, "auth/not-me");
    let disown = async |token: &str| door("/auth/not-me/complete", &json!({ "token": token })).await;
    disown(&format!("{token}x")).await.refused(401, "AUTHENTICATION_FAILED");
    assert!(is_in(&organization, &signed_in).await);
    assert_eq!(disown(&token).await.expect(200).body["status"], "SIGNED_OUT");
    assert!(!is_in(&organization, &signed_in).await);
    let again = person.signs_in_from(HOME, "harbour pencil thunder maple").await.expect(200);
    disown(&token).await.refused(401, "AUTHENTICATION_FAILED");
    assert!(is_in(&organization, &again).await, "a link works once");
    assert!(!json!(organization.domain_events().await).to_string().contains(&token), "the log holds the token");
}

// covers: E-101
#[tokio::test]
async fn a_second_factor_that_comes_or_goes_is_told_by_mail() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let signed_in = person.signs_in_from(HOME, OWN).await.expect(200);
    let member = organization.member.with_token(&signed_in.id("access_token"));
    let secret = member.post("/me/mfa/totp", &json!({})).await.expect(200).id("secret");
    let code = |steps| json!({ "code": super::sign_in::code(&secret, steps) });
    member.post("/me/mfa/totp/confirm", &code(-1)).await.expect(200);
    notice_to(&person.email, "New recovery codes").await;
    member.post("/me/mfa/totp/disable", &code(0)).await.expect(200);
    notice_to(&person.email, "second factor for Test was switched off").await;
}

// covers: E-101
#[tokio::test]
async fn guesses_from_many_networks_are_told_of_and_nobody_is_thrown_out_by_default() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let signed_in = person.signs_in_from(HOME, OWN).await.expect(200);
    person.is_guessed(&organization, 4, 3).await;
    person.signs_in_from(HOME, OWN).await.expect(200);
    assert!(organization.detected().await.is_empty(), "four failures are slips");
    person.is_guessed(&organization, 1, 3).await;
    let again = person.signs_in_from(HOME, OWN).await.expect(200);
    let detected = organization.detected().await;
    assert_eq!(detected.len(), 1, "{detected:?}");
    assert_eq!((&detected[0]["reasons"], &detected[0]["consequence"]), (&json!(["guessed_from_many_networks"]), &json!("notified")));
    notice_to(&person.email, "A suspicious sign-in").await;
    assert!(is_in(&organization, &signed_in).await && is_in(&organization, &again).await);
    // It was told of; the next sign-in is ordinary.
    person.signs_in_from(HOME, OWN).await.expect(200);
    assert_eq!(organization.detected().await.len(), 1);
}

// covers: E-101
#[tokio::test]
async fn slips_from_two_networks_are_no_guesses() {
    let organization = fresh_organization().await;
    organization.chooses("end_sessions").await;
    let person = organization.person("member").await.with_own_password().await;
    person.is_guessed(&organization, 8, 2).await;
    person.signs_in_from(HOME, OWN).await.expect(200);
    assert!(organization.detected().await.is_empty());
}

// covers: E-101, E-117
#[tokio::test]
async fn a_suspicious_sign_in_is_asked_for_a_second_factor_where_the_organization_says_so() {
    let organization = fresh_organization().await;
    organization.chooses("challenge").await;
    let person = organization.person("member").await.with_own_password().await;
    let signed_in = person.signs_in_from(HOME, OWN).await.expect(200);
    person.is_guessed(&organization, 5, 3).await;
    let asked = person.signs_in_from(HOME, OWN).await.expect(200);
    assert_eq!((&asked.body["status"], &asked.body["methods"]), (&json!("SECOND_FACTOR_REQUIRED"), &json!(["email_code"])));
    assert!(asked.body["access_token"].is_null());
    let challenge = asked.body["challenge"].clone();
    door("/auth/mfa/email-code", &json!({ "challenge": challenge })).await.expect(202);
    let mail = mail_to(&person.email).await;
    let digits = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    let code = mail.text.lines().map(str::trim).find(digits).expect("six digits");
    let verify = json!({ "challenge": challenge, "method": "email_code", "code": code });
    let proven = Client::coming_from(HOME, PHONE).post("/auth/mfa/verify", &verify).await.expect(200);
    assert_eq!(proven.body["status"], "SIGNED_IN");
    assert!(is_in(&organization, &signed_in).await && is_in(&organization, &proven).await);
    // What came by mail is no second factor of an administrator's.
    organization.admin.post(&format!("/users/{}/roles", person.user), &json!({ "role": "organization_admin" })).await.expect(200);
    let refreshed = refreshed_from(HOME, PHONE, &proven).await.expect(200);
    let refused = organization.member.with_token(&refreshed.id("access_token")).get("/users").await.refused(403, "ACCESS_DENIED");
    assert_eq!(refused.body["reason"], "gate.second_factor_required");
    let consequences: Vec<_> = organization.detected().await.into_iter().map(|detected| detected["consequence"].clone()).collect();
    assert_eq!(consequences, [json!("second_factor_demanded"), json!("notified")]);
}

// covers: E-101, E-117
#[tokio::test]
async fn a_suspicious_sign_in_ends_every_session_where_the_organization_says_so() {
    let organization = fresh_organization().await;
    organization.chooses("end_sessions").await;
    let person = organization.person("member").await.with_own_password().await;
    let signed_in = person.signs_in_from(HOME, OWN).await.expect(200);
    person.is_guessed(&organization, 5, 3).await;
    assert!(is_in(&organization, &signed_in).await, "guesses alone end nothing");
    let refused = person.signs_in_from(HOME, OWN).await.refused(401, "AUTHENTICATION_FAILED");
    assert_eq!(refused.body["reason"], "sign_in.suspicious");
    assert!(!is_in(&organization, &signed_in).await);
    refreshed_from(HOME, PHONE, &signed_in).await.refused(401, "AUTHENTICATION_FAILED");
    let ended: Vec<_> = organization.seen("identity.sessions_revoked").await.into_iter().map(|ended| ended["reason"].clone()).collect();
    assert_eq!(ended, [json!("suspicious")]);
    // What only the user's mailbox gets lets them in.
    let token = person.link("auth/magic-link").await;
    let by_link = Client::coming_from(HOME, PHONE).post("/auth/magic-link/complete", &json!({ "token": token, "$jwt": true })).await;
    assert!(is_in(&organization, &by_link.expect(200)).await);
}

// covers: E-101
#[tokio::test]
async fn a_phone_that_changes_networks_stays_signed_in_by_default() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let first = person.signs_in_from(HOME, OWN).await.expect(200);
    let mut current = first;
    for network in 1..=8 {
        current = refreshed_from([127, 1, network, 1], PHONE, &current).await.expect(200);
    }
    assert!(is_in(&organization, &current).await);
    // Home and four more are ordinary; the other four are told of.
    let detected = organization.detected().await;
    assert_eq!(detected.len(), 4, "{detected:?}");
    assert!(detected.iter().all(|detected| detected["reasons"] == json!(["many_networks"]) && detected["consequence"] == "notified"));
}

// covers: E-101, E-117
#[tokio::test]
async fn a_sixth_network_within_the_hour_ends_the_sessions_where_the_organization_says_so() {
    let organization = fresh_organization().await;
    organization.chooses("end_sessions").await;
    let person = organization.person("member").await.with_own_password().await;
    let other = person.signs_in_from(HOME, OWN).await.expect(200);
    let mut current = person.signs_in_from(HOME, OWN).await.expect(200);
    for network in 1..=4 {
        current = refreshed_from([127, 1, network, 1], PHONE, &current).await.expect(200);
    }
    current = refreshed_from([127, 1, 4, 200], PHONE, &current).await.expect(200);
    assert!(is_in(&organization, &other).await);
    refreshed_from([127, 1, 5, 1], PHONE, &current).await.refused(401, "AUTHENTICATION_FAILED");
    assert!(!is_in(&organization, &other).await && !is_in(&organization, &current).await);
    assert_eq!(organization.detected().await[0]["consequence"], "all_sessions_ended");
}

// covers: E-101, E-117
#[tokio::test]
async fn a_session_that_another_program_uses_ends_where_the_organization_says_so() {
    let organization = fresh_organization().await;
    let person = organization.person("member").await.with_own_password().await;
    let signed_in = person.signs_in_from(HOME, OWN).await.expect(200);
    // A newer version is the same program.
    let updated = refreshed_from(HOME, "PalmaresPhone/4.0", &signed_in).await.expect(200);
    assert!(organization.detected().await.is_empty());
    let moved = refreshed_from(HOME, "curl/8.5", &updated).await.expect(200);
    assert_eq!(organization.detected().await[0]["reasons"], json!(["agent_changed"]));
    organization.chooses("challenge").await;
    let other = person.signs_in_from(HOME, OWN).await.expect(200);
    refreshed_from(HOME, PHONE, &moved).await.refused(401, "AUTHENTICATION_FAILED");
    assert!(!is_in(&organization, &moved).await && is_in(&organization, &other).await, "this session ends, and no other");
    assert_eq!(organization.detected().await[1]["consequence"], "session_ended");
}

// covers: E-101
#[tokio::test]
async fn what_follows_a_suspicion_is_one_of_three() {
    let organization = fresh_organization().await;
    let path = format!("/organizations/{}/settings", organization.id);
    let refused =
        organization.admin.send("PATCH", &path, &json!({ "suspicious_sign_in": "ignore" })).await.refused(422, "VALIDATION_ERROR");
    assert_eq!(refused.body["errors"][0]["field"], "suspicious_sign_in");
    assert_eq!(organization.admin.get(&path).await.expect(200).body["suspicious_sign_in"], "notify");
    organization.member.send("PATCH", &path, &json!({ "suspicious_sign_in": "notify" })).await.refused(403, "ACCESS_DENIED");
}
