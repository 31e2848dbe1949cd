//! Why nothing more is recorded of a letter: what became of it is final.

use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    #[error("the letter was sent before")]
    AlreadySent,
    #[error("the letter cannot be delivered")]
    Undeliverable,
}

impl Refusal for LetterError {
    fn code(&self) -> Code {
        Code::Conflict
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::AlreadySent => "messaging.letter_already_sent",
            Self::Undeliverable => "messaging.letter_undeliverable",
        }
    }
}
