//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::challenges::Metric;
use crate::kernel::{Aggregate, Code, Event, Facts, ProgramId, Refusal, RuleId, UserId};
use crate::points::AMOUNT_MAX_POINTS;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use uuid::Uuid;

const WELLNESS: ProgramId = ProgramId(Uuid::from_u128(1));
const STEPS: RuleId = RuleId(Uuid::from_u128(2));
const OTHER: RuleId = RuleId(Uuid::from_u128(3));

fn given(events: &[ProgramEvent]) -> Program {
    events.iter().fold(Program::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[ProgramEvent], command: impl Into<ProgramCommand>) -> Result<Vec<ProgramEvent>, ProgramError> {
    given(events).decide(&command.into(), &Facts { now: DateTime::UNIX_EPOCH, actor: UserId(Uuid::nil()) })
}

macro_rules! into_command {
    ($($variant:ident($command:ident)),*) => {
        $(impl From<$command> for ProgramCommand { fn from(command: $command) -> Self { ProgramCommand::$variant(command) } })*
    };
}
into_command!(
    Define(DefineProgram),
    AddEarningRule(AddEarningRule),
    RetireRule(RetireRule),
    ChangeExpiryRule(ChangeExpiryRule),
    SetFloor(SetFloor)
);

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2016, 4, 1).unwrap() + TimeDelta::days(i64::from(day) - 1)
}

fn noon(of: NaiveDate) -> DateTime<Utc> {
    of.and_hms_opt(12, 0, 0).unwrap().and_utc()
}

fn define() -> DefineProgram {
    DefineProgram { program_id: WELLNESS, name: "Wellness".into(), floor: 0 }
}

fn defined() -> ProgramEvent {
    ProgramDefined { program_id: WELLNESS, name: "Wellness".into(), floor: 0 }.into()
}

/// 1 point per 100 steps, at most 150 a day.
fn add_steps(from: NaiveDate) -> AddEarningRule {
    AddEarningRule {
        rule_id: STEPS,
        kind: EarningKind::Activity,
        metric: Metric::Steps,
        per_units: 100,
        points: 1,
        daily_cap: Some(150),
        effective_from: from,
    }
}

fn steps_added(rule_id: RuleId, rule_version: u32, from: NaiveDate) -> ProgramEvent {
    EarningRuleAdded {
        program_id: WELLNESS,
        rule_id,
        rule_version,
        kind: EarningKind::Activity,
        metric: Metric::Steps,
        per_units: 100,
        points: 1,
        daily_cap: Some(150),
        effective_from: from,
    }
    .into()
}

fn retired(from: NaiveDate) -> ProgramEvent {
    EarningRuleRetired { program_id: WELLNESS, rule_id: STEPS, effective_from: from }.into()
}

fn expiry(rule_version: u32, expires_after_days: Option<u32>, from: NaiveDate) -> ProgramEvent {
    ExpiryRuleChanged { program_id: WELLNESS, rule_version, expires_after_days, effective_from: from }.into()
}

fn versions_on(program: &Program, on: NaiveDate) -> Vec<(RuleId, u32)> {
    program.earning_rules_on(Metric::Steps, on).map(|rule| (rule.rule_id, rule.version)).collect()
}

#[test]
fn a_program_is_defined_once() {
    assert_eq!(when(&[], define()), Ok(vec![defined()]));
    let program = given(&[defined()]);
    assert_eq!((program.is_defined(), program.name(), program.floor()), (true, "Wellness", 0));
    assert_eq!(when(&[defined()], define()), Err(ProgramError::AlreadyDefined));
}

#[test]
fn a_program_that_is_not_defined_takes_no_other_command() {
    assert_eq!(when(&[], add_steps(day(1))), Err(ProgramError::NotDefined));
    assert_eq!(when(&[], RetireRule { rule_id: STEPS, effective_from: day(1) }), Err(ProgramError::NotDefined));
    assert_eq!(when(&[], ChangeExpiryRule { expires_after_days: None, effective_from: day(1) }), Err(ProgramError::NotDefined));
    assert_eq!(when(&[], SetFloor { floor: -1 }), Err(ProgramError::NotDefined));
}

#[test]
fn a_name_is_a_label_and_a_floor_is_never_above_zero() {
    for name in ["", " ", " Wellness", "two\nlines", &"x".repeat(101)] {
        let refused = when(&[], DefineProgram { name: name.into(), ..define() }).unwrap_err();
        assert_eq!((refused.code(), refused.field()), (Code::ValidationError, Some("name")), "{name:?}");
    }
    for floor in [1, -AMOUNT_MAX_POINTS - 1] {
        let refused = when(&[], DefineProgram { floor, ..define() }).unwrap_err();
        assert_eq!((refused.code(), refused.field()), (Code::ValidationError, Some("floor")));
        assert_eq!(when(&[defined()], SetFloor { floor }), Err(refused));
    }
}

