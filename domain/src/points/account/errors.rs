//! Why an account refuses.

use crate::kernel::{Code, Refusal};
use crate::points::{AMOUNT_MAX_POINTS, BALANCE_MAX_POINTS};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    #[error("`{field}` must be from {lowest} to {AMOUNT_MAX_POINTS} points")]
    AmountOutOfRange { field: &'static str, lowest: i64 },
    #[error("`expires_at` is not in the future")]
    NotInFuture,
    #[error("an account holds at most {BALANCE_MAX_POINTS} points")]
    BalanceTooLarge,
    #[error("{wanted} points are wanted and {spendable} can be spent")]
    InsufficientPoints { wanted: i64, spendable: i64 },
    #[error("the account is frozen")]
    Frozen,
    #[error("the account is frozen already")]
    AlreadyFrozen,
    #[error("the account is not frozen")]
    NotFrozen,
    #[error("the account has a transaction of this id")]
    TransactionExists,
    #[error("the account has no such credit")]
    UnknownCredit,
    #[error("the credit is resolved: reverse it instead")]
    AlreadyResolved,
    #[error("the credit is voided")]
    CreditVoided,
    #[error("the account has no such hold")]
    UnknownHold,
    #[error("the hold is posted already")]
    AlreadyPosted,
    #[error("the hold is voided or timed out")]
    HoldReleased,
    #[error("the hold is not due yet")]
    HoldNotDue,
    #[error("the hold has {held} points")]
    ExceedsHold { held: i64 },
    #[error("the account has no such transaction, or it is too old to be reversed")]
    UnknownTransaction,
    #[error("the credit is pending: void it instead")]
    CreditPending,
    #[error("the hold is open: void it instead")]
    HoldOpen,
    #[error("only resolved credits, debits and posted holds can be reversed")]
    NotReversible,
    #[error("the transaction is reversed in full already")]
    AlreadyReversed,
    #[error("{left} points of the transaction are left to reverse")]
    ExceedsOriginal { left: i64 },
    #[error("points cannot be transferred to oneself")]
    SelfTransfer,
}

impl Refusal for AccountError {
    fn code(&self) -> Code {
        match self {
            Self::AmountOutOfRange { .. }
            | Self::NotInFuture
            | Self::BalanceTooLarge
            | Self::ExceedsHold { .. }
            | Self::ExceedsOriginal { .. }
            | Self::SelfTransfer => Code::ValidationError,
            Self::InsufficientPoints { .. } => Code::InsufficientPoints,
            Self::UnknownCredit | Self::UnknownHold | Self::UnknownTransaction => Code::ResourceNotFound,
            Self::Frozen
            | Self::AlreadyFrozen
            | Self::NotFrozen
            | Self::TransactionExists
            | Self::AlreadyResolved
            | Self::CreditVoided
            | Self::AlreadyPosted
            | Self::HoldReleased
            | Self::HoldNotDue
            | Self::CreditPending
            | Self::HoldOpen
            | Self::NotReversible
            | Self::AlreadyReversed => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::AmountOutOfRange { .. } => "points.amount_out_of_range",
            Self::NotInFuture => "points.expiry_not_in_future",
            Self::BalanceTooLarge => "points.balance_too_large",
            Self::InsufficientPoints { .. } => "points.insufficient",
            Self::Frozen => "points.account_frozen",
            Self::AlreadyFrozen => "points.account_already_frozen",
            Self::NotFrozen => "points.account_not_frozen",
            Self::TransactionExists => "points.transaction_exists",
            Self::UnknownCredit => "points.credit_unknown",
            Self::AlreadyResolved => "points.credit_already_resolved",
            Self::CreditVoided => "points.credit_voided",
            Self::UnknownHold => "points.hold_unknown",
            Self::AlreadyPosted => "points.hold_already_posted",
            Self::HoldReleased => "points.hold_not_open",
            Self::HoldNotDue => "points.hold_not_due",
            Self::ExceedsHold { .. } => "points.exceeds_hold",
            Self::UnknownTransaction => "points.transaction_unknown",
            Self::CreditPending => "points.credit_pending",
            Self::HoldOpen => "points.hold_open",
            Self::NotReversible => "points.transaction_not_reversible",
            Self::AlreadyReversed => "points.transaction_already_reversed",
            Self::ExceedsOriginal { .. } => "points.exceeds_original",
            Self::SelfTransfer => "points.transfer_to_self",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::AmountOutOfRange { field, .. } => Some(field),
            Self::NotInFuture => Some("expires_at"),
            Self::BalanceTooLarge | Self::ExceedsHold { .. } | Self::ExceedsOriginal { .. } => Some("amount"),
            Self::SelfTransfer => Some("to_user_id"),
            _ => None,
        }
    }
}
