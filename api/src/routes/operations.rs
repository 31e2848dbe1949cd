//! Operations: the history of events, and where the projections stand.

use super::names::Names;
use crate::{
    pipeline::{
        READ_AUDIT_LOG, Route, Services, UpkeepRefused,
        action::Action,
        live::{Happening, Happenings, Live},
        route::Verb,
        stream::{Bytestream, Streaming, Stretch},
    },
    problem::Problem,
};
use futures::{StreamExt, TryStreamExt};
use palmares_domain::{
    identity::Rights,
    kernel::{Admitted, Code, DataClass, Tenant},
};
use palmares_projections::{
    engine::{Cursor, Limit, Page, Query, ReadError, TenantReader, parked::ParkedEvent, status::ProjectionStatus},
    operations::{
        analytics::{ShowAnalytics, ShowPlatformAnalytics},
        history::{self, FollowEvents, HistoryEvent, export_ndjson, export_start, follow},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const ROUTES: &[Route] = &[
    Route::get::<ListEvents>("/events", "operations.event.read"),
    Route::stream::<ExportEvents>("/events", "operations.event.export").accepting(ExportEvents::MEDIA_TYPE),
    Route::live::<StreamEvents>("/events/stream", "operations.event.stream"),
    Route::get::<ShowAnalytics>("/analytics", "operations.analytics.read"),
    Route::get::<ShowPlatformAnalytics>("/platform/analytics", "operations.platform_analytics.read"),
    Route::action::<ListProjections>(Verb::Get, "/projections", "operations.projection.read"),
    Route::action::<ListParkedEvents>(Verb::Get, "/projections/{name}/parked", "operations.projection.list_parked"),
    Route::action::<RebuildProjection>(Verb::Post, "/projections/{name}/rebuild", "operations.projection.rebuild"),
    Route::action::<RetryParked>(Verb::Post, "/projections/{name}/retry", "operations.projection.retry"),
];

/// What happened, oldest first, as far as the audit log's read model knows: `min_position` waits for it. Who
/// looked at what and was refused what (streams of the type `access_record`) is for those who may read the
/// audit log (`compliance.audit_log.read`), and left out for everybody else. A look at a page is recorded.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ListEvents(history::ListEvents);

impl Query for ListEvents {
    type Output = Page<HistoryEvent>;

    const PROJECTIONS: &'static [&'static str] = <history::ListEvents as Query>::PROJECTIONS;
    const DATA_CLASS: DataClass = <history::ListEvents as Query>::DATA_CLASS;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Self::Output, ReadError> {
        check_names(&self.0.event_type, &self.0.stream_type, reader).await?;
        self.0.run(reader).await
    }
}

async fn check_names(event: &Option<String>, stream: &Option<String>, reader: &mut TenantReader<'_>) -> Result<(), ReadError> {
    let mut names = Names::known_to(reader);
    names.event_type("type", event.as_deref()).await?;
    names.stream_type("stream_type", stream.as_deref()).await?;
    names.check()
}

/// Exports the events that a filter leaves, as newline-delimited JSON. Who looked at what is left out as in a list.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ExportEvents(history::ListEvents);

impl Streaming for ExportEvents {
    const MEDIA_TYPE: &'static str = "application/x-ndjson";

    fn is_whole(&self, rights: &Rights) -> bool {
        rights.clearance() == DataClass::Restricted && rights.permit(READ_AUDIT_LOG) && self.0.leaves_nothing_out()
    }

    async fn start(&self, tenant: Tenant, services: &Services) -> Result<i64, Problem> {
        check_names(&self.0.event_type, &self.0.stream_type, &mut services.readers.open(tenant, None).await?).await?;
        Ok(export_start(&services.readers, tenant, &self.0).await?)
    }

    fn open(admitted: Admitted<Self>, Stretch { after, .. }: Stretch, services: &Services) -> Bytestream {
        let (tenant, (admission, ExportEvents(asked))) = (admitted.tenant(), admitted.into_parts());
        export_ndjson(services.readers_for(&admission.rights), tenant, asked, after).map_err(anyhow::Error::from).boxed()
    }
}

/// Sends events as they are recorded: as server-sent events whose id is the position, or over a WebSocket, a message for each.
/// Who looked at what is left out as in a list.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
pub struct StreamEvents(FollowEvents);

impl Live for StreamEvents {
    async fn start(&self, tenant: Tenant, last_event_id: Option<&str>, services: &Services) -> Result<i64, Problem> {
        check_names(&self.0.event_type, &self.0.stream_type, &mut services.readers.open(tenant, None).await?).await?;
        let resumed = last_event_id.map(|id| id.trim().parse::<i64>()).transpose();
        let resumed = resumed.map_err(|_| Problem::invalid_field("Last-Event-ID", "wrong_type"))?;
        Ok(resumed.or(self.0.after).unwrap_or(0).max(0))
    }

    fn follow(admitted: Admitted<Self>, after: i64, services: &Services) -> Happenings {
        let (tenant, (admission, StreamEvents(asked))) = (admitted.tenant(), admitted.into_parts());
        let events = follow(services.readers_for(&admission.rights), tenant, asked, after, services.head.subscribe());
        events.map(|event| happening(&event?)).boxed()
    }
}

fn happening(event: &HistoryEvent) -> anyhow::Result<Happening> {
    Ok(Happening { position: event.position, name: event.event_type.clone(), data: serde_json::to_string(event)? })
}

/// Shows where every projection and reactor stands.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListProjections {}

impl Action for ListProjections {
    type Output = Page<ProjectionStatus>;

    async fn perform(_: Admitted<Self>, services: &Services) -> Result<Self::Output, Problem> {
        services.progress.projections().await
    }
}

/// Shows what a projection or reactor could not take and set aside, with what went wrong.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListParkedEvents {
    /// As `GET /projections` names it.
    name: String,
    #[serde(default)]
    cursor: Option<Cursor>,
    #[serde(default)]
    limit: Limit,
}

