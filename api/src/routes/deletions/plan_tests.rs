use super::*;
use chrono::TimeDelta;
use palmares_domain::{
    compliance::deletion_request::DeletionKind,
    kernel::{DeletionRequestId, UserId},
};
use std::collections::BTreeSet;
use uuid::Uuid;

const ADA: UserId = UserId(Uuid::from_u128(7));

fn day(days: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(days)
}

/// A deletion that stands here, and has the dates that one has by then.
fn dossier(status: DeletionStatus) -> Dossier {
    let (due_at, ended_at) = match status {
        DeletionStatus::Grace => (Some(day(30)), None),
        DeletionStatus::SoftDeleted | DeletionStatus::Restored => (Some(day(60)), Some(day(60))),
        DeletionStatus::RetentionCountdown | DeletionStatus::Purged => (Some(day(500)), Some(day(60))),
        _ => (None, None),
    };
    let erased = matches!(status, DeletionStatus::RetentionCountdown | DeletionStatus::Purged);
    Dossier {
        request_id: DeletionRequestId::of(ADA),
        subject: DeletionSubject::User(ADA),
        kind: DeletionKind::OwnAccount,
        requested_by: ADA,
        status,
        before_hold: None,
        approvals: BTreeSet::new(),
        due_at,
        ended_at,
        erasure: None,
        rounds: erased.into(),
        retained: if erased { vec![Retained { purpose: Purpose::Reward, until: day(500) }] } else { Vec::new() },
        backups_until: erased.then(|| day(80)),
    }
}

fn plan(dossier: Option<&Dossier>, now: i64) -> Plan {
    Plan::of(DeletionSubject::User(ADA), dossier, &RetentionSchedule::default(), day(now))
}

/// The days on which somebody is hidden and erased, in a plan that is made on day 20.
fn days(dossier: Option<&Dossier>) -> (Option<i64>, i64) {
    let days = |at: DateTime<Utc>| (at - DateTime::UNIX_EPOCH).num_days();
    let plan = plan(dossier, 20);
    (plan.soft_deleted_at.map(days), days(plan.erased_at))
}

#[test]
fn a_plan_has_the_dates_that_were_said_and_supposes_none_that_were() {
    let supposed = (Some(50), 80);
    assert_eq!(days(None), supposed);
    for status in [DeletionStatus::Submitted, DeletionStatus::InReview, DeletionStatus::Cancelled, DeletionStatus::Restored] {
        assert_eq!(days(Some(&dossier(status))), supposed, "{status:?}");
    }
    assert_eq!(days(Some(&dossier(DeletionStatus::Grace))), (Some(30), 60));
    assert_eq!(days(Some(&dossier(DeletionStatus::SoftDeleted))), (None, 60));
    for status in [DeletionStatus::Grace, DeletionStatus::SoftDeleted] {
        let held = Dossier { status: DeletionStatus::Held, before_hold: Some(status), ..dossier(status) };
        assert_eq!(days(Some(&held)), days(Some(&dossier(status))), "{status:?}");
        assert_eq!(plan(Some(&held), 20).status, Some(DeletionStatus::Held));
    }
}

#[test]
fn after_an_erasure_what_was_recorded_is_what_stays() {
    let counting = dossier(DeletionStatus::RetentionCountdown);
    let kept = plan(Some(&counting), 400);
    assert_eq!((&kept.dates, kept.backups_until), (&counting.retained, day(80)));
    let held = Dossier { status: DeletionStatus::Held, before_hold: Some(counting.status), ..counting };
    assert_eq!(plan(Some(&held), 400).dates, kept.dates);
    let purged = plan(Some(&dossier(DeletionStatus::Purged)), 600);
    assert!(purged.is_over() && purged.dates.is_empty() && !kept.is_over());
    assert_eq!(plan(Some(&dossier(DeletionStatus::Restored)), 400).status, None);
}
