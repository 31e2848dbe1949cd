//! The one decision point: Cedar over the platform's policies and the caller's roles (design 5).
//!
//! The platform's policies are parsed and checked against the schema once, when the process starts.
//! A role is a policy too, made of its grants when someone who holds it first asks; a decision looks
//! at the policies of the roles that the caller holds, so it costs the same however many roles an
//! organization has. A policy that fails to evaluate is skipped by Cedar, which would open the door
//! where it is a forbid; here an evaluation error is a deny.
//!
//! A verdict names its policies with the version of their text, so that the log tells later which
//! policies decided and what they said then.

mod roles;

use aws_lc_rs::digest;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};
use moka::sync::Cache;
use palmares_domain::{
    identity::{HeldRole, Rights, Role},
    kernel::{OrganizationId, UserId},
};
use roles::Combined;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    str::FromStr,
    sync::Arc,
};

/// Combinations of roles whose policies stay parsed.
const RIGHTS_KEPT: u64 = 10_000;

const POLICIES: &str = include_str!("policies.cedar");
const SCHEMA: &str = include_str!("schema.cedarschema");

/// What a denial names where no policy permits and none forbids.
const DEFAULT_DENY: &str = "default_deny";
/// What a denial names where the question could not be answered.
const EVALUATION_ERROR: &str = "evaluation_error";
/// Hexadecimal digits of a version.
const VERSION_DIGITS: usize = 12;

/// Policies that cannot be used: the process does not start with them.
#[derive(Debug, thiserror::Error)]
#[error("the policies cannot be used: {0}")]
pub struct PolicyFault(String);

impl PolicyFault {
    fn of(fault: impl std::fmt::Display) -> Self {
        Self(fault.to_string())
    }
}

/// May this principal do this?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub principal: UserId,
    /// The principal's own organization.
    pub home: OrganizationId,
    pub rights: &'a Rights,
    pub permission: &'static str,
    /// The organization that the resource belongs to.
    pub organization: OrganizationId,
    /// The person whose resource it is.
    pub owner: Option<UserId>,
}

/// The answer, with what decided it: never nothing, each as `<policy>@<version of the set>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Permit(Vec<String>),
    Deny(Vec<String>),
}

/// Policies, parsed once, and the actions they speak of.
pub struct DecisionPoint {
    authorizer: Authorizer,
    /// What holds for everyone.
    platform: PolicySet,
    /// The first digits of the SHA-256 of its text.
    version: String,
    /// The same with the policies of the roles that someone holds together.
    combined: Cache<Rights, Arc<Combined>>,
    schema: Schema,
    /// Each permission as an action with its groups.
    actions: HashMap<&'static str, Entity>,
    types: Types,
}

struct Types {
    user: EntityTypeName,
    organization: EntityTypeName,
    role: EntityTypeName,
    resource: EntityUid,
}

impl DecisionPoint {
    /// The platform's policies over these permissions.
    ///
    /// # Errors
    /// Policies that do not parse, have no `@id`, or do not fit the schema: one that names an
    /// action no route needs is a mistake, not a wish for later.
    pub fn new(permissions: impl IntoIterator<Item = &'static str>) -> Result<Self, PolicyFault> {
        let permissions: BTreeSet<_> = permissions.into_iter().collect();
        let platform_only = roles::platform_only(&permissions);
        let point = Self::with_policies(&format!("{POLICIES}\n{platform_only}"), permissions)?;
        point.check_built_in_roles()?;
        Ok(point)
    }

    fn with_policies(policies: &str, permissions: impl IntoIterator<Item = &'static str>) -> Result<Self, PolicyFault> {
        let permissions: BTreeSet<_> = permissions.into_iter().collect();
        let version = version(policies);
        let schema = schema(&permissions)?;
        let platform = named(&policies.parse().map_err(PolicyFault::of)?)?;
        check(&schema, &platform)?;
        let action = type_name("Action")?;
        let actions = permissions
            .into_iter()
            .map(|permission| {
                let groups: HashSet<_> = groups(permission).map(|group| uid(&action, group)).collect();
                (permission, Entity::new_no_attrs(uid(&action, permission), groups))
            })
            .collect();
        let types = Types {
            user: type_name("User")?,
            organization: type_name("Organization")?,
            role: type_name("Role")?,
            resource: uid(&type_name("Resource")?, "requested"),
        };
        Ok(Self { authorizer: Authorizer::new(), platform, version, combined: Cache::new(RIGHTS_KEPT), schema, actions, types })
    }

    /// The platform's policies and those of the built-in roles.
    ///
    /// # Errors
    /// As [`DecisionPoint::new`], for the table of built-in roles.
    fn check_built_in_roles(&self) -> Result<(), PolicyFault> {
        check(&self.schema, &Combined::of(&self.platform, Role::ALL.map(HeldRole::built_in))?.policies)
    }

    fn combined(&self, rights: &Rights) -> Result<Arc<Combined>, PolicyFault> {
        if let Some(combined) = self.combined.get(rights) {
            return Ok(combined);
        }
        let combined = Arc::new(Combined::of(&self.platform, rights.held().iter().cloned())?);
        self.combined.insert(rights.clone(), combined.clone());
        Ok(combined)
    }

