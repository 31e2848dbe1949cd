//! The rules of an organization's own roles.

use super::{
    ComposeRole, PermissionsGranted, PermissionsRevoked, RoleCatalogueCommand, RoleCatalogueError, RoleCatalogueEvent, RoleComposed,
    RoleRenamed, RoleRetired,
};
use crate::{
    identity::{Grant, HeldRole, Rights, Role, RoleRef},
    kernel::{Aggregate, Facts, RoleId, text::is_label},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Roles of one organization, retired ones left out: each is a policy that a decision may have to look at.
pub const ROLES_MAX: usize = 500;
/// Grants of one role; groups make more needless.
pub const GRANTS_MAX: usize = 200;
const NAME_MAX_CHARS: usize = 100;

/// A role that an organization composed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomRole {
    pub name: String,
    pub grants: BTreeSet<Grant>,
}

/// The roles of one organization that are not retired.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleCatalogue {
    roles: BTreeMap<RoleId, CustomRole>,
    retired: BTreeSet<RoleId>,
}

impl RoleCatalogue {
    /// The role, while it is not retired.
    pub fn role(&self, id: RoleId) -> Option<&CustomRole> {
        self.roles.get(&id)
    }

    pub fn roles(&self) -> impl Iterator<Item = (RoleId, &CustomRole)> {
        self.roles.iter().map(|(id, role)| (*id, role))
    }

    /// What `roles` grant together. A retired role grants nothing.
    pub fn rights<'a>(&self, roles: impl IntoIterator<Item = &'a RoleRef>) -> Rights {
        Rights::new(roles.into_iter().filter_map(|role| self.held(*role)))
    }

    /// A role with what it grants, while it is not retired.
    pub fn held(&self, role: RoleRef) -> Option<HeldRole> {
        match role {
            RoleRef::BuiltIn(role) => Some(HeldRole::built_in(role)),
            RoleRef::Custom(id) => Some(HeldRole::custom(id, self.role(id)?.grants.clone())),
        }
    }

    fn known(&self, id: RoleId) -> Result<&CustomRole, RoleCatalogueError> {
        match self.roles.get(&id) {
            Some(role) => Ok(role),
            None if self.retired.contains(&id) => Err(RoleCatalogueError::Retired),
            None => Err(RoleCatalogueError::NotFound),
        }
    }

    /// Two roles that people cannot tell apart would be one in their minds.
    fn check_name(&self, name: &str, of: RoleId) -> Result<(), RoleCatalogueError> {
        if !is_label(name, NAME_MAX_CHARS) {
            return Err(RoleCatalogueError::NameInvalid);
        }
        let folded = name.to_lowercase();
        let built_in = Role::ALL.iter().any(|role| role.name() == folded);
        if built_in || self.roles.iter().any(|(id, role)| *id != of && role.name.to_lowercase() == folded) {
            return Err(RoleCatalogueError::NameTaken);
        }
        Ok(())
    }

    fn compose(&self, command: &ComposeRole) -> Result<Vec<RoleCatalogueEvent>, RoleCatalogueError> {
        let ComposeRole { role_id, name, grants } = command;
        if self.roles.contains_key(role_id) || self.retired.contains(role_id) {
            return Err(RoleCatalogueError::AlreadyExists);
        }
        if self.roles.len() >= ROLES_MAX {
            return Err(RoleCatalogueError::TooManyRoles);
        }
        self.check_name(name, *role_id)?;
        check_grants(grants)?;
        Ok(vec![RoleComposed { role_id: *role_id, name: name.clone(), grants: grants.iter().cloned().collect() }.into()])
    }

    fn set_grants(&self, role_id: RoleId, wanted: &BTreeSet<Grant>) -> Result<Vec<RoleCatalogueEvent>, RoleCatalogueError> {
        let role = self.known(role_id)?;
        check_grants(wanted)?;
        let added: Vec<_> = wanted.difference(&role.grants).cloned().collect();
        let removed: Vec<_> = role.grants.difference(wanted).cloned().collect();
        let granted = (!added.is_empty()).then(|| PermissionsGranted { role_id, grants: added }.into());
        let revoked = (!removed.is_empty()).then(|| PermissionsRevoked { role_id, grants: removed }.into());
        Ok(granted.into_iter().chain(revoked).collect())
    }

    fn rename(&self, role_id: RoleId, name: &str) -> Result<Vec<RoleCatalogueEvent>, RoleCatalogueError> {
        let role = self.known(role_id)?;
        self.check_name(name, role_id)?;
        let renamed = (role.name != name).then(|| RoleRenamed { role_id, name: name.to_owned() }.into());
        Ok(renamed.into_iter().collect())
    }
}

impl Aggregate for RoleCatalogue {
    const TYPE: &'static str = "role_catalogue";
    const SHAPE: u16 = 1;

    type Command = RoleCatalogueCommand;
    type Event = RoleCatalogueEvent;
    type Error = RoleCatalogueError;

    fn decide(&self, command: &RoleCatalogueCommand, _facts: &Facts) -> Result<Vec<RoleCatalogueEvent>, RoleCatalogueError> {
        match command {
            RoleCatalogueCommand::Compose(command) => self.compose(command),
            RoleCatalogueCommand::SetGrants(role_id, grants) => self.set_grants(*role_id, grants),
            RoleCatalogueCommand::Rename(role_id, name) => self.rename(*role_id, name),
            RoleCatalogueCommand::Retire(role_id) => {
                self.known(*role_id)?;
                Ok(vec![RoleRetired { role_id: *role_id }.into()])
            }
        }
    }

    fn evolve(&mut self, event: &RoleCatalogueEvent) {
        match event {
            RoleCatalogueEvent::RoleComposed(composed) => {
                let role = CustomRole { name: composed.name.clone(), grants: composed.grants.iter().cloned().collect() };
                self.roles.insert(composed.role_id, role);
            }
            RoleCatalogueEvent::PermissionsGranted(granted) => {
                if let Some(role) = self.roles.get_mut(&granted.role_id) {
                    role.grants.extend(granted.grants.iter().cloned());
                }
            }
            RoleCatalogueEvent::PermissionsRevoked(revoked) => {
                if let Some(role) = self.roles.get_mut(&revoked.role_id) {
                    role.grants.retain(|grant| !revoked.grants.contains(grant));
                }
            }
            RoleCatalogueEvent::RoleRenamed(renamed) => {
                if let Some(role) = self.roles.get_mut(&renamed.role_id) {
                    role.name = renamed.name.clone();
                }
            }
            RoleCatalogueEvent::RoleRetired(retired) => {
                self.roles.remove(&retired.role_id);
                self.retired.insert(retired.role_id);
            }
        }
    }
}

fn check_grants(grants: &BTreeSet<Grant>) -> Result<(), RoleCatalogueError> {
    if (1..=GRANTS_MAX).contains(&grants.len()) { Ok(()) } else { Err(RoleCatalogueError::GrantCountInvalid) }
}
