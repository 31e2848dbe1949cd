//! The rules of who looks after a person.

use super::{
    AssignExpert, AssignmentEnded, EndAssignment, ExpertAssigned, ExpertAssignmentsCommand, ExpertAssignmentsError, ExpertAssignmentsEvent,
};
use crate::kernel::{Aggregate, Facts, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Experts of one person at a time.
pub const EXPERTS_MAX: usize = 20;

/// One expert of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// When it is over by time alone.
    pub until: Option<DateTime<Utc>>,
}

impl Assignment {
    fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// The experts of one person. One whose time is over stays until somebody ends or renews it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExpertAssignments(BTreeMap<UserId, Assignment>);

impl ExpertAssignments {
    /// Whether the expert looks after the person now.
    pub fn holds(&self, expert: UserId, now: DateTime<Utc>) -> bool {
        self.0.get(&expert).is_some_and(|assignment| assignment.holds(now))
    }

    fn assign(&self, command: &AssignExpert, facts: &Facts) -> Result<ExpertAssignmentsEvent, ExpertAssignmentsError> {
        let AssignExpert { user_id, expert_id, until } = *command;
        if user_id == expert_id {
            return Err(ExpertAssignmentsError::OwnExpert);
        }
        if expert_id == facts.actor {
            return Err(ExpertAssignmentsError::AssignsOneself);
        }
        if !(Assignment { until }).holds(facts.now) {
            return Err(ExpertAssignmentsError::Over);
        }
        if self.holds(expert_id, facts.now) {
            return Err(ExpertAssignmentsError::AlreadyAssigned);
        }
        if self.0.values().filter(|assignment| assignment.holds(facts.now)).count() >= EXPERTS_MAX {
            return Err(ExpertAssignmentsError::TooManyExperts);
        }
        Ok(ExpertAssigned { user_id, expert_id, assigned_by: facts.actor, until }.into())
    }

    fn end(&self, command: &EndAssignment, facts: &Facts) -> Result<ExpertAssignmentsEvent, ExpertAssignmentsError> {
        let EndAssignment { user_id, expert_id } = *command;
        if !self.holds(expert_id, facts.now) {
            return Err(ExpertAssignmentsError::NotFound);
        }
        Ok(AssignmentEnded { user_id, expert_id, ended_by: facts.actor }.into())
    }
}

impl Aggregate for ExpertAssignments {
    const TYPE: &'static str = "expert_assignments";
    const SHAPE: u16 = 1;

    type Command = ExpertAssignmentsCommand;
    type Event = ExpertAssignmentsEvent;
    type Error = ExpertAssignmentsError;

    fn decide(&self, command: &ExpertAssignmentsCommand, facts: &Facts) -> Result<Vec<ExpertAssignmentsEvent>, ExpertAssignmentsError> {
        match command {
            ExpertAssignmentsCommand::Assign(assign) => self.assign(assign, facts),
            ExpertAssignmentsCommand::End(end) => self.end(end, facts),
        }
        .map(|event| vec![event])
    }

    fn evolve(&mut self, event: &ExpertAssignmentsEvent) {
        match event {
            ExpertAssignmentsEvent::ExpertAssigned(assigned) => {
                self.0.insert(assigned.expert_id, Assignment { until: assigned.until });
            }
            ExpertAssignmentsEvent::AssignmentEnded(ended) => {
                self.0.remove(&ended.expert_id);
            }
        }
    }
}
