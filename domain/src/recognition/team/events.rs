//! What happens to a team.

use super::TeamRole;
use crate::{
    events,
    kernel::{TeamId, UserId},
};

events! {
    /// What happens to a team.
    pub enum TeamEvent {
        TeamCreated = "recognition.team_created" v 1 {
            team_id: TeamId = internal,
            /// What the organization calls it: the name of a group, not of a person.
            name: String = internal,
        },
        TeamRenamed = "recognition.team_renamed" v 1 {
            team_id: TeamId = internal,
            name: String = internal,
        },
        TeamArchived = "recognition.team_archived" v 1 {
            team_id: TeamId = internal,
        },
        MemberAdded = "recognition.member_added" v 1 {
            team_id: TeamId = internal,
            user_id: UserId = internal,
            role: TeamRole = internal,
        },
        MemberRoleChanged = "recognition.member_role_changed" v 1 {
            team_id: TeamId = internal,
            user_id: UserId = internal,
            role: TeamRole = internal,
        },
        MemberRemoved = "recognition.member_removed" v 1 {
            team_id: TeamId = internal,
            user_id: UserId = internal,
        }
    }
}
