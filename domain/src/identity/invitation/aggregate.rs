//! The rules of an invitation.

use super::{
    InvitationAccepted, InvitationCommand, InvitationCompleted, InvitationError, InvitationEvent, InvitationExpired, InvitationIssued,
    InvitationRevoked, InvitationStatus, IssueInvitation, ReissueInvitation, status,
};
use crate::{
    identity::RoleRef,
    kernel::{Aggregate, Facts, InvitationId, Personal, Transition, UserId, text::is_email},
};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How long an invitation is good unless it says so itself: seven days.
pub const VALID_FOR_HOURS_DEFAULT: u32 = 7 * 24;
pub const VALID_FOR_HOURS_MIN: u32 = 1;
pub const VALID_FOR_HOURS_MAX: u32 = 30 * 24;
/// How often an invitation may be sent again (E-132).
pub const REISSUES_MAX: u32 = 10;
/// The pause before it is sent again (E-132).
const REISSUE_PAUSE: TimeDelta = TimeDelta::minutes(1);

/// What the rules need of an invitation. Where it was sent is carried by the events alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub invitation_id: InvitationId,
    /// Who was invited.
    pub user_id: UserId,
    pub role: RoleRef,
    /// Which of the sent ones is good.
    pub generation: u32,
    pub issued_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub status: InvitationStatus,
}

/// An invitation: nothing, until it is issued.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Invitation(Option<Terms>);

impl Invitation {
    /// What is known of the invitation, once issued.
    pub fn terms(&self) -> Option<&Terms> {
        self.0.as_ref()
    }

    /// What stands in the way of accepting this generation of it now, if anything does.
    ///
    /// # Errors
    /// Whatever [`InvitationCommand::Accept`] would be refused for.
    pub fn acceptable(&self, generation: u32, now: DateTime<Utc>) -> Result<&Terms, InvitationError> {
        let terms = self.leaving_by(status::ACCEPT)?;
        if terms.generation != generation {
            return Err(InvitationError::Superseded);
        }
        if terms.expires_at <= now {
            return Err(InvitationError::TimeRunOut);
        }
        Ok(terms)
    }

    /// Whether its time has run out, and nobody recorded it yet.
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.0.as_ref().is_some_and(|terms| terms.status == InvitationStatus::Pending && terms.expires_at <= now)
    }

    /// The invitation, where `transition` leads from where it stands (B.3).
    fn leaving_by(&self, transition: Transition<InvitationStatus>) -> Result<&Terms, InvitationError> {
        let terms = self.0.as_ref().ok_or(InvitationError::NotFound)?;
        if transition.leads_from(terms.status) {
            return Ok(terms);
        }
        Err(InvitationError::TransitionForbidden { from: terms.status, to: transition.to })
    }

    fn issue(&self, command: &IssueInvitation, facts: &Facts) -> Result<InvitationEvent, InvitationError> {
        if self.0.is_some() {
            return Err(InvitationError::AlreadyExists);
        }
        let IssueInvitation { invitation_id, user_id, email, role, valid_for_hours } = command;
        issued((*invitation_id, *user_id, *role), 1, email, *valid_for_hours, facts)
    }

    fn reissue(&self, command: &ReissueInvitation, facts: &Facts) -> Result<InvitationEvent, InvitationError> {
        let terms = self.leaving_by(status::REISSUE)?;
        if terms.generation > REISSUES_MAX {
            return Err(InvitationError::ReissuedTooOften);
        }
        if facts.now.signed_duration_since(terms.issued_at) < REISSUE_PAUSE {
            return Err(InvitationError::ReissuedTooSoon);
        }
        let whose = (terms.invitation_id, terms.user_id, terms.role);
        issued(whose, terms.generation + 1, &command.email, command.valid_for_hours, facts)
    }

    fn expire(&self, facts: &Facts) -> Result<InvitationEvent, InvitationError> {
        let terms = self.leaving_by(status::EXPIRE)?;
        if facts.now < terms.expires_at {
            return Err(InvitationError::NotDue);
        }
        Ok(InvitationExpired { invitation_id: terms.invitation_id, user_id: terms.user_id }.into())
    }
}

impl Aggregate for Invitation {
    const TYPE: &'static str = "invitation";
    const SHAPE: u16 = 1;

    type Command = InvitationCommand;
    type Event = InvitationEvent;
    type Error = InvitationError;

    fn decide(&self, command: &InvitationCommand, facts: &Facts) -> Result<Vec<InvitationEvent>, InvitationError> {
        Ok(vec![match command {
            InvitationCommand::Issue(command) => self.issue(command, facts)?,
            InvitationCommand::Reissue(command) => self.reissue(command, facts)?,
            InvitationCommand::Revoke => {
                let Terms { invitation_id, user_id, .. } = *self.leaving_by(status::REVOKE)?;
                InvitationRevoked { invitation_id, user_id }.into()
            }
            InvitationCommand::Accept { generation } => {
                let Terms { invitation_id, user_id, generation, .. } = *self.acceptable(*generation, facts.now)?;
                InvitationAccepted { invitation_id, user_id, generation }.into()
            }
            InvitationCommand::Expire => self.expire(facts)?,
            InvitationCommand::Complete => {
                let Terms { invitation_id, user_id, .. } = *self.leaving_by(status::COMPLETE)?;
                InvitationCompleted { invitation_id, user_id }.into()
            }
        }])
    }

    fn evolve(&mut self, event: &InvitationEvent) {
        if let InvitationEvent::InvitationIssued(issued) = event {
            let InvitationIssued { invitation_id, user_id, role, generation, issued_at, expires_at, .. } = *issued;
            self.0 = Some(Terms { invitation_id, user_id, role, generation, issued_at, expires_at, status: event.status() });
        }
        if let Some(terms) = &mut self.0 {
            terms.status = event.status();
        }
    }
}

fn issued(
    (invitation_id, user_id, role): (InvitationId, UserId, RoleRef),
    generation: u32,
    email: &str,
    valid_for_hours: Option<u32>,
    facts: &Facts,
) -> Result<InvitationEvent, InvitationError> {
    if !is_email(email) {
        return Err(InvitationError::EmailInvalid);
    }
    let hours = valid_for_hours.unwrap_or(VALID_FOR_HOURS_DEFAULT);
    if !(VALID_FOR_HOURS_MIN..=VALID_FOR_HOURS_MAX).contains(&hours) {
        return Err(InvitationError::ValidityInvalid);
    }
    let email = Personal::Clear(email.to_owned());
    let (issued_at, invited_by) = (facts.now, facts.actor);
    // To the second, as the signed token says it, so that both end together.
    let expires_at = (issued_at + TimeDelta::hours(hours.into())).trunc_subsecs(0);
    Ok(InvitationIssued { invitation_id, user_id, email, role, generation, issued_at, expires_at, invited_by }.into())
}
