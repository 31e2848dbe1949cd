//! What has to be clear before somebody may go whom others depend on (7C, 7D): the port, and what fills it.
//!
//! A kind of deletion needs checks, and contexts fill them: a check that several fill is open as long as one
//! of them says so. One that nobody fills is recorded as such, and the approval has it on record: of what is
//! to be settled with experts, of what their profession has them keep, and of an organization's bills, no
//! part of the platform knows anything yet.

use crate::{
    pipeline::{Services, action::Action},
    problem::Problem,
    routes::experts,
};
use futures::future::{FutureExt, LocalBoxFuture};
use palmares_commands::compliance::SEE_HOLDS;
use palmares_domain::{
    compliance::{
        deletion_request::{Check, CheckOutcome, Checked, DeletionKind, DeletionSubject, Dossier},
        legal_holds::LegalHolds,
    },
    kernel::{Admitted, DeletionRequestId, LegalHoldId, Tenant, UserId},
};
use palmares_projections::compliance::deletion_requests::{footprint, taken_out_since};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a context fills a check with.
pub struct DeletionCheck<S = Services> {
    pub of: DeletionKind,
    pub check: Check,
    pub look: Look<S>,
}

/// Looks, and says what it found.
pub type Look<S> = for<'a> fn(&'a S, &'a Asked<'a>) -> LocalBoxFuture<'a, Result<CheckOutcome, Problem>>;

/// The deletion that is asked about.
pub struct Asked<'a> {
    pub tenant: Tenant,
    pub dossier: &'a Dossier,
}

/// What each kind of deletion needs (E-169, E-170).
fn needed(kind: DeletionKind) -> &'static [Check] {
    match kind {
        DeletionKind::Expert => &[Check::Dependencies, Check::Settlement, Check::Retention],
        DeletionKind::Organization => &[Check::Settlement, Check::Retention, Check::ExportPackage],
        DeletionKind::OwnAccount | DeletionKind::ByAdmin | DeletionKind::Forced => &[],
    }
}

/// What every context fills in.
const FILLED: &[&[DeletionCheck]] = &[experts::DELETION_CHECKS, OF_COMPLIANCE];

const OF_COMPLIANCE: &[DeletionCheck] = &[
    DeletionCheck { of: DeletionKind::Organization, check: Check::Retention, look: nothing_is_held },
    DeletionCheck { of: DeletionKind::Organization, check: Check::ExportPackage, look: taken_out },
];

/// Every check that this deletion needs, with what it found.
pub(super) async fn all(services: &Services, tenant: Tenant, dossier: &Dossier) -> Result<Vec<Checked>, Problem> {
    find(FILLED, services, &Asked { tenant, dossier }).await
}

/// What has to be clear before a deletion is approved, with what is found now. None, where nobody depends on
/// who is to be deleted.
///
/// `export_package` of an organization is clear once somebody has taken out all that it has recorded since its
/// deletion was asked for: `GET /audit-logs/evidence`, `GET /audit-logs/export` or `GET /events` as
/// newline-delimited JSON, without a filter and to the end. An export of a part of it, or one that broke off, is
/// none; neither is one by somebody who is not cleared for all of it, but for the evidence, which shows nobody
/// more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowDeletionChecks {
    pub request_id: DeletionRequestId,
    /// Only where it is about this user, who may always look at their own.
    #[serde(default)]
    pub user_id: Option<UserId>,
}

/// The checks of a deletion.
#[derive(Serialize, ToSchema)]
pub struct DeletionChecks {
    pub checks: Vec<Checked>,
    /// The legal holds that are on its subject now and stop it, as `GET /legal-holds` lists them; missing for whoever
    /// may not see holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<Vec<LegalHoldId>>,
}

impl Action for ShowDeletionChecks {
    type Output = DeletionChecks;

    fn owner(&self) -> Option<UserId> {
        self.user_id
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<DeletionChecks, Problem> {
        let Self { request_id, user_id } = *admitted.value();
        let found = super::dossier(services, admitted.admission().organization, request_id).await?;
        if user_id.is_some() && found.subject.user() != user_id {
            return Err(Problem::not_found());
        }
        let asked = Asked { tenant: admitted.tenant(), dossier: &found };
        let checks = find(FILLED, services, &asked).await?;
        let seen = admitted.admission().rights.permit(SEE_HOLDS);
        let holds = if seen { Some(holds_on(services, asked.tenant, found.subject).await?) } else { None };
        Ok(DeletionChecks { checks, holds })
    }
}

async fn find<S>(filled: &[&[DeletionCheck<S>]], services: &S, asked: &Asked<'_>) -> Result<Vec<Checked>, Problem> {
    let kind = asked.dossier.kind;
    let mut checked = Vec::new();
    for check in needed(kind) {
        let mut found = Vec::new();
        for filling in filled.iter().copied().flatten().filter(|filling| filling.of == kind && filling.check == *check) {
            found.push((filling.look)(services, asked).await?);
        }
        checked.push(Checked { check: *check, outcome: together(&found) });
    }
    Ok(checked)
}

/// What several found: open where one is, and clear where one is and none is open.
fn together(found: &[CheckOutcome]) -> CheckOutcome {
    let first_of = |outcome: &CheckOutcome| found.contains(outcome);
    [CheckOutcome::Open, CheckOutcome::Clear].into_iter().find(first_of).unwrap_or(CheckOutcome::NothingToCheck)
}

/// The review of what the law keeps: a hold on the organization is released before it goes, or it stays.
fn nothing_is_held<'a>(services: &'a Services, asked: &'a Asked<'a>) -> LocalBoxFuture<'a, Result<CheckOutcome, Problem>> {
    async {
        let free = holds_on(services, asked.tenant, asked.dossier.subject).await?.is_empty();
        Ok(if free { CheckOutcome::Clear } else { CheckOutcome::Open })
    }
    .boxed_local()
}

/// The legal holds that are on whoever is to be deleted.
pub(super) async fn holds_on(services: &Services, tenant: Tenant, subject: DeletionSubject) -> Result<Vec<LegalHoldId>, Problem> {
    let organization = tenant.organization();
    let mut reader = services.readers.open(tenant, None).await?;
    let footprint = footprint(&mut reader, subject.user()).await?;
    let on = |holds: &LegalHolds| holds.on(subject, Some(&footprint));
    Ok(services.engine.look(organization, organization, on).await?)
}

/// An organization goes with its package in somebody's hands: once it is suspended, its people take out nothing. The
/// package is all of it, whichever form it has, to its last byte; what is personal stands in it as digests, and people
/// take out their own.
fn taken_out<'a>(services: &'a Services, asked: &'a Asked<'a>) -> LocalBoxFuture<'a, Result<CheckOutcome, Problem>> {
    async {
        let mut reader = services.readers.open(asked.tenant, None).await?;
        let taken = taken_out_since(&mut reader, asked.dossier.request_id).await?;
        Ok(if taken { CheckOutcome::Clear } else { CheckOutcome::Open })
    }
    .boxed_local()
}

#[cfg(test)]
#[path = "checks_tests.rs"]
mod tests;
