//! The certificate of an erasure: what was destroyed, what stays and until when, signed, and free of
//! personal data. Who was erased stands in it as the random id by which nobody is found any more.

use super::Tools;
use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use palmares_commands::compliance::dates_of;
use palmares_domain::{
    compliance::{
        deletion_request::{DeletionKind, DeletionSubject, Dossier, ErasureStep, Retained},
        retention_schedule::RetentionSchedule,
    },
    kernel::{DeletionRequestId, OrganizationId, Purpose, RecordedEvent},
};
use serde::{Deserialize, Serialize};

/// What the signature is good for, and nothing else.
pub const PURPOSE: &str = "erasure-certificate";
/// Longer than any retention.
const GOOD_FOR_DAYS: i64 = 100 * 366;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub request_id: DeletionRequestId,
    pub organization_id: OrganizationId,
    pub subject: DeletionSubject,
    pub kind: DeletionKind,
    pub round: u32,
    /// The purposes whose keys were destroyed in this round.
    pub destroyed: Vec<Purpose>,
    /// Each step with how many keys, read models or rows it was.
    pub steps: Vec<(ErasureStep, i64)>,
    /// What is kept for a while, and until when.
    pub retained: Vec<Retained>,
    pub issued_at: DateTime<Utc>,
}

/// The signed certificate of a round whose steps are done. Made again, it is the same text.
pub(super) async fn certificate(tools: &Tools, event: &RecordedEvent, dossier: &Dossier) -> anyhow::Result<String> {
    let erasure = dossier.erasure.as_ref().context("the erasure is over")?;
    let organization_id = event.organization_id;
    let issued_at = event.recorded_at;
    let dates = |schedule: &RetentionSchedule| dates_of(dossier, schedule, issued_at);
    let dates = tools.engine.look(organization_id, organization_id, dates).await?;
    let statement = Certificate {
        request_id: dossier.request_id,
        organization_id,
        subject: dossier.subject,
        kind: dossier.kind,
        round: dossier.rounds,
        destroyed: erasure.purposes.clone(),
        steps: ErasureStep::ALL.into_iter().zip(erasure.counts.iter().copied()).collect(),
        retained: dates.into_iter().filter(|kept| !erasure.purposes.contains(&kept.purpose)).collect(),
        issued_at,
    };
    Ok(tools.tokens.seal(PURPOSE, &statement, issued_at + TimeDelta::days(GOOD_FOR_DAYS))?)
}
