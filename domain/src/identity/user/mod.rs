//! One user of an organization: who someone is there, in which role, and whether they may act.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::{Profile, User, UserStatus};
pub use commands::{CreateUser, ResumeUser, SuspendUser, UserCommand};
pub use errors::UserError;
pub use events::{UserCreated, UserEvent, UserResumed, UserSuspended};
