//! The rules of an organization's own policies.

use super::{
    InstantiatePolicy, PolicyInstantiated, PolicyRevoked, PolicyStoreCommand, PolicyStoreError, PolicyStoreEvent, PolicyTemplateRevoked,
    PolicyTemplateWritten, PolicyVersionActivated, PolicyWritten, WritePolicy, WriteTemplate,
};
use crate::kernel::{Aggregate, Digest, Facts, PolicyId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Policies of one draft: a decision may have to look at each.
pub const POLICIES_MAX: usize = 500;
pub const TEMPLATES_MAX: usize = 100;
pub const TEXT_MAX_BYTES: usize = 4096;
/// The store of an organization stands in memory while its people work.
pub const DRAFT_TEXT_MAX_BYTES: usize = 256 * 1024;
/// Versions that can be made to hold again, the one that holds and the one that held before it among them.
pub const VERSIONS_KEPT: usize = 20;
const NAME_MAX_BYTES: usize = 64;

/// A policy as it was written once and for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnPolicy {
    pub name: String,
    pub text: String,
    /// The template that it was made of.
    pub template: Option<PolicyId>,
}

/// A policy with room for a principal and a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyTemplate {
    pub name: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    digest: Digest,
    policies: BTreeSet<PolicyId>,
}

/// The version that holds, with what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivePolicies {
    pub version: u32,
    pub digest: Digest,
    pub policies: Vec<OwnPolicy>,
}

/// The policies that one organization wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyStore {
    templates: BTreeMap<PolicyId, PolicyTemplate>,
    /// Those of the draft and of every version that is kept.
    policies: BTreeMap<PolicyId, OwnPolicy>,
    draft: BTreeSet<PolicyId>,
    versions: BTreeMap<u32, Version>,
    /// Which version holds.
    live: Option<u32>,
    /// How many versions there have been.
    latest: u32,
}

impl PolicyStore {
    pub fn template(&self, id: PolicyId) -> Option<&PolicyTemplate> {
        self.templates.get(&id)
    }

    /// What would hold if the draft were activated.
    pub fn draft(&self) -> impl Iterator<Item = &OwnPolicy> {
        self.among(&self.draft)
    }

    /// The policies of a version, while it is kept.
    pub fn version(&self, version: u32) -> Option<impl Iterator<Item = &OwnPolicy>> {
        self.versions.get(&version).map(|version| self.among(&version.policies))
    }

    /// Which version holds, and the digest of what it says; `None` where none was ever activated.
    pub fn holds(&self) -> Option<(u32, Digest)> {
        let version = self.live?;
        Some((version, self.versions.get(&version)?.digest))
    }

    /// The version that holds, with what it says.
    pub fn live(&self) -> Option<LivePolicies> {
        let (version, digest) = self.holds()?;
        Some(LivePolicies { version, digest, policies: self.version(version)?.cloned().collect() })
    }

    fn among<'a>(&'a self, ids: &'a BTreeSet<PolicyId>) -> impl Iterator<Item = &'a OwnPolicy> {
        ids.iter().filter_map(|id| self.policies.get(id))
    }

    fn live_ids(&self) -> Option<&BTreeSet<PolicyId>> {
        Some(&self.versions.get(&self.live?)?.policies)
    }

    fn check_new(&self, id: PolicyId, name: &str, text: &str) -> Result<(), PolicyStoreError> {
        if self.policies.contains_key(&id) || self.templates.contains_key(&id) {
            return Err(PolicyStoreError::AlreadyExists);
        }
        if !is_name(name) {
            return Err(PolicyStoreError::NameInvalid);
        }
        if self.draft().any(|policy| policy.name == name) || self.templates.values().any(|template| template.name == name) {
            return Err(PolicyStoreError::NameTaken);
        }
        if text.len() > TEXT_MAX_BYTES { Err(PolicyStoreError::TextTooLong) } else { Ok(()) }
    }

    fn check_room(&self, text: &str) -> Result<(), PolicyStoreError> {
        if self.draft.len() >= POLICIES_MAX {
            return Err(PolicyStoreError::TooManyPolicies);
        }
        let bytes: usize = self.draft().map(|policy| policy.text.len()).sum();
        if bytes + text.len() > DRAFT_TEXT_MAX_BYTES { Err(PolicyStoreError::DraftTooLarge) } else { Ok(()) }
    }

    fn write_template(&self, command: &WriteTemplate) -> Result<Vec<PolicyStoreEvent>, PolicyStoreError> {
        let WriteTemplate { policy_id, name, text } = command.clone();
        self.check_new(policy_id, &name, &text)?;
        if self.templates.len() >= TEMPLATES_MAX {
            return Err(PolicyStoreError::TooManyTemplates);
        }
        Ok(vec![PolicyTemplateWritten { policy_id, name, text }.into()])
    }

    fn write(&self, command: &WritePolicy) -> Result<Vec<PolicyStoreEvent>, PolicyStoreError> {
        let WritePolicy { policy_id, name, text } = command.clone();
        self.check_new(policy_id, &name, &text)?;
        self.check_room(&text)?;
        Ok(vec![PolicyWritten { policy_id, name, text }.into()])
    }

    fn instantiate(&self, command: &InstantiatePolicy) -> Result<Vec<PolicyStoreEvent>, PolicyStoreError> {
        let InstantiatePolicy { policy_id, template_id, name, principal, resource, text } = command.clone();
        if !self.templates.contains_key(&template_id) {
            return Err(PolicyStoreError::TemplateNotFound);
        }
        self.check_new(policy_id, &name, &text)?;
        self.check_room(&text)?;
        Ok(vec![PolicyInstantiated { policy_id, template_id, name, principal, resource, text }.into()])
    }

