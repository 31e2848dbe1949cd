//! One team: its name and its people.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::{NAME_MAX_CHARS, Team, TeamRole};
pub use commands::{AddMember, CreateTeam, TeamCommand};
pub use errors::TeamError;
pub use events::{MemberAdded, MemberRemoved, MemberRoleChanged, TeamArchived, TeamCreated, TeamEvent, TeamRenamed};
