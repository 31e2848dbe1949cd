//! One step of signing in: whatever it uses up, sets and starts, in one append.

use super::{
    credentials::credential_stream,
    invitations::{check_newcomer, complete, invitation_stream},
    sessions::sessions_stream,
    sign_in_watch::{observe, watch_stream},
    switching::Switched,
    user_stream,
};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    identity::{
        credential::{Credential, CredentialAction, CredentialCommand},
        memberships::Account,
        sessions::{RevocationReason, Sessions, SessionsAction, SessionsCommand, StartSession},
        sign_in_watch::{Consequence, Sighting},
        user::User,
    },
    kernel::{Admission, Code, InvitationId, SessionId, UserId},
};

/// Whose step it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Entrant {
    /// A user who may act.
    #[default]
    Member,
    /// Somebody who accepted this invitation and has not done all that is asked of newcomers.
    Newcomer(InvitationId),
    /// The same, and this is the last that is asked: they may act from now on (E-145).
    Completing(InvitationId),
}

/// What somebody who proved who they are does to their credential and their sessions. No request
/// offers it: the doors do, once they have verified what the rules cannot.
#[derive(Clone, Debug)]
pub struct Enter {
    pub user_id: UserId,
    pub entrant: Entrant,
    /// A code that is used up, a password that is set.
    pub actions: Vec<CredentialAction>,
    /// Whether the sessions that there are end: what they were started with is no longer so.
    pub end_others: bool,
    /// The one of them that stays.
    pub keep: Option<SessionId>,
    pub start: Option<StartSession>,
    /// The linked account, in another organization, from which they come.
    pub switched: Option<Switched>,
    /// Where the session that starts is seen. What is suspicious of it may keep it from starting: then
    /// nothing is used up, and the status is `SECOND_FACTOR_DEMANDED` or `KEPT_OUT`.
    pub sighting: Option<Sighting>,
}

impl Enter {
    /// A change of the credential of somebody who may act, and nothing else.
    pub fn change(user_id: UserId, actions: Vec<CredentialAction>) -> Self {
        Self { user_id, entrant: Entrant::Member, actions, end_others: false, keep: None, start: None, switched: None, sighting: None }
    }
}

impl Operation for Enter {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        let mut streams = vec![sessions_stream(admission, self.user_id), credential_stream(admission, self.user_id)];
        streams.extend(self.sighting.is_some().then(|| watch_stream(admission, self.user_id)));
        if let Entrant::Completing(invitation) = self.entrant {
            streams.extend([invitation_stream(admission, invitation), user_stream(admission, self.user_id)]);
        }
        if let Some(switched) = &self.switched {
            streams.extend(switched.streams(Account { organization_id: admission.organization, user_id: self.user_id }));
        }
        streams
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        let switched = self.switched.iter().flat_map(Switched::reads);
        let mut reads = match self.entrant {
            Entrant::Member => vec![user_stream(admission, self.user_id)],
            Entrant::Newcomer(invitation) => {
                vec![invitation_stream(admission, invitation), user_stream(admission, self.user_id)]
            }
            Entrant::Completing(_) => Vec::new(),
        };
        reads.extend(switched);
        reads
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user_id = self.user_id;
        match self.entrant {
            // Between the proof and now the user may have been suspended.
            Entrant::Member if unit.state::<User>(user_id)?.may_sign_in() => {}
            Entrant::Member => return Err(Refused::new(Code::AuthenticationFailed, "sign_in.failed", "the user may not act")),
            Entrant::Newcomer(invitation) => check_newcomer(unit, invitation, user_id)?,
            Entrant::Completing(invitation) => complete(unit, invitation, user_id)?,
        }
        let kept_out = self.sighting.as_ref().map(|sighting| observe(unit, user_id, sighting)).transpose()?.flatten();
        if let Some(consequence) = kept_out {
            let asks = consequence == Consequence::SecondFactorDemanded;
            return Ok(Answer::new("id", user_id, if asks { "SECOND_FACTOR_DEMANDED" } else { "KEPT_OUT" }));
        }
        for action in &self.actions {
            unit.run::<Credential>(user_id, &CredentialCommand { user_id, action: action.clone() })?;
        }
        let sessions = |action| SessionsCommand { user_id, action };
        if self.end_others {
            let end = SessionsAction::RevokeAll { except: self.keep, reason: RevocationReason::PasswordChanged };
            unit.run::<Sessions>(user_id, &sessions(end))?;
        }
        let Some(start) = &self.start else { return Ok(Answer::new("id", user_id, "CHANGED")) };
        if let Some(switched) = &self.switched {
            switched.go_over(unit, user_id, start.session_id)?;
        }
        unit.run::<Sessions>(user_id, &sessions(SessionsAction::Start(start.clone())))?;
        Ok(Answer::new("id", start.session_id, "SIGNED_IN"))
    }
}
