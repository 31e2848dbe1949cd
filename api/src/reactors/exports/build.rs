//! Builds an export, out of every event that names its subject or out of a span of the audit log, and seals it
//! to the key of whoever it is for.
//!
//! Whoever is interrupted begins anew: what is stored in the end is one file, and what is recorded of it
//! one event.

use super::{
    answer_key::{self, answer_key},
    audit,
    document::{BYTES_MAX, Gathered, TooLarge},
    information::Information,
};
use crate::{
    pipeline::TokenKeys,
    reactors::{System, audit_schedules::Exporters, execute, failed, parse, tenant_of},
    routes::audit_log::search_of,
};
use anyhow::anyhow;
use async_trait::async_trait;
use futures::{TryStreamExt, pin_mut};
use palmares_commands::{
    compliance::{BuiltExport, CompleteExport, FailExport, StartExport},
    digests::digest_of,
    engine::{Engine, Operation},
    privacy::KeyRing,
};
use palmares_domain::{
    compliance::{
        retention_schedule::RetentionSchedule,
        saved_searches::SearchFilters,
        subject_export::{AuditExportRequested, ExportFault, ExportFormat, ExportStatus, SubjectExport, SubjectExportEvent},
    },
    identity::user::User,
    kernel::{ExportId, RecordedEvent, UserId},
    organizations::organization::Organization,
};
use palmares_projections::{
    compliance::{
        audit_trail::{ListAuditLogs, collect_audit, own_origins},
        subject_exports::ExportFiles,
    },
    engine::{Delivered, Query, ReactError, Reactor, Readers, ReportFormat, reactor::command_id, watermarks::Watermarks},
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
    /// Knows the keys of what answers a request.
    pub ring: Arc<KeyRing>,
    /// Signs what is taken out of the audit log.
    pub tokens: Arc<TokenKeys>,
    /// Knows who may take out the audit log.
    pub exporters: Exporters,
}

/// What an export holds before it is sealed, and how many events.
type Clear = (i64, Vec<u8>);

/// Whom an export is sealed to.
enum SealedTo {
    /// Whoever has the secret half of this key.
    Key(String),
    /// Whoever got the letter in which this stands.
    Passphrase(String),
}

