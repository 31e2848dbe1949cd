//! Compliance: the proof that nothing of the log was changed or left out, and which data there is.

use super::audit_search::check_names;
use crate::{
    pipeline::{
        Route, Services,
        action::Action,
        route::Verb,
        stream::{Bytestream, Streaming, Stretch},
    },
    problem::Problem,
};
use futures::{StreamExt, TryFutureExt, TryStreamExt};
use palmares_domain::{
    identity::Rights,
    kernel::{Admitted, DataClass, Tenant},
};
use palmares_projections::{
    compliance::{
        audit_trail,
        data_map::ShowDataMap,
        proofs::{Asked, GetAuditCheckpoint, GetAuditConsistency, GetAuditProof, GetAuditTile, ListLogKeys, export},
        subject_index,
    },
    engine::sealing::status::SealStatus,
};
use palmares_proofs::evidence;
use serde::Deserialize;
use utoipa::ToSchema;

const READ: &str = "compliance.audit_log.read";
/// What has to know an event before it can be said whether it fits a filter.
const CHOOSING: [&str; 2] = [audit_trail::PROJECTION, subject_index::PROJECTION];

pub const ROUTES: &[Route] = &[
    Route::get::<GetAuditCheckpoint>("/audit-logs/checkpoint", READ),
    Route::get::<GetAuditConsistency>("/audit-logs/consistency", READ),
    Route::get::<GetAuditProof>("/audit-logs/{position}/proof", READ),
    Route::get::<GetAuditTile>("/audit-logs/tiles/{level}/{index}", READ),
    Route::get::<ListLogKeys>("/audit-logs/keys", READ),
    Route::action::<GetSealing>(Verb::Get, "/audit-logs/sealing", READ),
    Route::stream::<ExportEvidence>("/audit-logs/evidence", "compliance.audit_log.export"),
    Route::get::<ShowDataMap>("/data-map", "compliance.data_map.read"),
];

/// Exports a span of the organization's log as an evidence package: every event as it is stored, and the
/// proof that none is left out, which `palmares verify` checks without us. Personal fields are digests. Events
/// that say anything above the caller's clearance stand in it with the hashes of what they say, and with filters
/// those that do not fit.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ExportEvidence(Asked);

impl Streaming for ExportEvidence {
    const MEDIA_TYPE: &'static str = evidence::MEDIA_TYPE;

    fn is_whole(&self, rights: &Rights) -> bool {
        rights.clearance() == DataClass::Restricted && self.0.from.is_none() && self.0.to.is_none() && self.0.choice().is_none()
    }

    async fn start(&self, tenant: Tenant, services: &Services) -> Result<i64, Problem> {
        if let Some(choice) = self.0.choice() {
            check_names(&choice, &mut services.readers.open(tenant, None).await?).await?;
        }
        Ok(self.0.check(&services.readers, tenant).await?)
    }

    fn open(admitted: Admitted<Self>, Stretch { recorded, .. }: Stretch, services: &Services) -> Bytestream {
        let (tenant, (admission, ExportEvidence(asked))) = (admitted.tenant(), admitted.into_parts());
        let readers = services.readers_for(&admission.rights);
        let (progress, patience, chooses) = (services.progress.clone(), services.settings.wait_max, asked.choice().is_some());
        let package = export(readers, tenant, asked, recorded).map_err(anyhow::Error::from);
        // Whether an event fits is known once the audit log and its index have it. Nothing else in a package waits for them.
        let known = async move {
            let behind = |problem: Problem| anyhow::anyhow!("the audit log is behind: {}", problem.reason);
            if chooses { progress.reach(&CHOOSING, recorded - 1, patience).await.map(drop).map_err(behind) } else { Ok(()) }
        };
        known.map_ok(|()| package).try_flatten_stream().boxed()
    }
}

/// Shows how far the log is sealed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSealing {}

impl Action for GetSealing {
    type Output = SealStatus;

    async fn perform(_: Admitted<Self>, services: &Services) -> Result<Self::Output, Problem> {
        services.progress.sealing().await
    }
}
