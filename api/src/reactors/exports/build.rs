//! Builds an export out of every event that names its subject, and seals it to their key.
//!
//! Whoever is interrupted begins anew: what is stored in the end is one file, and what is recorded of it
//! one event.

use super::document::{Gathered, TooLarge};
use crate::reactors::{System, execute, failed, parse, tenant_of};
use anyhow::anyhow;
use async_trait::async_trait;
use chrono::Utc;
use futures::{TryStreamExt, pin_mut};
use palmares_commands::{
    compliance::{BuiltExport, CompleteExport, FailExport, StartExport},
    digests::digest_of,
    engine::{Engine, Operation},
};
use palmares_domain::{
    compliance::subject_export::{ExportFault, ExportStatus, SubjectExport, SubjectExportEvent, SubjectExportRequested},
    kernel::RecordedEvent,
};
use palmares_projections::{
    compliance::subject_exports::ExportFiles,
    engine::{Delivered, ReactError, Reactor, Readers, reactor::command_id, watermarks::Watermarks},
    operations::history::{OWN_PROJECTIONS, own_events},
};
use std::{sync::Arc, time::Duration};

const SYSTEM: System = System { name: "compliance.build_exports", permission: "system.build_exports" };

/// How long the indexes may take to reach the request before it is tried again.
const PATIENCE: Duration = Duration::from_secs(10);

/// The commands of a build, in their order.
const START: u32 = 0;
const END: u32 = 1;

pub(in crate::reactors) struct BuildExports {
    pub engine: Arc<Engine>,
    pub readers: Readers,
    pub watermarks: Watermarks,
    pub files: ExportFiles,
}

#[async_trait]
impl Reactor for BuildExports {
    fn name(&self) -> &'static str {
        SYSTEM.name
    }

    fn interests(&self) -> &'static [&'static str] {
        &["compliance.subject_export_requested"]
    }

    fn opens_personal(&self) -> bool {
        true
    }

    /// Each holds a whole export in memory.
    fn concurrency(&self) -> usize {
        2
    }

    async fn react(&self, delivered: &Delivered) -> Result<(), ReactError> {
        let event = &delivered.event;
        let SubjectExportEvent::SubjectExportRequested(requested) = parse(event)? else { return Ok(()) };
        let recipient: Option<String> = delivered.opened("recipient").map_err(|error| ReactError::Permanent(error.into()))?;
        let export_id = requested.export_id;
        self.execute(event, START, StartExport { export_id }).await?;
        let building = |export: &SubjectExport| export.status_at(Utc::now()) == Some(ExportStatus::Building);
        if !self.engine.look(event.organization_id, export_id, building).await.map_err(failed)? {
            return Ok(());
        }
        match self.build(event, &requested, recipient).await? {
            Ok(built) => self.execute(event, END, CompleteExport { export_id, built }).await,
            Err(fault) => self.execute(event, END, FailExport { export_id, fault }).await,
        }
    }
}

impl BuildExports {
    /// What was built and stored, or why it could not be.
    async fn build(
        &self,
        event: &RecordedEvent,
        requested: &SubjectExportRequested,
        recipient: Option<String>,
    ) -> Result<Result<BuiltExport, ExportFault>, ReactError> {
        let Some(recipient) = recipient else { return Ok(Err(ExportFault::Erased)) };
        let recipient: age::x25519::Recipient =
            recipient.parse().map_err(|error| ReactError::Permanent(anyhow!("the recipient of an export is no key: {error}")))?;
        let wait = self.watermarks.wait_for(OWN_PROJECTIONS, event.position, PATIENCE);
        wait.await.map_err(|error| ReactError::Transient(error.into()))?;
        let Ok(gathered) = self.gather(event, requested).await? else { return Ok(Err(ExportFault::TooLarge)) };
        let events = i64::try_from(gathered.events.len()).unwrap_or(i64::MAX);
        let format = requested.format;
        let sealed = tokio::task::spawn_blocking(move || {
            let clear = gathered.document(format)?;
            age::encrypt(&recipient, &clear).map_err(anyhow::Error::from)
        });
        let sealed = sealed.await.map_err(|error| ReactError::Permanent(error.into()))?.map_err(ReactError::Permanent)?;
        let stored = self.files.store(event.organization_id, requested.export_id, &sealed).await;
        stored.map_err(|error| ReactError::Transient(error.into()))?;
        let size_bytes = i64::try_from(sealed.len()).unwrap_or(i64::MAX);
        Ok(Ok(BuiltExport { events, size_bytes, digest: digest_of(&sealed) }))
    }

    async fn gather(&self, event: &RecordedEvent, requested: &SubjectExportRequested) -> Result<Result<Gathered, TooLarge>, ReactError> {
        let mut gathered = Gathered::new(event.organization_id, requested.user_id);
        let pages = own_events(self.readers.clone(), tenant_of(event), requested.user_id);
        pin_mut!(pages);
        while let Some(page) = pages.try_next().await.map_err(|error| ReactError::Transient(error.into()))? {
            if let Err(too_large) = gathered.add(page) {
                return Ok(Err(too_large));
            }
        }
        Ok(Ok(gathered))
    }

    async fn execute<O: Operation>(&self, event: &RecordedEvent, index: u32, operation: O) -> Result<(), ReactError> {
        let admission = SYSTEM.following(event, command_id(event.id, SYSTEM.name, index));
        execute(&self.engine, admission, operation).await.map(drop).map_err(failed)
    }
}
