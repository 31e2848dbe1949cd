//! The routes: one file of rows per context. This is the table that serves; documents, policies and
//! the attack tests read the same one.

pub mod access_reviews;
pub mod audit_log;
pub mod audit_schedules;
mod audit_search;
pub mod auth;
pub mod authorization;
pub mod challenges;
pub mod compliance;
pub mod connections;
pub mod deletions;
pub mod experts;
pub mod exports;
pub mod external_identities;
pub mod identity;
pub mod invitations;
pub mod memberships;
mod names;
mod officers;
pub mod operations;
pub mod organizations;
pub mod pages;
pub mod points;
pub mod policy_store;
pub mod recognition;
pub mod reports;
pub mod signups;
pub mod subject_rights;
pub mod system;
pub mod user_imports;

use crate::pipeline::Route;
use palmares_domain::identity::{CONFIDENTIAL_READ, PermissionTree, RESTRICTED_READ};
use std::sync::LazyLock;

/// Every context's rows.
const TABLES: &[&[Route]] = &[
    system::ROUTES,
    pages::ROUTES,
    auth::ROUTES,
    organizations::ROUTES,
    identity::ROUTES,
    invitations::ROUTES,
    connections::ROUTES,
    memberships::ROUTES,
    external_identities::ROUTES,
    user_imports::ROUTES,
    signups::ROUTES,
    authorization::ROUTES,
    policy_store::ROUTES,
    points::ROUTES,
    challenges::ROUTES,
    experts::ROUTES,
    recognition::ROUTES,
    audit_log::ROUTES,
    audit_schedules::ROUTES,
    compliance::ROUTES,
    deletions::ROUTES,
    exports::ROUTES,
    subject_rights::ROUTES,
    access_reviews::ROUTES,
    operations::ROUTES,
    reports::ROUTES,
];

/// Permissions that no row asks for: they say how much of an answer is shown.
const CLEARANCES: [&str; 2] = [CONFIDENTIAL_READ, RESTRICTED_READ];

/// Every permission that a row asks for, and those that clear for what rows show.
pub fn permissions() -> &'static PermissionTree {
    static PERMISSIONS: LazyLock<PermissionTree> =
        LazyLock::new(|| PermissionTree::new(all().filter_map(|route| route.permission).chain(CLEARANCES)));
    &PERMISSIONS
}

/// Every row.
pub fn all() -> impl Iterator<Item = &'static Route> {
    TABLES.iter().copied().flatten()
}

#[cfg(test)]
mod ownership_tests;
