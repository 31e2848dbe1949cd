//! The double-entry side of the points ledger: postings, lots and what an event changes on them.

use crate::kernel::{AccountId, ProgramId, TeamId, TransactionId, UserId, derive_uuid};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// Whose points in which program: the identity of an account (T-35, A19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccountKey {
    pub program_id: ProgramId,
    pub user_id: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
}

impl AccountKey {
    /// The account's stream.
    pub fn id(&self) -> AccountId {
        AccountId::of(self.program_id, self.user_id, self.team_id)
    }
}

/// A side of the books. The program is that of the event which carries the posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerAccount {
    /// A member's posted points.
    Member(AccountId),
    /// Credits that are accepted and not resolved yet.
    Pending,
    /// Where points come from: minus what was ever issued and not taken back.
    Issuance,
    /// What was spent.
    Redemption,
    /// What expired.
    Expiry,
    /// Clearing between the two halves of a transfer: zero once both are recorded.
    Transfers,
}

impl LedgerAccount {
    /// The stored name of the kind, as the JSON form spells it.
    pub fn kind(self) -> &'static str {
        match self {
            LedgerAccount::Member(_) => "member",
            LedgerAccount::Pending => "pending",
            LedgerAccount::Issuance => "issuance",
            LedgerAccount::Redemption => "redemption",
            LedgerAccount::Expiry => "expiry",
            LedgerAccount::Transfers => "transfers",
        }
    }
}

/// One line of an entry. The postings of an event sum to zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    pub account: LedgerAccount,
    /// Points; positive adds to the account.
    pub amount: i64,
}

impl Posting {
    /// Moves `amount` points; nothing to move makes no lines.
    pub(super) fn movement(from: LedgerAccount, to: LedgerAccount, amount: i64) -> Vec<Posting> {
        if amount == 0 {
            return Vec::new();
        }
        vec![Posting { account: from, amount: -amount }, Posting { account: to, amount }]
    }
}

/// A lot: the points of one credit, or of one expiry within a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct LotId(pub Uuid);

impl LotId {
    /// The lot that a transaction opens; a transfer may open several, numbered from 0.
    pub fn of(transaction: TransactionId, index: u32) -> Self {
        match index {
            0 => LotId(transaction.0),
            _ => LotId(derive_uuid("points-lot", &[transaction.0.as_bytes(), &index.to_be_bytes()])),
        }
    }
}

impl fmt::Display for LotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for LotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LotId({})", self.0)
    }
}

/// What a lot is from the day it opens until it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotTerms {
    /// The lot's place in its account, from 1: among lots of one expiry the lowest is spent first.
    pub number: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// What an event changes on one lot, so that no reader has to repeat the rule that chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotChange {
    pub lot: LotId,
    /// Points added to the lot, or taken from it where negative.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub amount: i64,
    /// Points of the lot that become reserved, or come free where negative.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held: i64,
    /// Present exactly where points are added: the lot opens, or is restored as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<LotTerms>,
}

fn is_zero(points: &i64) -> bool {
    *points == 0
}

/// Points of one expiry on their way from one account to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portion {
    pub amount: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}
