//! Who the compliance officers of an organization are, as far as events tell: whoever comes after the first one,
//! or goes, is noticed.
//!
//! They are kept among the sightings, under a name of their own, because whether there were any before follows
//! from the log alone, and from nothing that another projection may know sooner or later.

use crate::engine::{ApplyContext, ApplyError};
use palmares_domain::{
    identity::{Role, RoleRef, user::UserEvent},
    kernel::{Event, RecordedEvent, UserId},
};
use uuid::Uuid;

pub(super) const OFFICERS: &str = "
    SELECT counted FROM {compliance_anomaly_sightings}
    WHERE organization_id = $1 AND rule = 'COMPLIANCE_OFFICERS' AND actor_id = '00000000-0000-0000-0000-000000000000'";

pub(super) const JOIN: &str = "
    INSERT INTO {compliance_anomaly_sightings} (organization_id, rule, actor_id, counted, position, seen_at)
    VALUES ($1, 'COMPLIANCE_OFFICERS', '00000000-0000-0000-0000-000000000000', $2, $3, $4) ON CONFLICT DO NOTHING";

pub(super) const LEAVE: &str = "
    DELETE FROM {compliance_anomaly_sightings}
    WHERE organization_id = $1 AND rule = 'COMPLIANCE_OFFICERS' AND actor_id = '00000000-0000-0000-0000-000000000000' AND counted = $2";

/// Events that may say so.
pub(super) const TYPES: [&str; 7] = [
    "identity.user_created",
    "identity.user_invited",
    "identity.role_assigned",
    "identity.role_unassigned",
    "identity.user_suspended",
    "identity.user_deactivated",
    "identity.user_soft_deleted",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Joins,
    Leaves,
    /// May not act for now, if they are one.
    Pauses,
}

/// What becomes of somebody as an officer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub user: UserId,
    step: Step,
}

impl Change {
    pub fn of(event: &RecordedEvent) -> Option<Self> {
        if !TYPES.contains(&event.event_type.as_str()) {
            return None;
        }
        let officer = RoleRef::BuiltIn(Role::ComplianceOfficer);
        let payload = event.payload.get().as_bytes();
        let (user, step, role) = match UserEvent::from_payload(&event.event_type, event.schema_version, payload).ok()? {
            UserEvent::UserCreated(created) => (created.user_id, Step::Joins, created.role.into()),
            UserEvent::UserInvited(invited) => (invited.user_id, Step::Joins, invited.role),
            UserEvent::RoleAssigned(assigned) => (assigned.user_id, Step::Joins, assigned.role),
            UserEvent::RoleUnassigned(unassigned) => (unassigned.user_id, Step::Leaves, unassigned.role),
            UserEvent::UserSoftDeleted(deleted) => (deleted.user_id, Step::Leaves, officer),
            UserEvent::UserSuspended(suspended) => (suspended.user_id, Step::Pauses, officer),
            UserEvent::UserDeactivated(deactivated) => (deactivated.user_id, Step::Pauses, officer),
            _ => return None,
        };
        (role == officer).then_some(Self { user, step })
    }

    /// Remembers it, and says whether it is to be noticed: the first officer is how an organization begins.
    pub async fn apply(self, context: &mut ApplyContext<'_>, event: &RecordedEvent) -> Result<bool, ApplyError> {
        let organization = event.organization_id.0;
        let sql = context.slot.sql(OFFICERS);
        let officers: Vec<Uuid> = sqlx::query_scalar(&sql).bind(organization).fetch_all(&mut *context.tx).await?;
        match self.step {
            Step::Joins => {
                let sql = context.slot.sql(JOIN);
                let join = sqlx::query(&sql).bind(organization).bind(self.user.0).bind(event.position).bind(event.recorded_at);
                join.execute(&mut *context.tx).await?;
                Ok(officers.iter().any(|officer| *officer != self.user.0))
            }
            Step::Leaves => {
                let sql = context.slot.sql(LEAVE);
                sqlx::query(&sql).bind(organization).bind(self.user.0).execute(&mut *context.tx).await?;
                Ok(officers.contains(&self.user.0))
            }
            Step::Pauses => Ok(officers.contains(&self.user.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;
    use palmares_domain::{
        identity::user::{RoleAssigned, RoleUnassigned, UserEvent, UserSuspended},
        kernel::OrganizationId,
    };

    // covers: E-47
    #[test]
    fn officers_come_and_go_by_their_role_and_nobody_else_counts() {
        let user_id = UserId(Uuid::from_u128(2));
        let change = |event: &UserEvent| {
            Change::of(&recorded(OrganizationId(Uuid::from_u128(1)), ("user", user_id.0, 1), 1, event).event).map(|change| change.step)
        };
        let (officer, analyst) = (RoleRef::BuiltIn(Role::ComplianceOfficer), RoleRef::BuiltIn(Role::Analyst));
        assert_eq!(change(&RoleAssigned { user_id, role: officer }.into()), Some(Step::Joins));
        assert_eq!(change(&RoleAssigned { user_id, role: analyst }.into()), None);
        assert_eq!(change(&RoleUnassigned { user_id, role: officer }.into()), Some(Step::Leaves));
        assert_eq!(change(&UserSuspended { user_id, reason: None }.into()), Some(Step::Pauses));
    }
}
