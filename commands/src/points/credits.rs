//! Credits and debits: points that are awarded and points that are spent at once.

use super::of_account::{named_account, of_account};
use super::{account_stream, act, check_active, check_in_team, check_known, program, program_stream, reason};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::store::ClaimKey;
use chrono::{DateTime, Utc};
use palmares_domain::{
    kernel::{Admission, TransactionId, derive_uuid},
    points::{
        AccountKey, SourceId,
        account::{self, AccountAction},
    },
};

crate::capabilities! {
    CreateCredit => permit "points.credit.create", throttle Write;
    CreateDebit => permit "points.debit.create", throttle Write;
}

of_account! {
    /// Awards points; they stay pending until they are resolved.
    CreateCredit {
        #[schema(minimum = 1, maximum = 1_000_000_000)]
        pub amount: i64,
        /// What it is awarded for. One source rewards one user once: asked again, the answer names the first credit.
        pub source_id: Option<SourceId>,
        #[schema(max_length = 500)]
        pub reason: Option<String>,
        /// When the points expire; else the program's expiry rule says.
        pub expires_at: Option<DateTime<Utc>>,
    }
}

impl CreateCredit {
    /// At most one reward per (organization, rule, user, source), W-30; here the rule is a person.
    fn reward_claim(&self, admission: &Admission) -> Option<ClaimKey> {
        let source = self.source_id.as_ref()?;
        let parts = [self.program_id.0.as_bytes().as_slice(), b"manual", self.user_id.0.as_bytes(), source.as_str().as_bytes()];
        Some(ClaimKey { organization: admission.organization, key: derive_uuid("reward", &parts) })
    }
}

impl Operation for CreateCredit {
    named_account!();

    fn claims(&self, admission: &Admission) -> Vec<ClaimKey> {
        self.reward_claim(admission).into_iter().collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let now = unit.facts().now;
        let expires_at = self.expires_at.or(program(unit, self.program_id)?.expires_at(now));
        check_active(unit, self.user_id, "user_id")?;
        check_in_team(unit, &self.account())?;
        let claim = self.reward_claim(unit.admission());
        if let Some(first) = claim.and_then(|claim| unit.holder(claim)) {
            return Ok(Answer::new("transaction_id", first, "PENDING"));
        }
        let transaction_id = TransactionId(unit.fresh_id());
        let credit = account::Credit {
            transaction_id,
            amount: self.amount,
            rule: None,
            earned_on: None,
            source_id: self.source_id.clone(),
            expires_at,
            reason: reason(self.reason.as_ref())?,
        };
        act(unit, self.account(), AccountAction::Credit(credit))?;
        if let Some(claim) = claim {
            unit.claim(claim, transaction_id);
        }
        Ok(Answer::new("transaction_id", transaction_id, "PENDING"))
    }
}

of_account! {
    /// Spends points at once.
    CreateDebit {
        #[schema(minimum = 1, maximum = 1_000_000_000)]
        pub amount: i64,
        /// What it is spent on.
        pub source_id: Option<SourceId>,
        #[schema(max_length = 500)]
        pub reason: Option<String>,
    }
}

impl Operation for CreateDebit {
    named_account!();

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_known(unit, self.user_id, "user_id")?;
        let transaction_id = TransactionId(unit.fresh_id());
        let debit = account::Debit {
            transaction_id,
            amount: self.amount,
            source_id: self.source_id.clone(),
            reason: reason(self.reason.as_ref())?,
        };
        act(unit, self.account(), AccountAction::Debit(debit))?;
        Ok(Answer::new("transaction_id", transaction_id, "RESOLVED"))
    }
}

/// Resolves a pending credit; again, it does nothing (W-33). A reactor asks for it, no route does.
#[derive(Clone, Copy, Debug)]
pub struct ResolveCredit {
    pub account: AccountKey,
    pub transaction_id: TransactionId,
}

impl Operation for ResolveCredit {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![account_stream(admission, &self.account)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![program_stream(admission, self.account.program_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let command = account::ResolveCredit { transaction_id: self.transaction_id };
        act(unit, self.account, AccountAction::ResolveCredit(command))?;
        Ok(Answer::new("transaction_id", self.transaction_id, "RESOLVED"))
    }
}
