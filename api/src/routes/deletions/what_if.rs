//! Which dates another retention period would move.

use super::dossier;
use crate::{
    pipeline::{Services, action::Action},
    problem::Problem,
};
use chrono::{DateTime, Utc};
use palmares_commands::{compliance::dates_of, engine::Refused};
use palmares_domain::{
    compliance::{
        deletion_request::{DeletionStatus, Dossier},
        retention_schedule::{RecordClass, RetentionSchedule, SetRetentionPeriod},
    },
    kernel::{Admitted, DeletionRequestId},
};
use palmares_projections::compliance::deletion_requests::open_requests;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What another period would change for the deletions that are under way. A grace period and a recovery window
/// that have begun end when it was said that they would: of those, only what has not begun moves. Nothing is
/// recorded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIfRetention {
    pub class: RecordClass,
    pub days: u32,
}

/// The period now and then, and every date that moves with it.
#[derive(Serialize, ToSchema)]
pub struct RetentionChange {
    pub class: RecordClass,
    pub days_before: u32,
    pub days_after: u32,
    pub moves: Vec<DateMove>,
}

/// A date that moves.
#[derive(Serialize, ToSchema)]
pub struct DateMove {
    pub request_id: DeletionRequestId,
    pub class: RecordClass,
    pub before: DateTime<Utc>,
    pub after: DateTime<Utc>,
}

impl Action for WhatIfRetention {
    type Output = RetentionChange;
    const RECORDED: bool = false;

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<RetentionChange, Problem> {
        let organization = admitted.admission().organization;
        let Self { class, days } = *admitted.value();
        let before = services.engine.state::<RetentionSchedule>(organization, organization).await?;
        let after = before.with(SetRetentionPeriod { class, days }).map_err(Refused::from)?;
        let mut reader = services.readers.open(admitted.tenant(), None).await?;
        let mut moves = Vec::new();
        for request_id in open_requests(&mut reader).await? {
            let found = dossier(services, organization, request_id).await?;
            let dates = dates(&found, &before).into_iter().zip(dates(&found, &after));
            let moved = dates.filter(|((_, before), (_, after))| before != after);
            moves.extend(moved.map(|((class, before), (_, after))| DateMove { request_id, class, before, after }));
        }
        Ok(RetentionChange { class, days_before: before.days(class), days_after: days, moves })
    }
}

/// The dates of a deletion: in grace, that of the recovery window that follows; from then on, those of what is
/// kept of the subject and of the last backup. None, as long as nobody approved it.
fn dates(dossier: &Dossier, schedule: &RetentionSchedule) -> Vec<(RecordClass, DateTime<Utc>)> {
    let in_grace = dossier.stands() == DeletionStatus::Grace;
    let hidden_at = dossier.due_at.filter(|_| in_grace);
    let recovery = hidden_at.map(|at| schedule.until(RecordClass::DeletionRecovery, at));
    let Some(since) = dossier.ended_at.or(recovery) else { return Vec::new() };
    let kept = dates_of(dossier, schedule, since).into_iter().map(|kept| (RecordClass::of(kept.purpose), kept.until));
    let recovery = recovery.map(|until| (RecordClass::DeletionRecovery, until));
    recovery.into_iter().chain(kept).chain([(RecordClass::Backup, schedule.until(RecordClass::Backup, since))]).collect()
}
