//! Settlements: what days of activity are worth, brought into the account.

use super::{account_stream, act, program, program_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use chrono::NaiveDate;
use palmares_domain::{
    challenges::{Metric, activity_log::ActivityLog},
    kernel::{Admission, ProgramId, TransactionId, UserId},
    points::{
        AccountKey,
        account::{self, AccountAction, RuleStamp},
    },
};

/// Settles days of one person in one program with what the activity log says of them now, whichever
/// of its events asked: the order of arrival and any repetition end in the same award (W-28). A
/// reactor asks for it, no route does.
#[derive(Clone, Debug)]
pub struct SettleEarnings {
    pub user_id: UserId,
    pub program_id: ProgramId,
    pub days: Vec<(Metric, NaiveDate)>,
}

impl SettleEarnings {
    fn account(&self) -> AccountKey {
        AccountKey { program_id: self.program_id, user_id: self.user_id, team_id: None }
    }
}

impl Operation for SettleEarnings {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![account_stream(admission, &self.account())]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![program_stream(admission, self.program_id), StreamRef::of::<ActivityLog>(admission.organization, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let answer = Answer::new("id", self.account().id(), "SETTLED");
        let now = unit.facts().now;
        for &(metric, day) in &self.days {
            let log = unit.state::<ActivityLog>(self.user_id)?;
            if log.is_closed() {
                // Erased data takes nothing back: what was earned with it stays earned.
                return Ok(answer);
            }
            let total = log.day_total(metric, day);
            let program = program(unit, self.program_id)?;
            let expires_at = program.expires_at(now);
            let rules: Vec<_> = program.earning_rules_on(metric, day).copied().collect();
            for rule in rules {
                let settle = account::SettleEarning {
                    transaction_id: TransactionId(unit.fresh_id()),
                    rule: RuleStamp { rule_id: rule.rule_id, rule_version: rule.version },
                    day,
                    target: rule.target(total),
                    source_id: None,
                    expires_at,
                };
                act(unit, self.account(), AccountAction::SettleEarning(settle))?;
            }
        }
        Ok(answer)
    }
}
