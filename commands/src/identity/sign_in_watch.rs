//! The watch over sign-ins: failures are counted, places recognized, and what is suspicious has its consequence.

use super::sessions::sessions_stream;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    identity::{
        sessions::{RevocationReason, Sessions, SessionsAction, SessionsCommand},
        sign_in_watch::{Consequence, Sighting, SignInWatch, SignInWatchCommand, WatchAction},
    },
    kernel::{Admission, Digest, LetterId, UserId},
};

/// The stream of the watch over a user's sign-ins.
pub(super) fn watch_stream(admission: &Admission, user: UserId) -> StreamRef {
    StreamRef::of::<SignInWatch>(admission.organization, user)
}

fn run(unit: &mut Unit<'_>, user_id: UserId, action: WatchAction) -> Result<(), Refused> {
    unit.run::<SignInWatch>(user_id, &SignInWatchCommand { user_id, action }).map(drop)
}

/// Ends sessions of a user because of what was seen.
fn end(unit: &mut Unit<'_>, user_id: UserId, action: SessionsAction) -> Result<(), Refused> {
    unit.run::<Sessions>(user_id, &SessionsCommand { user_id, action }).map(drop)
}

/// Records a sighting with its consequence for the sessions; answers the consequence that keeps the
/// session from going on, where there is one.
pub(super) fn observe(unit: &mut Unit<'_>, user_id: UserId, sighting: &Sighting) -> Result<Option<Consequence>, Refused> {
    let now = unit.facts().now;
    let verdict = unit.state::<SignInWatch>(user_id)?.judge(sighting, now);
    run(unit, user_id, WatchAction::Observe(sighting.clone()))?;
    let reason = RevocationReason::Suspicious;
    match verdict.consequence {
        // The one that is let in is not there yet.
        Some(Consequence::OtherSessionsEnded | Consequence::AllSessionsEnded) => {
            end(unit, user_id, SessionsAction::RevokeAll { except: None, reason })?;
        }
        Some(Consequence::SessionEnded) => {
            end(unit, user_id, SessionsAction::Revoke { session_id: sighting.session_id, reason })?;
        }
        None | Some(Consequence::Notified | Consequence::SecondFactorDemanded) => {}
    }
    Ok(verdict.consequence.filter(|_| !verdict.lets_in()))
}

/// Counts that somebody did not prove that they are this user. The doors ask for it.
pub struct RecordFailedSignIn {
    pub user_id: UserId,
    pub network: Digest,
}

impl Operation for RecordFailedSignIn {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![watch_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        run(unit, self.user_id, WatchAction::RecordFailure { network: self.network })?;
        Ok(Answer::new("user_id", self.user_id, "FAILED"))
    }
}

/// Signs a user out everywhere who says that what a letter told of was not them. It works once for each letter.
pub struct DisownSignIn {
    pub user_id: UserId,
    pub letter_id: LetterId,
}

impl Operation for DisownSignIn {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![watch_stream(admission, self.user_id), sessions_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        run(unit, self.user_id, WatchAction::Disown { letter_id: self.letter_id })?;
        let reason = RevocationReason::Suspicious;
        end(unit, self.user_id, SessionsAction::RevokeAll { except: None, reason })?;
        Ok(Answer::new("user_id", self.user_id, "SIGNED_OUT"))
    }
}
