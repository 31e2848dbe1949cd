//! Given events, when a command comes, then events or a refusal.

use super::{SessionsError::*, *};
use crate::kernel::{Aggregate, Code, Digest, Facts, Personal, Refusal, SessionId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

const ALICE: UserId = UserId(Uuid::from_u128(2));
const FAMILY: Digest = Digest([1; 32]);
const FIRST: Digest = Digest([2; 32]);
const SECOND: Digest = Digest([3; 32]);
const THIRD: Digest = Digest([4; 32]);
const DEVICE: Digest = Digest([5; 32]);
const OTHER: Digest = Digest([9; 32]);

fn at(minutes: i64) -> DateTime<Utc> {
    "2026-11-21T08:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
}

fn id(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(number))
}

fn when(sessions: &Sessions, minutes: i64, action: SessionsAction) -> Result<Vec<SessionsEvent>, SessionsError> {
    sessions.decide(&SessionsCommand { user_id: ALICE, action }, &Facts { now: at(minutes), actor: ALICE })
}

/// Does it, which has to be accepted; answers what was recorded.
fn then(sessions: &mut Sessions, minutes: i64, action: SessionsAction) -> Vec<SessionsEvent> {
    let events = when(sessions, minutes, action).unwrap();
    events.iter().for_each(|event| sessions.evolve(event));
    events
}

/// A session without a device of its own, which expires at this minute.
fn until(number: u128, expires: i64) -> StartSession {
    StartSession {
        session_id: id(number),
        method: SignInMethod::Password,
        factors: BTreeSet::from([Factor::Password]),
        carrier: Carrier::Bearer,
        family: FAMILY,
        current: FIRST,
        device: None,
        device_name: None,
        expires_at: at(expires),
    }
}

fn start(number: u128, expires: i64) -> SessionsAction {
    SessionsAction::Start(until(number, expires))
}

fn signed_in(numbers: &[u128]) -> Sessions {
    let mut sessions = Sessions::default();
    for number in numbers {
        then(&mut sessions, 0, start(*number, 60));
    }
    sessions
}

fn refresh(presented: Digest, next: Digest) -> RotateRefresh {
    RotateRefresh { session_id: id(1), family: FAMILY, presented, next, device: None }
}

fn rotate(presented: Digest, next: Digest) -> SessionsAction {
    SessionsAction::Rotate(refresh(presented, next))
}

fn reused() -> SessionsEvent {
    RefreshReuseDetected { user_id: ALICE, session_id: id(1) }.into()
}

fn revoke(number: u128) -> SessionsAction {
    SessionsAction::Revoke { session_id: id(number), reason: RevocationReason::ByUser }
}

fn revoke_all(except: Option<u128>) -> SessionsAction {
    SessionsAction::RevokeAll { except: except.map(id), reason: RevocationReason::ByAdmin }
}

fn live(sessions: &Sessions, minutes: i64) -> Vec<u128> {
    sessions.all_live(at(minutes)).map(|(session_id, _)| session_id.0.as_u128()).collect()
}

/// covers: E-102
#[test]
fn a_session_starts_and_remembers_its_device_by_a_digest() {
    let named = StartSession { device: Some(DEVICE), device_name: Some("Alice's phone".into()), ..until(1, 60) };
    let started = SessionStarted {
        user_id: ALICE,
        session_id: id(1),
        method: SignInMethod::Password,
        factors: vec![Factor::Password],
        carrier: Carrier::Bearer,
        family: FAMILY,
        current: FIRST,
        device: Some(DEVICE),
        device_name: Some(Personal::Clear("Alice's phone".into())),
        started_at: at(0),
        expires_at: at(60),
    };
    assert_eq!(when(&Sessions::default(), 0, SessionsAction::Start(named)), Ok(vec![started.into()]));
}

// covers: E-113
#[test]
fn a_session_showed_a_second_factor_unless_all_of_it_was_sent() {
    use Factor::*;
    let showed = |factors: &[Factor]| {
        let mut sessions = Sessions::default();
        let named = StartSession { factors: factors.iter().copied().collect(), ..until(1, 60) };
        then(&mut sessions, 0, SessionsAction::Start(named));
        sessions.live(id(1), at(1)).unwrap().showed_second_factor()
    };
    for factors in [&[Password, OneTimeCode, Multiple], &[Link, OneTimeCode, Multiple], &[Federated, RecoveryCode, Multiple]] {
        assert!(showed(factors), "{factors:?}");
    }
    assert!(!showed(&[Password]) && !showed(&[Link]) && !showed(&[Federated]));
    assert!(!showed(&[Password, SentCode, Multiple]), "whoever reads the mailbox has the code");
    let two = |factors: &[Factor]| {
        let mut sessions = Sessions::default();
        let named = StartSession { factors: factors.iter().copied().collect(), ..until(1, 60) };
        then(&mut sessions, 0, SessionsAction::Start(named));
        sessions.live(id(1), at(1)).unwrap().showed_two_factors()
    };
    assert!(two(&[Password, SentCode, Multiple]) && two(&[Password, OneTimeCode, Multiple]));
    assert!(!two(&[Password]) && !two(&[Link]) && !two(&[Federated]));
}

