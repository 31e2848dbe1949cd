//! The policies that an organization writes for itself.

use super::{
    catalogue_stream, escalation,
    policy_language::{Actions, PolicyFault, PolicyInstance, PolicyLanguage, parsed, permits, roles_named},
};
use crate::digests::digest_of_parts;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use cedar_policy::Policy;
use palmares_domain::{
    identity::{
        RoleRef,
        policy_store::{self, OwnPolicy, PolicyPrincipal, PolicyResource, PolicyStore, PolicyStoreCommand},
        role_catalogue::RoleCatalogue,
    },
    kernel::{Admission, Code, Digest, PolicyId},
};
use serde::{Deserialize, Deserializer, de};
use std::sync::Arc;
use utoipa::ToSchema;

crate::capabilities! {
    WritePolicyTemplate => permit "identity.policy.write", throttle Write;
    RevokePolicyTemplate => permit "identity.policy.write", throttle Write;
    WritePolicy => permit "identity.policy.write", throttle Write;
    InstantiatePolicy => permit "identity.policy.write", throttle Write;
    RevokePolicy => permit "identity.policy.write", throttle Write;
    ActivatePolicies => permit "identity.policy.activate", throttle Write;
    ActivatePolicyVersion => permit "identity.policy.activate", throttle Write;
}

/// Longest explanation of a refused text, in characters.
const SAID_MAX_CHARS: usize = 2000;

/// Writes a template: a policy in Cedar with `?principal`, `?resource` or both in its scope.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WritePolicyTemplate {
    /// Lower-case letters, digits, hyphens and underscores.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    #[schema(min_length = 1, max_length = 4096)]
    pub text: String,
}

/// Withdraws a template that no policy needs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokePolicyTemplate {
    pub template_id: PolicyId,
}

/// Writes a policy into the draft: one policy in Cedar, which type-checks against the schema.
/// It holds once the draft is activated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WritePolicy {
    /// Lower-case letters, digits, hyphens and underscores: decisions name it by this.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// A permit names the permissions it gives in its scope, and none beyond its author's own rights.
    #[schema(min_length = 1, max_length = 4096)]
    pub text: String,
}

/// Makes a policy of a template and puts it into the draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstantiatePolicy {
    pub template_id: PolicyId,
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// What stands for `?principal`; given exactly where the template has it.
    #[serde(default)]
    pub principal: Option<PolicyPrincipal>,
    /// What stands for `?resource`; given exactly where the template has it.
    #[serde(default)]
    pub resource: Option<PolicyResource>,
}

/// Takes a policy out of the draft. What holds is not changed before the next version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokePolicy {
    pub policy_id: PolicyId,
}

/// Makes the draft the next version, which holds from the next request on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivatePolicies {}

/// Makes an earlier version hold again; the draft stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivatePolicyVersion {
    /// One of the last 20.
    #[serde(deserialize_with = "number")]
    pub version: u32,
}

/// A number of a path, where everything is text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u32),
        Text(String),
    }
    match Written::deserialize(deserializer).map_err(|_| de::Error::custom("not_an_integer"))? {
        Written::Number(number) => Ok(number),
        Written::Text(text) => text.parse().map_err(|_| de::Error::custom("not_an_integer")),
    }
}

fn store_stream(admission: &Admission) -> StreamRef {
    StreamRef::of::<PolicyStore>(admission.organization, admission.organization)
}

fn run(unit: &mut Unit<'_>, command: &PolicyStoreCommand) -> Result<(), Refused> {
    let organization = unit.organization();
    unit.run::<PolicyStore>(organization, command).map(drop)
}

fn store<'u>(unit: &'u mut Unit<'_>) -> Result<&'u PolicyStore, Refused> {
    let organization = unit.organization();
    unit.state::<PolicyStore>(organization)
}

fn language(unit: &Unit<'_>) -> Result<Arc<PolicyLanguage>, Refused> {
    PolicyLanguage::of(unit.permissions()).map_err(|fault| Refused::new(Code::InternalError, "policy_language_missing", fault.said))
}

/// A text that is no policy, with what the language says of it.
fn invalid(field: &'static str, fault: PolicyFault) -> Refused {
    let said: String = fault.said.chars().take(SAID_MAX_CHARS).collect();
    Refused { reason: "identity.policy_invalid".into(), said: Some(said), ..Refused::field(field, "identity.policy_invalid") }
}

/// Refuses a permit that reaches further than the caller's own rights (E-46), or into what no
/// policy of an organization decides. A forbid takes nothing that could be kept.
fn check_reach(unit: &Unit<'_>, policy: &Policy) -> Result<(), Refused> {
    if !permits(policy) {
        return Ok(());
    }
    let Actions::Named(grants) = Actions::of(policy) else {
        return Err(Refused::field("text", "identity.policy_permits_everything"));
    };
    if grants.iter().any(|grant| policy_store::is_beyond_policies(grant.name())) {
        return Err(Refused::field("text", "identity.policy_beyond_reach"));
    }
    if grants.iter().all(|grant| unit.admission().rights.cover(grant)) { Ok(()) } else { Err(escalation("the policy")) }
}

