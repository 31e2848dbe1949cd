//! Has the audit log taken out when a schedule is due, as long as its owner may.

use super::{System, execute, failed};
use crate::pipeline::{
    Standing, Standings,
    decision::{Circumstances, DecisionPoint, Question, Through, Verdict},
};
use async_trait::async_trait;
use palmares_commands::{compliance::RunAuditSchedule, engine::Engine};
use palmares_domain::{
    identity::Rights,
    kernel::{OrganizationId, ScheduleId, UserId},
};
use palmares_projections::{
    compliance::due::AUDIT_SCHEDULES,
    engine::{
        ReactError,
        timers::{Timer, TimerHandler},
    },
};
use serde::Deserialize;
use std::sync::Arc;

const SYSTEM: System = System { name: "compliance.run_audit_schedules", permission: "system.run_audit_schedules" };

/// What an owner has to be permitted, as for an export by hand.
const EXPORT: &str = "compliance.audit_log.export";

/// What a timer says beside its owner.
#[derive(Deserialize)]
struct Said {
    schedule_id: ScheduleId,
}

/// Who may take out the audit log, asked as the gate asks.
#[derive(Clone)]
pub struct Exporters {
    pub standings: Arc<dyn Standings>,
    pub decisions: Arc<DecisionPoint>,
}

impl Exporters {
    /// The rights of somebody who may; nothing where they may not, or not any more.
    pub async fn rights(&self, organization: OrganizationId, user: UserId) -> anyhow::Result<Option<Rights>> {
        let Standing::Active(rights) = self.standings.of(organization, user).await? else { return Ok(None) };
        if self.standings.owes_consent(organization, user).await? {
            return Ok(None);
        }
        let policies = self.standings.policies(organization).await?;
        let circumstances =
            Circumstances { policies: policies.as_deref(), owner_status: None, relations: &[], through: Through::OwnRights };
        let (principal, home, owner) = (user, organization, None);
        let question = Question { principal, home, rights: &rights, permission: EXPORT, organization, owner, circumstances };
        let permitted = matches!(self.decisions.decide(&question), Verdict::Permit(_));
        Ok(permitted.then_some(rights))
    }
}

/// Runs what is due.
pub struct RunAuditSchedules {
    pub engine: Arc<Engine>,
    pub exporters: Exporters,
}

#[async_trait]
impl TimerHandler for RunAuditSchedules {
    fn kinds(&self) -> &[&'static str] {
        &[AUDIT_SCHEDULES.kind]
    }

    async fn fire(&self, timer: &Timer) -> Result<(), ReactError> {
        let said: Said = serde_json::from_value(timer.payload.clone()).map_err(|error| ReactError::Permanent(error.into()))?;
        let (organization, user_id) = (timer.organization_id, UserId(timer.stream_id));
        let permitted = self.exporters.rights(organization, user_id).await.map_err(ReactError::Transient)?.is_some();
        let head = self.engine.store().head().await.map_err(|error| ReactError::Transient(error.into()))?;
        let run = RunAuditSchedule { user_id, schedule_id: said.schedule_id, position: head.position, permitted };
        // Without an id that would answer a repetition: what ran is not due again.
        execute(&self.engine, SYSTEM.admission(organization), run).await.map(drop).map_err(failed)
    }
}
