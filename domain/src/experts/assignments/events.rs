//! What happens to the experts of a person.

use crate::{events, kernel::UserId};
use chrono::{DateTime, Utc};

events! {
    /// What happens to the experts of a person.
    pub enum ExpertAssignmentsEvent {
        ExpertAssigned = "experts.expert_assigned" v 1 {
            user_id: UserId = internal,
            expert_id: UserId = internal,
            assigned_by: UserId = internal,
            /// When it is over by time alone; nothing records that moment.
            until: Option<DateTime<Utc>> = internal,
        },
        AssignmentEnded = "experts.assignment_ended" v 1 {
            user_id: UserId = internal,
            expert_id: UserId = internal,
            ended_by: UserId = internal,
        }
    }
}
