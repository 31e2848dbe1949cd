//! Compliance: who did what.

use super::audit_search::{ListAuditLogs, check_names};
use crate::{
    pipeline::{
        Route, Services,
        action::Action,
        body,
        command::Prepare,
        route::Verb,
        stream::{Bytestream, Streaming, Stretch},
    },
    problem::Problem,
};
use futures::{StreamExt, TryStreamExt};
use palmares_commands::compliance::{
    AcknowledgeAnomaly, CloseSiemStream, ForgetSearch, OpenSiemStream, PauseSiemStream, ResumeSiemStream, SaveSearch,
};
use palmares_domain::{
    compliance::saved_searches::{SavedSearches, SearchFilters},
    identity::Rights,
    kernel::{Admitted, ClientContext, DataClass, FieldError, SearchId, Tenant},
};
use palmares_projections::{
    compliance::{
        anomalies::{ListAnomalies, anomaly_about},
        audit_trail::{self, ExplainAuditEntry, export_audit_csv, export_audit_ndjson},
        siem::ListSiemStreams,
        subject_index,
    },
    engine::Page,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const ROUTES: &[Route] = &[
    Route::get::<ListAuditLogs>("/audit-logs", "compliance.audit_log.read"),
    Route::get::<ExplainAuditEntry>("/audit-logs/{event_id}/explain", "compliance.audit_log.explain"),
    Route::stream::<ExportAuditLogs>("/audit-logs/export", "compliance.audit_log.export"),
    Route::stream::<ExportAuditTable>("/audit-logs/export", "compliance.audit_log.export").accepting(ExportAuditTable::MEDIA_TYPE),
    Route::prepared::<SaveSearch, Searchable>(Verb::Post, "/audit-logs/searches").creating("/audit-logs/searches", "id"),
    Route::delete::<ForgetSearch>("/audit-logs/searches/{search_id}"),
    Route::action::<ListSavedSearches>(Verb::Get, "/audit-logs/searches", "compliance.audit_search.read"),
    Route::prepared::<OpenSiemStream, AsSet>(Verb::Post, "/siem-streams").creating("/siem-streams", "id"),
    Route::post::<PauseSiemStream>("/siem-streams/{stream_id}/pause"),
    Route::post::<ResumeSiemStream>("/siem-streams/{stream_id}/resume"),
    Route::post::<CloseSiemStream>("/siem-streams/{stream_id}/close"),
    Route::get::<ListSiemStreams>("/siem-streams", "compliance.siem_stream.read"),
    Route::get::<ListAnomalies>("/anomalies", "compliance.anomaly.read"),
    Route::prepared::<AcknowledgeAnomaly, Known>(Verb::Post, "/anomalies/{anomaly_id}/acknowledge"),
];

/// Exports the entries of the audit log that a filter leaves, as newline-delimited JSON, oldest first. It
/// holds what was recorded before it; asked for again under the same `Idempotency-Key`, it is the same
/// export, and recorded once.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ExportAuditLogs(audit_trail::ListAuditLogs);

impl Streaming for ExportAuditLogs {
    const MEDIA_TYPE: &'static str = "application/x-ndjson";
    const PROJECTIONS: &'static [&'static str] = &[audit_trail::PROJECTION, subject_index::PROJECTION];

    fn is_whole(&self, rights: &Rights) -> bool {
        is_whole(&self.0, rights)
    }

    async fn start(&self, tenant: Tenant, services: &Services) -> Result<i64, Problem> {
        start(&self.0, tenant, services).await
    }

    fn open(admitted: Admitted<Self>, Stretch { recorded, .. }: Stretch, services: &Services) -> Bytestream {
        let (tenant, (admission, Self(asked))) = (admitted.tenant(), admitted.into_parts());
        let readers = services.readers_for(&admission.rights).marking_unreadable();
        export_audit_ndjson(readers, tenant, asked, recorded).map_err(anyhow::Error::from).boxed()
    }
}

/// Exports the same entries as a table of comma-separated values.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ExportAuditTable(audit_trail::ListAuditLogs);

impl Streaming for ExportAuditTable {
    const MEDIA_TYPE: &'static str = "text/csv";
    const PROJECTIONS: &'static [&'static str] = &[audit_trail::PROJECTION, subject_index::PROJECTION];

    fn is_whole(&self, rights: &Rights) -> bool {
        is_whole(&self.0, rights)
    }

    async fn start(&self, tenant: Tenant, services: &Services) -> Result<i64, Problem> {
        start(&self.0, tenant, services).await
    }

    fn open(admitted: Admitted<Self>, Stretch { recorded, .. }: Stretch, services: &Services) -> Bytestream {
        let (tenant, (admission, Self(asked))) = (admitted.tenant(), admitted.into_parts());
        let readers = services.readers_for(&admission.rights).marking_unreadable();
        export_audit_csv(readers, tenant, asked, recorded).map_err(anyhow::Error::from).boxed()
    }
}

