//! Which letter an event asks for.

use super::super::parse;
use crate::sign_in::{invitation_token::InvitationToken, pass_token::PassToken};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::{
        credential::{CredentialEvent, PassKind},
        invitation::InvitationEvent,
    },
    kernel::UserId,
    messaging::letter::LetterKind,
};
use palmares_projections::engine::{Delivered, ReactError};

const INVITATION: &str = "identity.invitation_issued";

/// The events that ask for letters.
pub(super) const ASKING: &[&str] = &["identity.pass_issued", INVITATION];

/// A letter that an event asks for.
pub(super) struct Asked {
    pub kind: LetterKind,
    pub recipient: UserId,
    pub address: String,
    pub key: Key,
    pub valid_until: DateTime<Utc>,
}

/// What the letter brings.
pub(super) enum Key {
    Pass(PassKind, PassToken),
    Invitation(InvitationToken),
}

impl Asked {
    /// The letter of an event; none where nobody knows the address any more.
    pub fn by(delivered: &Delivered) -> Result<Option<Self>, ReactError> {
        let address = delivered.opened::<String>("email").map_err(|error| ReactError::Permanent(error.into()))?;
        let Some(address) = address else { return Ok(None) };
        match delivered.event.event_type.as_str() {
            INVITATION => Self::invitation(delivered, address),
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
        };
        let token = PassToken { organization: event.organization_id, user: issued.user_id, pass: issued.pass_id };
        let key = Key::Pass(issued.kind, token);
        Ok(Some(Self { kind, recipient: issued.user_id, address, key, valid_until: issued.expires_at }))
    }

    fn invitation(delivered: &Delivered, address: String) -> Result<Option<Self>, ReactError> {
        let event = &delivered.event;
        let InvitationEvent::InvitationIssued(issued) = parse(event)? else { return Ok(None) };
        let (organization, invitation) = (event.organization_id, issued.invitation_id);
        let key = Key::Invitation(InvitationToken { organization, invitation, generation: issued.generation });
        Ok(Some(Self { kind: LetterKind::Invitation, recipient: issued.user_id, address, key, valid_until: issued.expires_at }))
    }
}
