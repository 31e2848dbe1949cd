//! What may be asked of an organization's own roles.

use crate::{identity::Grant, kernel::RoleId};
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub enum RoleCatalogueCommand {
    Compose(ComposeRole),
    /// Puts these grants in place of those that the role has.
    SetGrants(RoleId, BTreeSet<Grant>),
    Rename(RoleId, String),
    /// Nobody gets the role any more, and it grants nothing.
    Retire(RoleId),
}

/// Makes a role out of permissions.
#[derive(Clone, Debug)]
pub struct ComposeRole {
    pub role_id: RoleId,
    pub name: String,
    pub grants: BTreeSet<Grant>,
}
