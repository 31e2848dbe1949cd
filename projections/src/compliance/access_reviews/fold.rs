//! From the events of reviews to rows: how far each is.

use super::PROJECTION;
use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use async_trait::async_trait;
use palmares_domain::{compliance::access_review::AccessReviewEvent, kernel::Event};

pub(super) const INSERT: &str = "
    INSERT INTO {compliance_access_reviews}
        (organization_id, review_id, status, items, due_at, opened_by, opened_at, opened_position)
    VALUES ($1, $2, 'OPEN', $3, $4, $5, $6, $7)";

pub(super) const COUNT: &str = "
    UPDATE {compliance_access_reviews} SET attested = attested + $3, revoked = revoked + $4
    WHERE organization_id = $1 AND review_id = $2";

pub(super) const CLOSE: &str = "
    UPDATE {compliance_access_reviews} SET status = 'CLOSED', closed_at = $3 WHERE organization_id = $1 AND review_id = $2";

/// The fold. Reviews are decided about by people, so each event is a statement of its own.
pub struct AccessReviews;

#[async_trait]
impl Projector for AccessReviews {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["compliance_access_reviews"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &[
            "compliance.access_review_opened",
            "compliance.access_attested",
            "compliance.access_revoked",
            "compliance.key_access_attested",
            "compliance.key_access_revoked",
            "compliance.access_review_closed",
        ]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for Delivered { event, .. } in batch {
            let organization = event.organization_id.0;
            let happened = AccessReviewEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
            let (review, attested, revoked) = match happened {
                AccessReviewEvent::AccessReviewOpened(opened) => {
                    let sql = context.slot.sql(INSERT);
                    let items = i64::try_from(opened.items.len()).unwrap_or(i64::MAX);
                    let insert = sqlx::query(&sql).bind(organization).bind(opened.review_id.0).bind(items).bind(opened.due_at);
                    let insert = insert.bind(opened.opened_by.0).bind(event.recorded_at).bind(event.position);
                    insert.execute(&mut *context.tx).await?;
                    continue;
                }
                AccessReviewEvent::AccessReviewClosed(closed) => {
                    let sql = context.slot.sql(CLOSE);
                    let close = sqlx::query(&sql).bind(organization).bind(closed.review_id.0).bind(event.recorded_at);
                    close.execute(&mut *context.tx).await?;
                    continue;
                }
                AccessReviewEvent::AccessAttested(attested) => (attested.review_id, 1_i64, 0_i64),
                AccessReviewEvent::AccessTaken(taken) => (taken.review_id, 0, 1),
                AccessReviewEvent::KeyAccessAttested(attested) => (attested.review_id, 1, 0),
                AccessReviewEvent::KeyAccessTaken(taken) => (taken.review_id, 0, 1),
                // Lists tell by the clock.
                AccessReviewEvent::AccessReviewOverdue(_) => continue,
            };
            let sql = context.slot.sql(COUNT);
            let count = sqlx::query(&sql).bind(organization).bind(review.0).bind(attested).bind(revoked);
            count.execute(&mut *context.tx).await?;
        }
        Ok(())
    }
}
