//! The reactor: looks whether the letter went out, hands it over by its channel, records what became of it.

use super::{
    super::{System, execute, exports::answer_key, failed, tenant_of},
    AddressBook,
    asked::{ASKING, Asked, Key, To},
    rights::Late,
};
use crate::{
    mail::{DeliveryFault, Links, Mailer, Message, Subject, Templates},
    pipeline::TokenKeys,
    sign_in::{
        disown_token::disown_token,
        invitation_token::invitation_token,
        pass_token::pass_token,
        sent_code::{pass_code, signup_code},
        signup_token::signup_token,
    },
    sms::{SmsSender, TextMessage},
};
use async_trait::async_trait;
use chrono::Utc;
use palmares_commands::{
    engine::{Engine, Rejection},
    messaging::RecordLetter,
    privacy::{KeyRing, PrivacyError},
};
use palmares_domain::{
    compliance::subject_request::SubjectRequest,
    identity::{credential::PassKind, user::User},
    kernel::{CommandId, LetterId, OrganizationId, RecordedEvent, derive_uuid},
    messaging::letter::{Channel, Envelope, Letter, LetterCommand, LetterKind, RecordSent, RecordUndeliverable, UndeliverableReason},
    organizations::{Locale, organization::Organization},
};
use palmares_projections::engine::{Delivered, ReactError, Reactor};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

const SYSTEM: System = System { name: "messaging.send_letters", permission: "system.send_letters" };

/// What somebody else brought about before us.
const SETTLED: [&str; 2] = ["messaging.letter_already_sent", "messaging.letter_undeliverable"];

/// How long the server may put one letter off. An event in progress holds back the checkpoint, so one
/// address may not wait for long; a relay has a queue of its own.
const DEFERRED_MAX: Duration = Duration::from_secs(15 * 60);

/// What letters are written with and sent by.
pub struct Post {
    pub mailer: Arc<dyn Mailer>,
    /// Where the deployment has a gateway.
    pub sms: Option<Arc<dyn SmsSender>>,
    pub templates: Templates,
    pub links: Links,
    pub tokens: Arc<TokenKeys>,
    pub ring: Arc<KeyRing>,
    pub addresses: Arc<dyn AddressBook>,
}

/// Sends letters.
pub struct SendLetters {
    engine: Arc<Engine>,
    post: Post,
    unsettled: Mutex<HashMap<LetterId, Unsettled>>,
}

/// What this process remembers of a letter until the log does.
enum Unsettled {
    /// Put off by the server since then.
    DeferredSince(Instant),
    /// It went out or never will, and recording that has to be tried again: sending has not.
    Outcome(LetterCommand),
}

