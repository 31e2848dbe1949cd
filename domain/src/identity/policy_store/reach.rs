//! What no policy of an organization decides.

use crate::identity::{Grant, Role};

/// The policy store itself: an organization that forbids everything can still take it back.
const OWN_STORE: &str = "identity.policy";

/// Whether a permission, or every permission of a group, is decided by roles and the platform alone:
/// the policy store itself, and what the platform keeps to itself.
pub fn is_beyond_policies(permission: &str) -> bool {
    Role::PLATFORM_ONLY.contains(&permission) || OWN_STORE.parse::<Grant>().is_ok_and(|store| store.covers(permission))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_and_what_is_the_platforms_are_beyond_an_organizations_policies() {
        for beyond in ["identity.policy", "identity.policy.write", "organizations.organization.suspend"] {
            assert!(is_beyond_policies(beyond), "{beyond}");
        }
        for within in ["identity", "identity.role.compose", "organizations.organization.read", "points"] {
            assert!(!is_beyond_policies(within), "{within}");
        }
    }
}
