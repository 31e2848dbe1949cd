//! Given what was seen, when somebody is seen, then what the rules say.

use super::*;
use crate::{
    kernel::{Aggregate, Code, Digest, EventId, Facts, LetterId, Refusal, SessionId, UserId},
    organizations::organization::SuspiciousSignIn::{self, Challenge, EndSessions, Notify},
};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const ALICE: UserId = UserId(Uuid::from_u128(2));
const PHONE: u8 = 201;
const LAPTOP: u8 = 202;

fn at(minutes: i64) -> DateTime<Utc> {
    "2026-11-21T08:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
}

fn seen(session: u128, network: u8, agent: u8, means: Means) -> Sighting {
    Sighting {
        session_id: SessionId(Uuid::from_u128(session)),
        means,
        network: Digest([network; 32]),
        agent: Digest([agent; 32]),
        device: None,
        address: "203.0.113.7".into(),
        device_name: Some("Alice's phone".into()),
        choice: Notify,
    }
}

fn choosing(choice: SuspiciousSignIn, sighting: Sighting) -> Sighting {
    Sighting { choice, ..sighting }
}

fn then(watch: &mut SignInWatch, minutes: i64, action: WatchAction) -> Vec<&'static str> {
    use crate::kernel::Event;
    let command = SignInWatchCommand { user_id: ALICE, action };
    let events = watch.decide(&command, &Facts { now: at(minutes), actor: ALICE }).unwrap();
    events.iter().for_each(|event| watch.evolve(event));
    events.iter().map(Event::event_type).collect()
}

fn observe(watch: &mut SignInWatch, minutes: i64, sighting: Sighting) -> Vec<&'static str> {
    then(watch, minutes, WatchAction::Observe(sighting))
}

fn fail(watch: &mut SignInWatch, minutes: i64, network: u8) {
    assert_eq!(then(watch, minutes, WatchAction::RecordFailure { network: Digest([network; 32]) }), ["identity.sign_in_failed"]);
}

/// Alice, who signed in at home on her phone.
fn at_home() -> SignInWatch {
    let mut watch = SignInWatch::default();
    assert_eq!(observe(&mut watch, 0, seen(1, 1, PHONE, Means::Weak)), ["identity.session_seen"]);
    watch
}

fn reasons(watch: &SignInWatch, minutes: i64, sighting: &Sighting) -> Vec<Suspicion> {
    watch.judge(sighting, at(minutes)).reasons.into_iter().collect()
}

/// After failures from these networks, one a minute.
fn after_failures(networks: &[u8]) -> SignInWatch {
    let mut watch = at_home();
    for (minute, network) in networks.iter().enumerate() {
        fail(&mut watch, minute as i64, *network);
    }
    watch
}

// covers: E-101
#[test]
fn an_ordinary_sign_in_is_ordinary_and_a_place_is_news_once() {
    let mut watch = at_home();
    assert_eq!(observe(&mut watch, 1, seen(2, 1, PHONE, Means::Weak)), ["identity.session_seen"]);
    let elsewhere = ["identity.new_place_seen", "identity.session_seen"];
    assert_eq!(observe(&mut watch, 2, seen(3, 2, PHONE, Means::Weak)), elsewhere, "another network");
    assert_eq!(observe(&mut watch, 3, seen(4, 2, LAPTOP, Means::Weak)), elsewhere, "another device");
    assert_eq!(observe(&mut watch, 4, seen(5, 1, LAPTOP, Means::Weak)), ["identity.session_seen"]);
    assert_eq!(watch.judge(&seen(6, 1, PHONE, Means::Weak), at(5)).consequence, None);
}

#[test]
fn a_device_that_tells_its_id_is_known_by_it() {
    let mut watch = SignInWatch::default();
    let on = |session, agent, device: u8| Sighting { device: Some(Digest([device; 32])), ..seen(session, 1, agent, Means::Weak) };
    observe(&mut watch, 0, on(1, PHONE, 9));
    assert_eq!(observe(&mut watch, 1, on(2, LAPTOP, 9)), ["identity.session_seen"], "the same device with another program");
    assert_eq!(observe(&mut watch, 2, on(3, LAPTOP, 10)), ["identity.new_place_seen", "identity.session_seen"]);
}

