//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::{
    kernel::{Aggregate, Event, EventId, Facts, LetterId, UserId},
    organizations::Locale,
};
use chrono::DateTime;
use std::collections::BTreeSet;
use uuid::Uuid;

const ALICE: UserId = UserId(Uuid::from_u128(2));

fn envelope() -> Envelope {
    let letter_id = LetterId::asked_by(EventId(Uuid::from_u128(1)));
    Envelope { letter_id, recipient_id: ALICE, kind: LetterKind::MagicLink, language: Locale::Fr }
}

fn sent() -> LetterCommand {
    LetterCommand::Sent(RecordSent { envelope: envelope() })
}

fn refused() -> LetterCommand {
    LetterCommand::Undeliverable(RecordUndeliverable { envelope: envelope(), reason: UndeliverableReason::Refused })
}

fn decide(letter: &Letter, command: LetterCommand) -> Result<Vec<LetterEvent>, LetterError> {
    letter.decide(&command, &Facts { now: DateTime::UNIX_EPOCH, actor: ALICE })
}

/// The letter after commands that were accepted.
fn after(commands: impl IntoIterator<Item = LetterCommand>) -> Letter {
    let mut letter = Letter::default();
    for command in commands {
        decide(&letter, command).unwrap().iter().for_each(|event| letter.evolve(event));
    }
    letter
}

#[test]
fn a_waiting_letter_is_sent() {
    let Envelope { letter_id, recipient_id, kind, language } = envelope();
    let event = LetterSent { letter_id, recipient_id, kind, language, sent_at: DateTime::UNIX_EPOCH };
    assert_eq!(decide(&Letter::default(), sent()), Ok(vec![event.into()]));
    assert!(Letter::default().is_waiting());
    assert!(!after([sent()]).is_waiting());
}

#[test]
fn a_waiting_letter_that_is_refused_for_good_is_undeliverable() {
    let Envelope { letter_id, recipient_id, kind, language } = envelope();
    let event = LetterUndeliverable { letter_id, recipient_id, kind, language, reason: UndeliverableReason::Refused };
    assert_eq!(decide(&Letter::default(), refused()), Ok(vec![event.into()]));
    assert!(!after([refused()]).is_waiting());
}

#[test]
fn a_letter_that_was_sent_is_not_sent_again() {
    let letter = after([sent()]);
    assert_eq!(decide(&letter, sent()), Err(LetterError::AlreadySent));
    assert_eq!(decide(&letter, refused()), Err(LetterError::AlreadySent));
}

#[test]
fn an_undeliverable_letter_stays_undeliverable() {
    let letter = after([refused()]);
    assert_eq!(decide(&letter, sent()), Err(LetterError::Undeliverable));
    assert_eq!(decide(&letter, refused()), Err(LetterError::Undeliverable));
}

#[test]
fn an_event_asks_for_one_letter_however_often_it_is_delivered() {
    let of = |event: u128| LetterId::asked_by(EventId(Uuid::from_u128(event)));
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn the_log_keeps_neither_an_address_nor_what_stands_in_a_letter() {
    for event in LetterEvent::CATALOGUE {
        let fields: BTreeSet<_> = event.fields.iter().map(|field| field.name).collect();
        let known = BTreeSet::from(["letter_id", "recipient_id", "kind", "language", "sent_at", "reason"]);
        assert!(fields.is_subset(&known), "{}: {fields:?}", event.name);
    }
}

#[test]
fn each_kind_is_stored_under_its_name() {
    for kind in LetterKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
}
