//! Commands that may leave an organization without a compliance officer are told who the others are.

use crate::{
    pipeline::{Services, command::Prepare},
    problem::Problem,
};
use palmares_commands::identity::{LeavesOfficers, is_officer};
use palmares_domain::kernel::Tenant;
use palmares_projections::identity::directory::{self, officers_besides};

/// Finds out who else is a compliance officer, where it is about one.
pub(super) struct BesideOthers;

impl<O: LeavesOfficers + Send> Prepare<O> for BesideOthers {
    type Shown = ();

    async fn prepare(operation: O, tenant: Tenant, services: &Services) -> Result<(O, ()), Problem> {
        Ok((beside_others(operation, tenant, services).await?, ()))
    }
}

/// The operation, which knows who else is a compliance officer, where it is about one.
pub(super) async fn beside_others<O: LeavesOfficers>(operation: O, tenant: Tenant, services: &Services) -> Result<O, Problem> {
    let Some(user) = operation.user() else { return Ok(operation) };
    if !services.engine.look(tenant.organization(), user, is_officer).await? {
        return Ok(operation);
    }
    // Whoever became one just before is one.
    let head = services.engine.store().head().await.map_err(Problem::unavailable)?.position;
    services.progress.reach(&[directory::PROJECTION], head, services.settings.wait_max).await?;
    let others = officers_besides(&services.readers, tenant, user).await?;
    Ok(operation.besides(others))
}