#[test]
fn a_session_lives_until_it_expires() {
    let sessions = signed_in(&[1]);
    assert!(sessions.is_live(id(1), at(59)) && !sessions.is_live(id(1), at(60)));
    assert!(!sessions.is_live(id(2), at(0)));
}

#[test]
fn a_session_is_held_by_who_has_the_secret_of_its_family() {
    let sessions = signed_in(&[1]);
    assert!(sessions.holds(id(1), FAMILY, at(59)));
    assert!(!sessions.holds(id(1), OTHER, at(59)), "another secret");
    assert!(!sessions.holds(id(2), FAMILY, at(59)), "another session");
    assert!(!sessions.holds(id(1), FAMILY, at(60)), "expired");
}

#[test]
fn an_id_names_one_session() {
    assert_eq!(when(&signed_in(&[1]), 1, start(1, 60)), Err(AlreadyExists));
}

#[test]
fn a_session_ends_after_it_begins() {
    assert_eq!(when(&Sessions::default(), 60, start(1, 60)), Err(Over));
}

#[test]
fn the_name_of_a_device_is_something_to_read() {
    for name in ["", " phone", "phone\n", &"x".repeat(101)] {
        let named = StartSession { device_name: Some(name.into()), ..until(1, 60) };
        assert_eq!(when(&Sessions::default(), 0, SessionsAction::Start(named)), Err(DeviceNameInvalid), "{name}");
    }
}

#[test]
fn a_start_forgets_sessions_that_expired() {
    let mut sessions = signed_in(&[1, 2]);
    then(&mut sessions, 60, start(3, 120));
    assert_eq!(serde_json::to_value(&sessions).unwrap().as_object().map(serde_json::Map::len), Some(1));
    assert_eq!(live(&sessions, 60), [3]);
}

#[test]
fn the_oldest_session_gives_way_to_one_too_many() {
    let mut sessions = Sessions::default();
    for number in 1..=LIVE_SESSIONS_MAX as u128 {
        // The later the start, the smaller the id: not the order of ids decides.
        then(&mut sessions, number as i64, start(1_000 - number, 600));
    }
    assert_eq!(live(&sessions, 60).len(), LIVE_SESSIONS_MAX);
    let events = then(&mut sessions, 60, start(1, 600));
    let displaced = SessionRevoked { user_id: ALICE, session_id: id(999), reason: RevocationReason::Displaced };
    assert_eq!((events.len(), &events[0]), (2, &displaced.into()));
    assert_eq!(live(&sessions, 60).len(), LIVE_SESSIONS_MAX);
    assert!(!sessions.is_live(id(999), at(60)) && sessions.is_live(id(1), at(60)));
}

#[test]
fn sessions_that_expired_displace_nobody() {
    let mut sessions = Sessions::default();
    for number in 1..=LIVE_SESSIONS_MAX as u128 {
        then(&mut sessions, 0, start(number, if number == 1 { 10 } else { 60 }));
    }
    assert_eq!(then(&mut sessions, 10, start(100, 60)).len(), 1);
}

/// covers: E-109
#[test]
fn a_refresh_puts_another_secret_in_place_of_the_one_presented() {
    let mut sessions = signed_in(&[1]);
    let rotated = RefreshRotated { user_id: ALICE, session_id: id(1), next: SECOND, rotated_at: at(1) };
    assert_eq!(then(&mut sessions, 1, rotate(FIRST, SECOND)), [rotated.into()]);
    then(&mut sessions, 2, rotate(SECOND, THIRD));
    assert!(sessions.is_live(id(1), at(2)));
}

/// covers: E-109
#[test]
fn a_refresh_token_that_comes_a_second_time_ends_its_session_alone() {
    let mut sessions = signed_in(&[1, 2]);
    then(&mut sessions, 1, rotate(FIRST, SECOND));
    assert_eq!(then(&mut sessions, 2, rotate(FIRST, THIRD)), [reused()]);
    assert_eq!(live(&sessions, 2), [2]);
    for presented in [FIRST, SECOND, THIRD] {
        assert_eq!(when(&sessions, 3, rotate(presented, OTHER)), Err(Ended), "neither thief nor user goes on");
    }
}

