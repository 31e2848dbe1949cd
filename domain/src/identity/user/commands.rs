//! What may be asked of a user.

use crate::{
    identity::Role,
    kernel::{OrganizationId, UserId},
};
use std::fmt;

#[derive(Clone, Debug)]
pub enum UserCommand {
    Create(CreateUser),
    Suspend(SuspendUser),
    Resume(ResumeUser),
}

/// Makes someone a user of an organization.
#[derive(Clone)]
pub struct CreateUser {
    pub user_id: UserId,
    /// The organization the user joins: it decides which roles may be given.
    pub organization_id: OrganizationId,
    pub external_ref: String,
    pub display_name: Option<String>,
    pub role: Role,
}

/// Stops the user from acting.
#[derive(Clone)]
pub struct SuspendUser {
    pub reason: Option<String>,
}

/// Lets the user act again.
#[derive(Clone, Debug)]
pub struct ResumeUser;

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for CreateUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateUser").field("user_id", &self.user_id).field("role", &self.role).finish_non_exhaustive()
    }
}

impl fmt::Debug for SuspendUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuspendUser").finish_non_exhaustive()
    }
}
