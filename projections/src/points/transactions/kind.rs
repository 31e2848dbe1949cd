//! What kinds of transactions there are, and the states they go through.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Declares a closed list whose names are stored as text.
macro_rules! named {
    ($(#[$meta:meta])* $list:ident { $($(#[$doc:meta])* $value:ident = $name:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub enum $list { $($(#[$doc])* #[serde(rename = $name)] $value),* }

        impl $list {
            /// The stored name.
            pub fn name(self) -> &'static str {
                match self { $($list::$value => $name),* }
            }

            /// The value of a stored name.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some($list::$value),)* _ => None }
            }
        }
    };
}

named! {
    /// What a transaction is.
    TransactionKind {
        Credit = "credit",
        Debit = "debit",
        Hold = "hold",
        Transfer = "transfer",
        /// Takes back a credit, or gives back a debit or a posted hold.
        Reversal = "reversal",
        Expiry = "expiry",
        /// A day's total changed without moving points.
        Settlement = "settlement",
        /// Lots paid back what was spent beyond them; the balance stays as it was.
        OverdraftRepayment = "overdraft_repayment",
    }
}

named! {
    /// What became of a transaction. A credit is `PENDING`, then `RESOLVED` or `VOIDED` for ever
    /// (W-32, W-33); a hold is `HELD`, then `POSTED`, `VOIDED` or `TIMED_OUT`; all others are
    /// `RESOLVED` from the start.
    TransactionState {
        Pending = "PENDING",
        Resolved = "RESOLVED",
        Voided = "VOIDED",
        Held = "HELD",
        Posted = "POSTED",
        TimedOut = "TIMED_OUT",
    }
}
