//! What the record of a user or of an organization says of its deletion: when, by whom, why, and until when
//! something of it is kept (E-160).

use crate::engine::{ApplyContext, ApplyError, Delivered};
use chrono::{DateTime, Utc};
use palmares_domain::{
    compliance::deletion_request::{DeletionEvent, DeletionKind, DeletionSubject, ForcedGround, Retained},
    kernel::{DataClass, DeletionRequestId, Event, OrganizationId, UserId},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// What tells of it, for the interests of whoever shows it.
pub(crate) const OF_DELETIONS: [&str; 5] = [
    "compliance.deletion_submitted",
    "compliance.subject_soft_deleted",
    "compliance.subject_restored",
    "compliance.retention_countdown_begun",
    "compliance.retention_rescheduled",
];

/// What an event changes of a record's deletion.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    organization: OrganizationId,
    request: DeletionRequestId,
    /// Where the event names it; the others name the request alone, which the record knows by then.
    subject: Option<DeletionSubject>,
    /// Whether what the record said before stays where nothing else is said.
    keeps: bool,
    kind: Option<DeletionKind>,
    ground: Option<ForcedGround>,
    deleted_at: Option<DateTime<Utc>>,
    deleted_by: Option<UserId>,
    retention_expiry: Option<DateTime<Utc>>,
}

/// Whether an event tells of a deletion, and so is none of the record itself.
pub(crate) fn is_of_deletion(delivered: &Delivered) -> bool {
    OF_DELETIONS.contains(&delivered.event.event_type.as_str())
}

/// The records of a read model that can be deleted.
pub(crate) struct Records {
    /// Writes down what an event says. It takes the tenant as `$1`, the subject as `$2`, which is NULL where the
    /// event does not name it, the request as `$3`, whether what was said before stays as `$4`, then kind, ground,
    /// when, by whom and until when.
    pub statement: &'static str,
    /// In whose tenant all of them are; else each is in that of its event.
    pub tenant: Option<OrganizationId>,
    /// Whose deletion is that of a record.
    pub subject: fn(DeletionSubject) -> Option<Uuid>,
}

/// Writes down what a batch says of deletions. They are few, so each event is a statement of its own.
pub(crate) async fn write_deletions(context: &mut ApplyContext<'_>, batch: &[Delivered], records: &Records) -> Result<(), ApplyError> {
    for delivered in batch.iter().filter(|delivered| is_of_deletion(delivered)) {
        let Some(change) = change_of(delivered)? else { continue };
        let subject = change.subject.map(records.subject);
        if subject == Some(None) {
            continue;
        }
        let sql = context.slot.sql(records.statement);
        sqlx::query(&sql)
            .bind(records.tenant.unwrap_or(change.organization).0)
            .bind(subject.flatten())
            .bind(change.request.0)
            .bind(change.keeps)
            .bind(change.kind.map(DeletionKind::name))
            .bind(change.ground.map(ForcedGround::name))
            .bind(change.deleted_at)
            .bind(change.deleted_by.map(|user| user.0))
            .bind(change.retention_expiry)
            .execute(&mut *context.tx)
            .await?;
    }
    Ok(())
}

fn change_of(delivered: &Delivered) -> Result<Option<Change>, ApplyError> {
    let event = &delivered.event;
    let happened = DeletionEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())?;
    let untouched = Change {
        organization: event.organization_id,
        request: happened.request_id(),
        subject: None,
        keeps: true,
        kind: None,
        ground: None,
        deleted_at: None,
        deleted_by: None,
        retention_expiry: None,
    };
    Ok(Some(match happened {
        DeletionEvent::DeletionSubmitted(asked) => {
            Change { subject: Some(asked.subject), keeps: false, kind: Some(asked.kind), ground: asked.ground, ..untouched }
        }
        DeletionEvent::SubjectSoftDeleted(deleted) => Change {
            subject: Some(deleted.subject),
            deleted_at: Some(event.recorded_at),
            deleted_by: Some(deleted.deleted_by),
            retention_expiry: Some(deleted.restore_until),
            ..untouched
        },
        DeletionEvent::SubjectRestored(restored) => Change { subject: Some(restored.subject), keeps: false, ..untouched },
        DeletionEvent::RetentionCountdownBegun(begun) => {
            Change { retention_expiry: Some(last(&begun.retained, begun.backups_until)), ..untouched }
        }
        DeletionEvent::RetentionRescheduled(anew) => {
            Change { retention_expiry: Some(last(&anew.retained, anew.backups_until)), ..untouched }
        }
        _ => return Ok(None),
    }))
}

/// When nothing is kept any more, be it in a backup.
fn last(retained: &[Retained], backups_until: DateTime<Utc>) -> DateTime<Utc> {
    retained.iter().map(|kept| kept.until).fold(backups_until, DateTime::max)
}

