//! What may be asked of a sign-up policy.

use super::SignupHook;
use crate::kernel::OrganizationId;

/// Puts this policy in place of the one there is.
#[derive(Clone, Debug)]
pub struct ConfigureSignup {
    pub organization_id: OrganizationId,
    /// Whether people may sign up by themselves.
    pub open: bool,
    /// What they have to pass, in this order.
    pub hooks: Vec<SignupHook>,
}
