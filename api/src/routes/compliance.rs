//! Compliance: the proof that nothing of the log was changed or left out, and which data there is.

use crate::{
    pipeline::{
        Route, Services,
        action::Action,
        route::Verb,
        stream::{Bytestream, Streaming, Stretch},
    },
    problem::Problem,
};
use futures::{StreamExt, TryStreamExt};
use palmares_domain::kernel::{Admitted, DataClass, Tenant};
use palmares_projections::{
    compliance::{
        data_map::ShowDataMap,
        proofs::{Asked, GetAuditCheckpoint, GetAuditConsistency, GetAuditProof, GetAuditTile, ListLogKeys, export},
    },
    engine::sealing::status::SealStatus,
};
use palmares_proofs::evidence;
use serde::Deserialize;
use utoipa::ToSchema;

const READ: &str = "compliance.audit_log.read";

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
/// proof that none is left out, which `palmares verify` checks without us. Personal fields are digests.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ExportEvidence(Asked);

impl Streaming for ExportEvidence {
    const MEDIA_TYPE: &'static str = evidence::MEDIA_TYPE;

    fn is_whole(&self, _: DataClass) -> bool {
        self.0.from.is_none() && self.0.to.is_none()
    }

    async fn start(&self, tenant: Tenant, services: &Services) -> Result<i64, Problem> {
        Ok(self.0.check(&services.readers, tenant).await?)
    }

    fn open(admitted: Admitted<Self>, _: Stretch, services: &Services) -> Bytestream {
        let (tenant, (_, ExportEvidence(asked))) = (admitted.tenant(), admitted.into_parts());
        export(services.readers.clone(), tenant, asked).map_err(anyhow::Error::from).boxed()
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
