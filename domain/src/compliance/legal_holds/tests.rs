//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::{
    compliance::deletion_request::DeletionSubject,
    kernel::{Aggregate, Facts, LegalHoldId, OrganizationId, Personal, Refusal, UserId},
};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

const ALICE: UserId = UserId(Uuid::from_u128(1));
const BOB: UserId = UserId(Uuid::from_u128(2));
const OFFICER: UserId = UserId(Uuid::from_u128(3));
const HOLD: LegalHoldId = LegalHoldId(Uuid::from_u128(9));

fn day(days: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(days)
}

fn span(from: i64, until: i64) -> Span {
    Span { from: Some(day(from)), until: Some(day(until)) }
}

fn on(subjects: &[UserId], span: Option<Span>) -> HoldScope {
    HoldScope { subjects: subjects.iter().copied().collect(), span }
}

fn given(events: &[LegalHoldsEvent]) -> LegalHolds {
    events.iter().fold(LegalHolds::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[LegalHoldsEvent], actor: UserId, command: LegalHoldsCommand) -> Result<Vec<LegalHoldsEvent>, LegalHoldsError> {
    given(events).decide(&command, &Facts { now: day(0), actor })
}

fn place(scope: HoldScope) -> LegalHoldsCommand {
    LegalHoldsCommand::Place(PlaceHold { hold_id: HOLD, scope, matter: "case 7".into() })
}

fn placed(scope: HoldScope) -> LegalHoldsEvent {
    LegalHoldPlaced { hold_id: HOLD, scope, placed_by: OFFICER, matter: Personal::Clear("case 7".into()) }.into()
}

fn released() -> LegalHoldsEvent {
    LegalHoldReleased { hold_id: HOLD, released_by: OFFICER }.into()
}

/// covers: E-162
#[test]
fn a_hold_is_on_whom_it_names_until_it_is_released() {
    assert_eq!(when(&[], OFFICER, place(on(&[ALICE], None))), Ok(vec![placed(on(&[ALICE], None))]));
    let holds = given(&[placed(on(&[ALICE], None))]);
    assert_eq!(holds.on(DeletionSubject::User(ALICE), Some(&span(0, 1))), [HOLD]);
    assert!(holds.on(DeletionSubject::User(BOB), Some(&span(0, 1))).is_empty());
    assert_eq!(given(&[placed(on(&[], None))]).on(DeletionSubject::User(BOB), None), [HOLD], "nobody named is everybody");
    let over = given(&[placed(on(&[], None)), released()]);
    assert!(over.on(DeletionSubject::User(BOB), None).is_empty());
}

#[test]
fn an_organization_stays_while_anybody_in_it_has_to() {
    let organization = DeletionSubject::Organization(OrganizationId(Uuid::from_u128(7)));
    assert_eq!(given(&[placed(on(&[ALICE], None))]).on(organization, None), [HOLD]);
    assert_eq!(given(&[placed(on(&[], Some(span(10, 20))))]).on(organization, Some(&span(0, 1))), [HOLD]);
}

/// covers: E-162
#[test]
fn who_is_named_is_held_whatever_is_known_of_when_something_of_theirs_was() {
    let holds = given(&[placed(on(&[ALICE], Some(span(10, 20))))]);
    assert_eq!(holds.on(DeletionSubject::User(ALICE), Some(&span(21, 30))), [HOLD]);
    assert!(holds.on(DeletionSubject::User(BOB), Some(&span(12, 13))).is_empty());
}

/// covers: E-162
#[test]
fn a_hold_over_a_span_reaches_back_and_holds_where_nobody_knows() {
    let holds = given(&[placed(on(&[], Some(span(10, 20))))]);
    for (footprint, is_held) in
        [(span(0, 9), false), (span(0, 10), true), (span(12, 13), true), (span(20, 30), true), (span(21, 30), false)]
    {
        assert_eq!(!holds.on(DeletionSubject::User(ALICE), Some(&footprint)).is_empty(), is_held, "{footprint:?}");
    }
    assert!(!holds.on(DeletionSubject::User(ALICE), None).is_empty(), "fail-closed");
    let since = given(&[placed(on(&[], Some(Span { from: Some(day(10)), until: None })))]);
    assert!(since.on(DeletionSubject::User(ALICE), Some(&span(0, 9))).is_empty());
    assert!(!since.on(DeletionSubject::User(ALICE), Some(&span(0, 99))).is_empty());
}

#[test]
fn extending_adds_and_never_takes_away() {
    let extend = |before: HoldScope, scope| when(&[placed(before)], OFFICER, LegalHoldsCommand::Extend { hold_id: HOLD, scope });
    let extended = |scope| -> LegalHoldsEvent { LegalHoldExtended { hold_id: HOLD, scope, extended_by: OFFICER }.into() };
    let both = on(&[ALICE, BOB], Some(span(5, 20)));
    assert_eq!(extend(on(&[ALICE], Some(span(10, 20))), on(&[BOB], Some(span(5, 8)))), Ok(vec![extended(both)]));
    assert_eq!(extend(on(&[ALICE], Some(span(1, 2))), on(&[], None)), Ok(vec![extended(on(&[], None))]));
    assert_eq!(extend(on(&[], None), on(&[BOB], Some(span(1, 2)))), Ok(Vec::new()));
}

#[test]
fn a_hold_that_is_not_there_or_not_any_more_does_not_change() {
    let all = || [LegalHoldsCommand::Extend { hold_id: HOLD, scope: on(&[], None) }, LegalHoldsCommand::Release(HOLD)];
    for command in all() {
        assert_eq!(when(&[], OFFICER, command.clone()), Err(LegalHoldsError::NotFound));
        assert_eq!(when(&[placed(on(&[ALICE], None)), released()], OFFICER, command), Err(LegalHoldsError::Released));
    }
    assert_eq!(when(&[placed(on(&[], None))], OFFICER, place(on(&[], None))), Err(LegalHoldsError::AlreadyPlaced));
    assert_eq!(when(&[placed(on(&[ALICE], None))], OFFICER, LegalHoldsCommand::Release(HOLD)), Ok(vec![released()]));
}

#[test]
fn nobody_releases_a_hold_on_themselves() {
    let refused = when(&[placed(on(&[ALICE], None))], ALICE, LegalHoldsCommand::Release(HOLD));
    assert_eq!(refused, Err(LegalHoldsError::HeldThemselves));
    assert!(LegalHoldsError::HeldThemselves.is_attempt());
}

#[test]
fn what_a_hold_says_is_bounded() {
    let many: BTreeSet<UserId> = (0..=SUBJECTS_MAX as u128).map(|id| UserId(Uuid::from_u128(id))).collect();
    assert_eq!(when(&[], OFFICER, place(HoldScope { subjects: many, span: None })), Err(LegalHoldsError::SubjectsInvalid));
    assert_eq!(when(&[], OFFICER, place(on(&[], Some(span(2, 1))))), Err(LegalHoldsError::SpanInvalid));
    let silent = PlaceHold { hold_id: HOLD, scope: on(&[], None), matter: " ".into() };
    assert_eq!(when(&[], OFFICER, LegalHoldsCommand::Place(silent)), Err(LegalHoldsError::MatterInvalid));
}
