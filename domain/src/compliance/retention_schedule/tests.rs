//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::{
    compliance::deletion_request::{DeletionSubject, Retained},
    kernel::{Aggregate, Facts, OrganizationId, Purpose, UserId},
};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const OFFICER: UserId = UserId(Uuid::from_u128(3));
const ALICE: DeletionSubject = DeletionSubject::User(UserId(Uuid::from_u128(1)));

fn day(days: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(days)
}

fn given(events: &[RetentionEvent]) -> RetentionSchedule {
    events.iter().fold(RetentionSchedule::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn set(schedule: &RetentionSchedule, class: RecordClass, days: u32) -> Result<Vec<RetentionEvent>, RetentionError> {
    let command = RetentionCommand::Set(SetRetentionPeriod { class, days });
    schedule.decide(&command, &Facts { now: day(0), actor: OFFICER })
}

fn was_set(class: RecordClass, days: u32) -> RetentionEvent {
    RetentionPeriodSet { class, days, set_by: OFFICER }.into()
}

/// covers: E-180, E-181, E-167
#[test]
fn every_class_is_set_within_its_bounds_and_not_beyond() {
    for class in RecordClass::ALL {
        let (least, most) = class.bounds();
        assert!((least..=most).contains(&class.default_days()), "{class:?}");
        let (schedule, refused) = (given(&[]), Err(RetentionError::PeriodOutOfRange(class)));
        assert_eq!(set(&schedule, class, most + 1), refused);
        assert_eq!(set(&schedule, class, most), Ok(vec![was_set(class, most)]));
        if least > 0 {
            assert_eq!(set(&schedule, class, least - 1), refused);
        }
        assert_eq!(set(&given(&[was_set(class, most)]), class, least), Ok(vec![was_set(class, least)]));
    }
}

/// covers: E-179, E-47
#[test]
fn nobody_keeps_the_audit_log_for_less_than_seven_years() {
    assert_eq!(given(&[]).days(RecordClass::Audit), 2557);
    assert_eq!(set(&given(&[]), RecordClass::Audit, 2556), Err(RetentionError::PeriodOutOfRange(RecordClass::Audit)));
    assert_eq!(day(2557) - day(0), DateTime::parse_from_rfc3339("1977-01-01T00:00:00Z").unwrap().to_utc() - day(0));
}

#[test]
fn a_period_that_stands_already_is_not_set_again() {
    assert_eq!(set(&given(&[]), RecordClass::Backup, 35), Ok(Vec::new()));
    assert_eq!(set(&given(&[was_set(RecordClass::Backup, 10)]), RecordClass::Backup, 10), Ok(Vec::new()));
}

#[test]
fn what_is_kept_has_a_date_of_its_class() {
    let schedule = given(&[was_set(RecordClass::Billing, 2000), was_set(RecordClass::Wellness, 10)]);
    let dates = schedule.dates_of(ALICE, &[Purpose::Profile, Purpose::Health, Purpose::Reward], day(100));
    let expected = [(Purpose::Profile, 100), (Purpose::Health, 110), (Purpose::Reward, 2100)];
    assert_eq!(dates, expected.map(|(purpose, days)| Retained { purpose, until: day(days) }));
}

#[test]
fn what_was_written_about_cases_stays_as_long_as_its_class_and_as_anything_of_the_organizations_people() {
    let organization = DeletionSubject::Organization(OrganizationId(Uuid::from_u128(7)));
    let case = |schedule: &RetentionSchedule, purposes: &[Purpose]| {
        let dates = schedule.dates_of(organization, purposes, day(0));
        assert_eq!(dates.len(), purposes.len() + 1);
        dates.last().map(|kept| (kept.purpose, kept.until)).expect("a date")
    };
    let usual = RetentionSchedule::default();
    let days = |class| day(usual.days(class).into());
    assert_eq!(case(&usual, &[Purpose::Profile]), (Purpose::Case, days(RecordClass::Audit)));
    let longest = days(RecordClass::of(Purpose::Reward)).max(days(RecordClass::Audit));
    assert_eq!(case(&usual, &[Purpose::Profile, Purpose::Reward]), (Purpose::Case, longest));
    assert!(usual.dates_of(ALICE, &Purpose::OF_PEOPLE, day(0)).iter().all(|kept| kept.purpose.is_of_people()));
}
