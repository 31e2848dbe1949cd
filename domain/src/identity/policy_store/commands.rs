//! What may be asked of an organization's own policies.

use crate::{
    identity::RoleRef,
    kernel::{Digest, PolicyId, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug)]
pub enum PolicyStoreCommand {
    WriteTemplate(WriteTemplate),
    WritePolicy(WritePolicy),
    Instantiate(InstantiatePolicy),
    /// Takes a policy out of the draft.
    RevokePolicy(PolicyId),
    /// Nothing is made of the template any more.
    RevokeTemplate(PolicyId),
    /// Makes the draft the next version, which holds from then on.
    ActivateDraft {
        /// Of the texts of the draft.
        digest: Digest,
    },
    /// Makes version 1 hold, with nothing in it: where a store begins.
    Seed {
        /// Of no texts.
        digest: Digest,
    },
    /// Makes an earlier version hold again.
    ActivateVersion(u32),
}

/// Writes a policy with room for a principal and a resource.
#[derive(Clone, Debug)]
pub struct WriteTemplate {
    pub policy_id: PolicyId,
    pub name: String,
    pub text: String,
}

/// Writes a policy into the draft.
#[derive(Clone, Debug)]
pub struct WritePolicy {
    pub policy_id: PolicyId,
    pub name: String,
    pub text: String,
}

/// Makes a policy of a template.
#[derive(Clone, Debug)]
pub struct InstantiatePolicy {
    pub policy_id: PolicyId,
    pub template_id: PolicyId,
    pub name: String,
    pub principal: Option<PolicyPrincipal>,
    pub resource: Option<PolicyResource>,
    /// The template's text with both put in.
    pub text: String,
}

/// Whom a policy made of a template is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyPrincipal {
    /// Everyone with this role.
    #[schema(value_type = String)]
    Role(RoleRef),
    User(UserId),
}

/// What a policy made of a template is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyResource {
    /// Whatever belongs to the organization.
    Organization,
    /// Whatever is this person's.
    Owner(UserId),
}