    fn revoke_template(&self, id: PolicyId) -> Result<Vec<PolicyStoreEvent>, PolicyStoreError> {
        if !self.templates.contains_key(&id) {
            return Err(PolicyStoreError::TemplateNotFound);
        }
        let held = self.live_ids().into_iter().flat_map(|ids| self.among(ids));
        if self.draft().chain(held).any(|policy| policy.template == Some(id)) {
            return Err(PolicyStoreError::TemplateInUse);
        }
        Ok(vec![PolicyTemplateRevoked { policy_id: id }.into()])
    }

    fn activate_draft(&self, digest: Digest) -> Result<Vec<PolicyStoreEvent>, PolicyStoreError> {
        let unchanged = self.live_ids().map_or(self.draft.is_empty(), |held| *held == self.draft);
        if unchanged {
            return Err(PolicyStoreError::NothingChanged);
        }
        Ok(vec![PolicyVersionActivated { version: self.latest + 1, digest }.into()])
    }

    fn seed(&self, digest: Digest) -> Result<Vec<PolicyStoreEvent>, PolicyStoreError> {
        // What somebody wrote meanwhile does not come to hold by the way.
        if self.latest > 0 || !self.draft.is_empty() {
            return Err(PolicyStoreError::NothingChanged);
        }
        Ok(vec![PolicyVersionActivated { version: 1, digest }.into()])
    }

    fn activate_version(&self, version: u32) -> Result<Vec<PolicyStoreEvent>, PolicyStoreError> {
        let known = self.versions.get(&version).ok_or(PolicyStoreError::VersionNotFound)?;
        if self.live == Some(version) {
            return Err(PolicyStoreError::VersionHolds);
        }
        Ok(vec![PolicyVersionActivated { version, digest: known.digest }.into()])
    }

    fn add(&mut self, id: PolicyId, policy: OwnPolicy) {
        self.policies.insert(id, policy);
        self.draft.insert(id);
    }

    fn activated(&mut self, version: u32, digest: Digest) {
        if version > self.latest {
            self.latest = version;
            self.versions.insert(version, Version { digest, policies: self.draft.clone() });
        }
        let before = self.live.replace(version);
        while self.versions.len() > VERSIONS_KEPT {
            let Some(oldest) = self.versions.keys().copied().find(|kept| *kept != version && Some(*kept) != before) else { break };
            self.versions.remove(&oldest);
        }
        self.forget_unused();
    }

    /// Drops the texts that neither the draft nor a version needs.
    fn forget_unused(&mut self) {
        let Self { policies, draft, versions, .. } = self;
        policies.retain(|id, _| draft.contains(id) || versions.values().any(|version| version.policies.contains(id)));
    }
}

impl Aggregate for PolicyStore {
    const TYPE: &'static str = "policy_store";
    const SHAPE: u16 = 1;

    type Command = PolicyStoreCommand;
    type Event = PolicyStoreEvent;
    type Error = PolicyStoreError;

    fn decide(&self, command: &PolicyStoreCommand, _facts: &Facts) -> Result<Vec<PolicyStoreEvent>, PolicyStoreError> {
        match command {
            PolicyStoreCommand::WriteTemplate(command) => self.write_template(command),
            PolicyStoreCommand::WritePolicy(command) => self.write(command),
            PolicyStoreCommand::Instantiate(command) => self.instantiate(command),
            PolicyStoreCommand::RevokePolicy(id) if self.draft.contains(id) => Ok(vec![PolicyRevoked { policy_id: *id }.into()]),
            PolicyStoreCommand::RevokePolicy(_) => Err(PolicyStoreError::PolicyNotFound),
            PolicyStoreCommand::RevokeTemplate(id) => self.revoke_template(*id),
            PolicyStoreCommand::Seed { digest } => self.seed(*digest),
            PolicyStoreCommand::ActivateDraft { digest } => self.activate_draft(*digest),
            PolicyStoreCommand::ActivateVersion(version) => self.activate_version(*version),
        }
    }

    fn evolve(&mut self, event: &PolicyStoreEvent) {
        match event.clone() {
            PolicyStoreEvent::PolicyTemplateWritten(PolicyTemplateWritten { policy_id, name, text }) => {
                self.templates.insert(policy_id, PolicyTemplate { name, text });
            }
            PolicyStoreEvent::PolicyWritten(PolicyWritten { policy_id, name, text }) => {
                self.add(policy_id, OwnPolicy { name, text, template: None });
            }
            PolicyStoreEvent::PolicyInstantiated(PolicyInstantiated { policy_id, template_id, name, text, .. }) => {
                self.add(policy_id, OwnPolicy { name, text, template: Some(template_id) });
            }
            PolicyStoreEvent::PolicyRevoked(PolicyRevoked { policy_id }) => {
                self.draft.remove(&policy_id);
                self.forget_unused();
            }
            PolicyStoreEvent::PolicyTemplateRevoked(PolicyTemplateRevoked { policy_id }) => {
                self.templates.remove(&policy_id);
            }
            PolicyStoreEvent::PolicyVersionActivated(PolicyVersionActivated { version, digest }) => self.activated(version, digest),
        }
    }
}

/// Decisions are named `<policy>@<version>` in the log, so a name has neither `@` nor a space.
fn is_name(name: &str) -> bool {
    name.len() <= NAME_MAX_BYTES
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-')
}
