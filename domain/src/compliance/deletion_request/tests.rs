//! Given events, when a command comes, then events or a refusal.

mod asked;
mod erasure;
mod holds;

use super::{status::TRANSITIONS, *};
use crate::kernel::{Aggregate, Code, DeletionRequestId, Facts, OrganizationId, Personal, Purpose, Refusal, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const ALICE: UserId = UserId(Uuid::from_u128(1));
const ADMIN: UserId = UserId(Uuid::from_u128(2));
const OFFICER: UserId = UserId(Uuid::from_u128(3));
const SECOND: UserId = UserId(Uuid::from_u128(4));
const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
const GRACE_DAYS: u32 = 30;

fn id() -> DeletionRequestId {
    DeletionRequestId::of(ALICE)
}

fn day(days: i64) -> DateTime<Utc> {
    NOW + TimeDelta::days(days)
}

fn given(events: &[DeletionEvent]) -> DeletionRequest {
    events.iter().fold(DeletionRequest::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[DeletionEvent], actor: UserId, days: i64, command: DeletionCommand) -> Result<Vec<DeletionEvent>, DeletionError> {
    given(events).decide(&command, &Facts { now: day(days), actor })
}

fn ask(kind: DeletionKind) -> SubmitDeletion {
    let forced = kind == DeletionKind::Forced;
    SubmitDeletion {
        request_id: id(),
        subject: DeletionSubject::User(ALICE),
        kind,
        ground: forced.then_some(ForcedGround::Fraud),
        incident: forced.then(|| "INC-2026.7_a".to_owned()),
        reason: Some("leaving".into()),
    }
}

fn submitted_as(kind: DeletionKind, requested_by: UserId) -> DeletionEvent {
    let SubmitDeletion { request_id, subject, kind, ground, incident, .. } = ask(kind);
    let reason = Some(Personal::Clear("leaving".into()));
    DeletionSubmitted { request_id, subject, kind, requested_by, concerns: ALICE, ground, incident, reason }.into()
}

fn submitted() -> DeletionEvent {
    submitted_as(DeletionKind::OwnAccount, ALICE)
}

fn verified() -> Vec<DeletionEvent> {
    vec![DeletionVerified { request_id: id() }.into(), DeletionReviewBegun { request_id: id() }.into()]
}

fn approved_by(approved_by: UserId) -> DeletionEvent {
    DeletionApproved { request_id: id(), approved_by, checks: Vec::new() }.into()
}

fn grace() -> DeletionEvent {
    DeletionGraceBegun { request_id: id(), grace_until: day(30) }.into()
}

fn soft_deleted() -> DeletionEvent {
    SubjectSoftDeleted { request_id: id(), subject: DeletionSubject::User(ALICE), deleted_by: ALICE, restore_until: day(60) }.into()
}

fn begun(round: u32) -> DeletionEvent {
    ErasureBegun { request_id: id(), subject: DeletionSubject::User(ALICE), round, purposes: vec![Purpose::Profile] }.into()
}

fn step_done(round: u32, step: ErasureStep) -> DeletionEvent {
    ErasureStepDone { request_id: id(), round, step, count: 1 }.into()
}

fn all_steps(round: u32) -> Vec<DeletionEvent> {
    [begun(round)].into_iter().chain(ErasureStep::ALL.map(|step| step_done(round, step))).collect()
}

fn anonymised() -> DeletionEvent {
    SubjectAnonymised { request_id: id(), certificate: "signed".into() }.into()
}

fn counting() -> DeletionEvent {
    RetentionCountdownBegun { request_id: id(), retained: Vec::new(), backups_until: day(100), due_at: day(100) }.into()
}

fn held() -> DeletionEvent {
    DeletionHeld { request_id: id() }.into()
}

fn lifted(status: DeletionStatus, due_at: Option<DateTime<Utc>>) -> DeletionEvent {
    DeletionHoldLifted { request_id: id(), status, due_at }.into()
}

fn purged() -> DeletionEvent {
    let conditions = PurgeConditions {
        retention_expired_at: day(100),
        reviewed_by: OFFICER,
        dependencies_cleared_at: day(1000),
        backups_expired_at: day(100),
    };
    DeletionPurged { request_id: id(), subject: DeletionSubject::User(ALICE), certificate: "signed".into(), conditions }.into()
}

fn restore(reason: Option<&str>) -> DeletionCommand {
    DeletionCommand::Restore(RestoreDeletion { reason: reason.map(str::to_owned) })
}

fn cancel(reason: Option<&str>) -> DeletionCommand {
    DeletionCommand::Cancel(CancelDeletion { reason: reason.map(str::to_owned) })
}

/// A history that leads to a state, with all that is asked for before the next one, so that only the state refuses.
fn history(status: DeletionStatus) -> Vec<DeletionEvent> {
    let review = [vec![submitted()], verified()].concat();
    let in_grace = [review.clone(), vec![approved_by(OFFICER), grace()]].concat();
    let deleted = [in_grace.clone(), vec![soft_deleted()]].concat();
    let anonymous = [deleted.clone(), all_steps(1), vec![anonymised()]].concat();
    let counts = [anonymous.clone(), vec![counting()]].concat();
    match status {
        DeletionStatus::Submitted => vec![submitted()],
        DeletionStatus::MfaVerified => vec![submitted(), DeletionVerified { request_id: id() }.into()],
        DeletionStatus::InReview => review,
        DeletionStatus::Grace => in_grace,
        DeletionStatus::Refused => [
            review,
            vec![DeletionRefused { request_id: id(), refused_by: OFFICER, ground: RefusalGround::LegalClaims, told: Some(ALICE) }.into()],
        ]
        .concat(),
        DeletionStatus::Cancelled => vec![submitted(), DeletionCancelled { request_id: id(), cancelled_by: ALICE }.into()],
        DeletionStatus::SoftDeleted => deleted,
        DeletionStatus::Restored => {
            [deleted, vec![SubjectRestored { request_id: id(), subject: DeletionSubject::User(ALICE), restored_by: ADMIN }.into()]].concat()
        }
        DeletionStatus::Anonymised => anonymous,
        DeletionStatus::RetentionCountdown => counts,
        DeletionStatus::Purged => [counts, all_steps(2), vec![purged()]].concat(),
        DeletionStatus::Held => [in_grace, vec![held()]].concat(),
    }
}

fn approve() -> DeletionCommand {
    DeletionCommand::Approve(Approve { checks: Vec::new(), grace_days: GRACE_DAYS })
}

fn certify(retained: Vec<Retained>, backups_until: DateTime<Utc>) -> DeletionCommand {
    DeletionCommand::Certify(Certify { certificate: "signed".into(), retained, backups_until })
}

fn begin() -> DeletionCommand {
    DeletionCommand::BeginErasure { held: false, purposes: vec![Purpose::Profile] }
}

/// Every command that moves a deletion, by whom and on which day.
fn moves() -> Vec<(UserId, i64, DeletionCommand)> {
    vec![
        (ALICE, 1000, DeletionCommand::Submit(ask(DeletionKind::OwnAccount))),
        (ALICE, 1000, DeletionCommand::Verify),
        (OFFICER, 1000, approve()),
        (OFFICER, 1000, DeletionCommand::Refuse(RefusalGround::LegalClaims)),
        (ALICE, 1000, cancel(None)),
        (ADMIN, 1000, DeletionCommand::EndGrace { held: false, recovery_days: 30 }),
        (ADMIN, 59, restore(Some("she called"))),
        (ADMIN, 1000, begin()),
        (ADMIN, 1000, certify(Vec::new(), day(100))),
        (ADMIN, 1000, DeletionCommand::CheckHold { held: true }),
        (ADMIN, 1000, DeletionCommand::CheckHold { held: false }),
    ]
}

/// B.3: a row is where the deletion stands, a column where it would go, in the order of `DeletionStatus::ALL`:
/// submitted, verified, in review, grace, refused, cancelled, soft-deleted, restored, anonymised, countdown, purged, held.
/// What a hold leads back to is told apart below: here it stands where the held one came from.
const MATRIX: [(DeletionStatus, &str); 12] = [
    (DeletionStatus::Submitted, ".A...A.....A"),
    (DeletionStatus::MfaVerified, "..A..A.....A"),
    (DeletionStatus::InReview, "...AAA.....A"),
    (DeletionStatus::Grace, ".....AA....A"),
    (DeletionStatus::Refused, "A..........."),
    (DeletionStatus::Cancelled, "A..........."),
    (DeletionStatus::SoftDeleted, ".......AA..A"),
    (DeletionStatus::Restored, "A..........."),
    (DeletionStatus::Anonymised, ".........A.A"),
    (DeletionStatus::RetentionCountdown, "..........AA"),
    (DeletionStatus::Purged, "............"),
    (DeletionStatus::Held, "...A.A......"),
];

/// The states that a command leads through, with the erasure that stands between two of them carried out.
fn reached(from: DeletionStatus, actor: UserId, days: i64, command: &DeletionCommand) -> Vec<DeletionStatus> {
    let mut events = history(from);
    if matches!(command, DeletionCommand::Certify(_)) {
        let round = given(&events).dossier().map_or(0, |dossier| dossier.rounds) + 1;
        match when(&events, ADMIN, 1000, begin()) {
            Ok(more) if !more.is_empty() => events.extend(all_steps(round)),
            _ => {}
        }
    }
    let decided = when(&events, actor, days, command.clone()).unwrap_or_default();
    let way: Vec<_> = decided.iter().filter_map(DeletionEvent::status).collect();
    let after = given(&[events, decided].concat());
    if let (Some(last), Some(dossier)) = (way.last(), after.dossier()) {
        assert_eq!(dossier.status, *last, "{from:?} by {command:?}");
    }
    way
}

/// covers: E-292
#[test]
fn all_144_cells_of_the_life_cycle_are_as_b_3_has_them_and_no_step_is_skipped() {
    let mut cells = 0;
    for (from, row) in MATRIX {
        for (to, cell) in DeletionStatus::ALL.into_iter().zip(row.chars()) {
            // One command may lead through two states, and the first is the one that it leads to from here.
            let by_command = moves().iter().any(|(actor, days, command)| reached(from, *actor, *days, command).first() == Some(&to));
            let internal = matches!(
                (from, to),
                (DeletionStatus::MfaVerified, DeletionStatus::InReview) | (DeletionStatus::Anonymised, DeletionStatus::RetentionCountdown)
            );
            assert_eq!(by_command || internal, cell == 'A', "{from:?} to {to:?}");
            let declared = TRANSITIONS.iter().any(|way| way.leads_from(from) && way.to == to);
            assert_eq!(
                declared || from == DeletionStatus::Held,
                cell == 'A' || from == DeletionStatus::Held,
                "{from:?} to {to:?} in the table"
            );
            cells += 1;
        }
    }
    assert_eq!(cells, 144);
}

#[test]
fn the_two_states_that_pass_by_themselves_pass_with_the_command_before_them() {
    let verified = reached(DeletionStatus::Submitted, ALICE, 0, &DeletionCommand::Verify);
    assert_eq!(verified, [DeletionStatus::MfaVerified, DeletionStatus::InReview]);
    let certified = reached(DeletionStatus::SoftDeleted, ADMIN, 1000, &certify(Vec::new(), day(100)));
    assert_eq!(certified, [DeletionStatus::Anonymised, DeletionStatus::RetentionCountdown]);
}

#[test]
fn nothing_happens_to_a_deletion_that_nobody_asked_for() {
    for (actor, days, command) in moves().into_iter().skip(1) {
        assert_eq!(when(&[], actor, days, command), Err(DeletionError::NotFound));
    }
}

/// covers: E-165
#[test]
fn nothing_is_gone_before_grace_and_recovery_are_over() {
    let end = DeletionCommand::EndGrace { held: false, recovery_days: 30 };
    assert_eq!(when(&history(DeletionStatus::Grace), ADMIN, 29, end.clone()), Ok(Vec::new()));
    assert_eq!(when(&history(DeletionStatus::Grace), ADMIN, 30, end), Ok(vec![soft_deleted()]));
    assert_eq!(when(&history(DeletionStatus::SoftDeleted), ADMIN, 59, begin()), Ok(Vec::new()));
    assert_eq!(when(&history(DeletionStatus::SoftDeleted), ADMIN, 60, begin()), Ok(vec![begun(1)]));
}

/// covers: E-155, E-161
#[test]
fn a_soft_deleted_subject_is_restored_within_the_recovery_window_only() {
    let subject = DeletionSubject::User(ALICE);
    let restored: DeletionEvent = SubjectRestored { request_id: id(), subject, restored_by: ADMIN }.into();
    let reason = Personal::Clear("she called".to_owned());
    let explained = RestorationExplained { request_id: id(), subject, restored_by: ADMIN, concerns: ALICE, reason }.into();
    let deleted = history(DeletionStatus::SoftDeleted);
    assert_eq!(when(&deleted, ADMIN, 59, restore(Some("she called"))), Ok(vec![restored, explained]));
    // She asked for it herself: nobody undoes it without a word.
    assert_eq!(when(&deleted, ADMIN, 59, restore(None)), Err(DeletionError::ReasonMissing));
    assert_eq!(when(&deleted, ADMIN, 59, restore(Some(" "))), Err(DeletionError::ReasonInvalid));
    assert_eq!(when(&deleted, ADMIN, 60, restore(Some("she called"))), Err(DeletionError::RecoveryOver));
    let under_way = [history(DeletionStatus::SoftDeleted), vec![begun(1)]].concat();
    assert_eq!(when(&under_way, ADMIN, 59, restore(None)), Err(DeletionError::RecoveryOver));
}

#[test]
fn who_asked_shows_a_second_factor_and_somebody_else_decides() {
    assert_eq!(when(&[submitted()], ADMIN, 0, DeletionCommand::Verify), Err(DeletionError::NotTheRequester));
    assert_eq!(when(&[submitted()], ALICE, 0, DeletionCommand::Verify), Ok(verified()));
    let by_admin = [vec![submitted_as(DeletionKind::ByAdmin, ADMIN)], verified()].concat();
    for own in [ALICE, ADMIN] {
        assert_eq!(when(&by_admin, own, 0, approve()), Err(DeletionError::OwnRequest));
        assert_eq!(when(&by_admin, own, 0, DeletionCommand::Refuse(RefusalGround::LegalClaims)), Err(DeletionError::OwnRequest));
    }
    assert_eq!(when(&by_admin, OFFICER, 0, approve()), Ok(vec![approved_by(OFFICER), grace()]));
    assert!(DeletionError::OwnRequest.is_attempt());
}

/// covers: E-172
#[test]
fn a_forced_deletion_needs_two_approvers_beside_whoever_asked() {
    let forced = [vec![submitted_as(DeletionKind::Forced, ADMIN)], verified()].concat();
    assert_eq!(when(&forced, ADMIN, 0, approve()), Err(DeletionError::OwnRequest));
    assert_eq!(when(&forced, OFFICER, 0, approve()), Ok(vec![approved_by(OFFICER)]));
    let once = [forced, vec![approved_by(OFFICER)]].concat();
    assert_eq!(when(&once, OFFICER, 0, approve()), Err(DeletionError::AlreadyApproved));
    assert_eq!(when(&once, SECOND, 0, approve()), Ok(vec![approved_by(SECOND), grace()]));
}

/// covers: E-171, E-172
#[test]
fn a_forced_deletion_names_its_ground_and_its_incident() {
    let submit = |command| when(&[], ADMIN, 0, DeletionCommand::Submit(command));
    assert_eq!(submit(ask(DeletionKind::Forced)), Ok(vec![submitted_as(DeletionKind::Forced, ADMIN)]));
    assert_eq!(submit(SubmitDeletion { ground: None, ..ask(DeletionKind::Forced) }), Err(DeletionError::GroundMissing));
    for bad in [None, Some(""), Some("with space"), Some("a@b"), Some("x".repeat(65).as_str())] {
        let command = SubmitDeletion { incident: bad.map(str::to_owned), ..ask(DeletionKind::Forced) };
        assert_eq!(submit(command), Err(DeletionError::IncidentInvalid), "{bad:?}");
    }
    let blank = SubmitDeletion { reason: Some(" ".into()), ..ask(DeletionKind::OwnAccount) };
    assert_eq!(submit(blank), Err(DeletionError::ReasonInvalid));
}

#[test]
fn an_expert_goes_once_nothing_is_open() {
    let expert = [vec![submitted_as(DeletionKind::Expert, ADMIN)], verified()].concat();
    let approve = |outcome| {
        let checks = vec![Checked { check: Check::Dependencies, outcome }];
        when(&expert, OFFICER, 0, DeletionCommand::Approve(Approve { checks, grace_days: GRACE_DAYS }))
    };
    let refused = approve(CheckOutcome::Open).unwrap_err();
    assert_eq!(refused, DeletionError::ChecksOpen(vec![Check::Dependencies]));
    let named: Vec<_> = refused.errors().into_iter().map(|error| (error.field, error.reason)).collect();
    assert_eq!(named, [("checks.dependencies".to_owned(), Check::Dependencies.reason().to_owned())]);
    assert!(approve(CheckOutcome::Clear).is_ok() && approve(CheckOutcome::NothingToCheck).is_ok());
}

#[test]
fn a_subject_has_one_deletion_at_a_time_and_may_ask_anew_once_it_is_over() {
    for status in DeletionStatus::ALL {
        let again = when(&history(status), ALICE, 0, DeletionCommand::Submit(ask(DeletionKind::OwnAccount)));
        assert_eq!(again.is_ok(), status.is_over(), "{status:?}");
        assert!(status.is_over() || again == Err(DeletionError::AlreadyOpen));
    }
    let anew = given(&[history(DeletionStatus::Restored), vec![submitted()]].concat());
    assert_eq!(anew, given(&[submitted()]));
}

#[test]
fn neither_state_nor_debug_output_holds_the_reason() {
    let state = serde_json::to_string(&given(&[submitted()])).unwrap();
    let debug = format!("{:?} {:?}", ask(DeletionKind::OwnAccount), submitted());
    assert!(!state.contains("leaving") && !debug.contains("leaving"));
    assert_eq!(DeletionSubject::Organization(OrganizationId(ALICE.0)).user(), None);
}