impl Action for ListParkedEvents {
    type Output = Page<ParkedEvent>;

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Self::Output, Problem> {
        let (_, ListParkedEvents { name, cursor, limit }) = admitted.into_parts();
        services.progress.parked(&name, cursor.as_ref(), &limit).await
    }
}

/// Fills a projection anew from the log, while the old one goes on serving.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RebuildProjection {
    /// As `GET /projections` names it.
    name: String,
}

/// A rebuild under way.
#[derive(Serialize, ToSchema)]
pub struct RebuildStarted {
    name: String,
    status: &'static str,
}

impl Action for RebuildProjection {
    type Output = RebuildStarted;
    const STATUS: u16 = 202;

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Self::Output, Problem> {
        let (_, RebuildProjection { name }) = admitted.into_parts();
        services.upkeep.rebuild(&name).await?;
        Ok(RebuildStarted { name, status: "REBUILDING" })
    }
}

/// Has a reactor take again the events that it failed at and set aside.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryParked {
    /// As `GET /projections` names it.
    name: String,
}

/// Events that are taken again.
#[derive(Serialize, ToSchema)]
pub struct RetryStarted {
    name: String,
    /// So many; what fails again stays set aside.
    events: u64,
}

impl Action for RetryParked {
    type Output = RetryStarted;
    const STATUS: u16 = 202;

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<Self::Output, Problem> {
        let (_, RetryParked { name }) = admitted.into_parts();
        let events = services.upkeep.retry(&name).await?;
        Ok(RetryStarted { name, events })
    }
}

impl From<UpkeepRefused> for Problem {
    fn from(refused: UpkeepRefused) -> Self {
        match refused {
            UpkeepRefused::Unknown => Problem::not_found(),
            UpkeepRefused::Running => Problem::new(Code::Conflict, "operations.rebuild_running"),
            UpkeepRefused::RebuildInstead => Problem::new(Code::Conflict, "operations.rebuild_instead"),
            UpkeepRefused::Unavailable(cause) => Problem::unavailable(cause),
        }
    }
}
