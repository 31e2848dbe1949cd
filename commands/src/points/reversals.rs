//! Reversals: a transaction of their own that names its original (T-31).

use super::{NeedsAccount, act, looked_up, looked_up_reads, looked_up_streams, program, reason};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    kernel::{Admission, TransactionId},
    points::{
        AccountKey,
        account::{self, AccountAction},
    },
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    ReverseTransaction => permit "points.transaction.reverse", throttle Write;
}

/// Takes back a credit, or gives back a debit or a posted hold, up to its amount.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReverseTransaction {
    /// The original.
    pub transaction_id: TransactionId,
    /// Whatever is left of the original, unless it says less.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    pub amount: Option<i64>,
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    /// Looked up before the command is executed.
    #[serde(skip)]
    #[schema(ignore)]
    pub account: Option<AccountKey>,
}

impl NeedsAccount for ReverseTransaction {
    fn transaction(&self) -> TransactionId {
        self.transaction_id
    }
    fn resolve(&mut self, account: AccountKey) {
        self.account = Some(account);
    }
}

impl Operation for ReverseTransaction {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        looked_up_streams(admission, self.account)
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        looked_up_reads(admission, self.account)
    }

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
