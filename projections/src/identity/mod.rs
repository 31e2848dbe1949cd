//! Read models of identity: who there is, who was invited, alone or by an import, and who signs up, where they
//! are signed in, which roles and policies an organization made, which programs act for it, who asked for
//! rights for a while, and how was decided.
//!
//! Others see [`directory::external_refs`], which names users on their own pages, and
//! [`directory::address_of`], which finds where letters to them go.

pub mod api_keys;
pub mod decisions;
pub mod directory;
pub mod due;
pub mod elevations;
pub mod invitations;
pub mod policy_store;
pub mod roles;
pub mod sessions;
pub mod signups;
pub mod user_imports;

use crate::engine::Projector;
use std::sync::Arc;

/// Every projector of this context.
pub fn projectors() -> Vec<Arc<dyn Projector>> {
    vec![
        Arc::new(directory::Users),
        Arc::new(roles::Roles),
        Arc::new(policy_store::PolicyStores),
        Arc::new(sessions::Sessions),
        Arc::new(invitations::Invitations),
        Arc::new(due::INVITATIONS),
        Arc::new(signups::Signups),
        Arc::new(due::SIGNUPS),
        Arc::new(api_keys::ApiKeys),
        Arc::new(decisions::Decisions),
        Arc::new(elevations::Elevations),
        Arc::new(due::ELEVATIONS),
        Arc::new(user_imports::UserImports),
    ]
}

/// Every SQL statement of this context, by name.
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        directory::STATEMENTS,
        directory::READS,
        roles::STATEMENTS,
        roles::READS,
        policy_store::STATEMENTS,
        policy_store::READS,
        sessions::STATEMENTS,
        sessions::READS,
        invitations::STATEMENTS,
        invitations::READS,
        signups::STATEMENTS,
        signups::READS,
        api_keys::STATEMENTS,
        api_keys::READS,
        decisions::STATEMENTS,
        elevations::STATEMENTS,
        elevations::READS,
        user_imports::STATEMENTS,
        user_imports::READS,
    ]
    .into_iter()
    .flatten()
    .copied()
}
