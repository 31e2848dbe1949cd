//! What may be asked of a program.

use super::EarningKind;
use crate::challenges::Metric;
use crate::kernel::{ProgramId, RuleId};
use chrono::NaiveDate;

/// Opens the program.
#[derive(Clone, Debug)]
pub struct DefineProgram {
    pub program_id: ProgramId,
    pub name: String,
    /// How far an account may go below zero, in points; at most 0.
    pub floor: i64,
}

/// Adds a rule, or the next version of the rule for this kind and metric.
#[derive(Clone, Debug)]
pub struct AddEarningRule {
    /// The id of a rule that is new. A further version keeps the id that its rule has:
    /// the event says which.
    pub rule_id: RuleId,
    pub kind: EarningKind,
    pub metric: Metric,
    pub per_units: i64,
    pub points: i64,
    pub daily_cap: Option<i64>,
    pub effective_from: NaiveDate,
}

/// Ends a rule: days from `effective_from` on earn nothing by it.
#[derive(Clone, Debug)]
pub struct RetireRule {
    pub rule_id: RuleId,
    pub effective_from: NaiveDate,
}

/// Changes when points expire that are credited from `effective_from` on.
#[derive(Clone, Debug)]
pub struct ChangeExpiryRule {
    /// None: never.
    pub expires_after_days: Option<u32>,
    pub effective_from: NaiveDate,
}

/// Changes how far accounts may go below zero. Raising it takes nothing from an account that is
/// already lower; that account can only not go lower still.
#[derive(Clone, Debug)]
pub struct SetFloor {
    pub floor: i64,
}

/// Every command of a program.
#[derive(Clone, Debug)]
pub enum ProgramCommand {
    Define(DefineProgram),
    AddEarningRule(AddEarningRule),
    RetireRule(RetireRule),
    ChangeExpiryRule(ChangeExpiryRule),
    SetFloor(SetFloor),
}
