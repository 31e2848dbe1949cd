//! What happens to a user's memberships. Each happens to both accounts, each in its own log.

use super::Account;
use crate::{
    events,
    kernel::{MembershipId, Personal, SessionId, UserId},
};
use chrono::{DateTime, Utc};

events! {
    /// What happens to a user's memberships. Where else somebody is, is theirs alone to know.
    pub enum MembershipsEvent {
        MembershipLinked = "identity.membership_linked" v 1 {
            user_id: UserId = internal,
            membership_id: MembershipId = internal,
            account: Personal<Account> = restricted of user_id for Security,
            linked_at: DateTime<Utc> = internal,
        },
        MembershipUnlinked = "identity.membership_unlinked" v 1 {
            user_id: UserId = internal,
            membership_id: MembershipId = internal,
        },
        SwitchedAway = "identity.switched_away" v 1 {
            user_id: UserId = internal,
            membership_id: MembershipId = internal,
            switched_at: DateTime<Utc> = internal,
        },
        SwitchedIn = "identity.switched_in" v 1 {
            user_id: UserId = internal,
            membership_id: MembershipId = internal,
            session_id: SessionId = internal,
        }
    }
}