/// Refuses names of roles that nobody can have: the policy would look as if it held.
fn check_roles(unit: &mut Unit<'_>, policy: &Policy) -> Result<(), Refused> {
    let organization = unit.organization();
    let catalogue = unit.state::<RoleCatalogue>(organization)?;
    let unknown = |name: &String| name.parse::<RoleRef>().ok().and_then(|role| catalogue.held(role)).is_none();
    match roles_named(policy).iter().find(|name| unknown(name)) {
        Some(name) => Err(invalid("text", PolicyFault::of(format!("no role is named `{name}`")))),
        None => Ok(()),
    }
}

/// Refuses to make hold what neither holds now nor is one's own to permit.
fn check_new_permits(unit: &Unit<'_>, held: &[OwnPolicy], wanted: &[OwnPolicy]) -> Result<(), Refused> {
    let new = wanted.iter().filter(|policy| !held.iter().any(|held| held.text == policy.text));
    for policy in new {
        check_reach(unit, &parsed(&policy.text).map_err(|fault| Refused::new(Code::InternalError, "policy_unreadable", fault.said))?)?;
    }
    Ok(())
}

fn held(unit: &mut Unit<'_>) -> Result<Vec<OwnPolicy>, Refused> {
    Ok(store(unit)?.live().map(|live| live.policies).unwrap_or_default())
}

fn digest_of(policies: &[OwnPolicy]) -> Digest {
    digest_of_parts(policies.iter().flat_map(|policy| [policy.name.as_str(), policy.text.as_str()]))
}

fn id(admission: &Admission) -> PolicyId {
    PolicyId(new_id(admission, "policy"))
}

fn versioned(unit: &mut Unit<'_>) -> Result<Answer, Refused> {
    let held = store(unit)?.holds();
    let (version, digest) = held.ok_or_else(|| Refused::new(Code::InternalError, "policy_unreadable", "no version holds"))?;
    Ok(Answer::default().with("version", version).with("digest", digest.to_string()).with("status", "ACTIVE"))
}

impl Operation for WritePolicyTemplate {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![store_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let policy_id = id(unit.admission());
        let write = policy_store::WriteTemplate { policy_id, name: self.name.clone(), text: self.text.clone() };
        run(unit, &PolicyStoreCommand::WriteTemplate(write))?;
        language(unit)?.template(&self.text).map_err(|fault| invalid("text", fault))?;
        Ok(Answer::new("id", policy_id, "ACTIVE"))
    }
}

impl Operation for RevokePolicyTemplate {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![store_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        run(unit, &PolicyStoreCommand::RevokeTemplate(self.template_id))?;
        Ok(Answer::new("id", self.template_id, "REVOKED"))
    }
}

impl Operation for WritePolicy {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![store_stream(admission)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let policy_id = id(unit.admission());
        // The rules come first: they bound the text that the parser gets.
        let write = policy_store::WritePolicy { policy_id, name: self.name.clone(), text: self.text.clone() };
        run(unit, &PolicyStoreCommand::WritePolicy(write))?;
        let policy = language(unit)?.policy(&self.text).map_err(|fault| invalid("text", fault))?;
        check_roles(unit, &policy)?;
        check_reach(unit, &policy)?;
        Ok(Answer::new("id", policy_id, "DRAFTED"))
    }
}

impl Operation for InstantiatePolicy {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![store_stream(admission)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let (policy_id, organization) = (id(unit.admission()), unit.organization());
        let (template_id, principal, resource) = (self.template_id, self.principal, self.resource);
        let template = store(unit)?.template(template_id).map(|template| template.text.clone());
        let template = template.ok_or(policy_store::PolicyStoreError::TemplateNotFound)?;
        let instance = PolicyInstance { template: &template, principal, resource, organization };
        let (text, policy) = language(unit)?.instance(&instance).map_err(|fault| invalid("principal", fault))?;
        check_roles(unit, &policy)?;
        check_reach(unit, &policy)?;
        let name = self.name.clone();
        let make = policy_store::InstantiatePolicy { policy_id, template_id, name, principal, resource, text };
        run(unit, &PolicyStoreCommand::Instantiate(make))?;
        Ok(Answer::new("id", policy_id, "DRAFTED"))
    }
}

impl Operation for RevokePolicy {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![store_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        run(unit, &PolicyStoreCommand::RevokePolicy(self.policy_id))?;
        Ok(Answer::new("id", self.policy_id, "REVOKED"))
    }
}

impl Operation for ActivatePolicies {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![store_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let (held, wanted) = (held(unit)?, store(unit)?.draft().cloned().collect::<Vec<_>>());
        check_new_permits(unit, &held, &wanted)?;
        run(unit, &PolicyStoreCommand::ActivateDraft { digest: digest_of(&wanted) })?;
        versioned(unit)
    }
}

/// Begins a store with version 1, which says nothing; nothing where it has begun. The platform asks for it.
pub struct SeedPolicyStore;

impl Operation for SeedPolicyStore {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![store_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let store = store(unit)?;
        if store.holds().is_none() && store.draft().next().is_none() {
            run(unit, &PolicyStoreCommand::Seed { digest: digest_of(&[]) })?;
        }
        Ok(Answer::default())
    }
}

impl Operation for ActivatePolicyVersion {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![store_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let held = held(unit)?;
        let wanted: Vec<_> = store(unit)?.version(self.version).into_iter().flatten().cloned().collect();
        check_new_permits(unit, &held, &wanted)?;
        run(unit, &PolicyStoreCommand::ActivateVersion(self.version))?;
        versioned(unit)
    }
}
