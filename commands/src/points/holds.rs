//! Holds: points reserved, then spent or released.

use super::of_account::{looked_up_account, named_account, of_account};
use super::{act, check_known, looked_up, reason};
use crate::engine::{Answer, Operation, Refused, Unit};
use chrono::{DateTime, Utc};
use palmares_domain::{
    kernel::TransactionId,
    points::{
        SourceId,
        account::{self, AccountAction},
    },
};

crate::capabilities! {
    PlaceHold => permit "points.hold.place", throttle Write;
    PostHold => permit "points.hold.post", throttle Write;
    VoidHold => permit "points.hold.void", throttle Write;
}

of_account! {
    /// Reserves points until the hold is posted, voided or timed out.
    PlaceHold {
        #[schema(minimum = 1, maximum = 1_000_000_000)]
        pub amount: i64,
        /// What it is reserved for.
        pub source_id: Option<SourceId>,
        #[schema(max_length = 500)]
        pub reason: Option<String>,
        /// When the hold times out; without it, never.
        pub expires_at: Option<DateTime<Utc>>,
    }
}

impl Operation for PlaceHold {
    named_account!();

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_known(unit, self.user_id, "user_id")?;
        let hold_id = TransactionId(unit.fresh_id());
        let hold = account::PlaceHold {
            hold_id,
            amount: self.amount,
            source_id: self.source_id.clone(),
            expires_at: self.expires_at,
            reason: reason(self.reason.as_ref())?,
        };
        act(unit, self.account(), AccountAction::PlaceHold(hold))?;
        Ok(Answer::new("transaction_id", hold_id, "HELD"))
    }
}

of_account! {
    /// Spends what a hold reserves, or a part of it; the rest is released.
    PostHold of hold_id {
        /// The whole hold, unless it says less.
        #[schema(minimum = 1, maximum = 1_000_000_000)]
        pub amount: Option<i64>,
    }
}

impl Operation for PostHold {
    looked_up_account!();

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let account = looked_up(self.account)?;
        act(unit, account, AccountAction::PostHold(account::PostHold { hold_id: self.hold_id, amount: self.amount }))?;
        Ok(Answer::new("transaction_id", self.hold_id, "POSTED"))
    }
}

of_account! {
    /// Releases what a hold reserves.
    VoidHold of hold_id {
        #[schema(max_length = 500)]
        pub reason: Option<String>,
    }
}

impl Operation for VoidHold {
    looked_up_account!();

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let account = looked_up(self.account)?;
        let void = account::VoidHold { hold_id: self.hold_id, reason: reason(self.reason.as_ref())? };
        act(unit, account, AccountAction::VoidHold(void))?;
        Ok(Answer::new("transaction_id", self.hold_id, "VOIDED"))
    }
}
