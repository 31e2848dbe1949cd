//! The roles that an organization composes for itself.

use super::{catalogue_stream, check_covers};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use palmares_domain::{
    identity::{
        Grant, HeldRole,
        role_catalogue::{self, RoleCatalogue, RoleCatalogueCommand},
    },
    kernel::{Admission, RoleId},
};
use serde::Deserialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

crate::capabilities! {
    ComposeRole => permit "identity.role.compose", throttle Write;
    SetRoleGrants => permit "identity.role.change", throttle Write;
    RenameRole => permit "identity.role.rename", throttle Write;
    RetireRole => permit "identity.role.retire", throttle Write;
}

/// Composes a role of permissions and groups of them (T-26). Nobody grants more than they may.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComposeRole {
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Permissions such as `points.hold.place`, or groups such as `points`, later permissions included.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 200)]
    pub grants: BTreeSet<Grant>,
}

/// Puts these grants in place of those that the role has.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRoleGrants {
    #[schema(value_type = Uuid)]
    pub role_id: RoleId,
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 200)]
    pub grants: BTreeSet<Grant>,
}

/// Calls a role something else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameRole {
    #[schema(value_type = Uuid)]
    pub role_id: RoleId,
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// Retires a role: from the next request on it grants nothing to anyone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireRole {
    #[schema(value_type = Uuid)]
    pub role_id: RoleId,
}

fn run(unit: &mut Unit<'_>, command: &RoleCatalogueCommand) -> Result<(), Refused> {
    let organization = unit.organization();
    unit.run::<RoleCatalogue>(organization, command).map(drop)
}

/// Grants that are someone's to give and that some permission answers to.
pub(super) fn check_grants(unit: &Unit<'_>, role: RoleId, grants: &BTreeSet<Grant>) -> Result<(), Refused> {
    if let Some(index) = grants.iter().position(|grant| !unit.permissions().knows(grant)) {
        return Err(Refused::field(format!("grants[{index}]"), "identity.permission_unknown"));
    }
    check_covers(unit, &HeldRole::custom(role, grants.clone()))
}

/// A role that reaches further than one's own rights is not one's to change.
fn check_may_change(unit: &mut Unit<'_>, role: RoleId) -> Result<(), Refused> {
    let organization = unit.organization();
    match unit.state::<RoleCatalogue>(organization)?.held(role.into()) {
        Some(held) => check_covers(unit, &held),
        // Whether it never was or was retired, the rules say.
        None => Ok(()),
    }
}

impl ComposeRole {
    fn id(admission: &Admission) -> RoleId {
        RoleId(new_id(admission, "role"))
    }
}

impl Operation for ComposeRole {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let role_id = Self::id(unit.admission());
        check_grants(unit, role_id, &self.grants)?;
        let compose = role_catalogue::ComposeRole { role_id, name: self.name.clone(), grants: self.grants.clone() };
        run(unit, &RoleCatalogueCommand::Compose(compose))?;
        Ok(Answer::new("id", role_id, "ACTIVE"))
    }
}

impl Operation for SetRoleGrants {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_change(unit, self.role_id)?;
        check_grants(unit, self.role_id, &self.grants)?;
        run(unit, &RoleCatalogueCommand::SetGrants(self.role_id, self.grants.clone()))?;
        Ok(Answer::new("id", self.role_id, "ACTIVE"))
    }
}

impl Operation for RenameRole {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_change(unit, self.role_id)?;
        run(unit, &RoleCatalogueCommand::Rename(self.role_id, self.name.clone()))?;
        Ok(Answer::new("id", self.role_id, "ACTIVE"))
    }
}

impl Operation for RetireRole {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_change(unit, self.role_id)?;
        run(unit, &RoleCatalogueCommand::Retire(self.role_id))?;
        Ok(Answer::new("id", self.role_id, "RETIRED"))
    }
}
