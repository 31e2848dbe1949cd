//! Given events, when a command comes, then events or a refusal.

use super::{status::TRANSITIONS, *};
use crate::{
    compliance::{
        deletion_request::{DeletionKind, DeletionStatus, DeletionSubject, Dossier},
        subject_export::ExportFormat,
    },
    kernel::{Aggregate, Code, DeletionRequestId, ExportId, Facts, OrganizationId, Personal, Refusal, SubjectRequestId, UserId},
};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const ID: SubjectRequestId = SubjectRequestId(Uuid::from_u128(1));
const ALICE: UserId = UserId(Uuid::from_u128(2));
const OFFICER: UserId = UserId(Uuid::from_u128(3));
const DELETION: DeletionRequestId = DeletionRequestId(Uuid::from_u128(4));
const EXPORT: ExportId = ExportId(Uuid::from_u128(5));

fn day(text: &str) -> DateTime<Utc> {
    format!("{text}T12:00:00Z").parse().unwrap()
}

fn given(events: &[SubjectRequestEvent]) -> SubjectRequest {
    events.iter().fold(SubjectRequest::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when_at(
    events: &[SubjectRequestEvent],
    now: DateTime<Utc>,
    command: SubjectRequestCommand,
) -> Result<Vec<SubjectRequestEvent>, SubjectRequestError> {
    given(events).decide(&command, &Facts { now, actor: OFFICER })
}

fn when(events: &[SubjectRequestEvent], command: SubjectRequestCommand) -> Result<Vec<SubjectRequestEvent>, SubjectRequestError> {
    when_at(events, day("2026-03-10"), command)
}

fn receive(kind: SubjectRequestKind) -> SubjectRequestCommand {
    receive_of(kind, None)
}

fn receive_of(kind: SubjectRequestKind, received_at: Option<DateTime<Utc>>) -> SubjectRequestCommand {
    let details = Some("all of it".into());
    SubjectRequestCommand::Receive(ReceiveRequest { request_id: ID, user_id: ALICE, kind, details, received_at })
}

fn received_on(from: &str, due: &str, kind: SubjectRequestKind) -> SubjectRequestEvent {
    let details = Some(Personal::Clear("all of it".into()));
    SubjectRequestReceived { request_id: ID, user_id: ALICE, kind, details, received_at: day(from), due_at: day(due) }.into()
}

fn received() -> SubjectRequestEvent {
    received_on("2026-03-01", "2026-04-01", SubjectRequestKind::Erasure)
}

fn taken() -> SubjectRequestEvent {
    SubjectRequestTaken { request_id: ID, user_id: ALICE, taken_by: OFFICER }.into()
}

fn extended(due: &str) -> SubjectRequestEvent {
    let reason = Personal::Clear("many systems".into());
    SubjectRequestExtended { request_id: ID, user_id: ALICE, extended_by: OFFICER, reason, due_at: day(due) }.into()
}

fn fulfilled(deletion: Option<AnsweringDeletion>) -> SubjectRequestEvent {
    let deletion_request_id = deletion.map(|deletion| deletion.request_id.0);
    let note = Some(Personal::Clear("done".into()));
    let (export_id, available_until) = (None, None);
    SubjectRequestFulfilled { request_id: ID, user_id: ALICE, fulfilled_by: OFFICER, note, deletion_request_id, export_id, available_until }
        .into()
}

/// The deletion of Alice, approved.
fn erasing() -> AnsweringDeletion {
    AnsweringDeletion { request_id: DELETION, user_id: Some(ALICE), approved: true }
}

fn answering() -> AnsweringExport {
    AnsweringExport { export_id: EXPORT, available_until: day("2026-04-09") }
}

fn refused() -> SubjectRequestEvent {
    let ground = RequestRefusal::LegalObligation;
    SubjectRequestRefused { request_id: ID, user_id: ALICE, refused_by: OFFICER, ground, note: None }.into()
}

fn withdrawn() -> SubjectRequestEvent {
    SubjectRequestWithdrawn { request_id: ID, user_id: ALICE }.into()
}

fn overdue(due: &str) -> SubjectRequestEvent {
    SubjectRequestOverdue { request_id: ID, user_id: ALICE, due_at: day(due) }.into()
}

fn extend(months: u32) -> SubjectRequestCommand {
    SubjectRequestCommand::Extend { months, reason: "many systems".into() }
}

fn fulfil(deletion: Option<AnsweringDeletion>) -> SubjectRequestCommand {
    SubjectRequestCommand::Fulfil { note: Some("done".into()), deletion, export: None }
}

fn refuse() -> SubjectRequestCommand {
    SubjectRequestCommand::Refuse { ground: RequestRefusal::LegalObligation, note: None }
}

fn history(status: SubjectRequestStatus) -> Vec<SubjectRequestEvent> {
    match status {
        SubjectRequestStatus::Received => vec![received()],
        SubjectRequestStatus::InProgress => vec![received(), taken()],
        SubjectRequestStatus::Fulfilled => vec![received(), taken(), fulfilled(None)],
        SubjectRequestStatus::Refused => vec![received(), taken(), refused()],
        SubjectRequestStatus::Withdrawn => vec![received(), withdrawn()],
    }
}

/// A row is where it stands, a column where it would go, in the order of `SubjectRequestStatus::ALL`:
/// received, in progress, fulfilled, refused, withdrawn.
const MATRIX: [(SubjectRequestStatus, &str); 5] = [
    (SubjectRequestStatus::Received, ".A..A"),
    (SubjectRequestStatus::InProgress, "..AAA"),
    (SubjectRequestStatus::Fulfilled, "....."),
    (SubjectRequestStatus::Refused, "....."),
    (SubjectRequestStatus::Withdrawn, "....."),
];

#[test]
fn all_25_cells_of_the_life_cycle_are_as_written() {
    let moves = [
        (receive(SubjectRequestKind::Access), SubjectRequestStatus::Received),
        (SubjectRequestCommand::Take, SubjectRequestStatus::InProgress),
        (fulfil(None), SubjectRequestStatus::Fulfilled),
        (refuse(), SubjectRequestStatus::Refused),
        (SubjectRequestCommand::Withdraw { user_id: ALICE }, SubjectRequestStatus::Withdrawn),
    ];
    for (from, row) in MATRIX {
        for ((command, to), cell) in moves.iter().zip(row.chars()) {
            let decided = when(&history(from), command.clone());
            let reached = decided.as_ref().is_ok_and(|events| events.last().and_then(SubjectRequestEvent::status) == Some(*to));
            assert_eq!(reached, cell == 'A', "{from:?} to {to:?}");
            if let (true, Ok(events)) = (reached, &decided) {
                let after = given(&[history(from), events.clone()].concat());
                assert_eq!(after.request().map(|request| request.status), Some(*to));
            }
            let declared = TRANSITIONS.iter().any(|way| way.leads_from(from) && way.to == *to);
            assert_eq!(declared, cell == 'A', "{from:?} to {to:?} in the table");
        }
    }
    let forbidden = SubjectRequestError::TransitionForbidden { from: SubjectRequestStatus::Refused, to: SubjectRequestStatus::Fulfilled };
    assert_eq!(when(&history(SubjectRequestStatus::Refused), fulfil(None)), Err(forbidden));
    assert!(forbidden.is_attempt() && forbidden.code() == Code::ValidationError);
}

#[test]
fn a_request_is_due_a_month_after_it_came_by_the_calendar() {
    for (from, due) in [
        ("2026-03-01", "2026-04-01"),
        ("2026-01-31", "2026-02-28"),
        ("2028-01-31", "2028-02-29"),
        ("2026-08-31", "2026-09-30"),
        ("2026-12-15", "2027-01-15"),
    ] {
        let events = when_at(&[], day(from), receive(SubjectRequestKind::Access));
        assert_eq!(events, Ok(vec![received_on(from, due, SubjectRequestKind::Access)]), "{from}");
    }
    assert_eq!(when(&[received()], receive(SubjectRequestKind::Access)), Err(SubjectRequestError::AlreadyExists));
}

#[test]
fn its_time_is_extended_once_by_two_months_at_most_before_it_is_over() {
    let late = received_on("2026-01-31", "2026-02-28", SubjectRequestKind::Access);
    for (months, due) in [(1, "2026-03-31"), (2, "2026-04-30")] {
        assert_eq!(when_at(std::slice::from_ref(&late), day("2026-02-01"), extend(months)), Ok(vec![extended(due)]));
    }
    for months in [0, 3] {
        assert_eq!(when(&[received()], extend(months)), Err(SubjectRequestError::ExtensionInvalid));
    }
    let twice = [received(), extended("2026-05-01")];
    assert_eq!(when(&twice, extend(1)), Err(SubjectRequestError::AlreadyExtended));
    assert_eq!(when_at(&[received()], day("2026-04-01"), extend(1)), Err(SubjectRequestError::ExtendedTooLate));
    let silent = SubjectRequestCommand::Extend { months: 1, reason: " ".into() };
    assert_eq!(when(&[received()], silent), Err(SubjectRequestError::TextInvalid("reason")));
    for status in SubjectRequestStatus::ALL.into_iter().filter(|status| !status.is_open()) {
        assert!(matches!(when(&history(status), extend(1)), Err(SubjectRequestError::TransitionForbidden { .. })), "{status:?}");
    }
}

#[test]
fn it_is_overdue_once_for_each_due_date_and_only_while_it_is_open() {
    let mark = SubjectRequestCommand::MarkOverdue;
    let before = day("2026-04-01") - TimeDelta::seconds(1);
    assert_eq!(when_at(&[received()], before, mark.clone()), Ok(vec![]));
    assert_eq!(when_at(&[received()], day("2026-04-01"), mark.clone()), Ok(vec![overdue("2026-04-01")]));
    assert_eq!(when_at(&[received(), overdue("2026-04-01")], day("2026-04-02"), mark.clone()), Ok(vec![]));
    let extended = [received(), extended("2026-05-01")];
    assert_eq!(when_at(&extended, day("2026-04-02"), mark.clone()), Ok(vec![]));
    assert_eq!(when_at(&extended, day("2026-05-02"), mark.clone()), Ok(vec![overdue("2026-05-01")]));
    for status in SubjectRequestStatus::ALL.into_iter().filter(|status| !status.is_open()) {
        assert_eq!(when_at(&history(status), day("2027-01-01"), mark.clone()), Ok(vec![]), "{status:?}");
    }
    assert_eq!(when(&[], mark), Ok(vec![]));
    // Whoever answers too late has it on record, whether or not a timer was there first.
    let late = when_at(&history(SubjectRequestStatus::InProgress), day("2026-04-02"), fulfil(None));
    assert_eq!(late, Ok(vec![overdue("2026-04-01"), fulfilled(None)]));
}

#[test]
fn a_deletion_answers_a_request_for_erasure_only() {
    let erasure = history(SubjectRequestStatus::InProgress);
    assert_eq!(when(&erasure, fulfil(Some(erasing()))), Ok(vec![fulfilled(Some(erasing()))]));
    let access = [received_on("2026-03-01", "2026-04-01", SubjectRequestKind::Access), taken()];
    assert_eq!(when(&access, fulfil(Some(erasing()))), Err(SubjectRequestError::NoErasure));
}

#[test]
fn the_deletion_that_answers_is_of_whoever_asked_and_approved() {
    let erasure = history(SubjectRequestStatus::InProgress);
    for user_id in [None, Some(OFFICER)] {
        let foreign = AnsweringDeletion { user_id, ..erasing() };
        assert_eq!(when(&erasure, fulfil(Some(foreign))), Err(SubjectRequestError::DeletionNotFound), "{user_id:?}");
    }
    let wish = AnsweringDeletion { approved: false, ..erasing() };
    assert_eq!(when(&erasure, fulfil(Some(wish))), Err(SubjectRequestError::DeletionNotApproved));
    assert_eq!(SubjectRequestError::DeletionNotFound.code(), Code::ResourceNotFound);
    assert_eq!(SubjectRequestError::DeletionNotApproved.code(), Code::Conflict);
}

#[test]
fn a_deletion_is_approved_from_its_grace_period_on_whatever_holds_it_up() {
    let subject = DeletionSubject::User(ALICE);
    let dossier = |status, before_hold| Dossier {
        request_id: DELETION,
        subject,
        kind: DeletionKind::OwnAccount,
        requested_by: ALICE,
        status,
        before_hold,
        approvals: [OFFICER].into(),
        due_at: None,
        ended_at: None,
        erasure: None,
        rounds: 0,
        retained: Vec::new(),
        backups_until: None,
    };
    let approved = ["GRACE", "SOFT_DELETED", "ANONYMISED", "RETENTION_COUNTDOWN", "PURGED"];
    for status in DeletionStatus::ALL {
        let expected = AnsweringDeletion { approved: approved.contains(&status.name()), ..erasing() };
        assert_eq!(AnsweringDeletion::of(DELETION, Some(&dossier(status, None))), expected, "{status:?}");
        let held = AnsweringDeletion::of(DELETION, Some(&dossier(DeletionStatus::Held, Some(status))));
        assert_eq!(held, expected, "held while {status:?}");
    }
    let whole = DeletionSubject::Organization(OrganizationId(ALICE.0));
    let of_all = AnsweringDeletion::of(DELETION, Some(&Dossier { subject: whole, ..dossier(DeletionStatus::Grace, None) }));
    assert_eq!(of_all.user_id, None, "an organization is nobody who asks");
    assert_eq!(AnsweringDeletion::of(DELETION, None), AnsweringDeletion { user_id: None, approved: false, ..erasing() });
}

#[test]
fn a_copy_comes_in_a_form_that_answers_the_right() {
    for (kind, accepted) in [
        (SubjectRequestKind::Access, vec![ExportFormat::Json]),
        (SubjectRequestKind::Portability, vec![ExportFormat::Json, ExportFormat::Csv]),
    ] {
        let under_way = given(&[received_on("2026-03-01", "2026-04-01", kind), taken()]);
        for format in ExportFormat::ALL {
            let answers = under_way.copy_by(OFFICER, format);
            let fits = accepted.contains(&format);
            assert_eq!(answers, if fits { Ok(ALICE) } else { Err(SubjectRequestError::FormatUnfit(kind)) }, "{kind:?} {format:?}");
        }
        let named = SubjectRequestError::FormatUnfit(kind).errors().remove(0);
        let names: Vec<_> = accepted.into_iter().map(ExportFormat::name).collect();
        assert_eq!((named.field.as_str(), named.allowed, named.present), ("format", names.iter().map(ToString::to_string).collect(), None));
    }
    for kind in SubjectRequestKind::ALL {
        assert_eq!(kind.copy_formats().is_empty(), !kind.asks_for_copy(), "{kind:?}");
    }
}

#[test]
fn nobody_withdraws_anothers_request() {
    let withdraw = SubjectRequestCommand::Withdraw { user_id: OFFICER };
    assert_eq!(when(&[received()], withdraw.clone()), Err(SubjectRequestError::NotFound));
    assert_eq!(when(&[], withdraw), Err(SubjectRequestError::NotFound));
    assert_eq!(when(&[], SubjectRequestCommand::Take), Err(SubjectRequestError::NotFound));
}

#[test]
fn blank_texts_are_refused_by_their_field() {
    let blank = Some(" ".to_owned());
    let asked =
        ReceiveRequest { request_id: ID, user_id: ALICE, kind: SubjectRequestKind::Access, details: blank.clone(), received_at: None };
    assert_eq!(when(&[], SubjectRequestCommand::Receive(asked)), Err(SubjectRequestError::TextInvalid("details")));
    let taken = history(SubjectRequestStatus::InProgress);
    let fulfil = SubjectRequestCommand::Fulfil { note: blank.clone(), deletion: None, export: None };
    assert_eq!(when(&taken, fulfil), Err(SubjectRequestError::TextInvalid("note")));
    let refuse = SubjectRequestCommand::Refuse { ground: RequestRefusal::Excessive, note: blank };
    assert_eq!(when(&taken, refuse), Err(SubjectRequestError::TextInvalid("note")));
}

#[test]
fn the_month_of_what_came_earlier_begins_when_it_came() {
    let came = |at: DateTime<Utc>| when(&[], receive_of(SubjectRequestKind::Erasure, Some(at)));
    assert_eq!(came(day("2026-03-01")), Ok(vec![received()]));
    assert!(came(day("2025-03-10")).is_ok(), "a year ago");
    for at in [day("2026-03-10") + TimeDelta::seconds(1), day("2025-03-10") - TimeDelta::seconds(1)] {
        assert_eq!(came(at), Err(SubjectRequestError::ReceivedAtInvalid), "{at}");
    }
}

#[test]
fn a_copy_is_answered_by_an_export_and_anything_else_by_a_note() {
    for kind in SubjectRequestKind::ALL {
        let under_way = [received_on("2026-03-01", "2026-04-01", kind), taken()];
        let with = |note: Option<&str>, export| {
            let note = note.map(str::to_owned);
            when(&under_way, SubjectRequestCommand::Fulfil { note, deletion: None, export }).map(|events| events.len())
        };
        let copy = matches!(kind, SubjectRequestKind::Access | SubjectRequestKind::Portability);
        let (said, alone, carried) = if copy {
            (Err(SubjectRequestError::ExportRequired), Err(SubjectRequestError::ExportRequired), Ok(1))
        } else {
            (Ok(1), Err(SubjectRequestError::NoteRequired), Err(SubjectRequestError::NoCopyAsked))
        };
        assert_eq!((with(Some("done"), None), with(None, None), with(None, Some(answering()))), (said, alone, carried), "{kind:?}");
        let may = given(&under_way).copy_by(OFFICER, ExportFormat::Json);
        assert_eq!(may, if copy { Ok(ALICE) } else { Err(SubjectRequestError::NoCopyAsked) }, "{kind:?}");
    }
    let access = received_on("2026-03-01", "2026-04-01", SubjectRequestKind::Access);
    let early = given(std::slice::from_ref(&access)).copy_by(OFFICER, ExportFormat::Json);
    assert!(matches!(early, Err(SubjectRequestError::TransitionForbidden { .. })), "{early:?}");
    let answer = SubjectRequestCommand::Fulfil { note: None, deletion: None, export: Some(answering()) };
    let events = when(&[access, taken()], answer).unwrap();
    let [SubjectRequestEvent::SubjectRequestFulfilled(done)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((done.export_id, done.available_until), (Some(EXPORT), Some(day("2026-04-09"))));
}

#[test]
fn nobody_handles_their_own_request() {
    let own = |events: &[SubjectRequestEvent], command: SubjectRequestCommand| {
        given(events).decide(&command, &Facts { now: day("2026-03-10"), actor: ALICE })
    };
    assert_eq!(own(&[received()], SubjectRequestCommand::Take), Err(SubjectRequestError::OwnRequest));
    for command in [extend(1), fulfil(None), refuse()] {
        assert_eq!(own(&[received(), taken()], command), Err(SubjectRequestError::OwnRequest));
    }
    assert_eq!(given(&[received(), taken()]).copy_by(ALICE, ExportFormat::Json), Err(SubjectRequestError::OwnRequest));
    assert_eq!(
        (SubjectRequestError::OwnRequest.code(), SubjectRequestError::OwnRequest.reason()),
        (Code::Conflict, "compliance.request_own")
    );
}
