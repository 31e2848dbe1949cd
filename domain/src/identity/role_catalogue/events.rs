//! What happens to an organization's own roles.

use crate::{events, identity::Grant, kernel::RoleId};

events! {
    /// What happens to an organization's own roles.
    pub enum RoleCatalogueEvent {
        RoleComposed = "identity.role_composed" v 1 {
            role_id: RoleId = internal,
            /// What the organization calls it: the name of a function, not of a person.
            name: String = internal,
            grants: Vec<Grant> = internal,
        },
        PermissionsGranted = "identity.permissions_granted" v 1 {
            role_id: RoleId = internal,
            grants: Vec<Grant> = internal,
        },
        PermissionsRevoked = "identity.permissions_revoked" v 1 {
            role_id: RoleId = internal,
            grants: Vec<Grant> = internal,
        },
        RoleRenamed = "identity.role_renamed" v 1 {
            role_id: RoleId = internal,
            name: String = internal,
        },
        RoleRetired = "identity.role_retired" v 1 {
            role_id: RoleId = internal,
        }
    }
}
