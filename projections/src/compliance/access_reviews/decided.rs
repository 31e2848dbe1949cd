//! Who decided what in a review, and when.

use crate::engine::{ReadError, TenantReader};
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::access_review::{AccessReview, AccessReviewEvent, Reviewed},
    kernel::{AccessReviewId, Aggregate, Event, UserId},
};

pub(super) const DECISIONS: &str = "
    SELECT e.event_type, e.schema_version, e.payload, e.recorded_at
    FROM compliance_audit_log p JOIN events e ON e.position = p.position
    WHERE p.organization_id = $1 AND p.stream_type = $2 AND p.stream_id = $3 ORDER BY p.position";

/// A decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    pub about: Reviewed,
    pub by: UserId,
    pub at: DateTime<Utc>,
}

/// What was decided in a review. What is waited for before is the projection [`audit_trail::PROJECTION`].
///
/// [`audit_trail::PROJECTION`]: crate::compliance::audit_trail::PROJECTION
pub async fn decisions(reader: &mut TenantReader<'_>, review: AccessReviewId) -> Result<Vec<Decided>, ReadError> {
    let query = sqlx::query_as(DECISIONS).persistent(false).bind(reader.organization().0).bind(AccessReview::TYPE).bind(review.0);
    let rows: Vec<(String, i16, Vec<u8>, DateTime<Utc>)> = query.fetch_all(reader.connection()).await?;
    let decided = |(name, version, payload, at): (String, i16, Vec<u8>, DateTime<Utc>)| {
        let version = u16::try_from(version).unwrap_or_default();
        let event = AccessReviewEvent::from_payload(&name, version, &payload).map_err(|error| ReadError::Unavailable(error.into()))?;
        let (about, by) = match event {
            AccessReviewEvent::AccessAttested(event) => (Reviewed::Role { user_id: event.user_id, role: event.role }, event.attested_by),
            AccessReviewEvent::AccessTaken(event) => (Reviewed::Role { user_id: event.user_id, role: event.role }, event.revoked_by),
            AccessReviewEvent::KeyAccessAttested(event) => (Reviewed::Key(event.key_id), event.attested_by),
            AccessReviewEvent::KeyAccessTaken(event) => (Reviewed::Key(event.key_id), event.revoked_by),
            AccessReviewEvent::AccessReviewOpened(_)
            | AccessReviewEvent::AccessReviewClosed(_)
            | AccessReviewEvent::AccessReviewOverdue(_) => {
                return Ok(None);
            }
        };
        Ok(Some(Decided { about, by, at }))
    };
    rows.into_iter().filter_map(|row| decided(row).transpose()).collect()
}