#[async_trait]
impl Reactor for SendLetters {
    fn name(&self) -> &'static str {
        SYSTEM.name
    }

    fn interests(&self) -> &'static [&'static str] {
        ASKING
    }

    fn opens_personal(&self) -> bool {
        true
    }

    fn concurrency(&self) -> usize {
        8
    }

    async fn react(&self, delivered: &Delivered) -> Result<(), ReactError> {
        let mut failed = None;
        let mut letters = Asked::all_by(delivered)?;
        if let Some(late) = Late::of(delivered)? {
            let event = &delivered.event;
            let officers = self.post.addresses.officers(tenant_of(event), late.about).await?;
            letters.extend(officers.into_iter().map(|officer| (LetterId::asked_by_to(event.id, officer), late.to(delivered, officer))));
        }
        // A letter that cannot be sent now keeps no other one back.
        for (id, asked) in letters {
            if let Err(error) = self.settle(&delivered.event, id, asked).await {
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

impl SendLetters {
    pub fn new(engine: Arc<Engine>, post: Post) -> Self {
        Self { engine, post, unsettled: Mutex::default() }
    }

    /// Sends a letter where it was not sent before, and records what became of it.
    async fn settle(&self, event: &RecordedEvent, id: LetterId, asked: Asked) -> Result<(), ReactError> {
        let waits = self.engine.look(event.organization_id, id, Letter::is_waiting).await.map_err(failed)?;
        if !waits {
            return Ok(());
        }
        // News age from their record, to which PostgreSQL gives the time; a link or a code ends by the engine's clock.
        let now = if asked.happened.is_some() { Utc::now() } else { self.engine.now() };
        let outcome = match self.remembered(id) {
            Some(outcome) => outcome,
            None if asked.valid_until <= now => {
                tracing::info!(letter = %id, "a letter is not sent: what it brings has expired");
                self.forget(id);
                return Ok(());
            }
            None => match self.send(event, id, asked).await? {
                Some(outcome) => outcome,
                None => return Ok(()),
            },
        };
        self.record(event, id, outcome).await
    }

    /// Sends the letter, and says what became of it; nothing where its organization or its recipient is gone.
    async fn send(&self, event: &RecordedEvent, id: LetterId, mut asked: Asked) -> Result<Option<LetterCommand>, ReactError> {
        let Some((organization, usual)) = self.organization(event.organization_id).await? else { return Ok(None) };
        let chosen = |user: &User| user.profile().and_then(|profile| profile.preferences.language);
        let language = self.engine.look(event.organization_id, asked.recipient, chosen).await.map_err(failed)?.unwrap_or(usual);
        let address = match &asked.to {
            To::Named(address) => Some(address.clone()),
            To::OnRecord => self.post.addresses.address_of(tenant_of(event), asked.recipient).await?,
        };
        let Some(address) = address else { return self.unreachable(event, &asked).await };
        if let Some(told) = asked.happened.as_mut().and_then(|happened| happened.request.as_mut()) {
            let kind = |request: &SubjectRequest| request.request().map(|request| request.kind);
            told.kind = self.engine.look(event.organization_id, told.request_id, kind).await.map_err(failed)?.or(told.kind);
        }
        let envelope = Envelope { letter_id: id, recipient_id: asked.recipient, kind: asked.kind, language };
        let key = self.key(event.organization_id, &asked).await?;
        let (note, happened) = (asked.note.as_deref(), asked.happened.as_ref());
        let about = Subject { organization: &organization, key: &key, note, valid_until: asked.valid_until, happened };
        let undeliverable = |reason| LetterCommand::Undeliverable(RecordUndeliverable { envelope, reason });
        let handed_over = match asked.kind.channel() {
            Channel::Mail => {
                let letter = self.post.templates.write(asked.kind, language, about).map_err(permanent)?;
                self.post.mailer.send(&Message { id, date: event.recorded_at, to: address, language, letter }).await
            }
            Channel::Sms => {
                let text = self.post.templates.write_text(asked.kind, language, about).map_err(permanent)?;
                self.text(TextMessage { organization: event.organization_id, id, to: address, text }).await
            }
        };
        let outcome = match handed_over {
            Ok(()) => LetterCommand::Sent(RecordSent { envelope }),
            Err(DeliveryFault::Permanent(reason, why)) => {
                tracing::warn!(letter = %id, why, "a letter is undeliverable");
                undeliverable(reason)
            }
            Err(DeliveryFault::Deferred(_)) if self.deferred_for(id) >= DEFERRED_MAX => undeliverable(UndeliverableReason::Deferred),
            Err(fault) => return Err(ReactError::Transient(fault.into())),
        };
        metrics::counter!("palmares_letters_total", "outcome" => name(&outcome)).increment(1);
        self.unsettled().insert(id, Unsettled::Outcome(outcome.clone()));
        Ok(Some(outcome))
    }

    /// Nobody is reached who has no address, or was erased. Whoever was hidden until a moment ago has one that is not
    /// shown again yet.
    async fn unreachable(&self, event: &RecordedEvent, asked: &Asked) -> Result<Option<LetterCommand>, ReactError> {
        let waits = asked.kind == LetterKind::DeletionUndone
            && self.engine.look(event.organization_id, asked.recipient, User::has_address).await.map_err(failed)?;
        if waits { Err(ReactError::Transient(anyhow::anyhow!("the address is hidden still"))) } else { Ok(None) }
    }

    async fn text(&self, message: TextMessage) -> Result<(), DeliveryFault> {
        match &self.post.sms {
            Some(sms) => sms.send(&message).await,
            None => Err(DeliveryFault::Permanent(UndeliverableReason::NoChannel, "PALMARES_SMS_URL is not set".to_owned())),
        }
    }

    /// The name of an organization and the language of its letters to whoever chose none.
    async fn organization(&self, id: OrganizationId) -> Result<Option<(String, Locale)>, ReactError> {
        let named = |found: &Organization| found.profile().map(|profile| (profile.name.clone(), profile.default_locale));
        self.engine.look(id, id, named).await.map_err(failed)
    }

    /// What the letter brings, as its reader uses it: a link or a code.
    async fn key(&self, id: OrganizationId, asked: &Asked) -> Result<String, ReactError> {
        let until = asked.valid_until;
        let unavailable = |error: PrivacyError| failed(Rejection::Internal(error.into()));
        let token = match &asked.key {
            Key::Pass(PassKind::EmailCode | PassKind::PhoneEnrolment | PassKind::PhoneCode, content) => {
                pass_code(&self.post.ring, id, content.pass).await.map_err(unavailable)?
            }
            Key::SignupCode(generation) => signup_code(&self.post.ring, id, asked.recipient, *generation).await.map_err(unavailable)?,
            Key::Answer(export) => answer_key(&self.post.ring, id, *export).await.map_err(unavailable)?,
            Key::Pass(kind, content) => pass_token(&self.post.tokens, *kind, content, until).map_err(permanent)?,
            Key::Disown(content) => disown_token(&self.post.tokens, content, until).map_err(permanent)?,
            Key::Invitation(content) => invitation_token(&self.post.tokens, content, until).map_err(permanent)?,
            Key::Signup(content) => signup_token(&self.post.tokens, content, until).map_err(permanent)?,
            Key::Nothing => String::new(),
        };
        // A code has no link: it is typed where somebody signs in.
        Ok(self.post.links.of(asked.kind, &token).unwrap_or(token))
    }

    async fn record(&self, event: &RecordedEvent, id: LetterId, outcome: LetterCommand) -> Result<(), ReactError> {
        // An event may ask for several letters, each of which is recorded by itself.
        let command = CommandId(derive_uuid("letter-record", &[id.0.as_bytes()]));
        let admission = SYSTEM.following(event, command);
        match execute(&self.engine, admission, RecordLetter(outcome)).await {
            Err(Rejection::Refused(refused)) if SETTLED.contains(&refused.reason.as_ref()) => {}
            recorded => _ = recorded.map_err(failed)?,
        }
        self.forget(id);
        Ok(())
    }

    /// What became of a letter that the log does not know of yet.
    fn remembered(&self, id: LetterId) -> Option<LetterCommand> {
        match self.unsettled().get(&id) {
            Some(Unsettled::Outcome(outcome)) => Some(outcome.clone()),
            _ => None,
        }
    }

    /// How long ago the server put the letter off for the first time.
    fn deferred_for(&self, id: LetterId) -> Duration {
        match self.unsettled().entry(id).or_insert_with(|| Unsettled::DeferredSince(Instant::now())) {
            Unsettled::DeferredSince(since) => since.elapsed(),
            Unsettled::Outcome(_) => Duration::ZERO,
        }
    }

    fn forget(&self, id: LetterId) {
        self.unsettled().remove(&id);
    }

    fn unsettled(&self) -> std::sync::MutexGuard<'_, HashMap<LetterId, Unsettled>> {
        // No holder can leave it half changed.
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What no other attempt would change.
fn permanent(error: impl Into<anyhow::Error>) -> ReactError {
    ReactError::Permanent(error.into())
}

/// What became of a letter, as the figures name it.
fn name(outcome: &LetterCommand) -> &'static str {
    match outcome {
        LetterCommand::Sent(_) => "sent",
        LetterCommand::Undeliverable(_) => "undeliverable",
    }
}

#[cfg(test)]
#[path = "send_letters_tests.rs"]
mod tests;
