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
        (organization_id, breach_id, nature, status, summary, aware_at, due_at, opened_by, opened_position)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// What an event does not say stays as it is; once the authority was told, an assessment takes that not back
/// ([`BreachStatus::with`]).
pub(super) const CHANGE: &str = "
    UPDATE {compliance_breaches} SET
        status = CASE WHEN status = 'NOTIFIED' AND $3 = 'ASSESSED' THEN status ELSE coalesce($3, status) END, risk = coalesce($4, risk), subjects = coalesce($5, subjects),
        notified_at = coalesce($6, notified_at), reference = coalesce($7, reference), delay_reason = coalesce($8, delay_reason),
        waiver_reason = coalesce($9, waiver_reason), informed_at = coalesce($10, informed_at), closed_at = coalesce($11, closed_at),
        reassessment_reason = coalesce($12, reassessment_reason), not_informed = coalesce($13, not_informed)
    WHERE organization_id = $1 AND breach_id = $2";

/// The fold. Breaches are few, so each event is a statement of its own.
pub struct Breaches;

#[async_trait]
impl Projector for Breaches {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_breaches"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[
            "compliance.breach_opened",
            "compliance.breach_assessed",
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
                let insert = insert.bind(BreachStatus::Opened.name()).bind(opened.summary).bind(opened.aware_at).bind(opened.due_at);
                insert.bind(opened.opened_by.0).bind(event.position).execute(&mut *context.tx).await?;
                continue;
            }
            let (status, at) = (happened.status().map(BreachStatus::name), event.recorded_at);
            let (mut assessed, mut notified, mut waived, mut not_informed) = (None, None, None, None);
            let informed = matches!(happened, BreachCaseEvent::SubjectsInformed(_)).then_some(at);
            let closed = matches!(happened, BreachCaseEvent::BreachClosed(_)).then_some(at);
            match happened {
                BreachCaseEvent::BreachAssessed(event) => assessed = Some(event),
                BreachCaseEvent::AuthorityNotified(event) => notified = Some(event),
                BreachCaseEvent::NotificationWaived(event) => waived = Some(event),
                BreachCaseEvent::BreachClosed(event) => not_informed = event.not_informed.map(NotInformedGround::name),
                _ => {}
            }
            let sql = context.slot.sql(CHANGE);
            let change = sqlx::query(&sql).bind(organization).bind(breach).bind(status);
            let change = change.bind(assessed.as_ref().map(|assessed| assessed.risk.name()));
            let change = change.bind(assessed.as_ref().map(|assessed| i64::from(assessed.subjects)));
            let change = change.bind(notified.as_ref().map(|_| at)).bind(notified.as_ref().and_then(|notified| notified.reference.clone()));
            let change = change.bind(notified.and_then(|notified| notified.delay_reason)).bind(waived.map(|waived| waived.reason));
            let change = change.bind(informed).bind(closed).bind(assessed.and_then(|assessed| assessed.reason)).bind(not_informed);
            change.execute(&mut *context.tx).await?;
        }
        Ok(())
    }
}
