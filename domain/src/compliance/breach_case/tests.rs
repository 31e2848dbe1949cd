//! Given events, when a command comes, then events or a refusal.

use super::{status::TRANSITIONS, *};
use crate::kernel::{Aggregate, BreachId, Code, Facts, Personal, Refusal, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const ID: BreachId = BreachId(Uuid::from_u128(1));
const OFFICER: UserId = UserId(Uuid::from_u128(2));

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
}

fn given(events: &[BreachCaseEvent]) -> BreachCase {
    events.iter().fold(BreachCase::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[BreachCaseEvent], hours: i64, command: BreachCaseCommand) -> Result<Vec<BreachCaseEvent>, BreachCaseError> {
    given(events).decide(&command, &Facts { now: at(hours), actor: OFFICER })
}

fn open() -> BreachCaseCommand {
    let summary = "A backup lay open.".to_owned();
    BreachCaseCommand::Open(OpenBreach { breach_id: ID, nature: BreachNature::Confidentiality, summary, aware_at: at(0) })
}

fn assess(risk: BreachRisk) -> BreachCaseCommand {
    BreachCaseCommand::Assess { risk, subjects: 12, reason: None }
}

fn reassess(risk: BreachRisk) -> BreachCaseCommand {
    BreachCaseCommand::Assess { risk, subjects: 12, reason: Some("More logs were found.".into()) }
}

fn close() -> BreachCaseCommand {
    BreachCaseCommand::Close { not_informed: None }
}

fn notify(delay_reason: Option<&str>) -> BreachCaseCommand {
    BreachCaseCommand::NotifyAuthority { reference: None, delay_reason: delay_reason.map(str::to_owned) }
}

fn waive() -> BreachCaseCommand {
    BreachCaseCommand::Waive { reason: "It was encrypted.".into() }
}

/// What somebody wrote, as it is before it is sealed.
fn text(written: &str) -> Personal<String> {
    Personal::Clear(written.to_owned())
}

fn opened() -> BreachCaseEvent {
    let (nature, summary) = (BreachNature::Confidentiality, text("A backup lay open."));
    BreachOpened { breach_id: ID, nature, summary, aware_at: at(0), due_at: at(NOTIFY_WITHIN_HOURS), opened_by: OFFICER }.into()
}

fn assessed(risk: BreachRisk) -> BreachCaseEvent {
    BreachAssessed { breach_id: ID, risk, subjects: 12, assessed_by: OFFICER, reason: None }.into()
}

fn reassessed(risk: BreachRisk) -> BreachCaseEvent {
    let reason = Some(text("More logs were found."));
    BreachAssessed { breach_id: ID, risk, subjects: 12, assessed_by: OFFICER, reason }.into()
}

fn notified() -> BreachCaseEvent {
    AuthorityNotified { breach_id: ID, reference: None, delay_reason: None, notified_by: OFFICER }.into()
}

fn waived() -> BreachCaseEvent {
    NotificationWaived { breach_id: ID, reason: text("It was encrypted."), waived_by: OFFICER }.into()
}

fn informed() -> BreachCaseEvent {
    SubjectsInformed { breach_id: ID, informed_by: OFFICER }.into()
}

fn described() -> BreachCaseEvent {
    BreachDescribed {
        breach_id: ID,
        data_categories: text("Names and addresses."),
        people_categories: text("Members."),
        records: 40,
        consequences: text("Unwanted letters."),
        measures: text("The backup was locked."),
        contact: text("dpo@acme.example"),
        described_by: OFFICER,
    }
    .into()
}

fn closed() -> BreachCaseEvent {
    BreachClosed { breach_id: ID, closed_by: OFFICER, not_informed: None }.into()
}

fn overdue() -> BreachCaseEvent {
    BreachOverdue { breach_id: ID, due_at: at(NOTIFY_WITHIN_HOURS) }.into()
}

fn history(status: BreachStatus) -> Vec<BreachCaseEvent> {
    match status {
        BreachStatus::Opened => vec![opened()],
        BreachStatus::Assessed => vec![opened(), assessed(BreachRisk::Unlikely)],
        BreachStatus::Notified => vec![opened(), assessed(BreachRisk::Unlikely), described(), notified()],
        BreachStatus::NotRequired => vec![opened(), assessed(BreachRisk::Unlikely), waived()],
        BreachStatus::Closed => vec![opened(), assessed(BreachRisk::Unlikely), described(), notified(), closed()],
    }
}

/// A row is where it stands, a column where it would go, in the order of `BreachStatus::ALL`: opened,
/// assessed, notified, not required, closed.
const MATRIX: [(BreachStatus, &str); 5] = [
    (BreachStatus::Opened, ".AA.."),
    (BreachStatus::Assessed, ".AAA."),
    (BreachStatus::Notified, "..A.A"),
    (BreachStatus::NotRequired, ".A..A"),
    (BreachStatus::Closed, "....."),
];

#[test]
fn all_25_cells_of_the_life_cycle_are_as_written() {
    let moves = [
        (open(), BreachStatus::Opened),
        (reassess(BreachRisk::Unlikely), BreachStatus::Assessed),
        (notify(None), BreachStatus::Notified),
        (waive(), BreachStatus::NotRequired),
        (close(), BreachStatus::Closed),
    ];
    for (from, row) in MATRIX {
        for ((command, to), cell) in moves.iter().zip(row.chars()) {
            // Assessed after the authority was told, it stays where it is: that is a test of its own.
            let again = (from, *to) == (BreachStatus::Notified, BreachStatus::Notified);
            let command = if again { reassess(BreachRisk::High) } else { command.clone() };
            let decided = when(&history(from), 1, command).unwrap_or_default();
            let reached = decided.last().and_then(BreachCaseEvent::status).map(|status| from.with(status)) == Some(*to);
            assert_eq!(reached, cell == 'A', "{from:?} to {to:?}");
            let after = given(&[history(from), decided].concat());
            assert!(!reached || after.breach().map(|breach| breach.status) == Some(*to), "{from:?} to {to:?}");
            let declared = TRANSITIONS.iter().any(|way| way.leads_from(from) && way.to == *to);
            assert_eq!(declared, cell == 'A', "{from:?} to {to:?} in the table");
        }
    }
    let forbidden = BreachCaseError::TransitionForbidden { from: BreachStatus::Closed, to: BreachStatus::Notified };
    assert_eq!(when(&history(BreachStatus::Closed), 1, notify(None)), Err(forbidden));
    let named = forbidden.errors().remove(0);
    assert_eq!((named.field.as_str(), named.present.as_deref(), named.allowed.len()), ("status", Some("CLOSED"), 0));
    let early = when(&[opened()], 1, close()).unwrap_err().errors().remove(0);
    assert_eq!((early.present.as_deref(), early.allowed), (Some("OPENED"), vec!["ASSESSED".to_owned(), "NOTIFIED".to_owned()]));
    assert!(forbidden.is_attempt() && forbidden.code() == Code::ValidationError);
    assert_eq!(when(&[], 1, notify(None)), Err(BreachCaseError::NotFound));
    assert_eq!(when(&[opened()], 1, open()), Err(BreachCaseError::AlreadyExists));
}

#[test]
fn the_clock_runs_72_hours_from_awareness_and_is_marked_once() {
    assert_eq!(when(&[], 5, open()), Ok(vec![opened()]));
    assert_eq!(when(&[], -1, open()), Err(BreachCaseError::AwareInFuture));
    let a_year = 365 * 24;
    assert!(when(&[], a_year, open()).is_ok());
    assert_eq!(when(&[], a_year + 1, open()), Err(BreachCaseError::AwareLongAgo));
    assert_eq!(when(&[opened()], NOTIFY_WITHIN_HOURS - 1, BreachCaseCommand::MarkOverdue), Ok(vec![]));
    assert_eq!(when(&[opened()], NOTIFY_WITHIN_HOURS, BreachCaseCommand::MarkOverdue), Ok(vec![overdue()]));
    assert_eq!(when(&[opened(), overdue()], 100, BreachCaseCommand::MarkOverdue), Ok(vec![]));
    for status in [BreachStatus::Notified, BreachStatus::NotRequired, BreachStatus::Closed] {
        assert_eq!(when(&history(status), 100, BreachCaseCommand::MarkOverdue), Ok(vec![]), "{status:?}");
    }
    // Whoever is late says why, and it is on record that they were.
    assert_eq!(when(&[opened()], 73, notify(None)), Err(BreachCaseError::DelayReasonMissing));
    let late = AuthorityNotified { breach_id: ID, reference: None, delay_reason: Some(text("A holiday.")), notified_by: OFFICER };
    assert_eq!(when(&[opened()], 73, notify(Some("A holiday."))), Ok(vec![overdue(), late.into()]));
    assert_eq!(when(&[opened()], 1, notify(Some(" "))), Err(BreachCaseError::TextInvalid("delay_reason")));
}

#[test]
fn the_authority_is_told_where_harm_is_likely() {
    for risk in [BreachRisk::Likely, BreachRisk::High] {
        assert_eq!(when(&[opened(), assessed(risk)], 1, waive()), Err(BreachCaseError::HarmLikely));
    }
    let silent = BreachCaseCommand::Waive { reason: " ".into() };
    assert_eq!(when(&history(BreachStatus::Assessed), 1, silent), Err(BreachCaseError::TextInvalid("reason")));
}

/// What is known comes in phases: a breach is assessed before the authority is told, after, and again.
#[test]
fn a_breach_is_assessed_until_it_is_closed() {
    assert_eq!(when(&[opened()], 1, assess(BreachRisk::Likely)), Ok(vec![assessed(BreachRisk::Likely)]));
    let told_early = [opened(), notified()];
    assert_eq!(when(&told_early, 1, close()), Err(BreachCaseError::NotAssessed));
    assert_eq!(when(&told_early, 1, assess(BreachRisk::High)), Ok(vec![assessed(BreachRisk::High)]));
    let high = given(&[opened(), notified(), assessed(BreachRisk::High)]);
    assert_eq!(high.breach().map(|breach| breach.status), Some(BreachStatus::Notified), "what was told stays told");
    for status in [BreachStatus::Assessed, BreachStatus::Notified, BreachStatus::NotRequired] {
        let before = history(status);
        assert_eq!(when(&before, 1, assess(BreachRisk::High)), Err(BreachCaseError::ReassessmentReasonMissing), "{status:?}");
        assert_eq!(when(&before, 1, reassess(BreachRisk::High)), Ok(vec![reassessed(BreachRisk::High)]), "{status:?}");
        let after = [before, vec![reassessed(BreachRisk::High)]].concat();
        assert!(when(&after, 1, waive()).is_err(), "{status:?}");
        let stands = given(&after).breach().map(|breach| breach.status);
        let told = status == BreachStatus::Notified;
        assert_eq!(stands, Some(if told { BreachStatus::Notified } else { BreachStatus::Assessed }), "{status:?}");
    }
    let blank = BreachCaseCommand::Assess { risk: BreachRisk::High, subjects: 1, reason: Some(" ".into()) };
    assert_eq!(when(&[opened()], 1, blank), Err(BreachCaseError::TextInvalid("reason")));
    assert!(matches!(
        when(&history(BreachStatus::Closed), 1, reassess(BreachRisk::High)),
        Err(BreachCaseError::TransitionForbidden { from: BreachStatus::Closed, .. })
    ));
}

#[test]
fn a_case_is_closed_without_telling_them_on_a_recorded_ground_alone() {
    let high = [opened(), described(), notified(), assessed(BreachRisk::High)];
    let told = [high.to_vec(), vec![informed()]].concat();
    for ground in NotInformedGround::ALL {
        let close = || BreachCaseCommand::Close { not_informed: Some(ground) };
        let closed = BreachClosed { breach_id: ID, closed_by: OFFICER, not_informed: Some(ground) };
        assert_eq!(when(&high, 1, close()), Ok(vec![closed.into()]));
        for unneeded in [told.clone(), history(BreachStatus::Notified), history(BreachStatus::NotRequired)] {
            assert_eq!(when(&unneeded, 1, close()), Err(BreachCaseError::GroundUnneeded));
        }
    }
}

#[test]
fn those_whom_a_high_risk_concerns_are_told_before_it_is_closed() {
    let high = [opened(), assessed(BreachRisk::High), described(), notified()];
    assert_eq!(when(&high, 1, close()), Err(BreachCaseError::SubjectsNotInformed));
    assert_eq!(when(&high, 1, BreachCaseCommand::InformSubjects), Ok(vec![informed()]));
    let told = [high.to_vec(), vec![informed()]].concat();
    assert_eq!(when(&told, 1, BreachCaseCommand::InformSubjects), Err(BreachCaseError::AlreadyInformed));
    assert_eq!(when(&told, 1, close()), Ok(vec![closed()]));
    let over = when(&history(BreachStatus::Closed), 1, BreachCaseCommand::InformSubjects);
    assert!(matches!(over, Err(BreachCaseError::TransitionForbidden { .. })), "{over:?}");
}

fn describe(measures: &str) -> BreachCaseCommand {
    BreachCaseCommand::Describe(DescribeBreach {
        data_categories: "Names and addresses.".into(),
        people_categories: "Members.".into(),
        records: 40,
        consequences: "Unwanted letters.".into(),
        measures: measures.into(),
        contact: "dpo@acme.example".into(),
    })
}

#[test]
fn what_the_authority_is_told_is_said_as_often_as_more_is_known_until_the_case_is_closed() {
    let say = || describe("The backup was locked.");
    for known in [vec![opened()], vec![opened(), described()], vec![opened(), assessed(BreachRisk::Likely), notified()]] {
        assert_eq!(when(&known, 1, say()), Ok(vec![described()]));
        let after = given(&[known.clone(), vec![described()]].concat());
        assert_eq!(after.breach().map(|breach| breach.status), given(&known).breach().map(|breach| breach.status), "it moves nothing");
    }
    assert_eq!(when(&[], 1, say()), Err(BreachCaseError::NotFound));
    assert_eq!(when(&[opened()], 1, describe(" ")), Err(BreachCaseError::TextInvalid("measures")));
    let over: BreachCaseEvent = BreachClosed { breach_id: ID, closed_by: OFFICER, not_informed: None }.into();
    let closed = [opened(), assessed(BreachRisk::Likely), notified(), over];
    assert!(matches!(when(&closed, 1, say()), Err(BreachCaseError::TransitionForbidden { .. })));
}

/// Its timer rang while the authority need not be told, and rings once.
#[test]
fn a_case_that_is_put_back_on_an_expired_clock_is_overdue_with_what_puts_it_back() {
    let waived = history(BreachStatus::NotRequired);
    for risk in [BreachRisk::Unlikely, BreachRisk::High] {
        assert_eq!(when(&waived, 100, reassess(risk)), Ok(vec![reassessed(risk), overdue()]), "{risk:?}");
    }
    let back = [waived.clone(), vec![reassessed(BreachRisk::High), overdue()]].concat();
    assert_eq!(when(&back, 101, reassess(BreachRisk::Likely)), Ok(vec![reassessed(BreachRisk::Likely)]), "once");
    assert_eq!(when(&back, 101, BreachCaseCommand::MarkOverdue), Ok(vec![]));
    // Before its time is over the timer stands still, and finds it on the clock.
    assert_eq!(when(&waived, 71, reassess(BreachRisk::High)), Ok(vec![reassessed(BreachRisk::High)]));
    let early = [waived, vec![reassessed(BreachRisk::High)]].concat();
    assert_eq!(when(&early, NOTIFY_WITHIN_HOURS, BreachCaseCommand::MarkOverdue), Ok(vec![overdue()]));
}

/// GDPR, article 34: of whom nobody knew when the others were told, nobody told them.
#[test]
fn more_people_or_a_high_risk_are_told_anew() {
    let told = |risk, later: BreachRisk, subjects| {
        let reason = Some(text("More logs were found."));
        let again = BreachAssessed { breach_id: ID, risk: later, subjects, assessed_by: OFFICER, reason }.into();
        vec![opened(), assessed(risk), informed(), described(), notified(), again]
    };
    for (before, risk, subjects) in
        [(BreachRisk::High, BreachRisk::High, 13), (BreachRisk::Likely, BreachRisk::High, 12), (BreachRisk::Unlikely, BreachRisk::High, 1)]
    {
        let found = told(before, risk, subjects);
        assert_eq!(when(&found, 1, close()), Err(BreachCaseError::SubjectsNotInformed), "{before:?} {risk:?} {subjects}");
        assert_eq!(when(&found, 1, BreachCaseCommand::InformSubjects), Ok(vec![informed()]));
        assert_eq!(when(&[found, vec![informed()]].concat(), 1, close()), Ok(vec![closed()]));
    }
    for (before, risk, subjects) in [(BreachRisk::High, BreachRisk::High, 12), (BreachRisk::High, BreachRisk::Likely, 3)] {
        let found = told(before, risk, subjects);
        assert_eq!(when(&found, 1, BreachCaseCommand::InformSubjects), Err(BreachCaseError::AlreadyInformed));
        assert_eq!(when(&found, 1, close()), Ok(vec![closed()]));
    }
    // Whoever was told before anybody assessed it was told of it as it is.
    let early = [opened(), informed(), assessed(BreachRisk::High), described(), notified()];
    assert_eq!(when(&early, 1, close()), Ok(vec![closed()]));
}

/// GDPR, article 33(5).
#[test]
fn what_the_authority_was_told_of_is_described_before_the_case_is_closed() {
    let told = [opened(), assessed(BreachRisk::Likely), notified()];
    assert_eq!(when(&told, 1, close()), Err(BreachCaseError::NotDescribed));
    assert_eq!(when(&[told.to_vec(), vec![described()]].concat(), 1, close()), Ok(vec![closed()]));
    assert_eq!(when(&history(BreachStatus::NotRequired), 1, close()), Ok(vec![closed()]), "nobody had to be told");
    assert_eq!(
        (BreachCaseError::NotDescribed.code(), BreachCaseError::NotDescribed.reason()),
        (Code::Conflict, "compliance.breach_not_described")
    );
}

#[test]
fn the_reference_of_the_authority_may_follow_and_takes_nothing_away() {
    let notify = |reference: Option<&str>, delay: Option<&str>| BreachCaseCommand::NotifyAuthority {
        reference: reference.map(str::to_owned),
        delay_reason: delay.map(str::to_owned),
    };
    let told = |reference: Option<&str>, delay: Option<&str>| -> BreachCaseEvent {
        let (reference, delay_reason) = (reference.map(text), delay.map(text));
        AuthorityNotified { breach_id: ID, reference, delay_reason, notified_by: OFFICER }.into()
    };
    // Told in time, it is not late because its reference is.
    let in_time = history(BreachStatus::Notified);
    assert_eq!(when(&in_time, 100, notify(Some("CNIL-1"), None)), Ok(vec![told(Some("CNIL-1"), None)]));
    assert_eq!(when(&in_time, 100, notify(Some(" "), None)), Err(BreachCaseError::TextInvalid("reference")));
    assert!(matches!(when(&in_time, 1, notify(None, None)), Err(BreachCaseError::TransitionForbidden { .. })));
    let late = [opened(), overdue(), told(None, Some("A holiday."))];
    assert_eq!(when(&late, 100, notify(Some("CNIL-1"), None)), Err(BreachCaseError::DelayReasonMissing));
    let both = notify(Some("CNIL-1"), Some("A holiday."));
    assert_eq!(when(&late, 100, both), Ok(vec![told(Some("CNIL-1"), Some("A holiday."))]));
    let over = when(&history(BreachStatus::Closed), 1, notify(Some("CNIL-1"), None));
    assert!(matches!(over, Err(BreachCaseError::TransitionForbidden { .. })), "{over:?}");
}
