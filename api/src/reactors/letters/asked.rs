//! Which letter an event asks for.

use super::{super::parse, rights};
use crate::{
    mail::Happened,
    sign_in::{disown_token::DisownToken, invitation_token::InvitationToken, pass_token::PassToken, signup_token::SignupToken},
};
use chrono::{DateTime, TimeDelta, Utc};
use palmares_domain::{
    compliance::{
        access_anomaly::{AccessAnomalyEvent, AnomalyRule},
        siem_stream::SiemStreamEvent,
        subject_export::{ExportFault, SubjectExportEvent},
    },
    identity::{
        credential::{CredentialEvent, PassKind},
        invitation::InvitationEvent,
        sign_in_watch::SignInWatchEvent,
        signup::SignupEvent,
        user::UserEvent,
    },
    kernel::{Event, ExportId, LetterId, RecordedEvent, UserId},
    messaging::letter::LetterKind,
};
use palmares_projections::engine::{Delivered, ReactError};
use serde::Deserialize;

const INVITATION: &str = "identity.invitation_issued";

const PASS: &str = "identity.pass_issued";
const LINK: &str = "identity.signup_link_issued";
const CODE: &str = "identity.signup_code_issued";
const PHONE_CODE: &str = "identity.phone_code_issued";
const COMPLETED: &str = "identity.signup_completed";
const REFUSED: &str = "identity.signup_refused";
const ANOMALY: &str = "compliance.anomaly_raised";
const STREAM_FAILED: &str = "compliance.siem_stream_failed";

const TAKEN_OUT: &str = "compliance.audit_export_ready";
const NOT_TAKEN_OUT: &str = "compliance.audit_export_failed";

const DELETION: &str = "identity.user_deletion_requested";

/// The events that ask for letters.
pub(super) const ASKING: &[&str] = &[
    PASS,
    INVITATION,
    LINK,
    CODE,
    PHONE_CODE,
    COMPLETED,
    REFUSED,
    "identity.password_set",
    "identity.totp_disabled",
    "identity.recovery_codes_issued",
    "identity.phone_enrolled",
    "identity.phone_removed",
    "identity.external_identity_linked",
    "identity.new_place_seen",
    "identity.suspicious_sign_in_detected",
    DELETION,
    rights::UNDONE[0],
    rights::UNDONE[1],
    rights::UNDONE[2],
    ANOMALY,
    STREAM_FAILED,
    TAKEN_OUT,
    NOT_TAKEN_OUT,
    rights::TOLD[0],
    rights::TOLD[1],
    rights::TOLD[2],
    rights::TOLD[3],
    rights::LATE[0],
    rights::LATE[1],
    rights::LATE[2],
];

/// How long a letter that only tells something is worth sending, and the link of a notice good.
pub(super) const NEWS_PATIENCE: TimeDelta = TimeDelta::days(7);

/// By these the users themselves change a password that there was. The first one is no change, and a
/// temporary one is told by whoever gives it.
const CHANGES_OF_PASSWORD: [&str; 3] = ["identity.self.change_password", "door.reset_password", "door.set_password"];

/// A letter that an event asks for.
pub(super) struct Asked {
    pub kind: LetterKind,
    pub recipient: UserId,
    pub to: To,
    pub key: Key,
    /// What somebody has to say to the recipient.
    pub note: Option<String>,
    pub valid_until: DateTime<Utc>,
    /// What a notice tells of.
    pub happened: Option<Happened>,
}

/// Where the letter goes.
pub(super) enum To {
    /// To the address or the number that the event names.
    Named(String),
    /// To the one that the user has on record.
    OnRecord,
}

/// What the letter brings.
pub(super) enum Key {
    Pass(PassKind, PassToken),
    Invitation(InvitationToken),
    Signup(SignupToken),
    /// The code of this generation.
    SignupCode(u32),
    /// What opens the export that answers a request.
    Answer(ExportId),
    /// It only tells something.
    Nothing,
    /// Whoever was not there says so.
    Disown(DisownToken),
}

/// The part of an event's metadata that says by what it was brought about.
#[derive(Deserialize)]
struct By {
    permission: String,
}

