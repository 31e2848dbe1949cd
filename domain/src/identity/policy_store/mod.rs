//! The policies that one organization wrote for itself (H-30), in one stream: changes gather in a draft, and
//! a version of it holds once it is activated. An earlier version can be made to hold again.
//!
//! A policy never changes: another text is another policy. What a version said is therefore known
//! as long as the version is kept. Whether a text is a policy at all is for the language to say,
//! which the rules here know nothing of.

mod aggregate;
mod commands;
mod errors;
mod events;
mod reach;
#[cfg(test)]
mod tests;

pub use aggregate::{LivePolicies, OwnPolicy, PolicyStore, PolicyTemplate};
pub use commands::{InstantiatePolicy, PolicyPrincipal, PolicyResource, PolicyStoreCommand, WritePolicy, WriteTemplate};
pub use errors::PolicyStoreError;
pub use events::{
    PolicyInstantiated, PolicyRevoked, PolicyStoreEvent, PolicyTemplateRevoked, PolicyTemplateWritten, PolicyVersionActivated,
    PolicyWritten,
};
pub use reach::is_beyond_policies;
