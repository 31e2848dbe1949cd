//! What all events of an account share: whose they are, what they book, what they change on lots.

use super::AccountEvent;
use crate::points::{AccountKey, LedgerAccount, LotChange, Posting};

/// One arm for each of the named events.
macro_rules! of {
    ($self:ident, $event:ident => $value:expr; $($variant:ident)*; $rest:expr) => {
        match $self { $( AccountEvent::$variant($event) => $value, )* _ => $rest }
    };
}

impl AccountEvent {
    /// The account it happened to.
    pub fn account(&self) -> AccountKey {
        macro_rules! key {
            ($($variant:ident)*) => {
                match self {
                    $( AccountEvent::$variant(event) => {
                        AccountKey { program_id: event.program_id, user_id: event.user_id, team_id: event.team_id }
                    } )*
                }
            };
        }
        key!(
            CreditAccepted CreditResolved CreditVoided CreditReversed EarningSettled HoldPlaced HoldPosted HoldVoided HoldTimedOut
            PointsDebited SpendingReversed TransferSent TransferReceived LotsExpired OverdraftRepaid AccountFrozen AccountUnfrozen
        )
    }

    /// The lines that it books; they sum to zero.
    pub fn postings(&self) -> &[Posting] {
        of!(self, event => &event.postings;
            CreditAccepted CreditResolved CreditVoided CreditReversed EarningSettled HoldPlaced HoldPosted HoldVoided HoldTimedOut
            PointsDebited SpendingReversed TransferSent TransferReceived LotsExpired OverdraftRepaid; &[])
    }

    /// What it changes on lots, in the order in which they were chosen.
    pub fn lots(&self) -> &[LotChange] {
        of!(self, event => &event.lots;
            CreditResolved CreditReversed HoldPlaced HoldPosted HoldVoided HoldTimedOut PointsDebited SpendingReversed
            TransferSent TransferReceived LotsExpired OverdraftRepaid; &[])
    }

    /// The change of the posted balance.
    pub fn posted_change(&self) -> i64 {
        self.postings().iter().filter(|posting| matches!(posting.account, LedgerAccount::Member(_))).map(|posting| posting.amount).sum()
    }

    /// The change of what open holds reserve.
    pub fn held_change(&self) -> i64 {
        match self {
            AccountEvent::HoldPlaced(event) => event.amount,
            AccountEvent::HoldPosted(event) => -(event.amount + event.released),
            AccountEvent::HoldVoided(event) => -event.amount,
            AccountEvent::HoldTimedOut(event) => -event.amount,
            _ => 0,
        }
    }

    /// The change of the credits that are not resolved yet.
    pub fn pending_change(&self) -> i64 {
        self.postings().iter().filter(|posting| posting.account == LedgerAccount::Pending).map(|posting| posting.amount).sum()
    }
}
