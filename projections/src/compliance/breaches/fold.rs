//! From the events of breaches to rows.

use super::PROJECTION;
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use palmares_domain::{
    compliance::breach_case::{BreachCaseEvent, BreachStatus, NotInformedGround},
    kernel::Event,
};

pub(super) const INSERT: &str = "
    INSERT INTO {compliance_breaches}
        (organization_id, breach_id, nature, status, aware_at, due_at, opened_by, opened_position, opened_event_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// What an event does not say stays as it is; once the authority was told, an assessment takes that not back
/// ([`BreachStatus::with`]), and it was told when that was said first. Whom an assessment adds, or finds at a high
/// risk, nobody told yet. What was written stays sealed beside its event, $10 and $11; what it is about, $12 says.
pub(super) const CHANGE: &str = "
    UPDATE {compliance_breaches} SET
        status = CASE WHEN status = 'NOTIFIED' AND $3 = 'ASSESSED' THEN status ELSE coalesce($3, status) END,
        risk = coalesce($4, risk), subjects = coalesce($5, subjects), notified_at = coalesce(notified_at, $6),
        informed_at = CASE WHEN $5 > subjects OR ($4 = 'high' AND risk <> 'high') THEN NULL ELSE coalesce($7, informed_at) END, closed_at = coalesce($8, closed_at), not_informed = coalesce($9, not_informed),
        notified_position = CASE WHEN $12 = 'notified' THEN $10 ELSE notified_position END,
        notified_event_id = CASE WHEN $12 = 'notified' THEN $11 ELSE notified_event_id END,
        waived_position = CASE WHEN $12 = 'waived' THEN $10 ELSE waived_position END,
        waived_event_id = CASE WHEN $12 = 'waived' THEN $11 ELSE waived_event_id END,
        reassessed_position = CASE WHEN $12 = 'reassessed' THEN $10 ELSE reassessed_position END,
        reassessed_event_id = CASE WHEN $12 = 'reassessed' THEN $11 ELSE reassessed_event_id END,
        described_position = CASE WHEN $12 = 'described' THEN $10 ELSE described_position END,
        described_event_id = CASE WHEN $12 = 'described' THEN $11 ELSE described_event_id END, records = coalesce($13, records)
    WHERE organization_id = $1 AND breach_id = $2";

/// The fold. Breaches are few, so each event is a statement of its own.
pub struct Breaches;

#[async_trait]
impl Projector for Breaches {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        3
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_breaches"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[
            "compliance.breach_opened",
            "compliance.breach_assessed",
            "compliance.breach_described",
            "compliance.breach_authority_notified",
            "compliance.breach_notification_waived",
            "compliance.breach_subjects_informed",
            "compliance.breach_closed",
        ]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            let event = &delivered.event;
            let happened = BreachCaseEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            let (organization, breach) = (event.organization_id.0, happened.breach_id().0);
            if let BreachCaseEvent::BreachOpened(opened) = happened {
                let sql = context.slot.sql(INSERT);
                let insert = sqlx::query(&sql).bind(organization).bind(breach).bind(opened.nature.name());
                let insert = insert.bind(BreachStatus::Opened.name()).bind(opened.aware_at).bind(opened.due_at);
                insert.bind(opened.opened_by.0).bind(event.position).bind(event.id.0).execute(&mut *context.tx).await?;
                continue;
            }
            let (status, at) = (happened.status().map(BreachStatus::name), event.recorded_at);
            let (mut assessed, mut not_informed) = (None, None);
            let notified = matches!(happened, BreachCaseEvent::AuthorityNotified(_)).then_some(at);
            let informed = matches!(happened, BreachCaseEvent::SubjectsInformed(_)).then_some(at);
            let closed = matches!(happened, BreachCaseEvent::BreachClosed(_)).then_some(at);
            let written = written(&happened);
            let records =
                if let BreachCaseEvent::BreachDescribed(described) = &happened { Some(i64::from(described.records)) } else { None };
            match happened {
                BreachCaseEvent::BreachAssessed(event) => assessed = Some(event),
                BreachCaseEvent::BreachClosed(event) => not_informed = event.not_informed.map(NotInformedGround::name),
                _ => {}
            }
            let sql = context.slot.sql(CHANGE);
            let change = sqlx::query(&sql).bind(organization).bind(breach).bind(status);
            let change = change.bind(assessed.as_ref().map(|assessed| assessed.risk.name()));
            let change = change.bind(assessed.map(|assessed| i64::from(assessed.subjects)));
            let change = change.bind(notified).bind(informed).bind(closed).bind(not_informed);
            change.bind(event.position).bind(event.id.0).bind(written).bind(records).execute(&mut *context.tx).await?;
        }
        Ok(())
    }
}

/// What somebody may have written about with this event, beside the summary.
fn written(event: &BreachCaseEvent) -> Option<&'static str> {
    match event {
        BreachCaseEvent::BreachAssessed(assessed) => assessed.reason.is_some().then_some("reassessed"),
        BreachCaseEvent::BreachDescribed(_) => Some("described"),
        BreachCaseEvent::AuthorityNotified(_) => Some("notified"),
        BreachCaseEvent::NotificationWaived(_) => Some("waived"),
        _ => None,
    }
}
