//! Sessions: how they go on, and how they end. [`super::Enter`] starts them.

use super::{
    sign_in_watch::{observe, watch_stream},
    user_stream,
};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    identity::{
        sessions::{self, RevocationReason, Sessions, SessionsAction, SessionsCommand, SessionsError},
        sign_in_watch::Sighting,
        user::{User, UserError},
    },
    kernel::{Admission, OrganizationId, SessionId, UserId},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    RevokeSession => permit "identity.session.revoke", throttle Write, owner |revoke| Some(revoke.user_id);
    RevokeUserSessions => permit "identity.session.revoke_all", throttle Write, owner |revoke| Some(revoke.user_id);
}

/// The stream of the devices on which a user is signed in.
pub(crate) fn sessions_stream(admission: &Admission, user: UserId) -> StreamRef {
    sessions_of(admission.organization, user)
}

/// The same of an organization that need not be the one in which the request acts.
pub(super) fn sessions_of(organization: OrganizationId, user: UserId) -> StreamRef {
    StreamRef::of::<Sessions>(organization, user)
}

fn run(unit: &mut Unit<'_>, user_id: UserId, action: SessionsAction) -> Result<(), Refused> {
    unit.run::<Sessions>(user_id, &SessionsCommand { user_id, action }).map(drop)
}

/// Uses a refresh token, and puts another in its place.
///
/// Where it was used before, or is used suspiciously, the session ends: this is recorded, so it is no
/// refusal, and the status is `REUSED` or `KEPT_OUT` instead of `ROTATED`.
pub struct RotateRefresh {
    pub user_id: UserId,
    pub rotate: sessions::RotateRefresh,
    pub sighting: Option<Sighting>,
}

impl Operation for RotateRefresh {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        let watch = self.sighting.is_some().then(|| watch_stream(admission, self.user_id));
        [sessions_stream(admission, self.user_id)].into_iter().chain(watch).collect()
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        if !unit.state::<User>(self.user_id)?.may_sign_in() {
            return Err(SessionsError::Ended.into());
        }
        let (session_id, now) = (self.rotate.session_id, unit.facts().now);
        run(unit, self.user_id, SessionsAction::Rotate(self.rotate.clone()))?;
        if !unit.state::<Sessions>(self.user_id)?.is_live(session_id, now) {
            return Ok(Answer::new("session_id", session_id, "REUSED"));
        }
        let kept_out = self.sighting.as_ref().map(|sighting| observe(unit, self.user_id, sighting)).transpose()?.flatten();
        Ok(Answer::new("session_id", session_id, if kept_out.is_some() { "KEPT_OUT" } else { "ROTATED" }))
    }
}

/// Ends one session.
pub struct EndSession {
    pub user_id: UserId,
    pub session_id: SessionId,
    pub reason: RevocationReason,
}

impl Operation for EndSession {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![sessions_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        run(unit, self.user_id, SessionsAction::Revoke { session_id: self.session_id, reason: self.reason })?;
        Ok(Answer::new("session_id", self.session_id, "ENDED"))
    }
}

/// Signs a user out on one device.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeSession {
    pub user_id: UserId,
    #[schema(value_type = Uuid)]
    pub session_id: SessionId,
}

/// Signs a user out everywhere.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeUserSessions {
    pub user_id: UserId,
    /// Everywhere but in the session in which this is asked.
    #[serde(default)]
    pub keep_current: bool,
}

/// Why a session ends that the caller ends.
fn reason(admission: &Admission, user_id: UserId, session_id: Option<SessionId>) -> RevocationReason {
    match () {
        () if admission.actor != user_id => RevocationReason::ByAdmin,
        () if session_id.is_some() && session_id == admission.session => RevocationReason::SignedOut,
        () => RevocationReason::ByUser,
    }
}

impl Operation for RevokeSession {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![sessions_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let reason = reason(unit.admission(), self.user_id, Some(self.session_id));
        run(unit, self.user_id, SessionsAction::Revoke { session_id: self.session_id, reason })?;
        Ok(Answer::new("id", self.session_id, "REVOKED"))
    }
}

impl Operation for RevokeUserSessions {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![sessions_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        if unit.state::<User>(self.user_id)?.profile().is_none() {
            return Err(UserError::NotFound.into());
        }
        let except = unit.admission().session.filter(|_| self.keep_current);
        let reason = reason(unit.admission(), self.user_id, None);
        run(unit, self.user_id, SessionsAction::RevokeAll { except, reason })?;
        Ok(Answer::new("id", self.user_id, "REVOKED"))
    }
}
