//! What may be asked of an account.

use crate::kernel::{Personal, RuleId, TransactionId, UserId};
use crate::points::{AccountKey, Portion, SourceId};
use chrono::{DateTime, NaiveDate, Utc};

/// A text typed by a person about the account's user.
pub type Reason = Option<Personal<String>>;

/// A command, with what was looked up for it.
#[derive(Clone, Debug)]
pub struct AccountCommand {
    pub account: AccountKey,
    /// The program's floor: how far the account may go below zero, in points; at most 0.
    pub floor: i64,
    pub action: AccountAction,
}

/// Every command of an account.
#[derive(Clone, Debug)]
pub enum AccountAction {
    Credit(Credit),
    ResolveCredit(ResolveCredit),
    VoidCredit(VoidCredit),
    PlaceHold(PlaceHold),
    PostHold(PostHold),
    VoidHold(VoidHold),
    TimeOutHold(TimeOutHold),
    Debit(Debit),
    Reverse(Reverse),
    TransferOut(TransferOut),
    TransferIn(TransferIn),
    /// Records whatever is due, and nothing else.
    ExpireLots,
    Freeze(Freeze),
    Unfreeze(Unfreeze),
    SettleEarning(SettleEarning),
}

/// The version of an earning rule that made a credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleStamp {
    pub rule_id: RuleId,
    pub rule_version: u32,
}

/// Awards points, which stay `PENDING` until they are resolved.
#[derive(Clone, Debug)]
pub struct Credit {
    pub transaction_id: TransactionId,
    pub amount: i64,
    pub rule: Option<RuleStamp>,
    pub earned_on: Option<NaiveDate>,
    pub source_id: Option<SourceId>,
    pub expires_at: Option<DateTime<Utc>>,
    pub reason: Reason,
}

/// `PENDING` → `RESOLVED`. Again: nothing (W-33).
#[derive(Clone, Debug)]
pub struct ResolveCredit {
    pub transaction_id: TransactionId,
}

/// `PENDING` → `VOIDED`.
#[derive(Clone, Debug)]
pub struct VoidCredit {
    pub transaction_id: TransactionId,
    pub reason: Reason,
}

/// Reserves points and the lots they come from.
#[derive(Clone, Debug)]
pub struct PlaceHold {
    pub hold_id: TransactionId,
    pub amount: i64,
    pub source_id: Option<SourceId>,
    /// When the hold times out.
    pub expires_at: Option<DateTime<Utc>>,
    pub reason: Reason,
}

/// Spends what a hold reserved; what is not spent comes free.
#[derive(Clone, Debug)]
pub struct PostHold {
    pub hold_id: TransactionId,
    /// None: the whole hold.
    pub amount: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct VoidHold {
    pub hold_id: TransactionId,
    pub reason: Reason,
}

/// A timer's word that a hold's time is over. On a hold that is closed already: nothing.
#[derive(Clone, Debug)]
pub struct TimeOutHold {
    pub hold_id: TransactionId,
}

#[derive(Clone, Debug)]
pub struct Debit {
    pub transaction_id: TransactionId,
    pub amount: i64,
    pub source_id: Option<SourceId>,
    pub reason: Reason,
}

/// Takes back a resolved credit, down to the floor, or gives back a debit or a posted hold.
#[derive(Clone, Debug)]
pub struct Reverse {
    /// The reversal's own id.
    pub transaction_id: TransactionId,
    pub original_id: TransactionId,
    /// None: whatever is left of the original.
    pub amount: Option<i64>,
    /// When points expire that were spent on overdraft and have been paid back since: they have no
    /// lot to return to.
    pub expires_at: Option<DateTime<Utc>>,
    pub reason: Reason,
}

/// The sending half of a transfer. The other half takes [`TransferSent::portions`](super::TransferSent)
/// and the same id, in the same append.
#[derive(Clone, Debug)]
pub struct TransferOut {
    pub transfer_id: TransactionId,
    pub to_user_id: UserId,
    pub amount: i64,
    pub reason: Reason,
}

/// The receiving half of a transfer.
#[derive(Clone, Debug)]
pub struct TransferIn {
    pub transfer_id: TransactionId,
    pub from_user_id: UserId,
    /// As the sending half recorded them.
    pub portions: Vec<Portion>,
    pub reason: Reason,
}

#[derive(Clone, Debug)]
pub struct Freeze {
    pub reason: Reason,
}

#[derive(Clone, Debug)]
pub struct Unfreeze {
    pub reason: Reason,
}

/// Brings what a (rule, day) awarded to what its total is worth now (W-28).
#[derive(Clone, Debug)]
pub struct SettleEarning {
    /// The id of the credit or reversal that results, if one does.
    pub transaction_id: TransactionId,
    pub rule: RuleStamp,
    pub day: NaiveDate,
    /// What the day is worth, in points: [`EarningRule::target`](crate::points::program::EarningRule::target).
    pub target: i64,
    pub source_id: Option<SourceId>,
    /// When the credit expires, if one results.
    pub expires_at: Option<DateTime<Utc>>,
}
