//! The language of policies: Cedar over one schema, which is the platform's and grows with its routes.
//!
//! What is written and what decides has to speak of the same things, so the write side and the
//! decision point take the schema from here.

mod policies;
mod shape;
#[cfg(test)]
mod tests;

pub use policies::{Actions, PolicyInstance, parsed, permits, relations_named, roles_named};

use cedar_policy::{PolicySet, Schema, ValidationMode, Validator};
use palmares_domain::{identity::PermissionTree, recognition::TeamRole};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

const SCHEMA: &str = include_str!("schema.cedarschema");

/// The relation of an expert to the people to whom they are assigned.
pub const ASSIGNED: &str = "assigned";

/// The relations of people to the teams that they are in, one for each team role (T-07).
pub const TEAM_MEMBER: &str = "team_member";
pub const TEAM_COACH: &str = "team_coach";
pub const TEAM_OWNER: &str = "team_owner";

/// The relations that something answers for; a policy that names another would never hold.
pub const RELATIONS: &[&str] = &[ASSIGNED, TEAM_MEMBER, TEAM_COACH, TEAM_OWNER];

/// The relation of somebody to a team in which they have this role.
pub fn team_relation(role: TeamRole) -> &'static str {
    match role {
        TeamRole::Member => TEAM_MEMBER,
        TeamRole::Coach => TEAM_COACH,
        TeamRole::Owner => TEAM_OWNER,
    }
}

/// Policies that cannot be used, with what the language says of them.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the policies cannot be used: {said}")]
pub struct PolicyFault {
    /// The parser's or the validator's own words.
    pub said: String,
}

impl PolicyFault {
    pub fn of(said: impl std::fmt::Display) -> Self {
        Self { said: said.to_string() }
    }
}

/// The schema of some permissions.
pub struct PolicyLanguage {
    schema: Schema,
    text: String,
    validator: Validator,
}

impl PolicyLanguage {
    /// The schema's types with one action per permission, in its groups.
    ///
    /// # Errors
    /// Permissions that are not named `context.noun.verb`.
    pub fn new(permissions: impl IntoIterator<Item = &'static str>) -> Result<Self, PolicyFault> {
        let permissions: BTreeSet<_> = permissions.into_iter().collect();
        let mut text = SCHEMA.to_owned();
        let all_groups: BTreeSet<_> = permissions.iter().flat_map(|permission| groups(permission)).collect();
        for group in &all_groups {
            match groups(group).last() {
                Some(parent) => text.push_str(&format!("action \"{group}\" in [\"{parent}\"];\n")),
                None => text.push_str(&format!("action \"{group}\";\n")),
            }
        }
        for permission in permissions {
            let parent = groups(permission).last().ok_or_else(|| PolicyFault::of(format!("the permission {permission} has no context")))?;
            text.push_str(&format!(
                "action \"{permission}\" in [\"{parent}\"] appliesTo {{ principal: [User], resource: [Resource], context: Means }};\n"
            ));
        }
        let (schema, _) = Schema::from_cedarschema_str(&text).map_err(PolicyFault::of)?;
        Ok(Self { validator: Validator::new(schema.clone()), schema, text })
    }

    /// The language over a tree of permissions. A process has one tree, so the last one is remembered.
    ///
    /// # Errors
    /// As [`PolicyLanguage::new`].
    pub fn of(permissions: &PermissionTree) -> Result<Arc<Self>, PolicyFault> {
        static LAST: Mutex<Option<(PermissionTree, Arc<PolicyLanguage>)>> = Mutex::new(None);
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((tree, language)) = last.as_ref()
            && tree == permissions
        {
            return Ok(language.clone());
        }
        let language = Arc::new(Self::new(permissions.permissions())?);
        *last = Some((permissions.clone(), language.clone()));
        Ok(language)
    }

    /// The schema as people read it.
    pub fn schema_text(&self) -> &str {
        &self.text
    }

    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Refuses policies that do not type-check against the schema (H-31).
    pub fn check(&self, policies: &PolicySet) -> Result<(), PolicyFault> {
        let check = self.validator.validate(policies, ValidationMode::Strict);
        if check.validation_passed_without_warnings() {
            return Ok(());
        }
        let errors = check.validation_errors().map(ToString::to_string);
        let said: Vec<_> = errors.chain(check.validation_warnings().map(ToString::to_string)).collect();
        Err(PolicyFault::of(said.join("; ")))
    }
}

/// The groups of a permission: `points.hold.place` stands in `points.hold` and `points`.
pub fn groups(permission: &str) -> impl Iterator<Item = &str> {
    permission.match_indices('.').map(|(end, _)| &permission[..end])
}
