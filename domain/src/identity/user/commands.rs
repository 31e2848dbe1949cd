//! What may be asked of a user.

use super::ChangeProfile;
use crate::{
    identity::RoleRef,
    kernel::{OrganizationId, UserId},
};
use std::fmt;

#[derive(Clone, Debug)]
pub enum UserCommand {
    Create(CreateUser),
    Invite(InviteUser),
    BeginActivation,
    Activate,
    Suspend(SuspendUser),
    Resume,
    Deactivate(DeactivateUser),
    /// Lets someone else bring a deactivated user back.
    ApproveReactivation,
    Reactivate,
    RequestDeletion,
    CancelDeletion,
    SoftDelete,
    Restore,
    Purge,
    /// The organization decides which roles may be given.
    AssignRole {
        role: RoleRef,
        organization_id: OrganizationId,
    },
    UnassignRole(RoleRef),
    SetEmail(SetEmail),
    ChangeProfile(ChangeProfile),
}

/// Makes someone a user of an organization, active at once (E-135).
#[derive(Clone)]
pub struct CreateUser {
    pub user_id: UserId,
    /// The organization the user joins: it decides which roles may be given.
    pub organization_id: OrganizationId,
    pub external_ref: String,
    pub display_name: Option<String>,
    pub role: RoleRef,
}

/// Asks someone to join an organization, by e-mail (E-131).
#[derive(Clone)]
pub struct InviteUser {
    pub user_id: UserId,
    /// The organization the user joins: it decides which roles may be given.
    pub organization_id: OrganizationId,
    pub email: String,
    pub display_name: Option<String>,
    pub role: RoleRef,
}

/// Says where the user is reached, and by what they sign in.
#[derive(Clone)]
pub struct SetEmail {
    pub email: String,
}

/// Stops the user from acting, for a while.
#[derive(Clone)]
pub struct SuspendUser {
    pub reason: Option<String>,
}

/// Stops the user from acting until someone approves the return.
#[derive(Clone)]
pub struct DeactivateUser {
    pub reason: Option<String>,
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for CreateUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateUser").field("user_id", &self.user_id).field("role", &self.role).finish_non_exhaustive()
    }
}

impl fmt::Debug for InviteUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InviteUser").field("user_id", &self.user_id).field("role", &self.role).finish_non_exhaustive()
    }
}

impl fmt::Debug for SetEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetEmail").finish_non_exhaustive()
    }
}

impl fmt::Debug for SuspendUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuspendUser").finish_non_exhaustive()
    }
}

impl fmt::Debug for DeactivateUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeactivateUser").finish_non_exhaustive()
    }
}
