//! From the events of exports to rows, and the end of their files.

use super::{PROJECTION, files};
use crate::{
    compliance::{ERASED, but_erased, forget},
    engine::{ApplyContext, ApplyError, Delivered, Projector},
};
use async_trait::async_trait;
use palmares_domain::{
    compliance::subject_export::{ExportFormat, SubjectExportEvent},
    kernel::{Event, Purpose, UserId},
};

pub(super) const INSERT: &str = "
    INSERT INTO {compliance_subject_exports}
        (organization_id, export_id, user_id, format, status, requested_at, requested_position)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// What an event does not say stays as it is.
pub(super) const CHANGE: &str = "
    UPDATE {compliance_subject_exports} SET status = $3, events = coalesce($4, events), size_bytes = coalesce($5, size_bytes),
        digest = coalesce($6, digest), fault = coalesce($7, fault), expires_at = coalesce($8, expires_at), downloads = downloads + $9
    WHERE organization_id = $1 AND export_id = $2";

pub(super) const FORGET: &str = "
    DELETE FROM {compliance_subject_exports} WHERE organization_id = $1 AND ($2::uuid IS NULL OR user_id = $2)";

/// The fold. Exports are few, so each event is a statement of its own.
pub struct SubjectExports;

#[async_trait]
impl Projector for SubjectExports {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_subject_exports"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[
            "compliance.subject_export_requested",
            "compliance.audit_export_requested",
            "compliance.answer_export_requested",
            "compliance.subject_export_started",
            "compliance.subject_export_ready",
            "compliance.audit_export_ready",
            "compliance.subject_export_failed",
            "compliance.audit_export_failed",
            "compliance.subject_export_downloaded",
            "compliance.subject_export_expired",
            ERASED,
        ]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in but_erased(batch) {
            let event = &delivered.event;
            let happened = SubjectExportEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            let (organization, export) = (event.organization_id, happened.export_id());
            let status = happened.status().name();
            if let Some((user, format)) = requested(&happened) {
                let sql = context.slot.sql(INSERT);
                let insert = sqlx::query(&sql).bind(organization.0).bind(export.0).bind(user.0);
                let insert = insert.bind(format.name()).bind(status).bind(event.recorded_at).bind(event.position);
                insert.execute(&mut *context.tx).await?;
                continue;
            }
            if let SubjectExportEvent::SubjectExportExpired(_) = &happened {
                files::delete(&mut *context.tx, organization, export).await?;
            }
            let ready = if let SubjectExportEvent::SubjectExportReady(ready) = &happened { Some(ready) } else { None };
            let fault = if let SubjectExportEvent::SubjectExportFailed(failed) = &happened { Some(failed.fault.name()) } else { None };
            let downloads = i64::from(matches!(happened, SubjectExportEvent::SubjectExportDownloaded(_)));
            let sql = context.slot.sql(CHANGE);
            let change = sqlx::query(&sql).bind(organization.0).bind(export.0).bind(status);
            let change = change.bind(ready.map(|ready| ready.events)).bind(ready.map(|ready| ready.size_bytes));
            let change = change.bind(ready.map(|ready| ready.digest.to_string())).bind(fault);
            change.bind(ready.map(|ready| ready.expires_at)).bind(downloads).execute(&mut *context.tx).await?;
        }
        // The files first: whose they are is told by the rows.
        forget(context, batch, Purpose::Profile, &[files::FORGET, FORGET]).await
    }
}

/// Who asked for an export, and for which form of it.
fn requested(happened: &SubjectExportEvent) -> Option<(UserId, ExportFormat)> {
    match happened {
        SubjectExportEvent::SubjectExportRequested(requested) => Some((requested.user_id, requested.format)),
        SubjectExportEvent::AuditExportRequested(requested) => Some((requested.user_id, requested.format)),
        SubjectExportEvent::AnswerExportRequested(requested) => Some((requested.user_id, requested.format)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_exports_is_of_interest() {
        let all: Vec<_> = SubjectExportEvent::CATALOGUE.iter().map(|event| event.name).chain([ERASED]).collect();
        assert_eq!(SubjectExports.interests(), all);
    }
}
