//! One user of an organization: who someone is there, in which role, and whether they may act.

mod aggregate;
mod commands;
mod errors;
mod events;
mod profile;
mod status;
#[cfg(test)]
mod tests;

pub use aggregate::{Profile, User};
pub use commands::{CreateUser, DeactivateUser, InviteUser, SetEmail, SuspendUser, UserCommand};
pub use errors::UserError;
pub use events::{
    EmailSet, PreferencesChanged, ProfileChanged, RoleAssigned, RoleUnassigned, UserActivated, UserActivationBegun, UserCreated,
    UserDeactivated, UserDeletionCancelled, UserDeletionRequested, UserEvent, UserInvited, UserPurged, UserReactivated,
    UserReactivationApproved, UserRestored, UserResumed, UserSoftDeleted, UserSuspended,
};
pub use profile::{ChangeProfile, PersonName, Preference, Preferences};
pub use status::UserStatus;
