//! What happens to an account. Each event names its account in full, so that no reader looks it up.
//!
//! `amount` is what the transaction moves, in points and positive. `postings` sum to zero, and their
//! [`Member`](crate::points::LedgerAccount::Member) line is the change of the posted balance. `lots` says what
//! changes on which lot.

use crate::events;
use crate::kernel::{Personal, ProgramId, RuleId, TeamId, TransactionId, UserId};
use crate::points::SourceId;
use crate::points::ledger::{LotChange, Portion, Posting};
use chrono::{DateTime, NaiveDate, Utc};

events! {
    /// The events of [`Account`](super::Account).
    pub enum AccountEvent {
        /// A credit stands in `PENDING`: the ledger owes it, the member cannot spend it yet.
        CreditAccepted = "points.credit_accepted" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            transaction_id: TransactionId = internal,
            amount: i64 = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            rule_id: Option<RuleId> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            rule_version: Option<u32> = internal,
            /// The local day on which it was earned.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            earned_on: Option<NaiveDate> = internal,
            /// The day's total of points that this credit settles, where a rule computed one.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            target: Option<i64> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            source_id: Option<SourceId> = internal,
            /// When the lot that it opens expires.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            expires_at: Option<DateTime<Utc>> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<Personal<String>> = confidential of user_id for Reward,
            postings: Vec<Posting> = internal,
        },
        /// `PENDING` → `RESOLVED`: the lot opens and the balance grows.
        CreditResolved = "points.credit_resolved" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            transaction_id: TransactionId = internal,
            amount: i64 = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            rule_id: Option<RuleId> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            earned_on: Option<NaiveDate> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            expires_at: Option<DateTime<Utc>> = internal,
            lots: Vec<LotChange> = internal,
            postings: Vec<Posting> = internal,
        },
        /// `PENDING` → `VOIDED`: the credit never reaches the balance.
        CreditVoided = "points.credit_voided" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            transaction_id: TransactionId = internal,
            amount: i64 = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            rule_id: Option<RuleId> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            earned_on: Option<NaiveDate> = internal,
            /// The day's new total of points, where a lower total voided the credit.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            target: Option<i64> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<Personal<String>> = confidential of user_id for Reward,
            postings: Vec<Posting> = internal,
        },
        /// Points of a credit were taken back, down to the floor.
        CreditReversed = "points.credit_reversed" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            /// The reversal's own id.
            transaction_id: TransactionId = internal,
            /// The credit; none where a lower day's total takes back what its credits gave.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            original_id: Option<TransactionId> = internal,
            /// What was taken; 0 where the account stood at the floor.
            amount: i64 = internal,
            /// What was asked for and could not be taken.
            shortfall: i64 = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            rule_id: Option<RuleId> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            rule_version: Option<u32> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            earned_on: Option<NaiveDate> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            target: Option<i64> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            source_id: Option<SourceId> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<Personal<String>> = confidential of user_id for Reward,
            lots: Vec<LotChange> = internal,
            postings: Vec<Posting> = internal,
        },
        /// A day's total changed without moving points: a shortfall or a withdrawn credit covers it.
        EarningSettled = "points.earning_settled" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            transaction_id: TransactionId = internal,
            /// Always 0.
            amount: i64 = internal,
            rule_id: RuleId = internal,
            rule_version: u32 = internal,
            earned_on: NaiveDate = internal,
            target: i64 = internal,
            postings: Vec<Posting> = internal,
        },
        /// Points are reserved. The hold is the transaction.
        HoldPlaced = "points.hold_placed" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            transaction_id: TransactionId = internal,
            amount: i64 = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            source_id: Option<SourceId> = internal,
            /// When the hold times out.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            expires_at: Option<DateTime<Utc>> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<Personal<String>> = confidential of user_id for Reward,
            lots: Vec<LotChange> = internal,
            /// Empty: a reservation moves nothing.
            postings: Vec<Posting> = internal,
        },
        /// The hold's points, or a part of them, are spent; the rest came free.
        HoldPosted = "points.hold_posted" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            transaction_id: TransactionId = internal,
            /// What was spent.
            amount: i64 = internal,
            /// What came free.
            released: i64 = internal,
            lots: Vec<LotChange> = internal,
            postings: Vec<Posting> = internal,
        },
        HoldVoided = "points.hold_voided" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            transaction_id: TransactionId = internal,
            /// What came free.
            amount: i64 = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<Personal<String>> = confidential of user_id for Reward,
            lots: Vec<LotChange> = internal,
            postings: Vec<Posting> = internal,
        },
        HoldTimedOut = "points.hold_timed_out" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            transaction_id: TransactionId = internal,
            /// What came free.
            amount: i64 = internal,
            lots: Vec<LotChange> = internal,
            postings: Vec<Posting> = internal,
        },
        PointsDebited = "points.points_debited" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            transaction_id: TransactionId = internal,
            amount: i64 = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            source_id: Option<SourceId> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<Personal<String>> = confidential of user_id for Reward,
            lots: Vec<LotChange> = internal,
            postings: Vec<Posting> = internal,
        },
        /// A debit or a posted hold was given back, to the lots that it came from.
        SpendingReversed = "points.spending_reversed" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            /// The reversal's own id.
            transaction_id: TransactionId = internal,
            original_id: TransactionId = internal,
            amount: i64 = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<Personal<String>> = confidential of user_id for Reward,
            lots: Vec<LotChange> = internal,
            postings: Vec<Posting> = internal,
        },
        /// One half of a transfer; both halves share the transaction id.
        TransferSent = "points.transfer_sent" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            transaction_id: TransactionId = internal,
            to_user_id: UserId = internal,
            amount: i64 = internal,
            /// The points by expiry: they keep it where they go.
            portions: Vec<Portion> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<Personal<String>> = confidential of user_id for Reward,
            lots: Vec<LotChange> = internal,
            postings: Vec<Posting> = internal,
        },
        TransferReceived = "points.transfer_received" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            transaction_id: TransactionId = internal,
            from_user_id: UserId = internal,
            amount: i64 = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<Personal<String>> = confidential of user_id for Reward,
            lots: Vec<LotChange> = internal,
            postings: Vec<Posting> = internal,
        },
        LotsExpired = "points.lots_expired" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            transaction_id: TransactionId = internal,
            amount: i64 = internal,
            lots: Vec<LotChange> = internal,
            postings: Vec<Posting> = internal,
        },
        /// Lots that came free paid back what was spent beyond them. The balance stays as it was.
        OverdraftRepaid = "points.overdraft_repaid" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            transaction_id: TransactionId = internal,
            amount: i64 = internal,
            lots: Vec<LotChange> = internal,
            /// Empty: the spending was posted when it happened.
            postings: Vec<Posting> = internal,
        },
        /// Nothing can be spent until the account is unfrozen; credits still arrive.
        AccountFrozen = "points.account_frozen" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<Personal<String>> = confidential of user_id for Reward,
        },
        AccountUnfrozen = "points.account_unfrozen" v 1 {
            program_id: ProgramId = internal,
            user_id: UserId = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            team_id: Option<TeamId> = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<Personal<String>> = confidential of user_id for Reward,
        },
    }
}
