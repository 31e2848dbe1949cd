//! An organization's own policies, read once and sorted by what they speak of.

use super::{PolicyFault, PolicyId};
use cedar_policy::PolicySet;
use palmares_commands::identity::policy_language::{Actions, parsed, permits, relations_named};
use palmares_domain::{
    identity::policy_store::{LivePolicies, OwnPolicy, is_beyond_policies},
    kernel::Digest,
};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// The version of an organization's policies that holds.
///
/// A decision looks at those alone that speak of its permission, so it costs the same however many
/// an organization has for other things.
pub struct OwnPolicies {
    version: u32,
    digest: Digest,
    /// Or why they cannot be read; then everything that they decide is denied.
    policies: Result<Vec<Own>, PolicyFault>,
    about: RwLock<HashMap<&'static str, Arc<PolicySet>>>,
}

struct Own {
    policy: cedar_policy::Policy,
    actions: Actions,
    /// Whether it asks for a relation to the owner.
    related: bool,
}

impl OwnPolicies {
    pub fn of(live: &LivePolicies) -> Self {
        let policies: Result<Vec<_>, PolicyFault> = live.policies.iter().map(Own::of).collect();
        if let Err(fault) = &policies {
            tracing::error!(version = live.version, error = %fault, "an organization's policies cannot be read, so they deny");
        }
        Self { version: live.version, digest: live.digest, policies, about: RwLock::default() }
    }

    pub fn version(&self) -> u32 {
        self.version
    }

    /// Whether this is what `holds` names.
    pub fn are(&self, (version, digest): (u32, Digest)) -> bool {
        self.version == version && self.digest == digest
    }

    /// Whether some policy permits this to someone, for something.
    pub fn may_permit(&self, permission: &str) -> bool {
        let permits = |own: &Own| permits(&own.policy) && own.actions.cover(permission);
        !is_beyond_policies(permission) && self.policies.as_ref().is_ok_and(|policies| policies.iter().any(permits))
    }

    /// Whether some policy about this asks for a relation to the owner.
    pub(super) fn ask_for_relations(&self, permission: &str) -> bool {
        self.policies.as_ref().is_ok_and(|policies| policies.iter().any(|own| own.related && own.actions.cover(permission)))
    }

    /// The name of a policy in a verdict.
    pub(super) fn versioned(&self, policy: &PolicyId) -> String {
        format!("org.{policy}@v{}", self.version)
    }

    /// The policies that speak of a permission.
    pub(super) fn about(&self, permission: &'static str) -> Result<Arc<PolicySet>, PolicyFault> {
        if let Some(set) = self.about.read().unwrap_or_else(PoisonError::into_inner).get(permission) {
            return Ok(set.clone());
        }
        let policies = self.policies.as_ref().map_err(Clone::clone)?;
        let speaking = policies.iter().filter(|own| own.actions.cover(permission)).map(|own| own.policy.clone());
        let set = Arc::new(PolicySet::from_policies(speaking).map_err(PolicyFault::of)?);
        self.about.write().unwrap_or_else(PoisonError::into_inner).insert(permission, set.clone());
        Ok(set)
    }
}

impl Own {
    fn of(own: &OwnPolicy) -> Result<Self, PolicyFault> {
        let policy = parsed(&own.text)?.new_id(PolicyId::new(&own.name));
        let actions = Actions::of(&policy);
        let related = !relations_named(&policy).is_empty();
        Ok(Self { policy, actions, related })
    }
}
