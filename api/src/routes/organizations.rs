//! Organizations.

use crate::pipeline::Route;
use palmares_projections::organizations::directory::{GetOrganization, ListOrganizations};

pub const ROUTES: &[Route] = &[
    Route::get::<ListOrganizations>("/organizations", "organizations.organization.read"),
    Route::get::<GetOrganization>("/organizations/{organization_id}", "organizations.organization.read"),
];
