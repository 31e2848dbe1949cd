//! The one decision point: Cedar over the platform's policies and the caller's roles (design 5).
//!
//! The platform's policies are parsed and checked against the schema once, when the process starts.
//! A role is a policy too, made of its grants when someone who holds it first asks; a decision looks
//! at the policies of the roles that the caller holds, so it costs the same however many roles an
//! organization has. What an organization wrote itself is asked after that, of requests of its own
//! people at home, and never of what is beyond its policies (ADR 8). A policy that fails to evaluate
//! is skipped by Cedar, which would open the door where it is a forbid; here an error is a deny.
//!
//! A verdict names its policies with the version of their text, so that the log tells later which
//! policies decided and what they said then.

mod own;
mod roles;

pub use own::OwnPolicies;
pub use palmares_commands::identity::policy_language::PolicyFault;

use aws_lc_rs::digest;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet, Request, Response,
    RestrictedExpression,
};
use moka::sync::Cache;
use palmares_commands::identity::policy_language::{Actions, PolicyLanguage, groups, permits, relations_named};
use palmares_domain::{
    identity::{HeldRole, Rights, Role, policy_store::is_beyond_policies, user::UserStatus},
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

/// What a denial names where no policy permits and none forbids.
const DEFAULT_DENY: &str = "default_deny";
/// What a denial names where the question could not be answered.
const EVALUATION_ERROR: &str = "evaluation_error";
/// Hexadecimal digits of a version.
const VERSION_DIGITS: usize = 12;

/// By which means a principal asks; policies know it as the context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Through {
    #[default]
    OwnRights,
    /// With a role that they have for a while.
    Elevation,
    /// By acting as another user, or by being acted as.
    Impersonation,
    /// On the way out: whoever asks is to be deleted.
    Leaving,
    /// By the key of a program, which is no person: nothing is its own.
    Program,
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
    pub circumstances: Circumstances<'a>,
}

/// What policies are asked about, beside who and what.
#[derive(Clone, Copy, Default)]
pub struct Circumstances<'a> {
    /// The policies that hold in `organization`, where it wrote some.
    pub policies: Option<&'a OwnPolicies>,
    /// Where the owner stands in their life cycle.
    pub owner_status: Option<UserStatus>,
    /// The relations in which the principal stands to the resource, by their names.
    pub relations: &'a [&'a str],
    pub through: Through,
}

impl std::fmt::Debug for Circumstances<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let version = self.policies.map(OwnPolicies::version);
        write!(f, "Circumstances({version:?}, {:?}, {:?})", self.owner_status, self.relations)
    }
}

/// The answer, with what decided it: never nothing, each as `<policy>@<version of the set>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Permit(Vec<String>),
    Deny(Vec<String>),
}

impl Verdict {
    /// Permitted where both permit.
    pub fn and(self, other: Self) -> Self {
        let (mut policies, others, permit) = match (self, other) {
            (Verdict::Permit(policies), Verdict::Permit(others)) => (policies, others, true),
            (Verdict::Deny(policies), Verdict::Deny(others)) => (policies, others, false),
            (Verdict::Permit(_), denied) | (denied, Verdict::Permit(_)) => return denied,
        };
        policies.extend(others);
        policies.sort_unstable();
        policies.dedup();
        if permit { Verdict::Permit(policies) } else { Verdict::Deny(policies) }
    }
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
    language: PolicyLanguage,
    /// Each permission as an action with its groups.
    actions: HashMap<&'static str, Entity>,
    /// What those of the platform's policies speak of that ask for a relation, and whether they permit.
    related: Vec<(Actions, bool)>,
    types: Types,
}