// covers: E-101
#[test]
fn failures_are_guesses_from_five_on_and_from_three_networks_on() {
    let next = seen(2, 1, PHONE, Means::Weak);
    assert_eq!(reasons(&after_failures(&[2, 3, 4, 2]), 10, &next), [], "four failures");
    assert_eq!(reasons(&after_failures(&[2, 3, 2, 3, 2, 3]), 10, &next), [], "two networks");
    assert_eq!(reasons(&after_failures(&[2, 3, 4, 2, 3]), 10, &next), [Suspicion::GuessedFromManyNetworks]);
    // The first failure, at minute 0, is forgotten when the hour is over.
    assert_eq!(reasons(&after_failures(&[2, 3, 4, 2, 3]), 59, &next), [Suspicion::GuessedFromManyNetworks]);
    assert_eq!(reasons(&after_failures(&[2, 3, 4, 2, 3]), 60, &next), []);
    // Nobody guesses the secret of a session.
    assert_eq!(reasons(&after_failures(&[2, 3, 4, 2, 3]), 10, &seen(1, 1, PHONE, Means::Refresh)), []);
}

// covers: E-101
#[test]
fn a_sixth_network_within_an_hour_is_one_too_many() {
    let mut watch = SignInWatch::default();
    for network in 1..=5 {
        assert!(watch.judge(&seen(1, network, PHONE, Means::Refresh), at(network.into())).reasons.is_empty(), "network {network}");
        observe(&mut watch, network.into(), seen(1, network, PHONE, Means::Refresh));
    }
    assert_eq!(reasons(&watch, 10, &seen(1, 3, PHONE, Means::Refresh)), [], "one of the five");
    assert_eq!(reasons(&watch, 10, &seen(1, 6, PHONE, Means::Refresh)), [Suspicion::ManyNetworks]);
    assert_eq!(reasons(&watch, 10, &seen(2, 6, PHONE, Means::Weak)), [Suspicion::ManyNetworks]);
    assert_eq!(reasons(&watch, 60, &seen(1, 6, PHONE, Means::Refresh)), [Suspicion::ManyNetworks]);
    assert_eq!(reasons(&watch, 61, &seen(1, 6, PHONE, Means::Refresh)), [], "the first of them was an hour ago");
}

// covers: E-101
#[test]
fn a_session_belongs_to_the_program_that_it_was_started_by() {
    let mut watch = at_home();
    assert_eq!(reasons(&watch, 1, &seen(1, 1, PHONE, Means::Refresh)), []);
    assert_eq!(reasons(&watch, 1, &seen(1, 1, LAPTOP, Means::Refresh)), [Suspicion::AgentChanged]);
    assert_eq!(reasons(&watch, 1, &seen(9, 1, LAPTOP, Means::Refresh)), [], "a session that was never seen");
    // Told once, the user knows of it.
    let told = ["identity.suspicious_sign_in_detected", "identity.session_seen"];
    assert_eq!(observe(&mut watch, 1, seen(1, 1, LAPTOP, Means::Refresh)), told);
    assert!(observe(&mut watch, 2, seen(1, 1, LAPTOP, Means::Refresh)).is_empty());
}

// covers: E-101
#[test]
fn somebody_on_the_way_is_not_thrown_out_unless_the_organization_says_so() {
    let mut watch = SignInWatch::default();
    for network in 1..=30 {
        let verdict = watch.judge(&seen(1, network, PHONE, Means::Refresh), at(network.into()));
        assert!(verdict.lets_in(), "network {network}");
        observe(&mut watch, network.into(), seen(1, network, PHONE, Means::Refresh));
    }
    assert!(!watch.judge(&choosing(Challenge, seen(1, 31, PHONE, Means::Refresh)), at(31)).lets_in());
}

