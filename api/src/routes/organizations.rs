//! Organizations.

use crate::pipeline::Route;
use palmares_commands::organizations::{CreateOrganization, ResumeOrganization, SuspendOrganization};
use palmares_projections::organizations::directory::{GetOrganization, ListOrganizations};

pub const ROUTES: &[Route] = &[
    Route::post::<CreateOrganization>("/organizations").creating("/organizations", "id"),
    Route::post::<SuspendOrganization>("/organizations/{organization_id}/suspend"),
    Route::post::<ResumeOrganization>("/organizations/{organization_id}/resume"),
    Route::get::<ListOrganizations>("/organizations", "organizations.organization.read"),
    Route::get::<GetOrganization>("/organizations/{organization_id}", "organizations.organization.read"),
];
