//! `GET data-map`: the record of processing activities (GDPR, article 30(1)). What is processed, why and how long is
//! known from the types; who answers for it, and where else it goes, the organization says in its settings.

use super::retention_schedules;
use crate::{
    engine::{Query, ReadError, TenantReader},
    organizations::directory,
};
use palmares_domain::{
    compliance::retention_schedule::RecordClass,
    organizations::organization::Controller,
    registry::{DataMapEntry, PurposeInformation, data_map, record_of_processing},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How what is kept is secured (article 30(1)(g)), as far as the server does it.
const SAFEGUARDS: [&str; 4] = [
    "What is personal is sealed with AES-256-GCM under a key for each person and purpose; destroying the key erases it, from backups too.",
    "One gate before every route authenticates, decides and records; second factors are asked of whoever administers or is shown what is confidential.",
    "Tenants are kept apart by row-level security, under roles of the database that neither change nor delete what was recorded.",
    "The log is append-only, and a signed tree over it shows what was changed, removed or reordered.",
];

/// The record of processing activities.
#[derive(Serialize, ToSchema)]
pub struct DataMap {
    /// Who answers for it, with its transfers to third countries.
    pub controller: Controller,
    /// The settings that nobody has given, without which the record is not complete.
    pub missing: Vec<&'static str>,
    /// Why personal data is processed, of whom, on which ground, and who receives it.
    pub purposes: Vec<RecordedPurpose>,
    /// How it is secured, as far as the server does it.
    pub safeguards: [&'static str; 4],
    /// Every field of every event, and of what is kept of every request.
    pub items: Vec<RecordedField>,
}

/// A purpose, with how long this organization keeps what is kept for it.
#[derive(Serialize, ToSchema)]
pub struct RecordedPurpose {
    #[serde(flatten)]
    pub purpose: PurposeInformation,
    /// After the account's end; of cases, as long as the log.
    pub retention_days: i64,
}

/// A field, with how long this organization keeps it.
#[derive(Serialize, ToSchema)]
pub struct RecordedField {
    #[serde(flatten)]
    pub field: DataMapEntry,
    /// Of what is sealed after the account's end; of everything else after it was recorded.
    pub retention_days: i64,
}

/// Shows every field that is recorded, how far it may travel, how long it is kept, and of what is personal
/// whose it is and what for, with who answers for it: the record of processing activities, made from the
/// types themselves and the organization's settings.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowDataMap {}

impl Query for ShowDataMap {
    type Output = DataMap;

    const PROJECTIONS: &'static [&'static str] = &[directory::PROJECTION, retention_schedules::PROJECTION];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<DataMap, ReadError> {
        let controller = directory::controller(reader).await?.ok_or(ReadError::NotFound)?;
        let schedule = retention_schedules::periods(reader).await?;
        let days = |class: RecordClass| schedule.iter().find(|period| period.class == class).map_or(0, |period| period.days);
        let purposes = record_of_processing().into_iter();
        let fields = data_map().into_iter();
        Ok(DataMap {
            missing: controller.missing(),
            controller,
            purposes: purposes.map(|purpose| RecordedPurpose { retention_days: days(purpose.retention), purpose }).collect(),
            safeguards: SAFEGUARDS,
            items: fields.map(|field| RecordedField { retention_days: days(field.retention), field }).collect(),
        })
    }
}