/// What a record says of its deletion, as it is read.
#[derive(Debug, Default, sqlx::FromRow)]
pub(crate) struct Deleted {
    pub deleted_at: Option<DateTime<Utc>>,
    deleted_by: Option<Uuid>,
    deletion_request_id: Option<Uuid>,
    deletion_kind: Option<String>,
    deletion_ground: Option<String>,
    pub retention_expiry: Option<DateTime<Utc>>,
}

/// Why somebody was deleted. What was written about it stands with the request.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeletionReason {
    pub request_id: DeletionRequestId,
    /// `OWN_ACCOUNT`, `BY_ADMIN`, `EXPERT`, `ORGANIZATION` or `FORCED`.
    pub kind: String,
    /// Of a forced deletion: `fraud`, `abuse`, `legal` or `security`.
    pub ground: Option<String>,
}

impl Deleted {
    /// By whom, and why, where there was a deletion. That somebody was deleted for fraud tells about them, so that
    /// only whoever is cleared for what is confidential sees it.
    pub fn told_to(self, clearance: DataClass) -> (Option<UserId>, Option<DeletionReason>) {
        if self.deleted_at.is_none() || clearance < DataClass::Confidential {
            return (None, None);
        }
        let (request, kind) = (self.deletion_request_id, self.deletion_kind);
        let reason = request.zip(kind).map(|(request, kind)| DeletionReason {
            request_id: DeletionRequestId(request),
            kind,
            ground: self.deletion_ground,
        });
        (self.deleted_by.map(UserId), reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{recorded, recorded_at};
    use chrono::TimeDelta;
    use palmares_domain::{
        compliance::deletion_request::{DeletionSubmitted, RetentionCountdownBegun, SubjectRestored, SubjectSoftDeleted},
        kernel::Purpose,
    };

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
    const ALICE: UserId = UserId(Uuid::from_u128(2));

    fn request() -> DeletionRequestId {
        DeletionRequestId::of(ALICE)
    }

    fn of(event: DeletionEvent) -> Change {
        change_of(&recorded(ACME, ("deletion_request", request().0, 1), 9, &event)).unwrap().unwrap()
    }

    fn deleted() -> Deleted {
        Deleted {
            deleted_at: Some(recorded_at(9)),
            deleted_by: Some(ALICE.0),
            deletion_request_id: Some(request().0),
            deletion_kind: Some("FORCED".to_owned()),
            deletion_ground: Some("fraud".to_owned()),
            retention_expiry: None,
        }
    }

    // covers: E-160
    #[test]
    fn a_soft_deletion_says_when_by_whom_and_until_when() {
        let (subject, restore_until) = (DeletionSubject::User(ALICE), recorded_at(9) + TimeDelta::days(30));
        let change = of(SubjectSoftDeleted { request_id: request(), subject, deleted_by: ALICE, restore_until }.into());
        assert_eq!((change.subject, change.keeps, change.request), (Some(subject), true, request()));
        assert_eq!((change.deleted_at, change.deleted_by), (Some(recorded_at(9)), Some(ALICE)));
        assert_eq!(change.retention_expiry, Some(restore_until));
    }

    #[test]
    fn who_asks_says_why_and_a_restored_record_says_nothing() {
        let subject = DeletionSubject::User(ALICE);
        let asked = DeletionSubmitted {
            request_id: request(),
            subject,
            kind: DeletionKind::Forced,
            requested_by: ALICE,
            concerns: ALICE,
            ground: Some(ForcedGround::Fraud),
            incident: None,
            reason: None,
        };
        let change = of(asked.into());
        assert_eq!((change.keeps, change.kind, change.ground), (false, Some(DeletionKind::Forced), Some(ForcedGround::Fraud)));
        let back = of(SubjectRestored { request_id: request(), subject, restored_by: ALICE }.into());
        assert_eq!((back.keeps, back.kind, back.deleted_at, back.retention_expiry), (false, None, None, None));
    }

    #[test]
    fn what_is_kept_longest_says_until_when() {
        let at = |days| recorded_at(9) + TimeDelta::days(days);
        let kept = |purpose, days| Retained { purpose, until: at(days) };
        let begun = |retained, backups: i64| -> DeletionEvent {
            RetentionCountdownBegun { request_id: request(), retained, backups_until: at(backups), due_at: at(1) }.into()
        };
        let change = of(begun(vec![kept(Purpose::Reward, 90), kept(Purpose::Hr, 60)], 35));
        assert_eq!((change.retention_expiry, change.subject, change.keeps), (Some(at(90)), None, true));
        assert_eq!(of(begun(Vec::new(), 35)).retention_expiry, Some(at(35)));
    }

    // covers: E-160
    #[test]
    fn why_is_told_to_whoever_is_cleared_for_it() {
        let reason = DeletionReason { request_id: request(), kind: "FORCED".to_owned(), ground: Some("fraud".to_owned()) };
        assert_eq!(deleted().told_to(DataClass::Confidential), (Some(ALICE), Some(reason)));
        assert_eq!(deleted().told_to(DataClass::Internal), (None, None));
        assert_eq!(Deleted { deleted_at: None, ..deleted() }.told_to(DataClass::Restricted), (None, None), "asked for, and no more");
    }
}
