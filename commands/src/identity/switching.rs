//! From one account to another of the same person: what goes with the session that starts there.

use super::{
    memberships::{may_act, memberships_stream, run, standing_streams},
    sessions::sessions_of,
};
use crate::engine::{Refused, StreamRef, Unit};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::{
        memberships::{Account, Memberships, MembershipsAction},
        sessions::Sessions,
    },
    kernel::{Code, MembershipId, SessionId, UserId},
};
use serde::{Deserialize, Serialize};

/// How somebody comes in who is signed in elsewhere: by an account that is linked to the one they enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switched {
    pub from: Account,
    pub membership_id: MembershipId,
    /// The session in which they asked for it; none where an operator made their token.
    pub session: Option<SessionId>,
    /// What was asked for is good once.
    pub asked_at: DateTime<Utc>,
}

impl Switched {
    /// The streams that it writes beside the user's own.
    pub(super) fn streams(&self, to: Account) -> [StreamRef; 2] {
        [memberships_stream(self.from), memberships_stream(to)]
    }

    pub(super) fn reads(&self) -> impl Iterator<Item = StreamRef> {
        standing_streams(self.from).into_iter().chain([sessions_of(self.from.organization_id, self.from.user_id)])
    }

    /// Records on both sides that the person goes over, into this session. Between the question and now the
    /// account that they come from may have been suspended, signed out or parted.
    pub(super) fn go_over(&self, unit: &mut Unit<'_>, to: UserId, session_id: SessionId) -> Result<(), Refused> {
        let (membership_id, from, now) = (self.membership_id, self.from, unit.facts().now);
        let signed_in = match self.session {
            Some(session) => unit.state::<Sessions>(from.user_id)?.is_live(session, now),
            None => true,
        };
        let target = Account { organization_id: unit.organization(), user_id: to };
        let linked = unit.state::<Memberships>(from.user_id)?.leads_to(membership_id, target)
            && unit.state::<Memberships>(to)?.leads_to(membership_id, from);
        if !signed_in || !linked || !may_act(unit, from)? {
            return Err(Refused::new(Code::AuthenticationFailed, "sign_in.failed", "the way from the other account is closed"));
        }
        run(unit, from.user_id, MembershipsAction::SwitchAway { membership_id, asked_at: self.asked_at })?;
        run(unit, to, MembershipsAction::SwitchIn { membership_id, session_id })
    }
}
