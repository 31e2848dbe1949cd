//! The audit log, taken out again and again for whoever asked for it.

use super::{
    audit_log::check_kept,
    exports::{IDENTITY, made_for, with_identity},
};
use crate::{
    pipeline::{Route, Services, action::Action, command::Prepare, route::Verb},
    problem::Problem,
};
use age::secrecy::SecretString;
use chrono::{DateTime, Utc};
use palmares_commands::{
    compliance::{CloseAuditSchedule, OpenAuditSchedule, PauseAuditSchedule, ResumeAuditSchedule},
    engine::Answer,
};
use palmares_domain::{
    compliance::{
        audit_schedules::{AuditSchedules, Every, PauseCause},
        saved_searches::SearchFilters,
        subject_export::ExportFormat,
    },
    kernel::{Admitted, ExportId, ScheduleId, Tenant},
};
use palmares_projections::engine::Page;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const ROUTES: &[Route] = &[
    Route::prepared::<OpenAuditSchedule, SealedToItsOwner>(Verb::Post, "/audit-logs/schedules").creating("/audit-logs/schedules", "id"),
    Route::post::<PauseAuditSchedule>("/audit-logs/schedules/{schedule_id}/pause"),
    Route::post::<ResumeAuditSchedule>("/audit-logs/schedules/{schedule_id}/resume"),
    Route::delete::<CloseAuditSchedule>("/audit-logs/schedules/{schedule_id}"),
    Route::action::<ListAuditSchedules>(Verb::Get, "/audit-logs/schedules", "compliance.audit_schedule.read"),
];

/// Refuses what is no search of the audit log, says where the log stands, and makes a key for whoever gave none.
pub struct SealedToItsOwner;

impl Prepare<OpenAuditSchedule> for SealedToItsOwner {
    type Shown = Option<SecretString>;
    const FIELD: Option<&'static str> = Some(IDENTITY);

    async fn prepare(
        mut operation: OpenAuditSchedule,
        tenant: Tenant,
        services: &Services,
    ) -> Result<(OpenAuditSchedule, Self::Shown), Problem> {
        if let Some(filters) = &operation.filters {
            check_kept(filters, tenant, services).await?;
        }
        operation.position = services.engine.store().head().await.map_err(Problem::unavailable)?.position;
        let identity = made_for(&mut operation.recipient)?;
        Ok((operation, identity))
    }

    fn show(identity: Self::Shown, _: Tenant, answer: Answer) -> Answer {
        with_identity(identity, answer)
    }
}

/// Lists one's own schedules.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAuditSchedules {}

/// A schedule by which somebody has the audit log taken out.
#[derive(Serialize, ToSchema)]
pub struct AuditScheduleShown {
    pub id: ScheduleId,
    pub every: Every,
    pub hour: u32,
    pub time_zone: String,
    pub format: ExportFormat,
    /// Filters of `GET /audit-logs` by their names; missing where they can be read no more.
    pub filters: Option<SearchFilters>,
    /// `ACTIVE` or `PAUSED`.
    pub status: &'static str,
    pub paused_because: Option<PauseCause>,
    /// The next time, unless it is paused.
    pub due_at: Option<DateTime<Utc>>,
    /// Everything up to this position was taken out.
    pub covered_position: i64,
    /// Among `GET /me/exports`.
    pub last_export_id: Option<ExportId>,
}

impl Action for ListAuditSchedules {
    type Output = Page<AuditScheduleShown>;

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Self::Output, Problem> {
        let admission = admitted.admission();
        let schedules = services.engine.state::<AuditSchedules>(admission.organization, admission.actor).await?;
        let shown = schedules.iter().map(|(id, schedule)| AuditScheduleShown {
            id,
            every: schedule.rhythm.every,
            hour: schedule.rhythm.hour,
            time_zone: schedule.rhythm.time_zone.clone(),
            format: schedule.format,
            filters: schedule.filters.clone(),
            status: if schedule.paused.is_some() { "PAUSED" } else { "ACTIVE" },
            paused_because: schedule.paused,
            due_at: Some(schedule.due_at).filter(|_| schedule.paused.is_none()),
            covered_position: schedule.covered,
            last_export_id: schedule.last_export,
        });
        Ok(Page { items: shown.collect(), next_cursor: None })
    }
}
