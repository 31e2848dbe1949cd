//! Rights for a while: a role, or acting as another user, with a reason, somebody else's approval
//! and an end (E-33, E-247, E-254).

mod aggregate;
mod commands;
mod errors;
mod events;
mod status;
#[cfg(test)]
mod tests;

pub use aggregate::{Elevation, Request, START_WITHIN_HOURS};
pub use commands::{ElevationCommand, RequestElevation};
pub use errors::ElevationError;
pub use events::{
    ElevationApproved, ElevationEnded, ElevationEvent, ElevationExpired, ElevationRefused, ElevationRequested, ElevationReviewed,
    ElevationStarted, ElevationWithdrawn, Scope,
};
pub use status::ElevationStatus;
