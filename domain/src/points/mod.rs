//! Points: what people earn and spend, kept as a ledger (points.md, LED).
//!
//! # Words
//! - A [**program**](program) is one asset with its rules: what earns, what expires, how far an
//!   account may go below zero (its *floor*, never above zero). Rules are versions with the day from
//!   which they hold; a credit is stamped with the version that made it.
//! - An [**account**](account) holds the points of one member in one program, for one team or for
//!   none (T-35, A19). It is one stream, [`AccountId::of`](crate::kernel::AccountId::of).
//! - A **transaction** is a credit, debit, hold, transfer, reversal or expiry. It is never changed:
//!   a correction is a reversal, a transaction of its own that names its original (T-31).
//! - A **credit** is `PENDING` until a worker resolves it and `RESOLVED` or `VOIDED` for ever after
//!   (W-32, W-33). Resolving opens a **lot**: points with one expiry, spent earliest expiry first and,
//!   among equals, oldest first.
//! - A **hold** reserves points and the lots they come from. It is posted (in whole or in part),
//!   voided or timed out. Reserved points do not expire; released ones may be due at once.
//! - **Posted** counts resolved transactions only, **held** the open holds;
//!   **available = posted − held**, and no command takes it below the floor (T-33).
//! - The **overdraft** is what was spent beyond the lots, where the floor is below zero. Lots that
//!   come free pay it back first.
//! - A **shortfall** is the part of a reversal that the account could not give back.
//!
//! # Sign and books
//! Positive is earned, negative is spent or corrected (T-91). Every event of an account carries
//! [postings](ledger::Posting) that sum to zero, so the trial balance of any set of whole events is
//! zero, and the postings of an account's [`LedgerAccount::Member`] sum to its posted balance. The
//! other ledger accounts (issuance, pending, redemption, expiry, transfers) are never streams, on
//! which every award would queue: they exist in the postings and are added up by projections.
//!
//! # What others may see
//! The two aggregates with their events, and the values re-exported here. At most one reward per
//! (organization, rule, user, source) is a claim of the write side (W-30), not a rule of a stream.

pub mod account;
pub mod ledger;
pub mod program;
mod source;

pub use account::Account;
pub use ledger::{AccountKey, LedgerAccount, LotChange, LotId, LotTerms, Portion, Posting};
pub use program::Program;
pub use source::{InvalidSourceId, SourceId};

/// The most points that one transaction moves.
pub const AMOUNT_MAX_POINTS: i64 = 1_000_000_000;

/// The most points that one account may hold: every sum stays exact as a JSON number.
pub const BALANCE_MAX_POINTS: i64 = 1_000_000_000_000_000;
