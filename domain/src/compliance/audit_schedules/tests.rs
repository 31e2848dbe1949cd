//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::{
    compliance::{saved_searches::SearchFilters, subject_export::ExportFormat},
    kernel::{Aggregate, Digest, ExportId, Facts, Personal, ScheduleId, UserId},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

const ANN: UserId = UserId(Uuid::from_u128(1));
const ID: ScheduleId = ScheduleId(Uuid::from_u128(2));
const EXPORT: ExportId = ExportId(Uuid::from_u128(3));

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn daily() -> Rhythm {
    Rhythm { every: Every::Day, hour: 6, time_zone: "Europe/Paris".into() }
}

fn filters() -> SearchFilters {
    [("audit_name".to_owned(), "ROLE_CHANGED".to_owned())].into()
}

fn open() -> OpenSchedule {
    OpenSchedule { rhythm: daily(), format: ExportFormat::Csv, filters: filters(), recipient: "age1recipient".into(), position: 40 }
}

fn opened() -> AuditSchedulesEvent {
    AuditScheduleOpened {
        user_id: ANN,
        schedule_id: ID,
        rhythm: daily(),
        format: ExportFormat::Csv,
        filters: Personal::Clear(filters()),
        recipient: Personal::Clear("age1recipient".into()),
        after_position: 40,
        due_at: at("2026-01-06T05:00:00Z"),
    }
    .into()
}

fn ran(after_position: i64, until_position: i64, due_at: &str) -> AuditSchedulesEvent {
    let (user_id, schedule_id, export_id, due_at) = (ANN, ID, EXPORT, at(due_at));
    AuditScheduleRan { user_id, schedule_id, export_id, after_position, until_position, due_at }.into()
}

fn paused(cause: PauseCause) -> AuditSchedulesEvent {
    AuditSchedulePaused { user_id: ANN, schedule_id: ID, cause }.into()
}

fn resumed(due_at: &str) -> AuditSchedulesEvent {
    AuditScheduleResumed { user_id: ANN, schedule_id: ID, due_at: at(due_at) }.into()
}

fn closed() -> AuditSchedulesEvent {
    AuditScheduleClosed { user_id: ANN, schedule_id: ID }.into()
}

fn run(position: i64) -> ScheduleAction {
    ScheduleAction::Run(Run { export_id: EXPORT, position })
}

fn when(events: &[AuditSchedulesEvent], now: &str, action: ScheduleAction) -> Result<Vec<AuditSchedulesEvent>, AuditSchedulesError> {
    let state = events.iter().fold(AuditSchedules::default(), |mut state, event| {
        state.evolve(event);
        state
    });
    let command = AuditSchedulesCommand { user_id: ANN, schedule_id: ID, action };
    state.decide(&command, &Facts { now: at(now), actor: ANN })
}

const MONDAY_NOON: &str = "2026-01-05T11:00:00Z";

