//! Holds: points reserved, then spent or released.

use super::{NeedsAccount, account_stream, act, check_known, looked_up, looked_up_reads, looked_up_streams, program_and_user, reason};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use chrono::{DateTime, Utc};
use palmares_domain::{
    kernel::{Admission, ProgramId, TeamId, TransactionId, UserId},
    points::{
        AccountKey, SourceId,
        account::{self, AccountAction},
    },
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    PlaceHold => permit "points.hold.place", throttle Write;
    PostHold => permit "points.hold.post", throttle Write;
    VoidHold => permit "points.hold.void", throttle Write;
}

/// Reserves points until the hold is posted, voided or timed out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceHold {
    pub program_id: ProgramId,
    pub user_id: UserId,
    pub team_id: Option<TeamId>,
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    pub amount: i64,
    /// What it is reserved for.
    pub source_id: Option<SourceId>,
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    /// When the hold times out; without it, never.
    pub expires_at: Option<DateTime<Utc>>,
}

impl PlaceHold {
    fn account(&self) -> AccountKey {
        AccountKey { program_id: self.program_id, user_id: self.user_id, team_id: self.team_id }
    }
}

impl Operation for PlaceHold {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![account_stream(admission, &self.account())]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        program_and_user(admission, &self.account())
    }

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

/// Spends what a hold reserves, or a part of it; the rest is released.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostHold {
    pub hold_id: TransactionId,
    /// The whole hold, unless it says less.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    pub amount: Option<i64>,
    /// Looked up before the command is executed.
    #[serde(skip)]
    #[schema(ignore)]
    pub account: Option<AccountKey>,
}

impl NeedsAccount for PostHold {
    fn transaction(&self) -> TransactionId {
        self.hold_id
    }
    fn resolve(&mut self, account: AccountKey) {
        self.account = Some(account);
    }
}

impl Operation for PostHold {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        looked_up_streams(admission, self.account)
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        looked_up_reads(admission, self.account)
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let account = looked_up(self.account)?;
        act(unit, account, AccountAction::PostHold(account::PostHold { hold_id: self.hold_id, amount: self.amount }))?;
        Ok(Answer::new("transaction_id", self.hold_id, "POSTED"))
    }
}

/// Releases what a hold reserves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidHold {
    pub hold_id: TransactionId,
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    /// Looked up before the command is executed.
    #[serde(skip)]
    #[schema(ignore)]
    pub account: Option<AccountKey>,
}

impl NeedsAccount for VoidHold {
    fn transaction(&self) -> TransactionId {
        self.hold_id
    }
    fn resolve(&mut self, account: AccountKey) {
        self.account = Some(account);
    }
}

impl Operation for VoidHold {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        looked_up_streams(admission, self.account)
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        looked_up_reads(admission, self.account)
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let account = looked_up(self.account)?;
        let void = account::VoidHold { hold_id: self.hold_id, reason: reason(self.reason.as_ref())? };
        act(unit, account, AccountAction::VoidHold(void))?;
        Ok(Answer::new("transaction_id", self.hold_id, "VOIDED"))
    }
}
