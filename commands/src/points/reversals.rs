//! Reversals: a transaction of their own that names its original (T-31).

use super::of_account::{looked_up_account, of_account};
use super::{act, looked_up, program, reason};
use crate::engine::{Answer, Operation, Refused, Unit};
use palmares_domain::{
    kernel::TransactionId,
    points::account::{self, AccountAction},
};

crate::capabilities! {
    ReverseTransaction => permit "points.transaction.reverse", throttle Write;
}

of_account! {
    /// Takes back a credit, or gives back a debit or a posted hold, up to its amount.
    ReverseTransaction of transaction_id {
        /// Whatever is left of the original, unless it says less.
        #[schema(minimum = 1, maximum = 1_000_000_000)]
        pub amount: Option<i64>,
        #[schema(max_length = 500)]
        pub reason: Option<String>,
    }
}

impl Operation for ReverseTransaction {
    looked_up_account!();

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let account = looked_up(self.account)?;
        let (now, transaction_id) = (unit.facts().now, TransactionId(unit.fresh_id()));
        let reverse = account::Reverse {
            transaction_id,
            original_id: self.transaction_id,
            amount: self.amount,
            expires_at: program(unit, account.program_id)?.expires_at(now),
            reason: reason(self.reason.as_ref())?,
        };
        act(unit, account, AccountAction::Reverse(reverse))?;
        Ok(Answer::new("transaction_id", transaction_id, "RESOLVED").with("original_id", self.transaction_id.to_string()))
    }
}
