//! What the platform prepares for an organization before its people come: keys, a policy store, a program
//! (H-97).
//!
//! Each step is an event, so whatever is interrupted goes on where it was. A step that fails is tried
//! again after a while that grows; after the last attempt somebody has to look, and asks for another
//! round. Built-in roles are the same everywhere and need no step.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::{ATTEMPTS_MAX, Provisioning, ProvisioningStatus};
pub use commands::{ProvisioningCommand, ProvisioningFault, ProvisioningStep};
pub use errors::ProvisioningError;
pub use events::{
    ProvisioningBegun, ProvisioningCompleted, ProvisioningEvent, ProvisioningGivenUp, ProvisioningRetried, ProvisioningStepCompleted,
    ProvisioningStepFailed,
};
