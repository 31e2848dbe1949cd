//! What happens to an organization's own policies.

use super::{PolicyPrincipal, PolicyResource};
use crate::{
    events,
    kernel::{Digest, PolicyId},
};

events! {
    /// What happens to an organization's own policies.
    pub enum PolicyStoreEvent {
        PolicyTemplateWritten = "identity.policy_template_written" v 1 {
            policy_id: PolicyId = internal,
            name: String = internal,
            /// In the language of policies: rules of the organization, not data of a person.
            text: String = confidential,
        },
        PolicyWritten = "identity.policy_written" v 1 {
            policy_id: PolicyId = internal,
            name: String = internal,
            text: String = confidential,
        },
        PolicyInstantiated = "identity.policy_instantiated" v 1 {
            policy_id: PolicyId = internal,
            template_id: PolicyId = internal,
            name: String = internal,
            principal: Option<PolicyPrincipal> = internal,
            resource: Option<PolicyResource> = internal,
            /// The template's text with principal and resource put in.
            text: String = confidential,
        },
        PolicyRevoked = "identity.policy_revoked" v 1 {
            policy_id: PolicyId = internal,
        },
        PolicyTemplateRevoked = "identity.policy_template_revoked" v 1 {
            policy_id: PolicyId = internal,
        },
        /// A version holds: a new one, which is the draft as it is, or one that was there before.
        PolicyVersionActivated = "identity.policy_version_activated" v 1 {
            version: u32 = internal,
            /// Of the names and texts of its policies.
            digest: Digest = internal,
        }
    }
}