impl Asked {
    /// The letters of an event, each with its id.
    pub fn all_by(delivered: &Delivered) -> Result<Vec<(LetterId, Self)>, ReactError> {
        let event = &delivered.event;
        if event.event_type == ANOMALY {
            return Self::alarms(event);
        }
        // Who is told of these stands in no event.
        if rights::LATE.contains(&event.event_type.as_str()) {
            return Ok(Vec::new());
        }
        Ok(Self::by(delivered)?.into_iter().map(|asked| (LetterId::asked_by(event.id), asked)).collect())
    }

    /// What looks wrong, to each of those who are told. Who did it does not leave the audit log.
    fn alarms(event: &RecordedEvent) -> Result<Vec<(LetterId, Self)>, ReactError> {
        let AccessAnomalyEvent::AnomalyRaised(raised) = parse(event)? else { return Ok(Vec::new()) };
        let alarm = |recipient| {
            let letter = Self::news(event, LetterKind::AnomalyRaised, recipient, Some(raised.rule));
            (LetterId::asked_by_to(event.id, recipient), letter)
        };
        Ok(raised.told.iter().copied().map(alarm).collect())
    }

    /// The letter of an event; none where nobody knows the address any more.
    pub(super) fn by(delivered: &Delivered) -> Result<Option<Self>, ReactError> {
        let event_type = delivered.event.event_type.as_str();
        match event_type {
            PASS | INVITATION | LINK | COMPLETED | REFUSED => {}
            CODE => return Self::signup_code(delivered),
            PHONE_CODE => return Self::phone_code(delivered),
            DELETION => return Self::deletion(delivered),
            STREAM_FAILED => return Self::stream_failed(&delivered.event),
            TAKEN_OUT => return Self::taken_out(delivered),
            NOT_TAKEN_OUT => return Self::not_taken_out(&delivered.event),
            undone if rights::UNDONE.contains(&undone) => return rights::undone(delivered),
            told if rights::TOLD.contains(&told) => return rights::told(delivered),
            _ => return Self::notice(delivered),
        }
        let Some(address) = opened(delivered, "email")? else { return Ok(None) };
        match event_type {
            INVITATION => Self::invitation(delivered, address),
            LINK | COMPLETED | REFUSED => Self::signup(delivered, address),
            _ => Self::pass(delivered, address),
        }
    }

    /// What tells of something that matters for the security of an account; nothing where it is part
    /// of something that the user does not need to be told of.
    fn notice(delivered: &Delivered) -> Result<Option<Self>, ReactError> {
        let event = &delivered.event;
        let seen = SignInWatchEvent::CATALOGUE.iter().any(|spec| spec.name == event.event_type);
        let told = if seen { seen_of(event)? } else { changed_of(event)? };
        let Some((kind, recipient)) = told else { return Ok(None) };
        let happened = Happened {
            at: event.recorded_at,
            address: opened(delivered, "address")?,
            device: opened(delivered, "device_name")?,
            found: None,
            request: None,
            refused: None,
        };
        let token = DisownToken { organization: event.organization_id, user: recipient, letter: LetterId::asked_by(event.id) };
        let valid_until = event.recorded_at + NEWS_PATIENCE;
        Ok(Some(Self { kind, recipient, to: To::OnRecord, key: Key::Disown(token), note: None, valid_until, happened: Some(happened) }))
    }

    /// Who asks for their own deletion knows of it; whose others ask for is told, before anything is gone (7B).
    fn deletion(delivered: &Delivered) -> Result<Option<Self>, ReactError> {
        let event = &delivered.event;
        let UserEvent::UserDeletionRequested(requested) = parse(event)? else { return Ok(None) };
        let recipient = requested.user_id;
        let others = event.actor_id != recipient.0;
        Ok(others.then(|| Self::news(event, LetterKind::DeletionAsked, recipient, None)))
    }

