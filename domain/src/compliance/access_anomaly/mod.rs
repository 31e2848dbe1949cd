//! What people say of something in the audit log that looked wrong, in a stream under the anomaly's id.
//!
//! That it looked wrong is no event: the log says so to whoever counts, and always the same.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::AccessAnomaly;
pub use commands::{AccessAnomalyCommand, AcknowledgeAnomaly};
pub use errors::AccessAnomalyError;
pub use events::{AccessAnomalyEvent, AnomalyAcknowledged};

use serde::{Deserialize, Serialize};

/// What it was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AnomalyVerdict {
    /// As it should be.
    Expected,
    /// It was not, and it was seen to.
    Handled,
}

impl AnomalyVerdict {
    /// The name in rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Expected => "EXPECTED",
            Self::Handled => "HANDLED",
        }
    }
}
