//! One policy of an organization: whether its text is one, and what it reaches.

use super::{PolicyFault, PolicyLanguage, RELATIONS, shape};
use cedar_policy::{ActionConstraint, Effect, EntityUid, Policy, PolicyId, PolicySet, Template};
use palmares_domain::{
    identity::{
        Grant,
        policy_store::{PolicyPrincipal, PolicyResource},
    },
    kernel::OrganizationId,
};
use std::fmt::Display;

/// The permissions and groups that a policy names in its scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actions {
    /// Whatever there is.
    All,
    Named(Vec<Grant>),
}

impl Actions {
    /// What a policy names. A name that is no permission's matches nothing, so it is left out.
    pub fn of(policy: &Policy) -> Self {
        let named = |actions: &[EntityUid]| Self::Named(actions.iter().filter_map(|action| action.id().unescaped().parse().ok()).collect());
        match policy.action_constraint() {
            ActionConstraint::Any => Self::All,
            ActionConstraint::In(actions) => named(&actions),
            ActionConstraint::Eq(action) => named(&[action]),
        }
    }

    pub fn cover(&self, permission: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(grants) => grants.iter().any(|grant| grant.covers(permission)),
        }
    }
}

/// A template with its principal and its resource put in.
pub struct PolicyInstance<'a> {
    pub template: &'a str,
    pub principal: Option<PolicyPrincipal>,
    pub resource: Option<PolicyResource>,
    pub organization: OrganizationId,
}

impl PolicyLanguage {
    /// Reads the text of one policy.
    ///
    /// # Errors
    /// A text that is not exactly one policy, or one that does not type-check.
    pub fn policy(&self, text: &str) -> Result<Policy, PolicyFault> {
        shape::check(text)?;
        let policy = parsed(text)?;
        self.check(&PolicySet::from_policies([policy.clone()]).map_err(PolicyFault::of)?)?;
        if let Some(unknown) = relations_named(&policy).iter().find(|relation| !RELATIONS.contains(&relation.as_str())) {
            return Err(PolicyFault::of(format!("no relation is named `{unknown}`")));
        }
        Ok(policy)
    }

    /// Reads the text of one template.
    ///
    /// # Errors
    /// As [`PolicyLanguage::policy`], and a text without a place for a principal or a resource.
    pub fn template(&self, text: &str) -> Result<Template, PolicyFault> {
        shape::check(text)?;
        let template = Template::parse(Some(PolicyId::new("template")), text).map_err(PolicyFault::of)?;
        let mut set = PolicySet::new();
        set.add_template(template.clone()).map_err(PolicyFault::of)?;
        self.check(&set)?;
        Ok(template)
    }

    /// The text of the policy that an instance is, with the policy.
    ///
    /// # Errors
    /// A slot without a value, a value without a slot, and a policy that does not type-check.
    pub fn instance(&self, instance: &PolicyInstance<'_>) -> Result<(String, Policy), PolicyFault> {
        let principal = instance.principal.map(|principal| match principal {
            PolicyPrincipal::Role(role) => literal("Role", role),
            PolicyPrincipal::User(user) => literal("User", user),
        });
        let resource = instance.resource.map(|resource| match resource {
            PolicyResource::Organization => literal("Organization", instance.organization),
            PolicyResource::Owner(user) => literal("User", user),
        });
        let mut text = instance.template.to_owned();
        for (slot, value) in [("?principal", principal), ("?resource", resource)] {
            // A slot that is left fails to parse.
            if let Some(value) = value {
                let (with_value, places) = shape::put(&text, slot, &value);
                if places == 0 {
                    return Err(PolicyFault::of(format!("the template has no {slot}")));
                }
                text = with_value;
            }
        }
        let policy = self.policy(&text)?;
        Ok((text, policy))
    }
}

/// A policy whose text type-checked when it was written.
///
/// # Errors
/// A text that is not exactly one policy.
pub fn parsed(text: &str) -> Result<Policy, PolicyFault> {
    Policy::parse(None, text).map_err(PolicyFault::of)
}

/// Whether a policy permits rather than forbids.
pub fn permits(policy: &Policy) -> bool {
    policy.effect() == Effect::Permit
}

/// The roles that a policy names.
pub fn roles_named(policy: &Policy) -> Vec<String> {
    named(policy, "Role")
}

/// The relations that a policy names.
pub fn relations_named(policy: &Policy) -> Vec<String> {
    named(policy, "Relation")
}

fn named(policy: &Policy, type_name: &str) -> Vec<String> {
    let literals = policy.entity_literals().into_iter();
    literals.filter(|literal| literal.type_name().to_string() == type_name).map(|named| named.id().unescaped().to_owned()).collect()
}

/// Ids and names of roles: none of them can end a string.
fn literal(type_name: &str, id: impl Display) -> String {
    format!(r#"{type_name}::"{id}""#)
}
