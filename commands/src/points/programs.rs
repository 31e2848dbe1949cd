//! Programs and their rules.

use super::program_stream;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use chrono::NaiveDate;
use palmares_domain::{
    challenges::Metric,
    kernel::{Admission, Code, ProgramId, RuleId},
    points::{
        Program,
        program::{self, EarningKind, ProgramCommand},
    },
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    DefineProgram => permit "points.program.define", throttle Write;
    AddRule => permit "points.rule.add", throttle Write;
}

/// Opens a points program.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DefineProgram {
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// How far an account may go below zero; at most 0.
    #[serde(default)]
    #[schema(maximum = 0)]
    pub floor: i64,
}

impl DefineProgram {
    fn id(admission: &Admission) -> ProgramId {
        ProgramId(new_id(admission, "points-program"))
    }
}

impl Operation for DefineProgram {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![program_stream(admission, Self::id(admission))]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let program_id = Self::id(unit.admission());
        let define = program::DefineProgram { program_id, name: self.name.clone(), floor: self.floor };
        unit.run::<Program>(program_id, &ProgramCommand::Define(define))?;
        Ok(Answer::new("id", program_id, "ACTIVE"))
    }
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// A day's total of a metric earns points.
    #[serde(alias = "earning")]
    Activity,
    /// Points expire some days after they were credited.
    Expiry,
}

/// Adds a rule to a program, or the next version of one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddRule {
    pub program_id: ProgramId,
    pub kind: RuleKind,
    /// The id of a new earning rule; a further version keeps the one that its rule has.
    pub rule_id: Option<RuleId>,
    /// Of an earning rule, which needs it.
    pub metric: Option<Metric>,
    /// How many units earn `points`; an earning rule needs it.
    #[schema(minimum = 1)]
    pub per_units: Option<i64>,
    /// An earning rule needs it.
    #[schema(minimum = 1)]
    pub points: Option<i64>,
    /// The most points that a day earns by the rule.
    #[schema(minimum = 1)]
    pub daily_cap: Option<i64>,
    /// Of an expiry rule; without it, points never expire.
    #[schema(minimum = 1)]
    pub expires_after_days: Option<u32>,
    /// The first day for which the version holds.
    pub effective_from: NaiveDate,
}

impl Operation for AddRule {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![program_stream(admission, self.program_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        match self.kind {
            RuleKind::Activity => self.add_earning_rule(unit),
            RuleKind::Expiry => self.change_expiry_rule(unit),
        }
    }
}

impl AddRule {
    fn add_earning_rule(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        not_for("expires_after_days", self.expires_after_days.is_none())?;
        let metric = self.metric.ok_or_else(|| Refused::field("metric", "required"))?;
        let rule_id = self.rule_id.unwrap_or_else(|| RuleId(unit.fresh_id()));
        let add = program::AddEarningRule {
            rule_id,
            kind: EarningKind::Activity,
            metric,
            per_units: self.per_units.ok_or_else(|| Refused::field("per_units", "required"))?,
            points: self.points.ok_or_else(|| Refused::field("points", "required"))?,
            daily_cap: self.daily_cap,
            effective_from: self.effective_from,
        };
        unit.run::<Program>(self.program_id, &ProgramCommand::AddEarningRule(add))?;
        // The newest version of its metric, which may be of a rule that was there before.
        let program = unit.state::<Program>(self.program_id)?;
        let added = program.earning_rules_on(metric, self.effective_from).find(|rule| rule.effective_from == self.effective_from);
        let added = added.ok_or_else(|| Refused::new(Code::InternalError, "rule_not_added", "the program has no such rule version"))?;
        Ok(Answer::new("id", added.rule_id, "ACTIVE").with("version", added.version))
    }

    fn change_expiry_rule(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        not_for("rule_id", self.rule_id.is_none())?;
        not_for("metric", self.metric.is_none())?;
        not_for("per_units", self.per_units.is_none())?;
        not_for("points", self.points.is_none())?;
        not_for("daily_cap", self.daily_cap.is_none())?;
        let change = program::ChangeExpiryRule { expires_after_days: self.expires_after_days, effective_from: self.effective_from };
        unit.run::<Program>(self.program_id, &ProgramCommand::ChangeExpiryRule(change))?;
        // A program has one expiry rule, known by the program.
        Ok(Answer::new("id", self.program_id, "ACTIVE"))
    }
}

/// A field that the other kind of rule has.
fn not_for(field: &'static str, absent: bool) -> Result<(), Refused> {
    if absent { Ok(()) } else { Err(Refused::field(field, "not_allowed")) }
}
