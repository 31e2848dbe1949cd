//! One step of signing in: whatever it uses up, sets and starts, in one append.

use super::users::user_stream;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    identity::{
        credential::{Credential, CredentialAction, CredentialCommand},
        sessions::{RevocationReason, Sessions, SessionsAction, SessionsCommand, StartSession},
        user::User,
    },
    kernel::{Admission, Code, SessionId, UserId},
};

/// What somebody who proved who they are does to their credential and their sessions. No request
/// offers it: the doors do, once they have verified what the rules cannot.
#[derive(Clone, Debug)]
pub struct Enter {
    pub user_id: UserId,
    /// A code that is used up, a password that is set.
    pub actions: Vec<CredentialAction>,
    /// Whether the sessions that there are end: what they were started with is no longer so.
    pub end_others: bool,
    /// The one of them that stays.
    pub keep: Option<SessionId>,
    pub start: Option<StartSession>,
}

impl Operation for Enter {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![
            StreamRef::of::<Sessions>(admission.organization, self.user_id),
            StreamRef::of::<Credential>(admission.organization, self.user_id),
        ]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user_id = self.user_id;
        // Between the proof and now the user may have been suspended.
        if !unit.state::<User>(user_id)?.is_active() {
            return Err(Refused::new(Code::AuthenticationFailed, "sign_in.failed", "the user may not act"));
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
        unit.run::<Sessions>(user_id, &sessions(SessionsAction::Start(start.clone())))?;
        Ok(Answer::new("id", start.session_id, "SIGNED_IN"))
    }
}
