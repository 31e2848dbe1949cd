//! What happens to a sign-up policy.

use super::SignupHook;
use crate::{events, kernel::OrganizationId};

events! {
    /// What happens to the sign-up policy of an organization.
    pub enum SignupPolicyEvent {
        SignupConfigured = "identity.signup_configured" v 1 {
            organization_id: OrganizationId = internal,
            open: bool = internal,
            /// In the order in which they are passed.
            hooks: Vec<SignupHook> = internal,
        }
    }
}
