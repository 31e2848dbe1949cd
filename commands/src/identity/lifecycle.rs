//! The life cycle of a user, as far as requests may move it (B.1). How they go for good is compliance's.

use super::user_stream;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    identity::user::{self, User, UserCommand, UserStatus},
    kernel::{Admission, UserId},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    SuspendUser => permit "identity.user.suspend", throttle Write;
    ResumeUser => permit "identity.user.resume", throttle Write;
    DeactivateUser => permit "identity.user.deactivate", throttle Write;
    ApproveReactivation => permit "identity.user.approve_reactivation", throttle Write;
    ReactivateUser => permit "identity.user.reactivate", throttle Write;
}

crate::life_cycle::steps! { User, user_id: UserId, user_stream;
    /// Suspends a user, who may no longer act.
    SuspendUser { #[schema(max_length = 500)] reason: Option<String> }
        => |step| UserCommand::Suspend(user::SuspendUser { reason: step.reason.clone() }), |_| UserStatus::Suspended.name();

    /// Resumes a suspended user.
    ResumeUser => |_| UserCommand::Resume, |_| UserStatus::Active.name();

    /// Ends a user's membership: they return only after someone else approved it.
    DeactivateUser { #[schema(max_length = 500)] reason: Option<String> }
        => |step| UserCommand::Deactivate(user::DeactivateUser { reason: step.reason.clone() }), |_| UserStatus::Deactivated.name();

    /// Approves that someone else may bring a deactivated user back.
    ApproveReactivation => |_| UserCommand::ApproveReactivation, |_| "APPROVED";

    /// Brings a deactivated user back, once someone else approved it.
    ReactivateUser => |_| UserCommand::Reactivate, |_| UserStatus::Active.name();
}
