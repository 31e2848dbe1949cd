//! What becomes of a letter.

use super::commands::{LetterKind, UndeliverableReason};
use crate::{
    events,
    kernel::{LetterId, UserId},
    organizations::Locale,
};
use chrono::{DateTime, Utc};

events! {
    /// What becomes of a letter.
    pub enum LetterEvent {
        /// A mail server took it.
        LetterSent = "messaging.letter_sent" v 1 {
            letter_id: LetterId = internal,
            recipient_id: UserId = internal,
            kind: LetterKind = internal,
            language: Locale = internal,
            sent_at: DateTime<Utc> = internal,
        },
        /// Nobody will get it.
        LetterUndeliverable = "messaging.letter_undeliverable" v 1 {
            letter_id: LetterId = internal,
            recipient_id: UserId = internal,
            kind: LetterKind = internal,
            language: Locale = internal,
            reason: UndeliverableReason = internal,
        }
    }
}