/// covers: E-109
#[test]
fn a_refresh_from_another_device_ends_the_session() {
    let mut sessions = Sessions::default();
    then(&mut sessions, 0, SessionsAction::Start(StartSession { device: Some(DEVICE), ..until(1, 60) }));
    let from = |device| SessionsAction::Rotate(RotateRefresh { device, ..refresh(FIRST, SECOND) });
    assert!(matches!(when(&sessions, 1, from(Some(DEVICE))).unwrap()[..], [SessionsEvent::RefreshRotated(_)]));
    for device in [None, Some(OTHER)] {
        assert_eq!(when(&sessions, 1, from(device)), Ok(vec![reused()]));
    }
}

#[test]
fn a_session_without_a_device_is_refreshed_from_any() {
    let from = SessionsAction::Rotate(RotateRefresh { device: Some(OTHER), ..refresh(FIRST, SECOND) });
    assert!(matches!(when(&signed_in(&[1]), 1, from).unwrap()[..], [SessionsEvent::RefreshRotated(_)]));
}

/// Who has not even the family's secret may not end anybody's session.
#[test]
fn a_token_that_was_never_genuine_is_refused_and_ends_nothing() {
    let sessions = signed_in(&[1]);
    let forged = |session, family| RotateRefresh { session_id: id(session), family, ..refresh(FIRST, SECOND) };
    for (case, minutes, forged) in [("family", 1, forged(1, OTHER)), ("session", 1, forged(2, FAMILY)), ("expired", 60, forged(1, FAMILY))]
    {
        assert_eq!(when(&sessions, minutes, SessionsAction::Rotate(forged)), Err(Ended), "{case}");
    }
    assert_eq!((Ended.code(), Ended.reason()), (Code::AuthenticationFailed, "identity.session_ended"));
}

/// covers: E-115
#[test]
fn one_session_is_revoked_once() {
    let mut sessions = signed_in(&[1, 2]);
    let revoked = SessionRevoked { user_id: ALICE, session_id: id(1), reason: RevocationReason::ByUser };
    assert_eq!(then(&mut sessions, 1, revoke(1)), [revoked.into()]);
    assert_eq!(live(&sessions, 1), [2]);
    assert_eq!(when(&sessions, 2, revoke(1)), Err(NotFound));
    assert_eq!(when(&sessions, 2, revoke(7)), Err(NotFound));
    assert_eq!(when(&sessions, 60, revoke(2)), Err(NotFound), "expired");
}

/// covers: E-114, E-116
#[test]
fn all_sessions_are_revoked_at_once_except_one_perhaps() {
    let mut sessions = signed_in(&[1, 2, 3]);
    let revoked = SessionsRevoked { user_id: ALICE, except: Some(id(2)), reason: RevocationReason::ByAdmin };
    assert_eq!(then(&mut sessions, 1, revoke_all(Some(2))), [revoked.into()]);
    assert_eq!(live(&sessions, 1), [2]);
    then(&mut sessions, 2, revoke_all(None));
    assert!(live(&sessions, 2).is_empty());
}

#[test]
fn where_no_other_session_is_live_nothing_is_recorded() {
    assert_eq!(when(&Sessions::default(), 0, revoke_all(None)), Ok(Vec::new()));
    assert_eq!(when(&signed_in(&[1]), 1, revoke_all(Some(1))), Ok(Vec::new()));
    assert_eq!(when(&signed_in(&[1]), 60, revoke_all(None)), Ok(Vec::new()));
}

#[test]
fn names_are_those_that_are_stored() {
    fn check<T: serde::Serialize + Copy>(all: &[T], name: fn(T) -> &'static str) {
        all.iter().for_each(|value| assert_eq!(serde_json::to_value(value).unwrap(), name(*value)));
    }
    check(&[SignInMethod::Password, SignInMethod::MagicLink, SignInMethod::Oidc, SignInMethod::Invitation], SignInMethod::name);
    check(&[Carrier::Cookie, Carrier::Bearer], Carrier::name);
    use Factor::*;
    check(&[Password, OneTimeCode, SentCode, Link, RecoveryCode, Federated, Multiple], Factor::name);
    use RevocationReason::*;
    check(&[SignedOut, ByUser, ByAdmin, PasswordChanged, Suspicious, Displaced], RevocationReason::name);
}
