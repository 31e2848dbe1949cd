//! The decisions of a program and the fold that makes its state.

use super::{
    AddEarningRule, ChangeExpiryRule, DefineProgram, EarningKind, EarningRule, EarningRuleAdded, EarningRuleRetired, ExpiryRule,
    ExpiryRuleChanged, FloorChanged, ProgramCommand, ProgramDefined, ProgramError, ProgramEvent, RetireRule,
};
use crate::challenges::Metric;
use crate::kernel::text::is_label;
use crate::kernel::{Aggregate, Facts, ProgramId, RuleId};
use crate::points::AMOUNT_MAX_POINTS;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const NAME_MAX_CHARS: usize = 100;
const EXPIRY_MAX_DAYS: u32 = 36_500;

/// A rule with all its versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct RuleHistory {
    /// In the order of their days, which is that of their numbers; never empty.
    versions: Vec<EarningRule>,
    /// The first day without the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retired_from: Option<NaiveDate>,
}

impl RuleHistory {
    fn on(&self, day: NaiveDate) -> Option<&EarningRule> {
        let retired = self.retired_from.is_some_and(|from| from <= day);
        self.versions.iter().rev().find(|version| !retired && version.effective_from <= day)
    }

    fn last(&self) -> Option<&EarningRule> {
        self.versions.last()
    }

    fn is_for(&self, kind: EarningKind, metric: Metric) -> bool {
        self.last().is_some_and(|rule| rule.kind == kind && rule.metric == metric)
    }
}

/// The state of a program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// None until it is defined.
    id: Option<ProgramId>,
    name: String,
    floor: i64,
    rules: BTreeMap<RuleId, RuleHistory>,
    expiry_rules: Vec<ExpiryRule>,
}

impl Program {
    pub fn is_defined(&self) -> bool {
        self.id.is_some()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// How far an account may go below zero, in points; at most 0.
    pub fn floor(&self) -> i64 {
        self.floor
    }

    /// The rule versions that apply to `metric` on `day`, at most one for each kind.
    pub fn earning_rules_on(&self, metric: Metric, day: NaiveDate) -> impl Iterator<Item = &EarningRule> {
        self.rules.values().filter_map(move |rule| rule.on(day)).filter(move |rule| rule.metric == metric)
    }

    /// The version of one rule that applies on `day`.
    pub fn earning_rule_on(&self, rule: RuleId, day: NaiveDate) -> Option<&EarningRule> {
        self.rules.get(&rule)?.on(day)
    }

    /// When points expire that are credited at `credited_at`, by the expiry rule of that day (UTC).
    pub fn expires_at(&self, credited_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let day = credited_at.date_naive();
        self.expiry_rules.iter().rev().find(|rule| rule.effective_from <= day)?.expires_at(credited_at)
    }

    fn define(&self, command: &DefineProgram) -> Result<Vec<ProgramEvent>, ProgramError> {
        if self.is_defined() {
            return Err(ProgramError::AlreadyDefined);
        }
        let DefineProgram { program_id, name, floor } = command.clone();
        if !is_label(&name, NAME_MAX_CHARS) {
            return Err(ProgramError::InvalidName { max_chars: NAME_MAX_CHARS });
        }
        check_floor(floor)?;
        Ok(vec![ProgramDefined { program_id, name, floor }.into()])
    }

    fn add_earning_rule(&self, program_id: ProgramId, command: &AddEarningRule) -> Result<Vec<ProgramEvent>, ProgramError> {
        check_range("per_units", command.per_units)?;
        check_range("points", command.points)?;
        check_range("daily_cap", command.daily_cap.unwrap_or(1))?;
        let mut same = self.rules.values().filter(|rule| rule.is_for(command.kind, command.metric));
        let current = same.clone().find(|rule| rule.retired_from.is_none()).and_then(RuleHistory::last);
        let (rule_id, rule_version) = match current {
            Some(last) if last.effective_from >= command.effective_from => {
                return Err(ProgramError::NotLater { last: last.effective_from });
            }
            Some(last) => (last.rule_id, last.version + 1),
            None if self.rules.contains_key(&command.rule_id) => return Err(ProgramError::RuleExists),
            None => (command.rule_id, 1),
        };
        // A day may not earn twice: a rule that follows a retired one begins when that one ends.
        if let Some(last) = same.find_map(|rule| rule.retired_from.filter(|end| command.effective_from < *end)) {
            return Err(ProgramError::NotLater { last });
        }
        Ok(vec![
            EarningRuleAdded {
                program_id,
                rule_id,
                rule_version,
                kind: command.kind,
                metric: command.metric,
                per_units: command.per_units,
                points: command.points,
                daily_cap: command.daily_cap,
                effective_from: command.effective_from,
            }
            .into(),
        ])
    }

    fn retire_rule(&self, program_id: ProgramId, command: &RetireRule) -> Result<Vec<ProgramEvent>, ProgramError> {
        let rule = self.rules.get(&command.rule_id).ok_or(ProgramError::UnknownRule)?;
        if rule.retired_from.is_some() {
            return Err(ProgramError::AlreadyRetired);
        }
        Ok(vec![EarningRuleRetired { program_id, rule_id: command.rule_id, effective_from: command.effective_from }.into()])
    }

    fn change_expiry_rule(&self, program_id: ProgramId, command: &ChangeExpiryRule) -> Result<Vec<ProgramEvent>, ProgramError> {
        if command.expires_after_days.is_some_and(|days| days == 0 || days > EXPIRY_MAX_DAYS) {
            return Err(ProgramError::OutOfRange { field: "expires_after_days", highest: EXPIRY_MAX_DAYS.into() });
        }
        let last = self.expiry_rules.last();
        if let Some(last) = last.filter(|last| last.effective_from >= command.effective_from) {
            return Err(ProgramError::NotLater { last: last.effective_from });
        }
        let rule_version = last.map_or(1, |last| last.version + 1);
        let ChangeExpiryRule { expires_after_days, effective_from } = *command;
        Ok(vec![ExpiryRuleChanged { program_id, rule_version, expires_after_days, effective_from }.into()])
    }
}

fn check_floor(floor: i64) -> Result<(), ProgramError> {
    // An account starts at zero and its points may expire, so a floor above zero could not be kept.
    if (-AMOUNT_MAX_POINTS..=0).contains(&floor) { Ok(()) } else { Err(ProgramError::FloorOutOfRange { lowest: -AMOUNT_MAX_POINTS }) }
}

fn check_range(field: &'static str, value: i64) -> Result<(), ProgramError> {
    if (1..=AMOUNT_MAX_POINTS).contains(&value) { Ok(()) } else { Err(ProgramError::OutOfRange { field, highest: AMOUNT_MAX_POINTS }) }
}

impl Aggregate for Program {
    const TYPE: &'static str = "points_program";
    const SHAPE: u16 = 1;

