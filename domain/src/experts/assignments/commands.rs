//! What may be asked of the experts of a person.

use crate::kernel::UserId;
use chrono::{DateTime, Utc};

#[derive(Clone, Debug)]
pub enum ExpertAssignmentsCommand {
    Assign(AssignExpert),
    End(EndAssignment),
}

/// Has an expert look after a person.
#[derive(Clone, Debug)]
pub struct AssignExpert {
    pub user_id: UserId,
    pub expert_id: UserId,
    /// When it is over; without it, once somebody ends it.
    pub until: Option<DateTime<Utc>>,
}

/// The expert looks after the person no more.
#[derive(Clone, Debug)]
pub struct EndAssignment {
    pub user_id: UserId,
    pub expert_id: UserId,
}
