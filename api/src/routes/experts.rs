//! Experts: who looks after whom.

use super::deletions::checks::{Asked, DeletionCheck};
use crate::{
    pipeline::{Route, Services},
    problem::Problem,
};
use futures::future::{FutureExt, LocalBoxFuture};
use palmares_commands::experts::{AssignExpert, EndAssignment};
use palmares_domain::compliance::deletion_request::{Check, CheckOutcome, DeletionKind};
use palmares_projections::experts::assignments::{UserExperts, looked_after};

pub const ROUTES: &[Route] = &[
    Route::post::<AssignExpert>("/users/{user_id}/experts"),
    Route::delete::<EndAssignment>("/users/{user_id}/experts/{expert_id}"),
    Route::get::<UserExperts>("/users/{user_id}/experts", "experts.assignment.read"),
    Route::get::<UserExperts>("/me/experts", "experts.assignment.read").alias(),
];

/// What an expert's deletion waits for. Of what is to be settled with them and of what their profession has
/// them keep, this context knows nothing yet.
pub(super) const DELETION_CHECKS: &[DeletionCheck] =
    &[DeletionCheck { of: DeletionKind::Expert, check: Check::Dependencies, look: nobody_depends_on_them }];

fn nobody_depends_on_them<'a>(services: &'a Services, asked: &'a Asked<'a>) -> LocalBoxFuture<'a, Result<CheckOutcome, Problem>> {
    async {
        let Some(expert) = asked.dossier.subject.user() else { return Ok(CheckOutcome::NothingToCheck) };
        let mut reader = services.readers.open(asked.tenant, None).await?;
        Ok(if looked_after(&mut reader, expert).await? == 0 { CheckOutcome::Clear } else { CheckOutcome::Open })
    }
    .boxed_local()
}
