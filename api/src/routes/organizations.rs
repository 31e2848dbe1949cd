//! Organizations.

use crate::pipeline::Route;
use palmares_commands::organizations::{
    CancelOrganizationDeletion, CreateOrganization, RequestOrganizationDeletion, ResumeOrganization, SuspendOrganization,
};
use palmares_projections::organizations::directory::{GetOrganization, ListOrganizations};

pub const ROUTES: &[Route] = &[
    Route::post::<CreateOrganization>("/organizations").creating("/organizations", "id"),
    Route::post::<SuspendOrganization>("/organizations/{organization_id}/suspend"),
    Route::post::<ResumeOrganization>("/organizations/{organization_id}/resume"),
    Route::post::<RequestOrganizationDeletion>("/organizations/{organization_id}/request-deletion"),
    Route::post::<CancelOrganizationDeletion>("/organizations/{organization_id}/cancel-deletion"),
    Route::get::<ListOrganizations>("/organizations", "organizations.organization.read"),
    Route::get::<GetOrganization>("/organizations/{organization_id}", "organizations.organization.read"),
];
