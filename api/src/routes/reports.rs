//! Reports of an organization, for those who run it to take out.

use crate::{
    pipeline::{
        Route, Services,
        stream::{Bytestream, Streaming, Stretch},
    },
    problem::Problem,
};
use futures::{StreamExt, TryStreamExt};
use palmares_domain::kernel::{Admitted, Tenant};
use palmares_projections::{
    challenges::{
        activities, closed_days,
        participation::{ReportParticipation, report_participation},
    },
    engine::ReportFormat,
    operations::analytics::{self, ReportUsage, report_usage},
};
use serde::Deserialize;
use utoipa::ToSchema;

pub const ROUTES: &[Route] = &[
    Route::stream::<ParticipationReport>("/reports/participation", "challenges.participation.export"),
    Route::stream::<ParticipationTable>("/reports/participation", "challenges.participation.export")
        .accepting(ParticipationTable::MEDIA_TYPE),
    Route::stream::<UsageReport>("/reports/usage", "operations.analytics.export"),
    Route::stream::<UsageTable>("/reports/usage", "operations.analytics.export").accepting(UsageTable::MEDIA_TYPE),
];

const JSON: &str = "application/json";
const CSV: &str = "text/csv";

/// Exports what the organization's people did together, day by day, as a JSON document. A day on which
/// fewer than five took part has no figures.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ParticipationReport(ReportParticipation);

/// Exports the same report as a table of comma-separated values.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ParticipationTable(ReportParticipation);

/// Exports how many there were in the organization and how much they did, day by day (UTC), as a JSON
/// document. A figure of fewer than five people is missing.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
pub struct UsageReport(ReportUsage);

/// Exports the same report as a table of comma-separated values.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
pub struct UsageTable(ReportUsage);

/// Both forms of a report are one report.
macro_rules! report {
    ($report:ident by $write:ident as $format:ident in $media_type:ident, of $projections:expr) => {
        impl Streaming for $report {
            const MEDIA_TYPE: &'static str = $media_type;
            const PROJECTIONS: &'static [&'static str] = $projections;

            /// What it holds reaches back over the whole log.
            async fn start(&self, _: Tenant, _: &Services) -> Result<i64, Problem> {
                self.0.check()?;
                Ok(0)
            }

            fn open(admitted: Admitted<Self>, _: Stretch, services: &Services) -> Bytestream {
                let (tenant, (_, Self(asked))) = (admitted.tenant(), admitted.into_parts());
                $write(services.readers.clone(), tenant, asked, ReportFormat::$format).map_err(anyhow::Error::from).boxed()
            }
        }
    };
}

report!(ParticipationReport by report_participation as Json in JSON, of &[activities::PROJECTION, closed_days::PROJECTION]);
report!(ParticipationTable by report_participation as Csv in CSV, of &[activities::PROJECTION, closed_days::PROJECTION]);
report!(UsageReport by report_usage as Json in JSON, of &[analytics::PROJECTION]);
report!(UsageTable by report_usage as Csv in CSV, of &[analytics::PROJECTION]);
