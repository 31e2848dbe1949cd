//! The reactor on an engine in memory, with a real mail server where letters are really sent.

#[path = "told_tests.rs"]
mod told;

use super::*;
use crate::{
    cli::dev::mailbox::{Caught, Mailbox},
    mail::{MailSettings, SmtpMailer},
    pipeline::keys::generate_pem,
    sign_in::{
        disown_token::{DisownToken, read_disown_token},
        invitation_token::{InvitationToken, read_invitation_token},
        pass_token::{PassToken, read_pass_token},
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use palmares_commands::{
    engine::EngineOptions,
    organizations::CreateOrganization,
    privacy::{ClientContexts, client_context::MemoryClientContextTable, data_keys::MemoryDataKeyTable, key_store::MemoryKeyStore},
    store::memory::MemoryStore,
};
use palmares_domain::kernel::{EventId, ExportId, InvitationId, PassId, StreamVersion, Tenant, UserId};
use palmares_domain::messaging::letter::LetterKind;
use serde_json::{Value, json, value::to_raw_value};
use std::sync::atomic::{AtomicUsize, Ordering};
use uuid::Uuid;

const ADA: UserId = UserId(Uuid::from_u128(11));
const PASS: PassId = PassId(Uuid::from_u128(12));
const ADDRESS: &str = "ada@acme.test";

/// An organization that writes French, and a reactor.
struct World {
    reactor: SendLetters,
    organization: OrganizationId,
}

/// Answers as it is told, and counts.
struct Told(AtomicUsize, fn() -> Result<(), DeliveryFault>);

#[async_trait]
impl Mailer for Told {
    async fn send(&self, _: &Message) -> Result<(), DeliveryFault> {
        self.0.fetch_add(1, Ordering::SeqCst);
        (self.1)()
    }
}

/// Knows one address.
struct Ada;

#[async_trait]
impl AddressBook for Ada {
    async fn address_of(&self, _: Tenant, user: UserId) -> Result<Option<String>, ReactError> {
        Ok((user == ADA).then(|| ADDRESS.to_owned()))
    }

    async fn officers(&self, _: Tenant, about: Option<UserId>) -> Result<Vec<UserId>, ReactError> {
        Ok([ADA].into_iter().filter(|officer| about != Some(*officer)).collect())
    }
}

impl World {
    async fn new(mailer: Arc<dyn Mailer>) -> Self {
        let ring = Arc::new(KeyRing::new(Arc::new(MemoryKeyStore::default()), Arc::new(MemoryDataKeyTable::default())));
        let contexts = Arc::new(ClientContexts::new(ring.clone(), Arc::new(MemoryClientContextTable::default())));
        let engine = Engine::new(Arc::new(MemoryStore::default()), ring.clone(), contexts, EngineOptions::default());
        let create = CreateOrganization { name: "Acmé".to_owned(), slug: "acme".to_owned(), default_locale: Locale::Fr, setup: false };
        let made = execute(&engine, SYSTEM.admission(OrganizationId::PLATFORM), create).await.unwrap();
        let organization = OrganizationId(made.answer.0["id"].as_str().unwrap().parse().unwrap());
        let pem = generate_pem().unwrap();
        let tokens = Arc::new(TokenKeys::from_pems("https://palmares.test", "palmares", [pem.as_str()]).unwrap());
        let links = Links::on("https://palmares.test");
        let reactor = SendLetters::new(
            engine,
            Post { mailer, sms: None, templates: Templates::new().unwrap(), links, tokens, ring, addresses: Arc::new(Ada) },
        );
        Self { reactor, organization }
    }

    /// With a gateway of text messages, where one is given.
    async fn with_texts(sms: Option<Arc<dyn SmsSender>>) -> Self {
        let mut world = Self::new(Arc::new(Told(AtomicUsize::new(0), || panic!("a text message is no mail")))).await;
        world.reactor.post.sms = sms;
        world
    }

    /// A code of a sign-up of Ada as it is delivered.
    fn signup_code(&self, number: Option<&str>) -> Delivered {
        let payload = json!({
            "user_id": ADA, "phone": { "sealed": "0".repeat(64) }, "generation": 2,
            "issued_at": Utc::now(), "valid_until": Utc::now() + TimeDelta::minutes(10), "expires_at": Utc::now() + TimeDelta::hours(1),
        });
        let mut delivered = self.delivered("signup", "identity.signup_code_issued", &payload, None);
        delivered.opened.extend(number.map(|number| ("phone".to_owned(), serde_json::to_vec(number).unwrap())));
        delivered
    }

    async fn with_mailbox() -> (Self, Mailbox) {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mailbox = Mailbox::start().await.unwrap();
        let settings = MailSettings { smtp_url: mailbox.smtp_url(), from: "Palmares <no-reply@palmares.test>".to_owned() };
        (Self::new(Arc::new(SmtpMailer::new(&settings).unwrap())).await, mailbox)
    }

    /// A pass of Ada as it is delivered; without an address she was erased.
    fn pass(&self, kind: PassKind, address: Option<&str>, expires_at: DateTime<Utc>) -> Delivered {
        let payload = json!({
            "user_id": ADA, "pass_id": PASS, "kind": kind, "email": { "sealed": "0".repeat(64) },
            "issued_at": Utc::now(), "expires_at": expires_at,
        });
        self.delivered("credential", "identity.pass_issued", &payload, address)
    }

    fn delivered(&self, stream_type: &str, event_type: &str, payload: &Value, address: Option<&str>) -> Delivered {
        let event = RecordedEvent {
            position: 1,
            id: EventId(Uuid::from_u128(13)),
            event_type: event_type.to_owned(),
            schema_version: 1,
            stream: StreamVersion { stream_type: stream_type.to_owned(), id: ADA.0, version: 1 },
            organization_id: self.organization,
            actor_id: ADA.0,
            recorded_at: Utc::now(),
            effective_at: None,
            metadata: to_raw_value(&json!({})).unwrap(),
            payload: to_raw_value(payload).unwrap(),
        };
        let opened = address.map(|address| ("email".to_owned(), serde_json::to_vec(address).unwrap()));
        Delivered { event: Arc::new(event), opened: opened.into_iter().collect() }
    }

    fn soon(&self, kind: PassKind) -> Delivered {
        self.pass(kind, Some(ADDRESS), Utc::now() + TimeDelta::minutes(15))
    }

    async fn state(&self) -> Letter {
        let id = LetterId::asked_by(EventId(Uuid::from_u128(13)));
        self.reactor.engine.look(self.organization, id, |letter: &Letter| *letter).await.unwrap()
    }
}

fn texts(caught: &Caught) -> Vec<String> {
    caught.to(Some(ADDRESS)).iter().map(|mail| mail.text.clone()).collect()
}

// covers: E-104
#[tokio::test]
async fn a_link_is_sent_that_is_good_for_the_pass_alone() {
    let (world, mailbox) = World::with_mailbox().await;
    world.reactor.react(&world.soon(PassKind::MagicLink)).await.unwrap();
    let [text] = &texts(&mailbox.caught)[..] else { panic!("one letter is sent") };
    let link = text.lines().find(|line| line.starts_with("https://")).unwrap();
    let token = link.strip_prefix("https://palmares.test/auth/magic-link#token=").unwrap();
    let named = read_pass_token(&world.reactor.post.tokens, PassKind::MagicLink, token).unwrap();
    assert_eq!(named, PassToken { organization: world.organization, user: ADA, pass: PASS });
    assert_eq!(mailbox.caught.to(None)[0].subject, "Connexion à Acmé");
    assert_eq!(world.state().await, Letter::Sent);
}

// covers: E-118
#[tokio::test]
async fn an_invitation_is_sent_with_the_token_of_its_generation() {
    let (world, mailbox) = World::with_mailbox().await;
    let invitation = InvitationId(Uuid::from_u128(14));
    let payload = json!({
        "invitation_id": invitation, "user_id": ADA, "email": { "sealed": "0".repeat(64) }, "role": "member", "generation": 3,
        "issued_at": Utc::now(), "expires_at": Utc::now() + TimeDelta::days(7), "invited_by": ADA,
    });
    world.reactor.react(&world.delivered("invitation", "identity.invitation_issued", &payload, Some(ADDRESS))).await.unwrap();
    let text = &texts(&mailbox.caught)[0];
    let token = text.lines().find_map(|line| line.strip_prefix("https://palmares.test/invitation#token=")).unwrap();
    let named = read_invitation_token(&world.reactor.post.tokens, token).unwrap();
    assert_eq!(named, InvitationToken { organization: world.organization, invitation, generation: 3 });
}

/// What matters for the security of an account, by the event that tells of it.
#[tokio::test]
async fn a_notice_tells_of_what_happened_and_links_to_a_way_out() {
    let sealed = json!({ "sealed": "0".repeat(64) });
    let session = json!({ "user_id": ADA, "session_id": PASS, "address": sealed, "device_name": sealed });
    let with = |at: &str| {
        let mut payload = session.clone();
        payload[at] = json!(Utc::now());
        payload
    };
    let mut suspicious = with("detected_at");
    (suspicious["reasons"], suspicious["consequence"]) = (json!(["many_networks"]), json!("notified"));
    for (kind, event_type, payload) in [
        (LetterKind::SecondFactorDisabled, "identity.totp_disabled", json!({ "user_id": ADA })),
        (LetterKind::RecoveryCodesRenewed, "identity.recovery_codes_issued", json!({ "user_id": ADA, "digests": [] })),
        (LetterKind::PhoneEnrolled, "identity.phone_enrolled", json!({ "user_id": ADA, "phone": sealed })),
        (LetterKind::PhoneRemoved, "identity.phone_removed", json!({ "user_id": ADA })),
        (
            LetterKind::ExternalIdentityLinked,
            "identity.external_identity_linked",
            json!({ "user_id": ADA, "issuer": "0".repeat(64), "subject": sealed }),
        ),
        (LetterKind::NewSignIn, "identity.new_place_seen", with("seen_at")),
        (LetterKind::SuspiciousSignIn, "identity.suspicious_sign_in_detected", suspicious),
    ] {
        let (world, mailbox) = World::with_mailbox().await;
        let mut delivered = world.delivered("sign_in_watch", event_type, &payload, None);
        delivered.opened.insert("address".to_owned(), br#""203.0.113.7""#.to_vec());
        delivered.opened.insert("device_name".to_owned(), br#""Ada's phone""#.to_vec());
        world.reactor.react(&delivered).await.unwrap();
        let [text] = &texts(&mailbox.caught)[..] else { panic!("{kind:?}: one letter is sent") };
        let token = text.lines().find_map(|line| line.strip_prefix("https://palmares.test/auth/not-me#token=")).unwrap();
        let letter = LetterId::asked_by(delivered.event.id);
        let named = read_disown_token(&world.reactor.post.tokens, token).unwrap();
        assert_eq!(named, DisownToken { organization: world.organization, user: ADA, letter });
        let placed = matches!(kind, LetterKind::NewSignIn | LetterKind::SuspiciousSignIn);
        assert_eq!((text.contains("203.0.113.7"), text.contains("Ada's phone")), (placed, placed), "{kind:?}: {text}");
    }
}

#[tokio::test]
async fn only_a_password_that_the_user_changes_is_told_of() {
    let set = |temporary: bool| json!({ "user_id": ADA, "hash": { "sealed": "0".repeat(64) }, "temporary": temporary });
    for (by, temporary, told) in [
        ("identity.self.change_password", false, true),
        ("door.reset_password", false, true),
        ("door.set_password", false, true),
        ("door.sign_in", false, false),
        ("identity.credential.set_temporary", true, false),
    ] {
        let (world, mailbox) = World::with_mailbox().await;
        let mut delivered = world.delivered("credential", "identity.password_set", &set(temporary), None);
        let event = RecordedEvent { metadata: to_raw_value(&json!({ "permission": by })).unwrap(), ..(*delivered.event).clone() };
        delivered.event = Arc::new(event);
        world.reactor.react(&delivered).await.unwrap();
        assert_eq!(texts(&mailbox.caught).len(), usize::from(told), "{by}");
    }
}

// covers: E-111
#[tokio::test]
async fn a_code_is_sent_that_can_be_derived_again() {
    let (world, mailbox) = World::with_mailbox().await;
    world.reactor.react(&world.soon(PassKind::EmailCode)).await.unwrap();
    let code = pass_code(&world.reactor.post.ring, world.organization, PASS).await.unwrap();
    assert!(texts(&mailbox.caught)[0].lines().any(|line| line.trim() == code));
}

#[tokio::test]
async fn a_redelivered_event_sends_nothing_again() {
    let (world, mailbox) = World::with_mailbox().await;
    let event = world.soon(PassKind::PasswordReset);
    for _ in 0..3 {
        world.reactor.react(&event).await.unwrap();
    }
    assert_eq!(texts(&mailbox.caught).len(), 1);
}

/// What a crash between sending and recording leaves: the letter goes out again, and whoever gets
/// it twice can tell by its `Message-ID`.
#[tokio::test]
async fn a_letter_that_went_out_unrecorded_goes_out_again_as_the_same_one() {
    let (world, mailbox) = World::with_mailbox().await;
    let event = world.soon(PassKind::MagicLink);
    let asked = Asked::by(&event).unwrap().unwrap();
    world.reactor.send(&event.event, LetterId::asked_by(event.event.id), asked).await.unwrap().unwrap();
    world.reactor.unsettled().clear();
    world.reactor.react(&event).await.unwrap();
    let [second, first] = &mailbox.caught.to(Some(ADDRESS))[..] else { panic!("it was sent twice") };
    assert_eq!((&first.message_id, &first.text, &first.html), (&second.message_id, &second.text, &second.html));
}

#[tokio::test]
async fn a_letter_that_went_out_is_only_recorded_where_recording_failed() {
    let (world, mailbox) = World::with_mailbox().await;
    let event = world.soon(PassKind::MagicLink);
    let asked = Asked::by(&event).unwrap().unwrap();
    world.reactor.send(&event.event, LetterId::asked_by(event.event.id), asked).await.unwrap().unwrap();
    assert_eq!(world.state().await, Letter::Waiting);
    world.reactor.react(&event).await.unwrap();
    assert_eq!((texts(&mailbox.caught).len(), world.state().await), (1, Letter::Sent));
    assert!(world.reactor.unsettled().is_empty());
}

#[tokio::test]
async fn what_has_expired_is_not_sent_and_nothing_is_recorded() {
    let (world, mailbox) = World::with_mailbox().await;
    world.reactor.react(&world.pass(PassKind::MagicLink, Some(ADDRESS), Utc::now() - TimeDelta::seconds(1))).await.unwrap();
    assert!(mailbox.caught.to(None).is_empty());
    assert_eq!(world.state().await, Letter::Waiting);
}

#[tokio::test]
async fn nobody_writes_to_who_was_erased() {
    let (world, mailbox) = World::with_mailbox().await;
    world.reactor.react(&world.pass(PassKind::MagicLink, None, Utc::now() + TimeDelta::minutes(15))).await.unwrap();
    assert!(mailbox.caught.to(None).is_empty());
}

#[tokio::test]
async fn a_letter_that_is_refused_for_good_is_undeliverable_and_not_tried_again() {
    let (world, mailbox) = World::with_mailbox().await;
    let event = world.pass(PassKind::MagicLink, Some("ada@reject.test"), Utc::now() + TimeDelta::minutes(15));
    world.reactor.react(&event).await.unwrap();
    world.reactor.react(&event).await.unwrap();
    assert_eq!(world.state().await, Letter::Undeliverable);
    assert!(mailbox.caught.to(None).is_empty());
}

#[tokio::test]
async fn a_letter_that_is_put_off_is_sent_at_the_next_attempt() {
    let (world, mailbox) = World::with_mailbox().await;
    let event = world.pass(PassKind::MagicLink, Some("ada@later.test"), Utc::now() + TimeDelta::minutes(15));
    assert!(matches!(world.reactor.react(&event).await, Err(ReactError::Transient(_))));
    assert_eq!(world.state().await, Letter::Waiting);
    world.reactor.react(&event).await.unwrap();
    assert_eq!((mailbox.caught.to(None).len(), world.state().await), (1, Letter::Sent));
}

#[tokio::test]
async fn a_letter_that_is_put_off_for_too_long_is_given_up() {
    let told = Arc::new(Told(AtomicUsize::new(0), || Err(DeliveryFault::Deferred(450))));
    let world = World::new(told.clone()).await;
    let event = world.soon(PassKind::MagicLink);
    assert!(matches!(world.reactor.react(&event).await, Err(ReactError::Transient(_))));
    let long_ago = Instant::now().checked_sub(DEFERRED_MAX).unwrap();
    world.reactor.unsettled().insert(LetterId::asked_by(event.event.id), Unsettled::DeferredSince(long_ago));
    world.reactor.react(&event).await.unwrap();
    assert_eq!((world.state().await, told.0.load(Ordering::SeqCst)), (Letter::Undeliverable, 2));
}

#[tokio::test]
async fn a_letter_waits_for_a_mail_server_that_is_away_as_long_as_it_is_good() {
    let told = Arc::new(Told(AtomicUsize::new(0), || Err(DeliveryFault::Unreachable("nobody there".to_owned()))));
    let world = World::new(told).await;
    assert!(matches!(world.reactor.react(&world.soon(PassKind::MagicLink)).await, Err(ReactError::Transient(_))));
    assert_eq!(world.state().await, Letter::Waiting);
    assert!(world.reactor.unsettled().is_empty());
}

/// Answers as it is told, and keeps what it was given.
struct Texts(Mutex<Vec<TextMessage>>, fn() -> Result<(), DeliveryFault>);

#[async_trait]
impl SmsSender for Texts {
    async fn send(&self, message: &TextMessage) -> Result<(), DeliveryFault> {
        self.0.lock().unwrap().push(message.clone());
        (self.1)()
    }
}

// covers: T-46
#[tokio::test]
async fn a_code_for_a_telephone_goes_out_once_as_a_text_message() {
    let texts = Arc::new(Texts(Mutex::default(), || Ok(())));
    let world = World::with_texts(Some(texts.clone())).await;
    let event = world.signup_code(Some("+33612345678"));
    world.reactor.react(&event).await.unwrap();
    world.reactor.react(&event).await.unwrap();
    let code = signup_code(&world.reactor.post.ring, world.organization, ADA, 2).await.unwrap();
    let sent = texts.0.lock().unwrap().clone();
    let [message] = &sent[..] else { panic!("one message is sent") };
    assert_eq!((message.to.as_str(), message.id), ("+33612345678", LetterId::asked_by(event.event.id)));
    assert!(message.text.starts_with(&format!("{code} est votre code pour rejoindre Acm")), "{}", message.text);
    assert_eq!(world.state().await, Letter::Sent);
}

#[tokio::test]
async fn a_text_message_that_cannot_be_delivered_is_given_up_and_one_that_is_put_off_is_not() {
    let refused = Texts(Mutex::default(), || Err(DeliveryFault::Permanent(UndeliverableReason::Refused, "no such number".to_owned())));
    for gateway in [Some(Arc::new(refused) as Arc<dyn SmsSender>), None] {
        let world = World::with_texts(gateway).await;
        world.reactor.react(&world.signup_code(Some("+33612345678"))).await.unwrap();
        assert_eq!(world.state().await, Letter::Undeliverable);
    }
    let busy = Texts(Mutex::default(), || Err(DeliveryFault::Deferred(429)));
    let world = World::with_texts(Some(Arc::new(busy))).await;
    assert!(matches!(world.reactor.react(&world.signup_code(Some("+33612345678"))).await, Err(ReactError::Transient(_))));
    assert_eq!(world.state().await, Letter::Waiting);
    // Whoever was erased has no number any more.
    world.reactor.react(&world.signup_code(None)).await.unwrap();
    assert_eq!(world.state().await, Letter::Waiting);
}
