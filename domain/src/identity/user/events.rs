//! What happens to a user.

use super::{PersonName, Preference};
use crate::{
    events,
    identity::{Role, RoleRef},
    kernel::{Personal, UserId},
    organizations::Locale,
};
use chrono_tz::Tz;

events! {
    /// What happens to a user. Whatever names the person is sealed.
    pub enum UserEvent {
        /// A directly created user is active at once.
        UserCreated = "identity.user_created" v 1 {
            user_id: UserId = internal,
            /// How the organization's own systems call the person.
            external_ref: Personal<String> = confidential of user_id for Profile,
            display_name: Option<Personal<String>> = confidential of user_id for Profile,
            role: Role = internal,
        },
        UserInvited = "identity.user_invited" v 1 {
            user_id: UserId = internal,
            email: Personal<String> = confidential of user_id for Profile,
            display_name: Option<Personal<String>> = confidential of user_id for Profile,
            role: RoleRef = internal,
        },
        UserActivationBegun = "identity.user_activation_begun" v 1 {
            user_id: UserId = internal,
        },
        UserActivated = "identity.user_activated" v 1 {
            user_id: UserId = internal,
        },
        UserSuspended = "identity.user_suspended" v 1 {
            user_id: UserId = internal,
            reason: Option<Personal<String>> = confidential of user_id for Profile,
        },
        UserResumed = "identity.user_resumed" v 1 {
            user_id: UserId = internal,
        },
        UserDeactivated = "identity.user_deactivated" v 1 {
            user_id: UserId = internal,
            reason: Option<Personal<String>> = confidential of user_id for Profile,
        },
        UserReactivationApproved = "identity.user_reactivation_approved" v 1 {
            user_id: UserId = internal,
            approved_by: UserId = internal,
        },
        UserReactivated = "identity.user_reactivated" v 1 {
            user_id: UserId = internal,
            approved_by: UserId = internal,
        },
        UserDeletionRequested = "identity.user_deletion_requested" v 1 {
            user_id: UserId = internal,
        },
        UserDeletionCancelled = "identity.user_deletion_cancelled" v 1 {
            user_id: UserId = internal,
        },
        UserSoftDeleted = "identity.user_soft_deleted" v 1 {
            user_id: UserId = internal,
        },
        UserRestored = "identity.user_restored" v 1 {
            user_id: UserId = internal,
        },
        UserPurged = "identity.user_purged" v 1 {
            user_id: UserId = internal,
        },
        RoleAssigned = "identity.role_assigned" v 1 {
            user_id: UserId = internal,
            role: RoleRef = internal,
        },
        RoleUnassigned = "identity.role_unassigned" v 1 {
            user_id: UserId = internal,
            role: RoleRef = internal,
        },
        EmailSet = "identity.email_set" v 1 {
            user_id: UserId = internal,
            email: Personal<String> = confidential of user_id for Profile,
        },
        /// What it does not name stays.
        ProfileChanged = "identity.profile_changed" v 1 {
            user_id: UserId = internal,
            given_name: Option<Personal<String>> = confidential of user_id for Profile,
            family_name: Option<Personal<String>> = confidential of user_id for Profile,
            display_name: Option<Personal<String>> = confidential of user_id for Profile,
            /// The names that the user has no more.
            cleared: Vec<PersonName> = internal,
        },
        /// What it does not name stays.
        PreferencesChanged = "identity.preferences_changed" v 1 {
            user_id: UserId = internal,
            language: Option<Locale> = internal,
            time_zone: Option<Tz> = internal,
            product_news: Option<bool> = internal,
            /// What follows the organization again.
            reset: Vec<Preference> = internal,
        }
    }
}

impl UserEvent {
    /// Whom it happened to.
    pub fn user_id(&self) -> UserId {
        match self {
            UserEvent::UserCreated(event) => event.user_id,
            UserEvent::UserInvited(event) => event.user_id,
            UserEvent::UserActivationBegun(event) => event.user_id,
            UserEvent::UserActivated(event) => event.user_id,
            UserEvent::UserSuspended(event) => event.user_id,
            UserEvent::UserResumed(event) => event.user_id,
            UserEvent::UserDeactivated(event) => event.user_id,
            UserEvent::UserReactivationApproved(event) => event.user_id,
            UserEvent::UserReactivated(event) => event.user_id,
            UserEvent::UserDeletionRequested(event) => event.user_id,
            UserEvent::UserDeletionCancelled(event) => event.user_id,
            UserEvent::UserSoftDeleted(event) => event.user_id,
            UserEvent::UserRestored(event) => event.user_id,
            UserEvent::UserPurged(event) => event.user_id,
            UserEvent::RoleAssigned(event) => event.user_id,
            UserEvent::RoleUnassigned(event) => event.user_id,
            UserEvent::EmailSet(event) => event.user_id,
            UserEvent::ProfileChanged(event) => event.user_id,
            UserEvent::PreferencesChanged(event) => event.user_id,
        }
    }

    /// The state it brings the user to, where it changes it.
    pub fn status(&self) -> Option<super::UserStatus> {
        use super::{UserStatus, status};
        Some(match self {
            UserEvent::UserCreated(_) => UserStatus::Active,
            UserEvent::UserInvited(_) => UserStatus::Invited,
            UserEvent::UserActivationBegun(_) => status::BEGIN_ACTIVATION.to,
            UserEvent::UserActivated(_) => status::ACTIVATE.to,
            UserEvent::UserSuspended(_) => status::SUSPEND.to,
            UserEvent::UserResumed(_) => status::RESUME.to,
            UserEvent::UserDeactivated(_) => status::DEACTIVATE.to,
            UserEvent::UserReactivated(_) => status::REACTIVATE.to,
            UserEvent::UserDeletionRequested(_) => status::REQUEST_DELETION.to,
            UserEvent::UserDeletionCancelled(_) => status::CANCEL_DELETION.to,
            UserEvent::UserSoftDeleted(_) => status::SOFT_DELETE.to,
            UserEvent::UserRestored(_) => status::RESTORE.to,
            UserEvent::UserPurged(_) => status::PURGE.to,
            UserEvent::UserReactivationApproved(_)
            | UserEvent::RoleAssigned(_)
            | UserEvent::RoleUnassigned(_)
            | UserEvent::EmailSet(_)
            | UserEvent::ProfileChanged(_)
            | UserEvent::PreferencesChanged(_) => return None,
        })
    }
}
