//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::{
    identity::Role,
    kernel::{AccessReviewId, Aggregate, ApiKeyId, Code, Facts, Refusal, UserId},
};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

const REVIEW: AccessReviewId = AccessReviewId(Uuid::from_u128(1));
const ANN: UserId = UserId(Uuid::from_u128(2));
const BOB: UserId = UserId(Uuid::from_u128(3));
const ANALYST: RoleRef = RoleRef::BuiltIn(Role::Analyst);
const BOBS: ReviewItem = ReviewItem::Role { user_id: BOB, role: ANALYST };
const ANNS: ReviewItem = ReviewItem::Role { user_id: ANN, role: RoleRef::BuiltIn(Role::OrganizationAdmin) };
const KEY: ApiKeyId = ApiKeyId(Uuid::from_u128(4));

fn due() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(30)
}

fn given(events: &[AccessReviewEvent]) -> AccessReview {
    events.iter().fold(AccessReview::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

/// What Ann's command comes to.
fn when(events: &[AccessReviewEvent], command: AccessReviewCommand) -> Result<Vec<AccessReviewEvent>, AccessReviewError> {
    given(events).decide(&command, &Facts { now: DateTime::UNIX_EPOCH, actor: ANN })
}

fn open(items: impl IntoIterator<Item = ReviewItem>) -> AccessReviewCommand {
    AccessReviewCommand::Open(OpenAccessReview { review_id: REVIEW, items: items.into_iter().collect(), due_at: due() })
}

fn attest(reviewed: Reviewed) -> AccessReviewCommand {
    AccessReviewCommand::Attest { reviewed, held: true }
}

fn opened() -> AccessReviewEvent {
    AccessReviewOpened { review_id: REVIEW, items: vec![ANNS, BOBS], due_at: due(), opened_by: ANN }.into()
}

fn attested() -> AccessReviewEvent {
    AccessAttested { review_id: REVIEW, user_id: BOB, role: ANALYST, attested_by: ANN }.into()
}

fn taken() -> AccessReviewEvent {
    AccessTaken { review_id: REVIEW, user_id: BOB, role: ANALYST, revoked_by: ANN }.into()
}

fn closed(undecided: u32) -> AccessReviewEvent {
    AccessReviewClosed { review_id: REVIEW, undecided, closed_by: ANN }.into()
}

#[test]
fn a_review_is_opened_once_with_roles_to_look_at() {
    assert_eq!(when(&[], open([BOBS, ANNS, BOBS])), Ok(vec![opened()]));
    assert_eq!(when(&[opened()], open([BOBS])), Err(AccessReviewError::AlreadyOpen));
    assert_eq!(when(&[], open([])), Err(AccessReviewError::ItemCountInvalid));
    let many = |count: u128| {
        (0..count).map(|number| ReviewItem::Role { user_id: UserId(Uuid::from_u128(number)), role: ANALYST }).collect::<BTreeSet<_>>()
    };
    assert!(when(&[], open(many(1_000))).is_ok());
    assert_eq!(when(&[], open(many(1_001))), Err(AccessReviewError::ItemCountInvalid));
    let late = OpenAccessReview { review_id: REVIEW, items: [BOBS].into(), due_at: DateTime::UNIX_EPOCH };
    assert_eq!(when(&[], AccessReviewCommand::Open(late)), Err(AccessReviewError::DueInvalid));
}

#[test]
fn a_review_is_due_within_a_year() {
    let due = |due_at: DateTime<Utc>| {
        let open = OpenAccessReview { review_id: REVIEW, items: [BOBS].into(), due_at };
        when(&[], AccessReviewCommand::Open(open)).map(drop)
    };
    let a_year = DateTime::UNIX_EPOCH + TimeDelta::days(365);
    assert_eq!(due(a_year), Ok(()));
    assert_eq!(due(a_year + TimeDelta::seconds(1)), Err(AccessReviewError::DueTooLate));
}

#[test]
fn what_nobody_has_any_more_nobody_attests_and_anybody_may_take_away() {
    let gone = AccessReviewCommand::Attest { reviewed: BOBS.subject(), held: false };
    assert_eq!(when(&[opened()], gone.clone()), Err(AccessReviewError::NotHeld));
    assert_eq!((AccessReviewError::NotHeld.code(), AccessReviewError::NotHeld.reason()), (Code::Conflict, "compliance.review_item_gone"));
    assert_eq!(when(&[opened(), attested()], gone), Err(AccessReviewError::AlreadyDecided));
    assert_eq!(when(&[opened()], AccessReviewCommand::Revoke(BOBS.subject())), Ok(vec![taken()]));
}

#[test]
fn each_role_is_decided_about_once() {
    for (command, event, decision) in [
        (attest(BOBS.subject()), attested(), ReviewDecision::Attested),
        (AccessReviewCommand::Revoke(BOBS.subject()), taken(), ReviewDecision::Revoked),
    ] {
        assert_eq!(when(&[opened()], command), Ok(vec![event.clone()]));
        let after = given(&[opened(), event.clone()]);
        let decided: Vec<_> = after.review().into_iter().flat_map(|review| review.items()).collect();
        assert_eq!(decided, [(ANNS, None), (BOBS, Some(decision))]);
        for again in [attest(BOBS.subject()), AccessReviewCommand::Revoke(BOBS.subject())] {
            assert_eq!(when(&[opened(), event.clone()], again), Err(AccessReviewError::AlreadyDecided));
        }
    }
}

#[test]
fn nobody_decides_about_themselves_or_what_is_not_in_the_review() {
    for command in [attest(ANNS.subject()), AccessReviewCommand::Revoke(ANNS.subject())] {
        let refused = when(&[opened()], command).unwrap_err();
        assert!(refused == AccessReviewError::OwnAccess && refused.is_attempt());
    }
    let other = Reviewed::Role { user_id: BOB, role: RoleRef::BuiltIn(Role::Member) };
    assert_eq!(when(&[opened()], attest(other)), Err(AccessReviewError::ItemNotFound));
    assert_eq!(when(&[], attest(BOBS.subject())), Err(AccessReviewError::NotFound));
}

#[test]
fn a_closed_review_says_what_nobody_decided_and_stays_closed() {
    assert_eq!(when(&[opened()], AccessReviewCommand::Close), Ok(vec![closed(2)]));
    assert_eq!(when(&[opened(), attested()], AccessReviewCommand::Close), Ok(vec![closed(1)]));
    for command in [AccessReviewCommand::Close, attest(BOBS.subject()), AccessReviewCommand::Revoke(BOBS.subject())] {
        assert_eq!(when(&[opened(), closed(2)], command), Err(AccessReviewError::Closed));
    }
    assert_eq!(when(&[], AccessReviewCommand::Close), Err(AccessReviewError::NotFound));
}

#[test]
fn a_key_is_decided_about_by_somebody_else_than_whoever_made_it() {
    let of_keys = |made_by| AccessReviewOpened {
        review_id: REVIEW,
        items: vec![ReviewItem::Key { key_id: KEY, made_by }],
        due_at: due(),
        opened_by: BOB,
    };
    let attested: AccessReviewEvent = KeyAccessAttested { review_id: REVIEW, key_id: KEY, attested_by: ANN }.into();
    let taken: AccessReviewEvent = KeyAccessTaken { review_id: REVIEW, key_id: KEY, revoked_by: ANN }.into();
    for (command, event, decision) in [
        (attest(Reviewed::Key(KEY)), attested, ReviewDecision::Attested),
        (AccessReviewCommand::Revoke(Reviewed::Key(KEY)), taken, ReviewDecision::Revoked),
    ] {
        let bobs: AccessReviewEvent = of_keys(BOB).into();
        assert_eq!(when(std::slice::from_ref(&bobs), command.clone()), Ok(vec![event.clone()]));
        let after = given(&[bobs.clone(), event.clone()]);
        let decided: Vec<_> = after.review().into_iter().flat_map(|review| review.items()).map(|(_, decision)| decision).collect();
        assert_eq!(decided, [Some(decision)]);
        assert_eq!(when(&[bobs, event], command.clone()), Err(AccessReviewError::AlreadyDecided));
        assert_eq!(when(&[of_keys(ANN).into()], command.clone()), Err(AccessReviewError::OwnAccess));
        assert_eq!(when(&[opened()], command), Err(AccessReviewError::KeyNotFound));
    }
}

#[test]
fn a_review_is_overdue_once_while_somebody_has_to_decide() {
    let at = |events: &[AccessReviewEvent], now: DateTime<Utc>| {
        given(events).decide(&AccessReviewCommand::MarkOverdue, &Facts { now, actor: ANN })
    };
    let overdue = |undecided| -> AccessReviewEvent { AccessReviewOverdue { review_id: REVIEW, due_at: due(), undecided }.into() };
    assert_eq!(at(&[opened()], due() - TimeDelta::seconds(1)), Ok(vec![]));
    assert_eq!(at(&[opened(), attested()], due()), Ok(vec![overdue(1)]));
    assert_eq!(at(&[opened(), overdue(2)], due()), Ok(vec![]));
    assert_eq!(at(&[opened(), closed(2)], due()), Ok(vec![]));
    let bobs = AccessReviewOpened { review_id: REVIEW, items: vec![BOBS], due_at: due(), opened_by: ANN }.into();
    assert_eq!(at(&[bobs, taken()], due()), Ok(vec![]), "all is decided");
    assert_eq!(at(&[], due()), Ok(vec![]));
}
