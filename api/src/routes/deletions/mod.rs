//! Deletions, legal holds and retention schedules.

pub(super) mod checks;
mod plan;
mod preview;
mod verify;
mod what_if;

use super::officers::{BesideOthers, beside_others};
use crate::{
    pipeline::{Route, Services, command::Prepare, route::Verb},
    problem::Problem,
};
use checks::ShowDeletionChecks;
use palmares_commands::compliance::{
    ApproveDeletion, CancelDeletion, CancelOrganizationDeletion, CancelUserDeletion, ConcernsRequest, ExtendLegalHold, PlaceLegalHold,
    RefuseDeletion, ReleaseLegalHold, RequestOrganizationDeletion, RestoreDeletion, SetRetentionPeriod, SubmitDeletion,
};
use palmares_domain::{
    compliance::deletion_request::{DeletionRequest, Dossier},
    kernel::{DeletionRequestId, OrganizationId, Tenant},
};
use palmares_projections::compliance::{
    deletion_requests::{GetCertificate, GetDeletionRequest, ListDeletionRequests, footprint},
    legal_holds::ListLegalHolds,
    retention_schedules::ShowRetentionSchedule,
};
use preview::PreviewDeletion;
use verify::VerifyDeletion;
use what_if::WhatIfRetention;

const REQUESTS: &str = "/deletion-requests";
/// Whoever is to be deleted finds what is about them by their own id.
const SUBJECT: &str = "user_id";

pub const ROUTES: &[Route] = &[
    Route::prepared::<SubmitDeletion, BesideOthers>(Verb::Post, "/deletion-requests").creating(REQUESTS, "id").located_by(SUBJECT),
    Route::prepared::<SubmitDeletion, BesideOthers>(Verb::Post, "/users/{user_id}/request-deletion")
        .creating(REQUESTS, "id")
        .located_by(SUBJECT)
        .alias(),
    // A deletion begins with a review, and can be taken back (A18).
    Route::delete::<RequestOrganizationDeletion>("/organizations/{organization_id}").starting(REQUESTS, "id"),
    Route::post::<RequestOrganizationDeletion>("/organizations/{organization_id}/request-deletion").starting(REQUESTS, "id").alias(),
    Route::action::<VerifyDeletion>(Verb::Post, "/deletion-requests/{request_id}/verify", "compliance.deletion_request.verify"),
    Route::prepared::<ApproveDeletion, ChecksLookedUp>(Verb::Post, "/deletion-requests/{request_id}/approve"),
    Route::prepared::<RefuseDeletion, SubjectLookedUp>(Verb::Post, "/deletion-requests/{request_id}/refuse"),
    Route::prepared::<CancelDeletion, SubjectLookedUp>(Verb::Post, "/deletion-requests/{request_id}/cancel"),
    Route::post::<CancelUserDeletion>("/users/{user_id}/cancel-deletion"),
    Route::post::<CancelOrganizationDeletion>("/organizations/{organization_id}/cancel-deletion"),
    Route::prepared::<RestoreDeletion, SubjectLookedUp>(Verb::Post, "/deletion-requests/{request_id}/restore"),
    Route::get::<ListDeletionRequests>("/deletion-requests", "compliance.deletion_request.read"),
    Route::get::<GetDeletionRequest>("/deletion-requests/{request_id}", "compliance.deletion_request.read"),
    Route::action::<ShowDeletionChecks>(Verb::Get, "/deletion-requests/{request_id}/checks", "compliance.deletion_request.read"),
    Route::get::<GetCertificate>("/deletion-requests/{request_id}/certificate", "compliance.deletion_request.read"),
    Route::action::<PreviewDeletion>(Verb::Get, "/deletion-preview", "compliance.deletion_request.read"),
    Route::post::<PlaceLegalHold>("/legal-holds").creating("/legal-holds", "id"),
    Route::post::<ExtendLegalHold>("/legal-holds/{hold_id}/extend"),
    Route::post::<ReleaseLegalHold>("/legal-holds/{hold_id}/release"),
    Route::get::<ListLegalHolds>("/legal-holds", "compliance.legal_hold.read"),
    Route::get::<ShowRetentionSchedule>("/retention-schedules", "compliance.retention_schedule.read"),
    Route::put::<SetRetentionPeriod>("/retention-schedules"),
    Route::action::<WhatIfRetention>(Verb::Post, "/retention-schedules/what-if", "compliance.retention_schedule.read"),
];

/// What is known of a request; one that is not there looks like somebody else's.
async fn dossier(services: &Services, organization: OrganizationId, request: DeletionRequestId) -> Result<Dossier, Problem> {
    let found = services.engine.look(organization, request, |found: &DeletionRequest| found.dossier().cloned()).await?;
    found.ok_or_else(Problem::not_found)
}

/// Tells an operation whose request it is about.
struct SubjectLookedUp;

impl<O: ConcernsRequest> Prepare<O> for SubjectLookedUp {
    type Shown = ();

    async fn prepare(mut operation: O, tenant: Tenant, services: &Services) -> Result<(O, ()), Problem> {
        let found = dossier(services, tenant.organization(), operation.request()).await?;
        operation.about(found.subject);
        Ok((operation, ()))
    }
}

/// Looks up what has to be clear before somebody may go, over which time something is recorded of them, and who else
/// is a compliance officer.
struct ChecksLookedUp;

impl Prepare<ApproveDeletion> for ChecksLookedUp {
    type Shown = ();

    async fn prepare(mut operation: ApproveDeletion, tenant: Tenant, services: &Services) -> Result<(ApproveDeletion, ()), Problem> {
        let found = dossier(services, tenant.organization(), operation.request()).await?;
        operation.checks = checks::all(services, tenant, &found).await?;
        let mut reader = services.readers.open(tenant, None).await?;
        operation.footprint = Some(footprint(&mut reader, found.subject.user()).await?);
        operation.about(found.subject);
        Ok((beside_others(operation, tenant, services).await?, ()))
    }
}