/// Whether an export leaves out no entry, and nothing of one.
fn is_whole(asked: &audit_trail::ListAuditLogs, rights: &Rights) -> bool {
    rights.clearance() == DataClass::Restricted && asked.leaves_nothing_out()
}

/// Where an export begins that can be looked for.
async fn start(asked: &audit_trail::ListAuditLogs, tenant: Tenant, services: &Services) -> Result<i64, Problem> {
    check(asked)?;
    check_names(asked, &mut services.readers.open(tenant, None).await?).await?;
    Ok(0)
}

/// Refuses, before an export is recorded, what could not be looked for.
fn check(asked: &audit_trail::ListAuditLogs) -> Result<(), Problem> {
    use audit_trail::ListAuditLogs as Asked;
    match asked {
        Asked { cursor: Some(_), .. } => Err(Problem::invalid_field("cursor", "unknown_field")),
        Asked { ip: Some(ip), .. } if ClientContext::ip_key(ip).is_none() => Err(Problem::invalid_field("ip", "invalid_value")),
        Asked { text: Some(text), .. } if text.trim().is_empty() => Err(Problem::invalid_field("text", "required")),
        Asked { text: Some(text), .. } if text.chars().count() > 200 => Err(Problem::invalid_field("text", "too_long")),
        _ => Ok(()),
    }
}

/// Refuses to keep what is no search of the audit log.
struct Searchable;

impl Prepare<SaveSearch> for Searchable {
    type Shown = ();

    async fn prepare(search: SaveSearch, tenant: Tenant, services: &Services) -> Result<(SaveSearch, ()), Problem> {
        check_kept(&search.filters, tenant, services).await?;
        Ok((search, ()))
    }
}

/// Refuses filters that are no search, or name what is not there. What somebody keeps already is not asked: it stays
/// readable, and finds what it found.
pub(super) async fn check_kept(filters: &SearchFilters, tenant: Tenant, services: &Services) -> Result<(), Problem> {
    let asked = search_of(filters)?;
    let mut reader = services.readers.open(tenant, None).await?;
    check_names(&asked, &mut reader).await.map_err(|error| within_filters(error.into()))
}

/// The search that filters are which somebody keeps.
pub(crate) fn search_of(filters: &SearchFilters) -> Result<audit_trail::ListAuditLogs, Problem> {
    kept_search(filters).map_err(within_filters)
}

fn within_filters(problem: Problem) -> Problem {
    let within = |error: FieldError| FieldError { field: format!("filters.{}", error.field), ..error };
    Problem { errors: problem.errors.iter().cloned().map(within).collect(), ..problem }
}

fn kept_search(filters: &SearchFilters) -> Result<audit_trail::ListAuditLogs, Problem> {
    let pairs: Vec<_> = filters.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let asked = body::parameters::<audit_trail::ListAuditLogs>(&[], &pairs)?;
    check(&asked)?;
    Ok(asked)
}

/// Says whether sinks on this machine may do without TLS.
struct AsSet;

impl Prepare<OpenSiemStream> for AsSet {
    type Shown = ();

    async fn prepare(operation: OpenSiemStream, _: Tenant, services: &Services) -> Result<(OpenSiemStream, ()), Problem> {
        let insecure_loopback = services.desk.federation.insecure_loopback();
        Ok((OpenSiemStream { insecure_loopback, ..operation }, ()))
    }
}

/// Finds out whose doing an anomaly is; one that is not there is none of the organization's.
struct Known;

impl Prepare<AcknowledgeAnomaly> for Known {
    type Shown = ();

    async fn prepare(operation: AcknowledgeAnomaly, tenant: Tenant, services: &Services) -> Result<(AcknowledgeAnomaly, ()), Problem> {
        let about = anomaly_about(&services.readers, tenant, operation.anomaly_id).await?.ok_or_else(Problem::not_found)?;
        Ok((AcknowledgeAnomaly { about: Some(about), ..operation }, ()))
    }
}

/// Lists one's own searches of the audit log.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSavedSearches {}

/// A search of the audit log that somebody keeps.
#[derive(Serialize, ToSchema)]
pub struct SavedSearch {
    pub id: SearchId,
    pub name: String,
    /// Filters of `GET /audit-logs` by their names.
    pub filters: SearchFilters,
}

impl Action for ListSavedSearches {
    type Output = Page<SavedSearch>;

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Self::Output, Problem> {
        let admission = admitted.admission();
        let searches = services.engine.state::<SavedSearches>(admission.organization, admission.actor).await?;
        let readable = searches
            .iter()
            .filter_map(|(id, search)| Some(SavedSearch { id, name: search.name.clone()?, filters: search.filters.clone()? }));
        Ok(Page { items: readable.collect(), next_cursor: None })
    }
}
