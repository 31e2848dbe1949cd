//! What happens to a user.

use crate::{
    events,
    identity::Role,
    kernel::{Personal, UserId},
};

events! {
    /// What happens to a user. Whatever names the person is sealed.
    pub enum UserEvent {
        /// In this version a created user is active; invitations come with a later one (B.1).
        UserCreated = "identity.user_created" v 1 {
            user_id: UserId = internal,
            /// How the organization's own systems call the person.
            external_ref: Personal<String> = confidential of user_id for Profile,
            display_name: Option<Personal<String>> = confidential of user_id for Profile,
            role: Role = internal,
        },
        UserSuspended = "identity.user_suspended" v 1 {
            user_id: UserId = internal,
            reason: Option<Personal<String>> = confidential of user_id for Profile,
        },
        UserResumed = "identity.user_resumed" v 1 {
            user_id: UserId = internal,
        }
    }
}
