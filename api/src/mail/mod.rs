//! Mail: what letters say, and the way to the server that delivers them.

mod links;
mod settings;
mod smtp;
mod templates;

pub use links::Links;
pub use settings::{MailSettings, PUBLIC_URL_INVALID, public_url_fits};
pub use smtp::SmtpMailer;
pub use templates::{Happened, Letter, RequestTold, Subject, Templates};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use palmares_domain::{kernel::LetterId, messaging::letter::UndeliverableReason, organizations::Locale};

/// A letter with an address on it.
#[derive(Clone)]
pub struct Message {
    /// The same at every attempt, and so is everything else: whoever gets it twice can tell (RFC 5322, 3.6.4).
    pub id: LetterId,
    /// When it was asked for.
    pub date: DateTime<Utc>,
    pub to: String,
    pub language: Locale,
    pub letter: Letter,
}

/// Hands letters to a mail server.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// # Errors
    /// The letter was not taken; no fault quotes an address.
    async fn send(&self, message: &Message) -> Result<(), DeliveryFault>;
}

/// Why a letter was not taken, by mail or as a text message.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryFault {
    /// The server cannot be reached, or takes nothing from us: every letter fares alike.
    #[error("letters cannot be handed over: {0}")]
    Unreachable(String),
    /// This letter may be taken later (RFC 5321, 4.2.1: a reply of 4xx; of a gateway, its status).
    #[error("the letter was put off with {0}")]
    Deferred(u16),
    /// This letter will never be taken.
    #[error("the letter cannot be delivered: {1}")]
    Permanent(UndeliverableReason, String),
}