    /// That a stream of the audit log stopped, to whoever answers for it. Where it sends to does not leave the house.
    fn stream_failed(event: &RecordedEvent) -> Result<Option<Self>, ReactError> {
        let SiemStreamEvent::SiemStreamFailed(failed) = parse(event)? else { return Ok(None) };
        Ok(failed.told.map(|recipient| Self::news(event, LetterKind::SiemStreamFailed, recipient, None)))
    }

    /// Tells somebody of an event, and asks nothing.
    fn news(event: &RecordedEvent, kind: LetterKind, recipient: UserId, found: Option<AnomalyRule>) -> Self {
        let happened = Some(Happened { at: event.recorded_at, address: None, device: None, found, request: None, refused: None });
        let valid_until = event.recorded_at + NEWS_PATIENCE;
        Self { kind, recipient, to: To::OnRecord, key: Key::Nothing, note: None, valid_until, happened }
    }

    /// What a schedule took out is told to whose schedule it is, as long as it can be fetched.
    fn taken_out(delivered: &Delivered) -> Result<Option<Self>, ReactError> {
        let SubjectExportEvent::AuditExportReady(ready) = parse(&delivered.event)? else { return Ok(None) };
        let (kind, to, key) = (LetterKind::AuditExportReady, To::OnRecord, Key::Nothing);
        Ok(Some(Self { kind, recipient: ready.user_id, to, key, note: None, valid_until: ready.expires_at, happened: None }))
    }

    /// What a schedule was to take out and no file takes is told to whose schedule it is, who has to see to it. Whose
    /// right was lost has a schedule no more, and nobody reaches whom was erased.
    fn not_taken_out(event: &RecordedEvent) -> Result<Option<Self>, ReactError> {
        let SubjectExportEvent::AuditExportFailed(failed) = parse(event)? else { return Ok(None) };
        let told = failed.fault == ExportFault::TooLarge;
        Ok(told.then(|| Self::news(event, LetterKind::AuditExportFailed, failed.user_id, None)))
    }

    fn pass(delivered: &Delivered, address: String) -> Result<Option<Self>, ReactError> {
        let event = &delivered.event;
        let CredentialEvent::PassIssued(issued) = parse(event)? else { return Ok(None) };
        let kind = letter_of(issued.kind);
        let token = PassToken { organization: event.organization_id, user: issued.user_id, pass: issued.pass_id };
        let key = if issued.kind == PassKind::AccountReminder { Key::Nothing } else { Key::Pass(issued.kind, token) };
        let (to, valid_until) = (To::Named(address), issued.expires_at);
        Ok(Some(Self { kind, recipient: issued.user_id, to, key, note: None, valid_until, happened: None }))
    }

    fn invitation(delivered: &Delivered, address: String) -> Result<Option<Self>, ReactError> {
        let event = &delivered.event;
        let InvitationEvent::InvitationIssued(issued) = parse(event)? else { return Ok(None) };
        let (organization, invitation) = (event.organization_id, issued.invitation_id);
        let key = Key::Invitation(InvitationToken { organization, invitation, generation: issued.generation });
        let (kind, to, valid_until) = (LetterKind::Invitation, To::Named(address), issued.expires_at);
        Ok(Some(Self { kind, recipient: issued.user_id, to, key, note: None, valid_until, happened: None }))
    }

    /// A code that goes on with a sign-up; nothing where nobody knows the number any more.
    fn signup_code(delivered: &Delivered) -> Result<Option<Self>, ReactError> {
        let SignupEvent::SignupCodeIssued(issued) = parse(&delivered.event)? else { return Ok(None) };
        let Some(number) = opened(delivered, "phone")? else { return Ok(None) };
        let (recipient, to, key) = (issued.user_id, To::Named(number), Key::SignupCode(issued.generation));
        Ok(Some(Self { kind: LetterKind::SignupCode, recipient, to, key, note: None, valid_until: issued.valid_until, happened: None }))
    }

