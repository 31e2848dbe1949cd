//! Messaging: whoever is asked something gets a letter, once, in the language of the organization.

use crate::support::{
    mail::{mail_to, mails_to, token_in},
    running::{Client, Organization, eventually, fresh_organization},
};
use palmares_domain::kernel::OrganizationId;
use serde_json::{Value, json};
use uuid::Uuid;

fn address(domain: &str) -> String {
    format!("{}@{domain}", Uuid::now_v7().simple())
}

impl Organization {
    /// Invites `address`, and says which user that is.
    async fn ask(&self, address: &str) -> String {
        let path = format!("/organizations/{}/invitations", self.id);
        self.admin.post(&path, &json!({ "email": address, "role": "member" })).await.expect(201).id("user_id")
    }

    /// What is on record of the letters to `user`, once something is.
    async fn letters(&self, user: &str) -> Vec<Value> {
        eventually("what became of a letter", async || {
            let mut events = self.analyst.all("/events").await;
            events.retain(|event| event["stream"]["type"] == "letter" && event["payload"]["recipient_id"] == user);
            Some(events).filter(|events| !events.is_empty())
        })
        .await
    }
}

// covers: T-19, P-86, E-118, E-131, E-255
#[tokio::test]
async fn an_invitation_arrives_by_mail_and_its_link_lets_one_in() {
    let organization = fresh_organization().await;
    let address = address("acme.example");
    let user = organization.ask(&address).await;
    let mail = mail_to(&address).await;
    assert_eq!((mail.subject.as_str(), mail.from.as_str()), ("Your invitation to Test", "no-reply@palmares.test"));
    assert!(mail.html.as_ref().is_some_and(|html| html.contains("Accept the invitation")));

    let token = token_in(&mail, "invitation");
    let shown = Client::anonymous().get(&format!("/invitations/{token}")).await.expect(200);
    assert_eq!((&shown.body["organization_name"], &shown.body["status"]), (&json!("Test"), &json!("PENDING")));
    let taken = Client::anonymous().post("/invitations/accept", &json!({ "token": token })).await.expect(200);
    assert_eq!(taken.body["user_id"], user.as_str());
}

// covers: T-19
#[tokio::test]
async fn what_became_of_a_letter_is_on_record_without_its_address() {
    let organization = fresh_organization().await;
    let address = address("acme.example");
    let user = organization.ask(&address).await;
    let [letter] = &organization.letters(&user).await[..] else { panic!("one letter was sent") };
    assert_eq!((&letter["type"], &letter["payload"]["kind"]), (&json!("messaging.letter_sent"), &json!("invitation")));
    assert_eq!(letter["payload"]["language"], "en");
    let [mail] = &mails_to(&address).await[..] else { panic!("one mail arrived") };
    assert_eq!(mail.message_id, format!("{}@palmares.test", letter["payload"]["letter_id"].as_str().expect("an id")));
    assert!(!letter.to_string().contains(&address));
}

#[tokio::test]
async fn a_letter_that_no_server_takes_is_on_record_as_undeliverable() {
    let organization = fresh_organization().await;
    let address = address("reject.test");
    let user = organization.ask(&address).await;
    let [letter] = &organization.letters(&user).await[..] else { panic!("one letter was refused") };
    let became = (&letter["type"], &letter["payload"]["reason"]);
    assert_eq!(became, (&json!("messaging.letter_undeliverable"), &json!("refused")));
    assert!(mails_to(&address).await.is_empty());
}

#[tokio::test]
async fn a_letter_that_is_put_off_arrives_later_and_once() {
    let organization = fresh_organization().await;
    let address = address("later.test");
    let user = organization.ask(&address).await;
    let letters = organization.letters(&user).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["type"], "messaging.letter_sent");
    assert_eq!(mails_to(&address).await.len(), 1);
}

// covers: P-86
#[tokio::test]
async fn letters_are_written_in_the_language_of_the_organization() {
    let organization = fresh_organization().await;
    let slug = format!("org-{}", Uuid::now_v7().simple());
    let body = json!({ "name": "Société Test", "slug": slug, "default_locale": "fr" });
    let french = OrganizationId(organization.platform.post("/organizations", &body).await.expect(201).id("id").parse().expect("an id"));
    let address = address("acme.example");
    let body = json!({ "email": address, "role": "organization_admin" });
    let platform = organization.platform.in_organization(french);
    platform.post(&format!("/organizations/{french}/invitations"), &body).await.expect(201);
    let mail = mail_to(&address).await;
    assert_eq!(mail.subject, "Votre invitation à rejoindre Société Test");
    assert!(mail.text.contains("Accepter l’invitation"), "{}", mail.text);
}
