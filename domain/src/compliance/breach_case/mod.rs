//! A breach of personal data: what happened, how likely it harms people, and whom it was told, under the
//! clock of 72 hours from the moment that somebody became aware of it (GDPR, articles 33 and 34).

mod aggregate;
mod commands;
mod errors;
mod events;
mod kind;
mod status;
#[cfg(test)]
mod tests;

pub use aggregate::{AWARE_MAX_MONTHS_AGO, Breach, BreachCase, NOTIFY_WITHIN_HOURS};
pub use commands::{BreachCaseCommand, DescribeBreach, OpenBreach};
pub use errors::BreachCaseError;
pub use events::{
    AuthorityNotified, BreachAssessed, BreachCaseEvent, BreachClosed, BreachDescribed, BreachOpened, BreachOverdue, NotificationWaived,
    SubjectsInformed,
};
pub use kind::{BreachNature, BreachRisk, NotInformedGround};
pub use status::BreachStatus;
