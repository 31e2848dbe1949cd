//! Compliance: who did what, and which data there is.

use crate::{
    pipeline::{Route, Services, action::Action, route::Verb},
    problem::Problem,
};
use palmares_domain::{
    kernel::Admitted,
    registry::{DataMapEntry, data_map},
};
use palmares_projections::compliance::audit_trail::ListAuditLogs;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const ROUTES: &[Route] = &[
    Route::get::<ListAuditLogs>("/audit-logs", "compliance.audit_log.read"),
    Route::action::<ShowDataMap>(Verb::Get, "/data-map", "compliance.data_map.read"),
];

/// Shows every field that is recorded, how far it may travel, and of what is personal whose it is and
/// what for: the record of processing activities, made from the events themselves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowDataMap {}

/// Every field of every event.
#[derive(Serialize, ToSchema)]
pub struct DataMap {
    items: Vec<DataMapEntry>,
}

impl Action for ShowDataMap {
    type Output = DataMap;

    async fn perform(_: Admitted<Self>, _: &Services) -> Result<DataMap, Problem> {
        Ok(DataMap { items: data_map() })
    }
}
