//! What has to be clear before somebody may go whom others depend on (7C, 7D): the port and what fills it.
//!
//! Experts are checked for dependencies: whom they look after. Of sessions, of what is to be settled with
//! them and of what their profession has them keep, no part of the platform knows anything yet, nor of an
//! organization's bills: those checks say so, and the approval has it on record.

use crate::{pipeline::Services, problem::Problem};
use futures::future::{FutureExt, LocalBoxFuture};
use palmares_domain::{
    compliance::deletion_request::{Check, CheckOutcome, Checked, DeletionKind, Dossier},
    kernel::{Tenant, UserId},
};
use palmares_projections::experts::assignments::looked_after;

/// One check: what it finds for the user of a deletion, where it is one's.
type Look = for<'a> fn(&'a Services, Tenant, Option<UserId>) -> LocalBoxFuture<'a, Result<CheckOutcome, Problem>>;

const OF_EXPERTS: &[(Check, Look)] =
    &[(Check::Dependencies, assignments), (Check::Settlement, nothing_to_check), (Check::Retention, nothing_to_check)];
const OF_ORGANIZATIONS: &[(Check, Look)] = &[(Check::Settlement, nothing_to_check), (Check::Retention, nothing_to_check)];

/// Every check that this deletion needs, with what it found.
pub(super) async fn all(services: &Services, tenant: Tenant, dossier: &Dossier) -> Result<Vec<Checked>, Problem> {
    let needed = match dossier.kind {
        DeletionKind::Expert => OF_EXPERTS,
        DeletionKind::Organization => OF_ORGANIZATIONS,
        _ => &[],
    };
    let mut checked = Vec::with_capacity(needed.len());
    for (check, look) in needed {
        checked.push(Checked { check: *check, outcome: look(services, tenant, dossier.subject.user()).await? });
    }
    Ok(checked)
}

fn assignments<'a>(services: &'a Services, tenant: Tenant, expert: Option<UserId>) -> LocalBoxFuture<'a, Result<CheckOutcome, Problem>> {
    async move {
        let Some(expert) = expert else { return Ok(CheckOutcome::NothingToCheck) };
        let mut reader = services.readers.open(tenant, None).await?;
        Ok(if looked_after(&mut reader, expert).await? == 0 { CheckOutcome::Clear } else { CheckOutcome::Open })
    }
    .boxed_local()
}

fn nothing_to_check<'a>(_: &'a Services, _: Tenant, _: Option<UserId>) -> LocalBoxFuture<'a, Result<CheckOutcome, Problem>> {
    async { Ok(CheckOutcome::NothingToCheck) }.boxed_local()
}
