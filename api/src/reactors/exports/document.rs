//! What is recorded of somebody, as one file: a JSON document, a table, or a summary for people.

use super::{information::Information, sheet, summary};
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::subject_export::ExportFormat,
    kernel::{OrganizationId, UserId},
    organizations::Locale,
};
use palmares_projections::{compliance::audit_trail::OwnOrigin, operations::history::OwnEvent};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// About how much one file takes, in bytes of events: it is built in memory.
pub(super) const BYTES_MAX: usize = 64 << 20;
const SCHEMA: &str = "palmares.subject_export.v1";
const READ: &str = "compliance.sensitive_data_read";

/// More than one file takes.
#[derive(Debug)]
pub(super) struct TooLarge;

/// Everything that is recorded of somebody.
#[derive(Serialize)]
pub(super) struct Gathered {
    schema: &'static str,
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    pub built_at: DateTime<Utc>,
    /// Why it is kept, who is shown it, and how long (GDPR, article 15(1)).
    pub information: Information,
    /// From where their own requests came.
    pub origins: Vec<OwnOrigin>,
    /// Who else read what is theirs.
    pub read_by: Vec<ReadBy>,
    /// Every event that names them, oldest first.
    pub events: Vec<OwnEvent>,
    /// The language of whoever chose none.
    #[serde(skip)]
    pub language: Locale,
    #[serde(skip)]
    bytes: usize,
}

/// A read of what is somebody's, by somebody else.
#[derive(Serialize)]
pub(super) struct ReadBy {
    pub reader_id: Uuid,
    pub read_at: DateTime<Utc>,
    /// What was read: a route by its pattern, and how sensitive that is.
    pub route: String,
    pub data_class: String,
}

impl Gathered {
    pub fn new(
        (organization_id, user_id): (OrganizationId, UserId),
        language: Locale,
        information: Information,
        built_at: DateTime<Utc>,
    ) -> Self {
        let (origins, read_by, events) = (Vec::new(), Vec::new(), Vec::new());
        Self { schema: SCHEMA, organization_id, user_id, built_at, information, origins, read_by, events, language, bytes: 0 }
    }

    /// # Errors
    /// Once there is more than one file takes.
    pub fn add(&mut self, page: Vec<OwnEvent>) -> Result<(), TooLarge> {
        for own in page {
            let personal: usize = own.personal.values().map(|value| value.get().len()).sum();
            self.bytes += own.event.payload.get().len() + own.event.metadata.get().len() + personal;
            if self.bytes > BYTES_MAX {
                return Err(TooLarge);
            }
            self.read_by.extend(self.read(&own));
            self.events.push(own);
        }
        Ok(())
    }

    fn read(&self, own: &OwnEvent) -> Option<ReadBy> {
        let payload: Value = (own.event.event_type == READ).then(|| serde_json::from_str(own.event.payload.get()).ok()).flatten()?;
        let text = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
        // Their own reads are theirs, and need no telling.
        let own_id = self.user_id.to_string();
        let theirs = text("subject_id") == own_id || payload["subjects"].as_array().is_some_and(|shown| shown.contains(&own_id.into()));
        (theirs && own.event.actor_id != self.user_id.0).then(|| ReadBy {
            reader_id: own.event.actor_id,
            read_at: own.event.recorded_at,
            route: text("route"),
            data_class: text("data_class"),
        })
    }

    /// The file, before it is sealed.
    pub fn document(&self, format: ExportFormat) -> anyhow::Result<Vec<u8>> {
        match format {
            ExportFormat::Json => Ok(serde_json::to_vec(self)?),
            ExportFormat::Csv => self.table(),
            ExportFormat::Pdf => Ok(sheet::pdf(&summary::lines(self), summary::how_to_read(self))),
        }
    }

    /// A row for each event: what it says, and what of it is personal, each as JSON.
    fn table(&self) -> anyhow::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record([
            "position",
            "recorded_at",
            "type",
            "stream_type",
            "stream_id",
            "actor_id",
            "payload",
            "personal",
            "others",
            "origin",
            "unreadable",
        ])?;
        let origins: BTreeMap<Uuid, &OwnOrigin> = self.origins.iter().map(|origin| (origin.id, origin)).collect();
        for OwnEvent { event, personal, others, unreadable } in &self.events {
            let metadata: Value = serde_json::from_str(event.metadata.get())?;
            let origin = metadata["client_context_id"].as_str().and_then(|id| origins.get(&id.parse::<Uuid>().ok()?));
            writer.write_record([
                &event.position.to_string(),
                &event.recorded_at.to_rfc3339(),
                &event.event_type,
                &event.stream.stream_type,
                &event.stream.id.to_string(),
                &event.actor_id.to_string(),
                event.payload.get(),
                &serde_json::to_string(personal)?,
                &others.to_string(),
                &origin.and_then(|own| own.origin.as_ref()).map(serde_json::to_string).transpose()?.unwrap_or_default(),
                &unreadable
                    .iter()
                    .map(String::as_str)
                    .chain(origin.filter(|own| own.unreadable).map(|_| "origin"))
                    .collect::<Vec<_>>()
                    .join(" "),
            ])?;
        }
        Ok(writer.into_inner()?)
    }
}
