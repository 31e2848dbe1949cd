//! Experts: who is assigned to whom.

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::user_stream;
use chrono::{DateTime, Utc};
use palmares_domain::{
    experts::assignments::{self, ExpertAssignments, ExpertAssignmentsCommand},
    identity::{
        Role, RoleRef,
        user::{User, UserError},
    },
    kernel::{Admission, UserId},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    AssignExpert => permit "experts.assignment.create", throttle Write, owner |assign| Some(assign.user_id);
    EndAssignment => permit "experts.assignment.end", throttle Write, owner |end| Some(end.user_id);
}

/// Has an expert look after a person of the organization: they may read what is recorded of that person's
/// activity, until the assignment is over. Nobody assigns themselves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignExpert {
    pub user_id: UserId,
    /// An active user with the role Expert.
    pub expert_id: UserId,
    /// When it is over; without it, once somebody ends it.
    pub until: Option<DateTime<Utc>>,
}

/// Ends an assignment: from the next request on the expert reads nothing of the person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndAssignment {
    pub user_id: UserId,
    pub expert_id: UserId,
}

fn assignments_stream(admission: &Admission, user: UserId) -> StreamRef {
    StreamRef::of::<ExpertAssignments>(admission.organization, user)
}

/// Refuses whoever is not an active expert of the organization; another's looks like none.
fn check_expert(unit: &mut Unit<'_>, expert: UserId) -> Result<(), Refused> {
    let expert = unit.state::<User>(expert)?;
    let holds_role = expert.profile().is_some_and(|profile| profile.roles.contains(&RoleRef::from(Role::Expert)));
    if holds_role && expert.is_active() { Ok(()) } else { Err(Refused::field("expert_id", "experts.not_an_expert")) }
}

impl Operation for AssignExpert {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![assignments_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        [self.user_id, self.expert_id].map(|user| user_stream(admission, user)).into()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { user_id, expert_id, until } = *self;
        if unit.state::<User>(user_id)?.profile().is_none() {
            return Err(UserError::NotFound.into());
        }
        check_expert(unit, expert_id)?;
        let assign = assignments::AssignExpert { user_id, expert_id, until };
        unit.run::<ExpertAssignments>(user_id, &ExpertAssignmentsCommand::Assign(assign))?;
        Ok(Answer::new("user_id", user_id, "ASSIGNED").with("expert_id", expert_id.to_string()))
    }
}

impl Operation for EndAssignment {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![assignments_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { user_id, expert_id } = *self;
        let end = assignments::EndAssignment { user_id, expert_id };
        unit.run::<ExpertAssignments>(user_id, &ExpertAssignmentsCommand::End(end))?;
        Ok(Answer::new("user_id", user_id, "ENDED").with("expert_id", expert_id.to_string()))
    }
}
