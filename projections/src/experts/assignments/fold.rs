//! From the events of assignments to rows.

use super::PROJECTION;
use crate::{
    compliance::{ERASED, but_erased, forget},
    engine::{ApplyContext, ApplyError, Delivered, Projector},
};
use async_trait::async_trait;
use palmares_domain::{
    experts::assignments::ExpertAssignmentsEvent,
    kernel::{Event, Purpose},
};

pub(in crate::experts) const STATEMENTS: &[(&str, &str)] =
    &[("experts.assignments.insert", INSERT), ("experts.assignments.end", END), ("experts.assignments.forget", FORGET)];

const INSERT: &str = "
    INSERT INTO {experts_assignments}
        (organization_id, user_id, expert_id, assigned_by, assigned_at, assigned_position, until)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// The newest one of the two: those before it are over.
const END: &str = "
    UPDATE {experts_assignments} SET ended_at = $4, ended_by = $5
    WHERE organization_id = $1 AND user_id = $2 AND assigned_position = (
        SELECT max(assigned_position) FROM {experts_assignments} WHERE organization_id = $1 AND user_id = $2 AND expert_id = $3)";

/// By whom somebody was looked after says something of their health.
const FORGET: &str = "DELETE FROM {experts_assignments} WHERE organization_id = $1 AND ($2::uuid IS NULL OR user_id = $2)";

/// The fold. Assignments change seldom, so each event is a statement of its own.
pub struct Assignments;

#[async_trait]
impl Projector for Assignments {
    fn name(&self) -> &'static str {
        PROJECTION
    }

    fn version(&self) -> i32 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["experts_assignments"]
    }

    fn interests(&self) -> &'static [&'static str] {
        &["experts.expert_assigned", "experts.assignment_ended", ERASED]
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in but_erased(batch) {
            let event = &delivered.event;
            let organization = event.organization_id.0;
            match ExpertAssignmentsEvent::from_payload(&event.event_type, event.schema_version, event.payload.get().as_bytes())? {
                ExpertAssignmentsEvent::ExpertAssigned(assigned) => {
                    let sql = context.slot.sql(INSERT);
                    let insert = sqlx::query(&sql).bind(organization).bind(assigned.user_id.0).bind(assigned.expert_id.0);
                    let insert = insert.bind(assigned.assigned_by.0).bind(event.recorded_at).bind(event.position).bind(assigned.until);
                    insert.execute(&mut *context.tx).await?;
                }
                ExpertAssignmentsEvent::AssignmentEnded(ended) => {
                    let sql = context.slot.sql(END);
                    let end = sqlx::query(&sql).bind(organization).bind(ended.user_id.0).bind(ended.expert_id.0);
                    end.bind(event.recorded_at).bind(ended.ended_by.0).execute(&mut *context.tx).await?;
                }
            }
        }
        forget(context, batch, Purpose::Health, &[FORGET]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_assignments_is_of_interest() {
        let all: Vec<_> = ExpertAssignmentsEvent::CATALOGUE.iter().map(|event| event.name).chain([ERASED]).collect();
        assert_eq!(Assignments.interests(), all);
    }
}