#[async_trait]
impl Reactor for BuildExports {
    fn name(&self) -> &'static str {
        SYSTEM.name
    }

    fn interests(&self) -> &'static [&'static str] {
        &["compliance.subject_export_requested", "compliance.audit_export_requested", "compliance.answer_export_requested"]
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
        let happened: SubjectExportEvent = parse(event)?;
        let recipient: Option<String> = delivered.opened("recipient").map_err(|error| ReactError::Permanent(error.into()))?;
        let export_id = happened.export_id();
        self.execute(event, START, StartExport { export_id }).await?;
        let now = self.engine.now();
        let building = |export: &SubjectExport| export.status_at(now) == Some(ExportStatus::Building);
        if !self.engine.look(event.organization_id, export_id, building).await.map_err(failed)? {
            return Ok(());
        }
        let (mut sealed_to, mut clear) = (recipient.map(SealedTo::Key), Err(ExportFault::Erased));
        match &happened {
            SubjectExportEvent::SubjectExportRequested(requested) => {
                clear = self.own(event, requested.user_id, requested.format).await?;
            }
            SubjectExportEvent::AnswerExportRequested(requested) => {
                let known = |user: &User| user.profile().is_some();
                if self.engine.look(event.organization_id, requested.user_id, known).await.map_err(failed)? {
                    let key = answer_key(&self.ring, event.organization_id, export_id).await;
                    sealed_to = Some(SealedTo::Passphrase(key.map_err(|error| ReactError::Transient(error.into()))?));
                    clear = self.own(event, requested.user_id, requested.format).await?;
                }
            }
            SubjectExportEvent::AuditExportRequested(requested) => {
                let filters = delivered.opened("filters").map_err(|error| ReactError::Permanent(error.into()))?;
                clear = self.span(event, requested, filters).await?;
            }
            _ => return Ok(()),
        }
        match self.build(event, export_id, sealed_to, clear).await? {
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
        export: ExportId,
        sealed_to: Option<SealedTo>,
        clear: Result<Clear, ExportFault>,
    ) -> Result<Result<BuiltExport, ExportFault>, ReactError> {
        let (events, clear) = match clear {
            Ok(clear) => clear,
            Err(fault) => return Ok(Err(fault)),
        };
        let Some(sealed_to) = sealed_to else { return Ok(Err(ExportFault::Erased)) };
        let sealed = tokio::task::spawn_blocking(move || seal(sealed_to, &clear));
        let sealed = sealed.await.map_err(|error| ReactError::Permanent(error.into()))?;
        let sealed = sealed.map_err(ReactError::Permanent)?;
        let stored = self.files.store(event.organization_id, export, &sealed).await;
        stored.map_err(|error| ReactError::Transient(error.into()))?;
        let size_bytes = i64::try_from(sealed.len()).unwrap_or(i64::MAX);
        Ok(Ok(BuiltExport { events, size_bytes, digest: digest_of(&sealed) }))
    }

    /// What is recorded of somebody.
    async fn own(&self, event: &RecordedEvent, user: UserId, format: ExportFormat) -> Result<Result<Clear, ExportFault>, ReactError> {
        self.reached(OWN_PROJECTIONS, event.position).await?;
        let Ok(gathered) = self.gather(event, user).await? else { return Ok(Err(ExportFault::TooLarge)) };
        let events = i64::try_from(gathered.events.len()).unwrap_or(i64::MAX);
        let document = tokio::task::spawn_blocking(move || gathered.document(format));
        let document = document.await.map_err(|error| ReactError::Permanent(error.into()))?.map_err(ReactError::Permanent)?;
        Ok(Ok((events, document)))
    }

    /// A span of the audit log, as far as whoever has the schedule may see it now.
    async fn span(
        &self,
        event: &RecordedEvent,
        requested: &AuditExportRequested,
        filters: Option<SearchFilters>,
    ) -> Result<Result<Clear, ExportFault>, ReactError> {
        let Some(filters) = filters else { return Ok(Err(ExportFault::Erased)) };
        let rights = self.exporters.rights(event.organization_id, requested.user_id).await.map_err(ReactError::Transient)?;
        let Some(rights) = rights else { return Ok(Err(ExportFault::NotPermitted)) };
        self.reached(ListAuditLogs::PROJECTIONS, requested.until_position).await?;
        let asked = search_of(&filters).map_err(|problem| ReactError::Permanent(anyhow!("a search is none any more: {problem:?}")))?;
        let format = if requested.format == ExportFormat::Csv { ReportFormat::Csv } else { ReportFormat::Json };
        let span = (requested.after_position, requested.until_position.saturating_add(1));
        let readers = self.readers.cleared_for(rights.clearance()).marking_unreadable();
        let found = collect_audit(readers, tenant_of(event), asked, span, (format, BYTES_MAX)).await;
        let Some((entries, content)) = found.map_err(|error| ReactError::Transient(error.into()))? else {
            return Ok(Err(ExportFault::TooLarge));
        };
        let span = audit::Span { organization: event.organization_id, requested, filters, entries, content };
        let file = audit::file(&self.tokens, span, event.recorded_at).map_err(ReactError::Transient)?;
        Ok(Ok((entries, file)))
    }

    async fn reached(&self, projections: &[&str], position: i64) -> Result<(), ReactError> {
        let wait = self.watermarks.wait_for(projections, position, PATIENCE);
        wait.await.map(drop).map_err(|error| ReactError::Transient(error.into()))
    }

    async fn gather(&self, event: &RecordedEvent, user: UserId) -> Result<Result<Gathered, TooLarge>, ReactError> {
        let named = |found: &Organization| {
            let profile = found.profile();
            let name = profile.map(|profile| profile.name.as_str()).unwrap_or_default();
            (found.settings().controller(name), profile.map(|profile| profile.default_locale).unwrap_or_default())
        };
        let organization = event.organization_id;
        let (controller, language) = self.engine.look(organization, organization, named).await.map_err(failed)?;
        let information = |schedule: &RetentionSchedule| Information::of(controller, schedule);
        let information = self.engine.look(organization, organization, information).await.map_err(failed)?;
        let mut gathered = Gathered::new((organization, user), language, information, self.engine.now());
        let readers = self.readers.marking_unreadable();
        let origins = own_origins(&readers, tenant_of(event), user).await;
        gathered.origins = origins.map_err(|error| ReactError::Transient(error.into()))?;
        let pages = own_events(readers, tenant_of(event), user);
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

fn seal(sealed_to: SealedTo, clear: &[u8]) -> anyhow::Result<Vec<u8>> {
    Ok(match sealed_to {
        SealedTo::Key(key) => {
            let key: age::x25519::Recipient = key.parse().map_err(|error| anyhow!("the recipient of an export is no key: {error}"))?;
            age::encrypt(&key, clear)?
        }
        SealedTo::Passphrase(passphrase) => age::encrypt(&answer_key::recipient(passphrase), clear)?,
    })
}
