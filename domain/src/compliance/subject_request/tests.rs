//! Given events, when a command comes, then events or a refusal.

use super::{status::TRANSITIONS, *};
use crate::kernel::{Aggregate, Code, Facts, Personal, Refusal, SubjectRequestId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const ID: SubjectRequestId = SubjectRequestId(Uuid::from_u128(1));
const ALICE: UserId = UserId(Uuid::from_u128(2));
const OFFICER: UserId = UserId(Uuid::from_u128(3));
const DELETION: Uuid = Uuid::from_u128(4);

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
    SubjectRequestCommand::Receive(ReceiveRequest { request_id: ID, user_id: ALICE, kind, details: Some("all of it".into()) })
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

fn fulfilled(deletion_request_id: Option<Uuid>) -> SubjectRequestEvent {
    SubjectRequestFulfilled { request_id: ID, user_id: ALICE, fulfilled_by: OFFICER, note: None, deletion_request_id }.into()
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

fn fulfil(deletion_request_id: Option<Uuid>) -> SubjectRequestCommand {
    SubjectRequestCommand::Fulfil { note: None, deletion_request_id }
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
    assert_eq!(when(&erasure, fulfil(Some(DELETION))), Ok(vec![fulfilled(Some(DELETION))]));
    let access = [received_on("2026-03-01", "2026-04-01", SubjectRequestKind::Access), taken()];
    assert_eq!(when(&access, fulfil(Some(DELETION))), Err(SubjectRequestError::NoErasure));
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
    let asked = ReceiveRequest { request_id: ID, user_id: ALICE, kind: SubjectRequestKind::Access, details: blank.clone() };
    assert_eq!(when(&[], SubjectRequestCommand::Receive(asked)), Err(SubjectRequestError::TextInvalid("details")));
    let taken = history(SubjectRequestStatus::InProgress);
    let fulfil = SubjectRequestCommand::Fulfil { note: blank.clone(), deletion_request_id: None };
    assert_eq!(when(&taken, fulfil), Err(SubjectRequestError::TextInvalid("note")));
    let refuse = SubjectRequestCommand::Refuse { ground: RequestRefusal::Excessive, note: blank };
    assert_eq!(when(&taken, refuse), Err(SubjectRequestError::TextInvalid("note")));
}