struct Types {
    user: EntityTypeName,
    organization: EntityTypeName,
    role: EntityTypeName,
    relation: EntityTypeName,
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
        let never_impersonated = roles::never_impersonated(&permissions);
        let point = Self::with_policies(&format!("{POLICIES}\n{platform_only}\n{never_impersonated}"), permissions)?;
        point.check_built_in_roles()?;
        Ok(point)
    }

    fn with_policies(policies: &str, permissions: impl IntoIterator<Item = &'static str>) -> Result<Self, PolicyFault> {
        let permissions: BTreeSet<_> = permissions.into_iter().collect();
        let version = version(policies);
        let language = PolicyLanguage::new(permissions.iter().copied())?;
        let platform = named(&policies.parse().map_err(PolicyFault::of)?)?;
        language.check(&platform)?;
        let related = platform.policies().filter(|policy| !relations_named(policy).is_empty());
        let related = related.map(|policy| (Actions::of(policy), permits(policy))).collect();
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
            relation: type_name("Relation")?,
            resource: uid(&type_name("Resource")?, "requested"),
        };
        Ok(Self { authorizer: Authorizer::new(), platform, version, combined: Cache::new(RIGHTS_KEPT), language, actions, related, types })
    }

    /// Whether a decision about this permission may depend on a relation to the owner.
    pub fn asks_for_relations(&self, permission: &str, own: Option<&OwnPolicies>) -> bool {
        self.related.iter().any(|(actions, _)| actions.cover(permission)) || own.is_some_and(|own| own.ask_for_relations(permission))
    }

    /// Whether the platform permits this to someone who stands in a relation to the owner.
    pub fn permits_related(&self, permission: &str) -> bool {
        self.related.iter().any(|(actions, permits)| *permits && actions.cover(permission))
    }

    /// The platform's policies and those of the built-in roles.
    ///
    /// # Errors
    /// As [`DecisionPoint::new`], for the table of built-in roles.
    fn check_built_in_roles(&self) -> Result<(), PolicyFault> {
        self.language.check(&Combined::of(&self.platform, Role::ALL.map(HeldRole::built_in))?.policies)
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
        let request = Request::new(principal, action.uid(), self.types.resource.clone(), context(question.circumstances.through)?, None)
            .map_err(PolicyFault::of)?;
        let combined = self.combined(question.rights)?;
        let mut findings = Findings::default();
        findings.add(&self.authorizer.is_authorized(&request, &combined.policies, &entities), |policy| {
            combined.versioned(policy).unwrap_or_else(|| self.versioned(policy))
        })?;
        if let Some(own) = question.own_policies() {
            let response = self.authorizer.is_authorized(&request, &*own.about(question.permission)?, &entities);
            findings.add(&response, |policy| own.versioned(policy))?;
        }
        Ok(findings.verdict().unwrap_or_else(|| Verdict::Deny(vec![self.versioned(DEFAULT_DENY)])))
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
        if let Some(status) = question.circumstances.owner_status {
            attributes.insert("owner_status".to_owned(), RestrictedExpression::new_string(status.name().to_owned()));
        }
        let relations = question.circumstances.relations.iter().map(|relation| uid(&self.types.relation, relation));
        let owner = question.owner.map(|owner| uid(&self.types.user, &owner.to_string()));
        let organization = uid(&self.types.organization, &question.organization.to_string());
        let parents = relations.chain(owner).chain([organization]).collect();
        Entity::new(self.types.resource.clone(), attributes, parents).map_err(PolicyFault::of)
    }

    fn organization(&self, organization: OrganizationId) -> RestrictedExpression {
        RestrictedExpression::new_entity_uid(uid(&self.types.organization, &organization.to_string()))
    }
}

fn context(through: Through) -> Result<Context, PolicyFault> {
    let elevated = matches!(through, Through::Elevation | Through::Impersonation);
    let facts = [
        ("elevated", elevated),
        ("impersonated", through == Through::Impersonation),
        ("leaving", through == Through::Leaving),
        ("program", through == Through::Program),
    ];
    let facts = facts.map(|(name, fact)| (name.to_owned(), RestrictedExpression::new_bool(fact)));
    Context::from_pairs(facts).map_err(PolicyFault::of)
}

impl Question<'_> {
    /// The organization's own policies, where they have a say: over its own people at home. The
    /// platform's people are judged by the platform alone, so they can help who locked themselves out.
    fn own_policies(&self) -> Option<&OwnPolicies> {
        let ruled = self.home == self.organization && !self.rights.reach_everywhere() && !is_beyond_policies(self.permission);
        self.circumstances.policies.filter(|_| ruled)
    }
}

/// What several sets of policies say together: a forbid of any stands above every permit.
#[derive(Default)]
struct Findings {
    permits: Vec<String>,
    forbids: Vec<String>,
}

impl Findings {
    fn add(&mut self, response: &Response, name: impl Fn(&PolicyId) -> String) -> Result<(), PolicyFault> {
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(PolicyFault::of(error));
        }
        let reasons = response.diagnostics().reason().map(name);
        match response.decision() {
            Decision::Allow => self.permits.extend(reasons),
            Decision::Deny => self.forbids.extend(reasons),
        }
        Ok(())
    }

    /// `None` where nothing permits and nothing forbids.
    fn verdict(self) -> Option<Verdict> {
        let (mut reasons, verdict): (_, fn(Vec<String>) -> Verdict) =
            if self.forbids.is_empty() { (self.permits, Verdict::Permit) } else { (self.forbids, Verdict::Deny) };
        reasons.sort_unstable();
        (!reasons.is_empty()).then(|| verdict(reasons))
    }
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
mod own_rules;
#[cfg(test)]
mod own_tests;
#[cfg(test)]
mod tests;
