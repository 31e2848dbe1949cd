//! Where a subject request stands, and which way leads from there.

use crate::transitions;
use serde::{Deserialize, Serialize};

/// The states of a subject request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = SubjectRequestStatus)]
pub enum SubjectRequestStatus {
    Received,
    InProgress,
    Fulfilled,
    Refused,
    /// By whoever asked.
    Withdrawn,
}

impl SubjectRequestStatus {
    pub const ALL: [SubjectRequestStatus; 5] = [
        SubjectRequestStatus::Received,
        SubjectRequestStatus::InProgress,
        SubjectRequestStatus::Fulfilled,
        SubjectRequestStatus::Refused,
        SubjectRequestStatus::Withdrawn,
    ];

    /// The name in events, rows and answers.
    pub fn name(self) -> &'static str {
        match self {
            SubjectRequestStatus::Received => "RECEIVED",
            SubjectRequestStatus::InProgress => "IN_PROGRESS",
            SubjectRequestStatus::Fulfilled => "FULFILLED",
            SubjectRequestStatus::Refused => "REFUSED",
            SubjectRequestStatus::Withdrawn => "WITHDRAWN",
        }
    }

    /// Whether somebody still has to answer it.
    pub fn is_open(self) -> bool {
        matches!(self, SubjectRequestStatus::Received | SubjectRequestStatus::InProgress)
    }
}

transitions! { SubjectRequestStatus {
    TAKE: Received => InProgress;
    FULFIL: InProgress => Fulfilled;
    REFUSE: InProgress => Refused;
    WITHDRAW: Received | InProgress => Withdrawn;
} }
