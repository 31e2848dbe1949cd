//! Has done what a deletion's time has come for. One that comes for nothing does nothing.

use super::{SYSTEM, Tools, person, transient};
use crate::reactors::{execute, failed, tenant_at};
use async_trait::async_trait;
use palmares_commands::compliance::{BeginErasure, EndGrace};
use palmares_domain::{compliance::deletion_request::DeletionStatus, kernel::DeletionRequestId};
use palmares_projections::{
    compliance::{deletion_requests::footprint, due::DELETIONS},
    engine::{
        ReactError,
        timers::{Timer, TimerHandler},
    },
};

/// Ends grace periods, and begins erasures.
pub struct DeletionTimer(pub Tools);

#[async_trait]
impl TimerHandler for DeletionTimer {
    fn kinds(&self) -> &[&'static str] {
        &[DELETIONS.kind]
    }

    async fn fire(&self, timer: &Timer) -> Result<(), ReactError> {
        let request_id = DeletionRequestId(timer.stream_id);
        let (tools, organization) = (&self.0, timer.organization_id);
        let dossier = tools.dossier(organization, request_id).await.map_err(transient)?;
        let subject = dossier.subject;
        // Where this cannot be told nothing is destroyed: the timer comes again.
        let mut reader = tools.readers.open(tenant_at(organization), None).await.map_err(|error| transient(error.into()))?;
        let footprint = Some(footprint(&mut reader, person(subject)).await.map_err(|error| transient(error.into()))?);
        // Without an id that would answer a repetition: a step that is taken is not taken again.
        let admission = SYSTEM.admission(organization);
        match dossier.status {
            DeletionStatus::Grace => execute(&tools.engine, admission, EndGrace { request_id, subject, footprint }).await,
            DeletionStatus::SoftDeleted | DeletionStatus::RetentionCountdown => {
                execute(&tools.engine, admission, BeginErasure { request_id, subject, footprint }).await
            }
            _ => return Ok(()),
        }
        .map(drop)
        .map_err(failed)
    }
}
