//! Which letter an event asks for.

use super::super::parse;
use crate::sign_in::{invitation_token::InvitationToken, pass_token::PassToken, signup_token::SignupToken};
use chrono::{DateTime, TimeDelta, Utc};
use palmares_domain::{
    identity::{
        credential::{CredentialEvent, PassKind},
        invitation::InvitationEvent,
        signup::SignupEvent,
    },
    kernel::UserId,
    messaging::letter::LetterKind,
};
use palmares_projections::engine::{Delivered, ReactError};

const INVITATION: &str = "identity.invitation_issued";

const LINK: &str = "identity.signup_link_issued";
const COMPLETED: &str = "identity.signup_completed";
const REFUSED: &str = "identity.signup_refused";

/// The events that ask for letters.
pub(super) const ASKING: &[&str] = &["identity.pass_issued", INVITATION, LINK, COMPLETED, REFUSED];

/// How long a letter that only tells something is worth sending.
const NEWS_PATIENCE: TimeDelta = TimeDelta::days(7);

/// A letter that an event asks for.
pub(super) struct Asked {
    pub kind: LetterKind,
    pub recipient: UserId,
    pub address: String,
    pub key: Key,
    /// What somebody has to say to the recipient.
    pub note: Option<String>,
    pub valid_until: DateTime<Utc>,
}

/// What the letter brings.
pub(super) enum Key {
    Pass(PassKind, PassToken),
    Invitation(InvitationToken),
    Signup(SignupToken),
    /// It only tells something.
    Nothing,
}

impl Asked {
    /// The letter of an event; none where nobody knows the address any more.
    pub fn by(delivered: &Delivered) -> Result<Option<Self>, ReactError> {
        let address = delivered.opened::<String>("email").map_err(|error| ReactError::Permanent(error.into()))?;
        let Some(address) = address else { return Ok(None) };
        match delivered.event.event_type.as_str() {
            INVITATION => Self::invitation(delivered, address),
            LINK | COMPLETED | REFUSED => Self::signup(delivered, address),
            _ => Self::pass(delivered, address),
        }
    }

    fn pass(delivered: &Delivered, address: String) -> Result<Option<Self>, ReactError> {
        let event = &delivered.event;
        let CredentialEvent::PassIssued(issued) = parse(event)? else { return Ok(None) };
        let kind = match issued.kind {
            PassKind::MagicLink => LetterKind::MagicLink,
            PassKind::PasswordReset => LetterKind::PasswordReset,
            PassKind::EmailCode => LetterKind::EmailCode,
            PassKind::EmailVerification => LetterKind::EmailVerification,
            PassKind::AccountReminder => LetterKind::AccountReminder,
        };
        let token = PassToken { organization: event.organization_id, user: issued.user_id, pass: issued.pass_id };
        let key = if issued.kind == PassKind::AccountReminder { Key::Nothing } else { Key::Pass(issued.kind, token) };
        Ok(Some(Self { kind, recipient: issued.user_id, address, key, note: None, valid_until: issued.expires_at }))
    }

    fn invitation(delivered: &Delivered, address: String) -> Result<Option<Self>, ReactError> {
        let event = &delivered.event;
        let InvitationEvent::InvitationIssued(issued) = parse(event)? else { return Ok(None) };
        let (organization, invitation) = (event.organization_id, issued.invitation_id);
        let key = Key::Invitation(InvitationToken { organization, invitation, generation: issued.generation });
        let (recipient, valid_until) = (issued.user_id, issued.expires_at);
        Ok(Some(Self { kind: LetterKind::Invitation, recipient, address, key, note: None, valid_until }))
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
                let reason = delivered.opened::<String>("reason").map_err(|error| ReactError::Permanent(error.into()))?;
                (LetterKind::SignupRefused, Key::Nothing, reason, news)
            }
            // Whoever did the last step themselves has been told.
            _ => return Ok(None),
        };
        Ok(Some(Self { kind, recipient, address, key, note, valid_until }))
    }
}
