//! A points account: one member's points in one program, for one team or for none (T-35).
//!
//! # Promises
//! - `available = posted − held ≥ floor` after every command that spends, whatever came before it.
//! - Lots are spent earliest expiry first, then oldest first; their sum is the posted balance plus
//!   the overdraft.
//! - A credit is resolved at most once; what is resolved or voided stays so (W-32, W-33).
//! - No reversal gives or takes more than its original, all reversals of it together.
//! - Whatever is due (a hold past its time, a lot past its expiry) is recorded by the command that
//!   arrives first, before its own events: the state depends on positions, never on timers.
//! - A frozen account refuses what spends: holds and their posting, debits, transfers out. Points
//!   still arrive, holds can be voided, lots expire, transactions can be reversed.
//!
//! # Below zero
//! The floor of a program may be negative. What is spent or held beyond the lots is then covered by
//! none of them: the balance falls below the lots' sum by the *overdraft*. Lots that open or come
//! free pay the overdraft back before they can be spent or expire ([`OverdraftRepaid`], which moves
//! no balance), so that while there is an overdraft, no lot is free. Transfers give only points that
//! are there.
//!
//! # What a reversal needs
//! Open credits, open holds and open lots are kept for as long as they are open. Of the transactions
//! that are closed, the last [`HISTORY_MAX_TRANSACTIONS`] are kept, each with what can still be
//! reversed and the lots that it was spent from; an older one is answered as unknown, and a
//! correction of it is a new credit or debit. What was settled for a (rule, day) is kept for ever,
//! as two numbers: a correction of activity may come at any time.

mod aggregate;
mod commands;
mod credits;
mod due;
mod earnings;
mod entries;
mod errors;
mod events;
mod history;
mod holds;
mod lots;
mod reversals;
mod shared;
mod spending;
#[cfg(test)]
mod tests;
mod transfers;

pub use aggregate::{Account, Balance, TransactionStatus};
pub use commands::*;
pub use earnings::Earned;
pub use errors::AccountError;
pub use events::*;
pub use history::HISTORY_MAX_TRANSACTIONS;
pub use holds::OpenHold;
pub use lots::Lot;