    type Command = ProgramCommand;
    type Event = ProgramEvent;
    type Error = ProgramError;

    fn decide(&self, command: &ProgramCommand, _facts: &Facts) -> Result<Vec<ProgramEvent>, ProgramError> {
        if let ProgramCommand::Define(command) = command {
            return self.define(command);
        }
        let program_id = self.id.ok_or(ProgramError::NotDefined)?;
        match command {
            ProgramCommand::Define(_) => Err(ProgramError::AlreadyDefined),
            ProgramCommand::AddEarningRule(command) => self.add_earning_rule(program_id, command),
            ProgramCommand::RetireRule(command) => self.retire_rule(program_id, command),
            ProgramCommand::ChangeExpiryRule(command) => self.change_expiry_rule(program_id, command),
            ProgramCommand::SetFloor(command) if command.floor == self.floor => Ok(Vec::new()),
            ProgramCommand::SetFloor(command) => {
                check_floor(command.floor)?;
                Ok(vec![FloorChanged { program_id, floor: command.floor }.into()])
            }
        }
    }

    fn evolve(&mut self, event: &ProgramEvent) {
        match event {
            ProgramEvent::ProgramDefined(event) => {
                self.id = Some(event.program_id);
                self.name.clone_from(&event.name);
                self.floor = event.floor;
            }
            ProgramEvent::EarningRuleAdded(event) => {
                let history = self.rules.entry(event.rule_id).or_insert_with(|| RuleHistory { versions: Vec::new(), retired_from: None });
                history.versions.push(EarningRule {
                    rule_id: event.rule_id,
                    version: event.rule_version,
                    kind: event.kind,
                    metric: event.metric,
                    per_units: event.per_units,
                    points: event.points,
                    daily_cap: event.daily_cap,
                    effective_from: event.effective_from,
                });
            }
            ProgramEvent::EarningRuleRetired(event) => {
                if let Some(history) = self.rules.get_mut(&event.rule_id) {
                    history.retired_from = Some(event.effective_from);
                }
            }
            ProgramEvent::ExpiryRuleChanged(event) => self.expiry_rules.push(ExpiryRule {
                version: event.rule_version,
                expires_after_days: event.expires_after_days,
                effective_from: event.effective_from,
            }),
            ProgramEvent::FloorChanged(event) => self.floor = event.floor,
        }
    }
}
