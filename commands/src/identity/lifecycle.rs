//! The life cycle of a user, as far as requests may move it (B.1). How they go for good is compliance's.

use super::{
    officers::{LeavesOfficers, check_one_stays, leaves_officers, streams_of},
    user_stream,
};
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
    /// Resumes a suspended user.
    ResumeUser => |_| UserCommand::Resume, |_| UserStatus::Active.name();

    /// Approves that someone else may bring a deactivated user back.
    ApproveReactivation => |_| UserCommand::ApproveReactivation, |_| "APPROVED";

    /// Brings a deactivated user back, once someone else approved it.
    ReactivateUser => |_| UserCommand::Reactivate, |_| UserStatus::Active.name();
}

/// Declares requests after which a user may no longer act: whoever is the last compliance officer stays.
macro_rules! endings {
    ($($(#[$doc:meta])* $ending:ident => $command:ident, $status:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $ending {
            pub user_id: UserId,
            #[schema(max_length = 500)]
            pub reason: Option<String>,
            /// Who else is a compliance officer, as the read model knows.
            #[serde(skip)]
            #[schema(ignore)]
            pub other_officers: Vec<UserId>,
        }

        leaves_officers!($ending);

        impl Operation for $ending {
            fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
                vec![user_stream(admission, self.user_id)]
            }

            fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
                streams_of(admission, &self.other_officers)
            }

            fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
                check_one_stays(unit, self.user_id, &self.other_officers)?;
                unit.run::<User>(self.user_id, &UserCommand::$command(user::$ending { reason: self.reason.clone() }))?;
                Ok(Answer::new("id", self.user_id, UserStatus::$status.name()))
            }
        }
    )*};
}

endings! {
    /// Suspends a user, who may no longer act.
    SuspendUser => Suspend, Suspended;

    /// Ends a user's membership: they return only after someone else approved it.
    DeactivateUser => Deactivate, Deactivated;
}
