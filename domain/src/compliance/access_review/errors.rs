//! Why something is refused of a review.

use super::aggregate::{DUE_MAX_MONTHS_AHEAD, ITEMS_MAX};
use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessReviewError {
    #[error("no such review")]
    NotFound,
    #[error("the review is there already")]
    AlreadyOpen,
    #[error("a review is of 1 to {ITEMS_MAX} roles of users or keys")]
    ItemCountInvalid,
    #[error("a review is due after it is opened")]
    DueInvalid,
    #[error("a review is due within the next {DUE_MAX_MONTHS_AHEAD} months")]
    DueTooLate,
    #[error("the review is not of this role of this user")]
    ItemNotFound,
    #[error("the review is not of this key")]
    KeyNotFound,
    #[error("it was decided already")]
    AlreadyDecided,
    #[error("nobody has it any more")]
    NotHeld,
    #[error("nobody decides about their own roles and keys")]
    OwnAccess,
    #[error("the review is closed")]
    Closed,
}

impl Refusal for AccessReviewError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound | Self::KeyNotFound => Code::ResourceNotFound,
            Self::ItemCountInvalid | Self::DueInvalid | Self::DueTooLate | Self::ItemNotFound => Code::ValidationError,
            Self::AlreadyOpen | Self::AlreadyDecided | Self::NotHeld | Self::Closed => Code::Conflict,
            Self::OwnAccess => Code::AccessDenied,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "compliance.access_review_not_found",
            Self::AlreadyOpen => "compliance.access_review_already_open",
            Self::ItemCountInvalid => "compliance.review_item_count",
            Self::DueInvalid => "compliance.review_due_invalid",
            Self::DueTooLate => "compliance.review_due_over_a_year_ahead",
            Self::ItemNotFound => "compliance.review_item_not_found",
            Self::KeyNotFound => "compliance.review_key_not_found",
            Self::AlreadyDecided => "compliance.review_item_decided",
            Self::NotHeld => "compliance.review_item_gone",
            Self::OwnAccess => "compliance.own_access",
            Self::Closed => "compliance.access_review_closed",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::ItemCountInvalid | Self::ItemNotFound => Some("role"),
            Self::DueInvalid | Self::DueTooLate => Some("due_at"),
            _ => None,
        }
    }

    fn is_attempt(&self) -> bool {
        *self == Self::OwnAccess
    }
}