    /// Decides. A question that cannot be put, or a policy that cannot be evaluated, is a deny.
    pub fn decide(&self, question: &Question<'_>) -> Verdict {
        match self.evaluate(question) {
            Ok(verdict) => verdict,
            Err(fault) => {
                tracing::error!(permission = question.permission, error = %fault, "a decision could not be made, so it is a deny");
                Verdict::Deny(vec![self.versioned(EVALUATION_ERROR)])
            }
        }
    }

    fn evaluate(&self, question: &Question<'_>) -> Result<Verdict, PolicyFault> {
        let action = self.actions.get(question.permission).ok_or_else(|| PolicyFault::of("the permission is not in the schema"))?;
        let principal = uid(&self.types.user, &question.principal.to_string());
        let entities = [self.principal(question, &principal)?, self.resource(question)?, action.clone()];
        let entities = Entities::from_entities(entities, None).map_err(PolicyFault::of)?;
        let request =
            Request::new(principal, action.uid(), self.types.resource.clone(), Context::empty(), None).map_err(PolicyFault::of)?;
        let combined = self.combined(question.rights)?;
        let response = self.authorizer.is_authorized(&request, &combined.policies, &entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(PolicyFault::of(error));
        }
        let mut reasons: Vec<_> =
            response.diagnostics().reason().map(|policy| combined.versioned(policy).unwrap_or_else(|| self.versioned(policy))).collect();
        if reasons.is_empty() {
            reasons.push(self.versioned(DEFAULT_DENY));
        }
        reasons.sort_unstable();
        Ok(match response.decision() {
            Decision::Allow => Verdict::Permit(reasons),
            Decision::Deny => Verdict::Deny(reasons),
        })
    }

    fn versioned(&self, policy: impl std::fmt::Display) -> String {
        format!("{policy}@{}", self.version)
    }

    fn principal(&self, question: &Question<'_>, principal: &EntityUid) -> Result<Entity, PolicyFault> {
        let roles = question.rights.roles().map(|role| uid(&self.types.role, &role.to_string())).collect();
        let organization = self.organization(question.home);
        Entity::new(principal.clone(), HashMap::from([("organization".to_owned(), organization)]), roles).map_err(PolicyFault::of)
    }

    fn resource(&self, question: &Question<'_>) -> Result<Entity, PolicyFault> {
        let mut attributes = HashMap::from([("organization".to_owned(), self.organization(question.organization))]);
        if let Some(owner) = question.owner {
            let owner = RestrictedExpression::new_entity_uid(uid(&self.types.user, &owner.to_string()));
            attributes.insert("owner".to_owned(), owner);
        }
        Entity::new(self.types.resource.clone(), attributes, HashSet::new()).map_err(PolicyFault::of)
    }

    fn organization(&self, organization: OrganizationId) -> RestrictedExpression {
        RestrictedExpression::new_entity_uid(uid(&self.types.organization, &organization.to_string()))
    }
}

/// Refuses policies that do not fit the schema.
fn check(schema: &Schema, policies: &PolicySet) -> Result<(), PolicyFault> {
    let check = Validator::new(schema.clone()).validate(policies, ValidationMode::Strict);
    if check.validation_passed_without_warnings() { Ok(()) } else { Err(PolicyFault::of(check)) }
}

/// The groups of a permission: `points.hold.place` stands in `points.hold` and `points`.
fn groups(permission: &str) -> impl Iterator<Item = &str> {
    permission.match_indices('.').map(|(end, _)| &permission[..end])
}

/// The schema's types with one action per permission, in its groups.
fn schema(permissions: &BTreeSet<&'static str>) -> Result<Schema, PolicyFault> {
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
        text.push_str(&format!("action \"{permission}\" in [\"{parent}\"] appliesTo {{ principal: [User], resource: [Resource] }};\n"));
    }
    let (schema, _) = Schema::from_cedarschema_str(&text).map_err(PolicyFault::of)?;
    Ok(schema)
}

fn version(policies: &str) -> String {
    let hash = digest::digest(&digest::SHA256, policies.as_bytes());
    let mut digits: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    digits.truncate(VERSION_DIGITS);
    digits
}

/// Policies under the names of their `@id` annotations.
fn named(parsed: &PolicySet) -> Result<PolicySet, PolicyFault> {
    let named = parsed.policies().map(|policy: &Policy| {
        let id = policy.annotation("id").ok_or_else(|| PolicyFault::of(format!("a policy has no @id: {policy}")))?;
        Ok(policy.new_id(PolicyId::new(id)))
    });
    PolicySet::from_policies(named.collect::<Result<Vec<_>, PolicyFault>>()?).map_err(PolicyFault::of)
}

fn type_name(name: &str) -> Result<EntityTypeName, PolicyFault> {
    EntityTypeName::from_str(name).map_err(PolicyFault::of)
}

fn uid(type_name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(id))
}

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod tests;