#[test]
fn a_floor_changes_and_the_same_floor_changes_nothing() {
    let lower = FloorChanged { program_id: WELLNESS, floor: -100 }.into();
    assert_eq!(when(&[defined()], SetFloor { floor: -100 }), Ok(vec![lower]));
    assert_eq!(when(&[defined()], SetFloor { floor: 0 }), Ok(vec![]));
}

// covers: W-28
#[test]
fn a_first_rule_is_version_one_and_applies_from_its_day_on() {
    assert_eq!(when(&[defined()], add_steps(day(10))), Ok(vec![steps_added(STEPS, 1, day(10))]));
    let program = given(&[defined(), steps_added(STEPS, 1, day(10))]);
    assert_eq!(versions_on(&program, day(9)), []);
    assert_eq!(versions_on(&program, day(10)), [(STEPS, 1)]);
    assert_eq!(program.earning_rules_on(Metric::Calories, day(10)).count(), 0);
}

#[test]
fn a_later_rule_for_the_metric_is_the_next_version_and_older_days_keep_theirs() {
    let before = [defined(), steps_added(STEPS, 1, day(1))];
    let second = steps_added(STEPS, 2, day(20));
    assert_eq!(when(&before, AddEarningRule { rule_id: OTHER, ..add_steps(day(20)) }), Ok(vec![second.clone()]));
    let program = given(&[defined(), steps_added(STEPS, 1, day(1)), second]);
    assert_eq!(versions_on(&program, day(19)), [(STEPS, 1)]);
    assert_eq!(versions_on(&program, day(20)), [(STEPS, 2)]);
    assert_eq!(program.earning_rule_on(STEPS, day(19)).map(|rule| rule.version), Some(1));
    assert_eq!(program.earning_rule_on(OTHER, day(19)), None);
}

#[test]
fn a_version_must_begin_after_the_last_one() {
    let before = [defined(), steps_added(STEPS, 1, day(10))];
    for from in [day(9), day(10)] {
        let refused = when(&before, add_steps(from)).unwrap_err();
        assert_eq!(refused, ProgramError::NotLater { last: day(10) });
        assert_eq!((refused.code(), refused.field()), (Code::ValidationError, Some("effective_from")));
    }
}

#[test]
fn rules_for_two_metrics_are_two_rules() {
    let before = [defined(), steps_added(STEPS, 1, day(1))];
    let calories = AddEarningRule { metric: Metric::Calories, ..add_steps(day(1)) };
    assert_eq!(when(&before, calories.clone()), Err(ProgramError::RuleExists));
    assert!(when(&before, AddEarningRule { rule_id: OTHER, ..calories }).is_ok());
}

#[test]
fn a_rule_needs_numbers_in_range() {
    let with = |field: &'static str, command: AddEarningRule| {
        let refused = when(&[defined()], command).unwrap_err();
        assert_eq!((refused.code(), refused.field()), (Code::ValidationError, Some(field)));
    };
    for wrong in [0, -1, AMOUNT_MAX_POINTS + 1] {
        with("per_units", AddEarningRule { per_units: wrong, ..add_steps(day(1)) });
        with("points", AddEarningRule { points: wrong, ..add_steps(day(1)) });
        with("daily_cap", AddEarningRule { daily_cap: Some(wrong), ..add_steps(day(1)) });
    }
}

#[test]
fn a_retired_rule_earns_for_the_days_before_only() {
    let before = [defined(), steps_added(STEPS, 1, day(1))];
    assert_eq!(when(&before, RetireRule { rule_id: STEPS, effective_from: day(20) }), Ok(vec![retired(day(20))]));
    let after = [defined(), steps_added(STEPS, 1, day(1)), retired(day(20))];
    assert_eq!(versions_on(&given(&after), day(19)), [(STEPS, 1)]);
    assert_eq!(versions_on(&given(&after), day(20)), []);
    assert_eq!(when(&after, RetireRule { rule_id: STEPS, effective_from: day(25) }), Err(ProgramError::AlreadyRetired));
    assert_eq!(when(&after, RetireRule { rule_id: OTHER, effective_from: day(25) }), Err(ProgramError::UnknownRule));
}

#[test]
fn a_rule_that_follows_a_retired_one_is_new_and_no_day_earns_twice() {
    let after = [defined(), steps_added(STEPS, 1, day(1)), retired(day(20))];
    let follower = |from| AddEarningRule { rule_id: OTHER, ..add_steps(from) };
    assert_eq!(when(&after, follower(day(19))), Err(ProgramError::NotLater { last: day(20) }));
    assert_eq!(when(&after, follower(day(20))), Ok(vec![steps_added(OTHER, 1, day(20))]));
    assert_eq!(when(&after, add_steps(day(20))), Err(ProgramError::RuleExists));
}

