//! The life cycle of a user, as far as requests may move it (B.1).

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
    RequestUserDeletion => permit "identity.user.delete", throttle Write, owner |deletion| Some(deletion.user_id);
    CancelUserDeletion => permit "identity.user.cancel_deletion", throttle Write;
}

/// One step of the life cycle: the request, the command it becomes, and the status it answers.
macro_rules! steps {
    ($($(#[$doc:meta])* $step:ident $({ $($(#[$field_doc:meta])* $field:ident: $ty:ty),* })? => $command:expr, $answer:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $step {
            pub user_id: UserId,
            $($($(#[$field_doc])* pub $field: $ty,)*)?
        }

        impl Operation for $step {
            fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
                vec![user_stream(admission, self.user_id)]
            }

            fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
                let command: fn(&Self) -> UserCommand = $command;
                unit.run::<User>(self.user_id, &command(self))?;
                Ok(Answer::new("id", self.user_id, $answer))
            }
        }
    )*};
}

steps! {
    /// Suspends a user, who may no longer act.
    SuspendUser { #[schema(max_length = 500)] reason: Option<String> }
        => |step| UserCommand::Suspend(user::SuspendUser { reason: step.reason.clone() }), UserStatus::Suspended.name();

    /// Resumes a suspended user.
    ResumeUser => |_| UserCommand::Resume, UserStatus::Active.name();

    /// Ends a user's membership: they return only after someone else approved it.
    DeactivateUser { #[schema(max_length = 500)] reason: Option<String> }
        => |step| UserCommand::Deactivate(user::DeactivateUser { reason: step.reason.clone() }), UserStatus::Deactivated.name();

    /// Approves that someone else may bring a deactivated user back.
    ApproveReactivation => |_| UserCommand::ApproveReactivation, "APPROVED";

    /// Brings a deactivated user back, once someone else approved it.
    ReactivateUser => |_| UserCommand::Reactivate, UserStatus::Active.name();

    /// Asks that a user be deleted: they may no longer act.
    RequestUserDeletion => |_| UserCommand::RequestDeletion, UserStatus::DeletionRequested.name();

    /// Takes the request for deletion back, within the grace period.
    CancelUserDeletion => |_| UserCommand::CancelDeletion, UserStatus::Active.name();
}
