//! The experts who are assigned to one person, in one stream under the id of that person.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::{Assignment, EXPERTS_MAX, ExpertAssignments};
pub use commands::{AssignExpert, EndAssignment, ExpertAssignmentsCommand};
pub use errors::ExpertAssignmentsError;
pub use events::{AssignmentEnded, ExpertAssigned, ExpertAssignmentsEvent};