#[test]
fn points_never_expire_unless_a_rule_of_their_day_says_so() {
    let from = day(10);
    let change = |expires_after_days, effective_from| ChangeExpiryRule { expires_after_days, effective_from };
    assert_eq!(when(&[defined()], change(Some(30), from)), Ok(vec![expiry(1, Some(30), from)]));
    let program = given(&[defined(), expiry(1, Some(30), from), expiry(2, None, day(20))]);
    assert_eq!(program.expires_at(noon(day(9))), None);
    assert_eq!(program.expires_at(noon(day(10))), Some(noon(day(40))));
    assert_eq!(program.expires_at(noon(day(20))), None);
}

#[test]
fn an_expiry_rule_must_begin_after_the_last_one_and_last_a_day_at_least() {
    let before = [defined(), expiry(1, Some(30), day(10))];
    let change = |expires_after_days, effective_from| ChangeExpiryRule { expires_after_days, effective_from };
    assert_eq!(when(&before, change(None, day(10))), Err(ProgramError::NotLater { last: day(10) }));
    for wrong in [0, 36_501] {
        let refused = when(&before, change(Some(wrong), day(11))).unwrap_err();
        assert_eq!((refused.code(), refused.field()), (Code::ValidationError, Some("expires_after_days")));
    }
    assert_eq!(when(&before, change(None, day(11))), Ok(vec![expiry(2, None, day(11))]));
}

fn steps_rule(per_units: i64, points: i64, daily_cap: Option<i64>) -> EarningRule {
    EarningRule {
        rule_id: STEPS,
        version: 1,
        kind: EarningKind::Activity,
        metric: Metric::Steps,
        per_units,
        points,
        daily_cap,
        effective_from: day(1),
    }
}

// covers: W-28
#[test]
fn a_days_total_is_worth_its_whole_units_up_to_the_cap() {
    let rule = steps_rule(100, 1, Some(150));
    for (total, target) in [(i64::MIN, 0), (-1, 0), (0, 0), (99, 0), (100, 1), (14_999, 149), (15_000, 150), (36_019, 150), (i64::MAX, 150)]
    {
        assert_eq!(rule.target(total), target, "{total}");
    }
    assert_eq!(steps_rule(1, AMOUNT_MAX_POINTS, None).target(i64::MAX), AMOUNT_MAX_POINTS);
    assert_eq!(steps_rule(0, 1, None).target(5), 0);
}

proptest! {
    #[test]
    fn a_target_is_the_formula_wherever_the_formula_has_no_overflow(
        total in 0..1_000_000_000_i64, per_units in 1..100_000_i64, points in 1..1_000_i64, cap in proptest::option::of(1..1_000_000_i64),
    ) {
        let exact = i128::from(total / per_units) * i128::from(points);
        let expected = exact.min(i128::from(cap.unwrap_or(AMOUNT_MAX_POINTS)));
        prop_assert_eq!(i128::from(steps_rule(per_units, points, cap).target(total)), expected);
    }

    #[test]
    fn a_target_never_falls_when_the_total_rises(a in any::<i64>(), b in any::<i64>(), per_units in 1..1_000_i64, points in 1..1_000_000_i64) {
        let rule = steps_rule(per_units, points, None);
        prop_assert!(rule.target(a.min(b)) <= rule.target(a.max(b)));
    }

    #[test]
    fn any_sequence_of_commands_replays_and_every_day_has_one_rule_at_most(
        commands in proptest::collection::vec((0..4_u8, 0..2_u128, 1..40_u32), 1..40),
    ) {
        let mut live = given(&[defined()]);
        for (which, rule, from) in commands {
            let (rule_id, from) = (RuleId(Uuid::from_u128(rule)), day(from));
            let command: ProgramCommand = match which {
                0 | 1 => AddEarningRule { rule_id, ..add_steps(from) }.into(),
                2 => RetireRule { rule_id, effective_from: from }.into(),
                _ => ChangeExpiryRule { expires_after_days: Some(30), effective_from: from }.into(),
            };
            for event in live.decide(&command, &Facts { now: noon(from), actor: UserId(Uuid::nil()) }).unwrap_or_default() {
                let stored = ProgramEvent::from_payload(event.event_type(), event.schema_version(), &event.to_payload().unwrap()).unwrap();
                prop_assert_eq!(&stored, &event);
                live.evolve(&event);
            }
            let snapshot: Program = serde_json::from_value(serde_json::to_value(&live).unwrap()).unwrap();
            prop_assert_eq!(&snapshot, &live);
            for on in 1..40 {
                prop_assert!(live.earning_rules_on(Metric::Steps, day(on)).count() <= 1);
            }
        }
    }
}
