//! The rules of a letter: it goes out once, or never.

use super::{LetterCommand, LetterError, LetterEvent, LetterSent, LetterUndeliverable};
use crate::kernel::{Aggregate, Facts};
use serde::{Deserialize, Serialize};

/// What became of a letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Letter {
    #[default]
    Waiting,
    Sent,
    Undeliverable,
}

impl Letter {
    /// Whether it is still to be sent.
    pub fn is_waiting(&self) -> bool {
        *self == Letter::Waiting
    }
}

impl Aggregate for Letter {
    const TYPE: &'static str = "letter";
    const SHAPE: u16 = 1;

    type Command = LetterCommand;
    type Event = LetterEvent;
    type Error = LetterError;

    fn decide(&self, command: &LetterCommand, facts: &Facts) -> Result<Vec<LetterEvent>, LetterError> {
        match self {
            Letter::Waiting => {}
            Letter::Sent => return Err(LetterError::AlreadySent),
            Letter::Undeliverable => return Err(LetterError::Undeliverable),
        }
        let envelope = *command.envelope();
        let (letter_id, recipient_id, kind, language) = (envelope.letter_id, envelope.recipient_id, envelope.kind, envelope.language);
        let event = match command {
            LetterCommand::Sent(_) => LetterSent { letter_id, recipient_id, kind, language, sent_at: facts.now }.into(),
            LetterCommand::Undeliverable(command) => {
                LetterUndeliverable { letter_id, recipient_id, kind, language, reason: command.reason }.into()
            }
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &LetterEvent) {
        *self = match event {
            LetterEvent::LetterSent(_) => Letter::Sent,
            LetterEvent::LetterUndeliverable(_) => Letter::Undeliverable,
        };
    }
}
