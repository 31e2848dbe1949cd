//! Given events, when a command comes, then events or a refusal.

use super::{status::TRANSITIONS, *};
use crate::kernel::{Aggregate, Code, Digest, ExportId, Facts, Personal, Refusal, ScheduleId, SubjectRequestId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const ID: ExportId = ExportId(Uuid::from_u128(1));
const ALICE: UserId = UserId(Uuid::from_u128(2));
const BOB: UserId = UserId(Uuid::from_u128(3));

fn at(days: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(days)
}

fn given(events: &[SubjectExportEvent]) -> SubjectExport {
    events.iter().fold(SubjectExport::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[SubjectExportEvent], days: i64, command: SubjectExportCommand) -> Result<Vec<SubjectExportEvent>, SubjectExportError> {
    given(events).decide(&command, &Facts { now: at(days), actor: ALICE })
}

fn request() -> SubjectExportCommand {
    SubjectExportCommand::Request(RequestExport {
        export_id: ID,
        user_id: ALICE,
        format: ExportFormat::Json,
        recipient: "age1recipient".into(),
    })
}

fn complete() -> SubjectExportCommand {
    SubjectExportCommand::Complete(CompleteExport { events: 3, size_bytes: 100, digest: Digest([1; 32]) })
}

fn download() -> SubjectExportCommand {
    SubjectExportCommand::Download { user_id: ALICE }
}

fn requested() -> SubjectExportEvent {
    let recipient = Personal::Clear("age1recipient".into());
    SubjectExportRequested { export_id: ID, user_id: ALICE, format: ExportFormat::Json, recipient }.into()
}

fn started() -> SubjectExportEvent {
    SubjectExportStarted { export_id: ID, user_id: ALICE }.into()
}

fn ready() -> SubjectExportEvent {
    let (digest, expires_at) = (Digest([1; 32]), at(EXPIRES_AFTER_DAYS));
    SubjectExportReady { export_id: ID, user_id: ALICE, events: 3, size_bytes: 100, digest, expires_at }.into()
}

fn downloaded() -> SubjectExportEvent {
    SubjectExportDownloaded { export_id: ID, user_id: ALICE }.into()
}

fn expired() -> SubjectExportEvent {
    SubjectExportExpired { export_id: ID, user_id: ALICE }.into()
}

fn failed() -> SubjectExportEvent {
    SubjectExportFailed { export_id: ID, user_id: ALICE, fault: ExportFault::TooLarge }.into()
}

fn history(status: ExportStatus) -> Vec<SubjectExportEvent> {
    match status {
        ExportStatus::Requested => vec![requested()],
        ExportStatus::Building => vec![requested(), started()],
        ExportStatus::Ready => vec![requested(), started(), ready()],
        ExportStatus::Downloaded => vec![requested(), started(), ready(), downloaded()],
        ExportStatus::Expired => vec![requested(), started(), ready(), expired()],
        ExportStatus::Failed => vec![requested(), started(), failed()],
    }
}

/// A row is where it stands, a column where it would go, in the order of `ExportStatus::ALL`:
/// requested, building, ready, downloaded, expired, failed.
const MATRIX: [(ExportStatus, &str); 6] = [
    (ExportStatus::Requested, ".A...."),
    (ExportStatus::Building, "..A..A"),
    (ExportStatus::Ready, "...AA."),
    (ExportStatus::Downloaded, "...AA."),
    (ExportStatus::Expired, "......"),
    (ExportStatus::Failed, "......"),
];

/// covers: E-178
#[test]
fn all_36_cells_of_the_life_cycle_are_as_written() {
    let moves = [
        (0, request(), ExportStatus::Requested),
        (0, SubjectExportCommand::Start, ExportStatus::Building),
        (0, complete(), ExportStatus::Ready),
        (0, download(), ExportStatus::Downloaded),
        (EXPIRES_AFTER_DAYS, SubjectExportCommand::Expire, ExportStatus::Expired),
        (0, SubjectExportCommand::Fail(ExportFault::TooLarge), ExportStatus::Failed),
    ];
    for (from, row) in MATRIX {
        for ((days, command, to), cell) in moves.iter().zip(row.chars()) {
            let decided = when(&history(from), *days, command.clone()).unwrap_or_default();
            let reached = decided.last().is_some_and(|event| event.status() == *to);
            assert_eq!(reached, cell == 'A', "{from:?} to {to:?}");
            let after = given(&[history(from), decided].concat());
            assert!(!reached || after.status_at(at(0)) == Some(*to), "{from:?} to {to:?}");
            let declared = TRANSITIONS.iter().any(|way| way.leads_from(from) && way.to == *to);
            assert_eq!(declared, cell == 'A', "{from:?} to {to:?} in the table");
        }
    }
    let forbidden = SubjectExportError::TransitionForbidden { from: ExportStatus::Requested, to: ExportStatus::Downloaded };
    assert_eq!(when(&[requested()], 0, download()), Err(forbidden));
    assert!(forbidden.is_attempt() && forbidden.code() == Code::ValidationError);
    assert_eq!(when(&[requested()], 0, request()), Err(SubjectExportError::AlreadyExists));
}

/// covers: E-178
#[test]
fn its_time_is_over_whether_or_not_anyone_recorded_that() {
    let ready = history(ExportStatus::Ready);
    assert_eq!(when(&ready, EXPIRES_AFTER_DAYS - 1, download()), Ok(vec![downloaded()]));
    assert_eq!(when(&ready, EXPIRES_AFTER_DAYS, download()), Err(SubjectExportError::Expired));
    assert_eq!(when(&history(ExportStatus::Expired), 0, download()), Err(SubjectExportError::Expired));
    assert_eq!(when(&ready, EXPIRES_AFTER_DAYS, SubjectExportCommand::Expire), Ok(vec![expired()]));
    assert_eq!(when(&ready, EXPIRES_AFTER_DAYS - 1, SubjectExportCommand::Expire), Ok(vec![]));
    for status in [ExportStatus::Requested, ExportStatus::Building, ExportStatus::Failed] {
        assert_eq!(when(&history(status), 1000, SubjectExportCommand::Expire), Ok(vec![]), "{status:?}");
    }
}

#[test]
fn anothers_export_looks_as_if_it_were_not_there() {
    let download = SubjectExportCommand::Download { user_id: BOB };
    assert_eq!(when(&history(ExportStatus::Ready), 0, download.clone()), Err(SubjectExportError::NotFound));
    assert_eq!(when(&[], 0, download), Err(SubjectExportError::NotFound));
    assert_eq!(when(&[], 0, SubjectExportCommand::Start), Err(SubjectExportError::NotFound));
}

// covers: E-276
#[test]
fn an_export_of_a_schedule_is_told_when_it_is_there_and_when_it_cannot_be() {
    let (schedule_id, filters, recipient) = (ScheduleId(Uuid::from_u128(9)), Default::default(), "age1recipient".to_owned());
    let (format, after_position, until_position) = (ExportFormat::Csv, 40, 90);
    let request =
        RequestAuditExport { export_id: ID, user_id: ALICE, schedule_id, format, filters, recipient, after_position, until_position };
    let asked = when(&[], 0, SubjectExportCommand::RequestAudit(request.clone())).unwrap();
    assert!(matches!(&asked[..], [SubjectExportEvent::AuditExportRequested(asked)] if asked.until_position == 90), "{asked:?}");
    assert_eq!(when(&asked, 0, SubjectExportCommand::RequestAudit(request)), Err(SubjectExportError::AlreadyExists));
    let building = [asked[0].clone(), started()];
    let told = AuditExportReady { export_id: ID, user_id: ALICE, schedule_id, expires_at: at(EXPIRES_AFTER_DAYS) }.into();
    assert_eq!(when(&building, 0, complete()), Ok(vec![ready(), told]));
    assert_eq!(when(&[requested(), started()], 0, complete()), Ok(vec![ready()]), "one's own is not told");

    let fault = ExportFault::TooLarge;
    let told = AuditExportFailed { export_id: ID, user_id: ALICE, schedule_id, fault }.into();
    assert_eq!(when(&building, 0, SubjectExportCommand::Fail(fault)), Ok(vec![failed(), told]));
    assert_eq!(when(&[requested(), started()], 0, SubjectExportCommand::Fail(fault)), Ok(vec![failed()]), "one's own is not told");
}

#[test]
fn what_answers_a_request_is_kept_as_long_as_a_letter_may_lie() {
    let request_id = SubjectRequestId(Uuid::from_u128(4));
    let (user_id, format) = (BOB, ExportFormat::Pdf);
    let asked = SubjectExportCommand::RequestAnswer(RequestAnswerExport { export_id: ID, user_id, request_id, format });
    let requested: SubjectExportEvent = AnswerExportRequested { export_id: ID, user_id, request_id, format, requested_by: ALICE }.into();
    assert_eq!(when(&[], 0, asked.clone()), Ok(vec![requested.clone()]));
    assert_eq!(when(std::slice::from_ref(&requested), 0, asked), Err(SubjectExportError::AlreadyExists));
    let started: SubjectExportEvent = SubjectExportStarted { export_id: ID, user_id }.into();
    let built = when(&[requested, started], 1, complete()).unwrap();
    let [SubjectExportEvent::SubjectExportReady(ready)] = &built[..] else { panic!("{built:?}") };
    assert_eq!(ready.expires_at, at(1 + ANSWER_EXPIRES_AFTER_DAYS));
}