    /// A code to a user's telephone; nothing where nobody knows the number any more.
    fn phone_code(delivered: &Delivered) -> Result<Option<Self>, ReactError> {
        let event = &delivered.event;
        let CredentialEvent::PhoneCodeIssued(issued) = parse(event)? else { return Ok(None) };
        let Some(number) = opened(delivered, "phone")? else { return Ok(None) };
        let token = PassToken { organization: event.organization_id, user: issued.user_id, pass: issued.pass_id };
        let (kind, to, key) = (letter_of(issued.kind), To::Named(number), Key::Pass(issued.kind, token));
        Ok(Some(Self { kind, recipient: issued.user_id, to, key, note: None, valid_until: issued.expires_at, happened: None }))
    }

    /// How to go on with a sign-up, or what was decided about it.
    fn signup(delivered: &Delivered, address: String) -> Result<Option<Self>, ReactError> {
        let event = &delivered.event;
        let news = event.recorded_at + NEWS_PATIENCE;
        let change: SignupEvent = parse(event)?;
        let recipient = change.user_id();
        let (kind, key, note, valid_until) = match change {
            SignupEvent::SignupLinkIssued(issued) => {
                let token = SignupToken { organization: event.organization_id, user: recipient, generation: issued.generation };
                (LetterKind::Signup, Key::Signup(token), None, issued.expires_at)
            }
            SignupEvent::SignupCompleted(completed) if completed.approved_by.is_some() => {
                (LetterKind::SignupApproved, Key::Nothing, None, news)
            }
            SignupEvent::SignupRefused(_) => {
                let reason = opened(delivered, "reason")?;
                (LetterKind::SignupRefused, Key::Nothing, reason, news)
            }
            // Whoever did the last step themselves has been told.
            _ => return Ok(None),
        };
        Ok(Some(Self { kind, recipient, to: To::Named(address), key, note, valid_until, happened: None }))
    }
}

/// The letter that brings a link or a code.
fn letter_of(kind: PassKind) -> LetterKind {
    match kind {
        PassKind::MagicLink => LetterKind::MagicLink,
        PassKind::PasswordReset => LetterKind::PasswordReset,
        PassKind::EmailCode => LetterKind::EmailCode,
        PassKind::EmailVerification => LetterKind::EmailVerification,
        PassKind::AccountReminder => LetterKind::AccountReminder,
        PassKind::PhoneEnrolment | PassKind::PhoneCode => LetterKind::PhoneCode,
    }
}

pub(super) fn opened(delivered: &Delivered, field: &str) -> Result<Option<String>, ReactError> {
    delivered.opened(field).map_err(|error| ReactError::Permanent(error.into()))
}

/// What was seen of a user's sign-ins.
fn seen_of(event: &RecordedEvent) -> Result<Option<(LetterKind, UserId)>, ReactError> {
    Ok(match parse(event)? {
        SignInWatchEvent::NewPlaceSeen(seen) => Some((LetterKind::NewSignIn, seen.user_id)),
        SignInWatchEvent::SuspiciousSignInDetected(detected) => Some((LetterKind::SuspiciousSignIn, detected.user_id)),
        _ => None,
    })
}

/// What changed of that by which a user proves who they are.
fn changed_of(event: &RecordedEvent) -> Result<Option<(LetterKind, UserId)>, ReactError> {
    Ok(match parse(event)? {
        CredentialEvent::PasswordSet(set) => {
            let by = serde_json::from_str::<By>(event.metadata.get()).map(|by| by.permission).unwrap_or_default();
            let changed = !set.temporary && CHANGES_OF_PASSWORD.contains(&by.as_str());
            changed.then_some((LetterKind::PasswordChanged, set.user_id))
        }
        CredentialEvent::TotpDisabled(disabled) => Some((LetterKind::SecondFactorDisabled, disabled.user_id)),
        CredentialEvent::RecoveryCodesIssued(issued) => Some((LetterKind::RecoveryCodesRenewed, issued.user_id)),
        CredentialEvent::PhoneEnrolled(enrolled) => Some((LetterKind::PhoneEnrolled, enrolled.user_id)),
        CredentialEvent::PhoneRemoved(removed) => Some((LetterKind::PhoneRemoved, removed.user_id)),
        CredentialEvent::ExternalIdentityLinked(linked) => Some((LetterKind::ExternalIdentityLinked, linked.user_id)),
        _ => None,
    })
}