#[test]
fn a_refresh_from_the_same_place_is_not_worth_an_event() {
    let mut watch = at_home();
    assert!(observe(&mut watch, 59, seen(1, 1, PHONE, Means::Refresh)).is_empty());
    assert_eq!(observe(&mut watch, 60, seen(1, 1, PHONE, Means::Refresh)), ["identity.session_seen"], "an hour later it is");
    assert_eq!(observe(&mut watch, 61, seen(1, 2, PHONE, Means::Refresh)), ["identity.session_seen"], "from elsewhere it is");
}

// covers: E-117
#[test]
fn what_follows_is_what_the_organization_chose_and_what_was_shown() {
    let watch = after_failures(&[2, 3, 4, 2, 3]);
    let follows = |choice, means| {
        let sighting = choosing(choice, Sighting { agent: Digest([LAPTOP; 32]), ..seen(1, 1, PHONE, means) });
        let verdict = watch.judge(&sighting, at(10));
        (verdict.consequence.unwrap(), verdict.lets_in())
    };
    assert_eq!(follows(Notify, Means::Weak), (Consequence::Notified, true));
    assert_eq!(follows(Notify, Means::Strong), (Consequence::Notified, true));
    assert_eq!(follows(Notify, Means::Refresh), (Consequence::Notified, true));
    assert_eq!(follows(Challenge, Means::Weak), (Consequence::SecondFactorDemanded, false));
    assert_eq!(follows(Challenge, Means::Strong), (Consequence::Notified, true));
    assert_eq!(follows(Challenge, Means::Refresh), (Consequence::SessionEnded, false));
    assert_eq!(follows(EndSessions, Means::Weak), (Consequence::AllSessionsEnded, false));
    assert_eq!(follows(EndSessions, Means::Strong), (Consequence::OtherSessionsEnded, true));
    assert_eq!(follows(EndSessions, Means::Refresh), (Consequence::AllSessionsEnded, false));
}

#[test]
fn who_is_kept_out_is_recorded_once_an_hour_and_stays_unknown() {
    let mut watch = after_failures(&[2, 3, 4, 2, 3]);
    let next = |session| choosing(Challenge, seen(session, 5, LAPTOP, Means::Weak));
    assert_eq!(observe(&mut watch, 10, next(2)), ["identity.suspicious_sign_in_detected"]);
    assert!(observe(&mut watch, 11, next(3)).is_empty());
    assert!(!watch.judge(&next(4), at(12)).lets_in());
    // With a second factor it is the user, and what was guessed before is told of.
    let proven = choosing(Challenge, seen(4, 5, LAPTOP, Means::Strong));
    assert_eq!(observe(&mut watch, 13, proven), ["identity.suspicious_sign_in_detected", "identity.session_seen"]);
    assert_eq!(observe(&mut watch, 14, next(5)), ["identity.session_seen"]);
}

#[test]
fn a_letter_is_disowned_once_and_then_every_place_is_news() {
    let mut watch = at_home();
    let letter_id = LetterId(EventId(Uuid::from_u128(7)).0);
    assert_eq!(then(&mut watch, 1, WatchAction::Disown { letter_id }), ["identity.sign_in_disowned"]);
    let again = SignInWatchCommand { user_id: ALICE, action: WatchAction::Disown { letter_id } };
    let refused = watch.decide(&again, &Facts { now: at(2), actor: ALICE }).unwrap_err();
    assert_eq!(
        (refused, refused.code(), refused.reason()),
        (SignInWatchError::DisownedAlready, Code::Conflict, "identity.disowned_already")
    );
    assert_eq!(observe(&mut watch, 3, seen(2, 1, PHONE, Means::Weak)), ["identity.new_place_seen", "identity.session_seen"]);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut watch = SignInWatch::default();
    for number in 0..200u8 {
        observe(&mut watch, i64::from(number) * 60, seen(number.into(), number, number, Means::Weak));
        fail(&mut watch, i64::from(number), number);
    }
    let state = serde_json::to_value(&watch).unwrap();
    for list in ["networks", "devices", "failures", "agents"] {
        assert_eq!(state[list].as_array().unwrap().len(), 64, "{list}");
    }
}