// covers: E-276
#[test]
fn a_schedule_is_due_at_an_hour_of_its_place() {
    assert_eq!(when(&[], MONDAY_NOON, ScheduleAction::Open(open())), Ok(vec![opened()]));
    for (every, zone, hour, now, due) in [
        (Every::Day, "Europe/Paris", 6, "2026-01-05T04:59:59Z", "2026-01-05T05:00:00Z"),
        (Every::Day, "Europe/Paris", 6, "2026-01-05T05:00:00Z", "2026-01-06T05:00:00Z"),
        (Every::Day, "Asia/Kolkata", 0, "2026-01-05T11:00:00Z", "2026-01-05T18:30:00Z"),
        (Every::Week, "UTC", 0, "2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"),
        (Every::Week, "UTC", 23, "2026-01-06T00:00:00Z", "2026-01-12T23:00:00Z"),
        (Every::Month, "America/New_York", 1, "2026-01-01T06:00:00Z", "2026-02-01T06:00:00Z"),
        (Every::Month, "UTC", 0, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        // In Paris 02:00 is left out on 2026-03-29, and comes twice on 2026-10-25.
        (Every::Day, "Europe/Paris", 2, "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
        (Every::Day, "Europe/Paris", 2, "2026-10-24T12:00:00Z", "2026-10-25T00:00:00Z"),
        (Every::Day, "Europe/Paris", 2, "2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"),
    ] {
        let rhythm = Rhythm { every, hour, time_zone: zone.into() };
        assert_eq!(rhythm.next_after(at(now)), Some(at(due)), "{rhythm:?} after {now}");
    }
}

#[test]
fn what_no_schedule_may_be_is_refused() {
    let about = |name: &str, value: &str| SearchFilters::from([(name.to_owned(), value.to_owned())]);
    let many = (0..21).map(|n| (format!("f{n}"), "x".to_owned())).collect();
    for (refused, error) in [
        (OpenSchedule { rhythm: Rhythm { hour: 24, ..daily() }, ..open() }, AuditSchedulesError::HourInvalid),
        (OpenSchedule { rhythm: Rhythm { time_zone: "Mars/Base".into(), ..daily() }, ..open() }, AuditSchedulesError::TimeZoneUnknown),
        (OpenSchedule { format: ExportFormat::Pdf, ..open() }, AuditSchedulesError::FormatInvalid),
        (OpenSchedule { filters: many, ..open() }, AuditSchedulesError::FiltersInvalid),
        (OpenSchedule { filters: about("action", &"x".repeat(201)), ..open() }, AuditSchedulesError::FiltersInvalid),
        (OpenSchedule { filters: about("from", "2026-01-01T00:00:00Z"), ..open() }, AuditSchedulesError::FiltersInvalid),
        (OpenSchedule { filters: about("ip", "192.0.2.1"), ..open() }, AuditSchedulesError::FilterAboutSomebody),
        (OpenSchedule { filters: about("text", "ann"), ..open() }, AuditSchedulesError::FilterAboutSomebody),
    ] {
        assert_eq!(when(&[], MONDAY_NOON, ScheduleAction::Open(refused)), Err(error));
    }
    let everything = OpenSchedule { filters: SearchFilters::new(), ..open() };
    assert!(when(&[], MONDAY_NOON, ScheduleAction::Open(everything)).is_ok());
    let others = (0..SCHEDULES_MAX).map(|n| match opened() {
        AuditSchedulesEvent::AuditScheduleOpened(opened) => {
            AuditScheduleOpened { schedule_id: ScheduleId(Uuid::from_u128(100 + n as u128)), ..opened }.into()
        }
        other => other,
    });
    let others: Vec<_> = others.collect();
    assert_eq!(when(&others, MONDAY_NOON, ScheduleAction::Open(open())), Err(AuditSchedulesError::TooMany));
    assert!(when(&others[1..], MONDAY_NOON, ScheduleAction::Open(open())).is_ok());
}

// covers: E-276
#[test]
fn it_runs_when_it_is_due_and_takes_out_what_came_since() {
    let first = ran(40, 90, "2026-01-07T05:00:00Z");
    assert_eq!(when(&[opened()], "2026-01-06T04:59:59Z", run(90)), Ok(Vec::new()), "not yet");
    assert_eq!(when(&[opened()], "2026-01-06T05:00:00Z", run(90)), Ok(vec![first.clone()]));
    assert_eq!(when(&[opened(), first.clone()], "2026-01-06T05:00:01Z", run(91)), Ok(Vec::new()), "once");
    assert_eq!(when(&[opened(), first], "2026-01-07T05:00:00Z", run(95)), Ok(vec![ran(90, 95, "2026-01-08T05:00:00Z")]));
}

// covers: E-276
#[test]
fn of_the_times_that_were_missed_it_is_one_export_and_nothing_is_lost() {
    let missed = ran(40, 500, "2026-01-20T05:00:00Z");
    assert_eq!(when(&[opened()], "2026-01-19T12:00:00Z", run(500)), Ok(vec![missed]));
}

#[test]
fn a_paused_schedule_does_not_run_and_goes_on_where_it_stood() {
    for cause in [PauseCause::Asked, PauseCause::RightLost] {
        let stopped = [opened(), paused(cause)];
        assert_eq!(when(&[opened()], MONDAY_NOON, ScheduleAction::Pause(cause)), Ok(vec![paused(cause)]));
        assert_eq!(when(&stopped, "2026-01-09T12:00:00Z", run(90)), Ok(Vec::new()));
        assert_eq!(when(&stopped, MONDAY_NOON, ScheduleAction::Pause(cause)), Err(AuditSchedulesError::Paused));
        let again = resumed("2026-01-10T05:00:00Z");
        assert_eq!(when(&stopped, "2026-01-09T12:00:00Z", ScheduleAction::Resume), Ok(vec![again.clone()]));
        let going_on = [opened(), paused(cause), again];
        assert_eq!(when(&going_on, "2026-01-10T05:00:00Z", run(90)), Ok(vec![ran(40, 90, "2026-01-11T05:00:00Z")]));
    }
    assert_eq!(when(&[opened()], MONDAY_NOON, ScheduleAction::Resume), Err(AuditSchedulesError::NotPaused));
}

#[test]
fn a_schedule_that_is_closed_or_was_never_there_is_not_found() {
    assert_eq!(when(&[opened()], MONDAY_NOON, ScheduleAction::Close), Ok(vec![closed()]));
    for events in [vec![], vec![opened(), closed()]] {
        for action in [ScheduleAction::Close, ScheduleAction::Resume, ScheduleAction::Pause(PauseCause::Asked), run(90)] {
            assert_eq!(when(&events, "2026-01-09T12:00:00Z", action), Err(AuditSchedulesError::NotFound));
        }
    }
}

#[test]
fn what_cannot_be_read_any_more_is_paused_for_good() {
    let AuditSchedulesEvent::AuditScheduleOpened(clear) = opened() else { panic!("it is opened") };
    let sealed = Personal::Sealed(Digest([1; 32]));
    let erased: AuditSchedulesEvent = AuditScheduleOpened { recipient: sealed, ..clear }.into();
    assert_eq!(when(std::slice::from_ref(&erased), "2026-01-06T05:00:00Z", run(90)), Ok(vec![paused(PauseCause::Erased)]));
    let stopped = [erased, paused(PauseCause::Erased)];
    assert_eq!(when(&stopped, "2026-01-06T05:00:00Z", ScheduleAction::Resume), Err(AuditSchedulesError::Unreadable));
}
