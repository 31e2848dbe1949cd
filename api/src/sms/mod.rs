//! Text messages: a channel of letters beside mail, by a gateway that somebody else runs (E-112, T-46).
//!
//! Who the provider is, nothing here knows: every one can be reached by a few lines of its own behind the
//! contract of [`HttpGateway`].

mod gateway;

pub use gateway::HttpGateway;

use crate::mail::DeliveryFault;
use async_trait::async_trait;
use palmares_domain::kernel::{LetterId, OrganizationId};
use std::path::PathBuf;

/// The file in the folder of secrets by which the gateway knows us.
pub const SECRET_FILE: &str = "sms-gateway";

/// What an operator says of it.
#[derive(Clone)]
pub struct SmsSettings {
    /// Where messages are handed over.
    pub url: String,
    /// By which the gateway knows us; read for each message, so that it can be rotated.
    pub secret_file: PathBuf,
}

/// A text with a number on it.
#[derive(Clone)]
pub struct TextMessage {
    /// In whose name it is sent.
    pub organization: OrganizationId,
    /// The same at every attempt, so that a gateway can tell that it has it already.
    pub id: LetterId,
    /// In E.164.
    pub to: String,
    pub text: String,
}

/// Hands text messages over.
#[async_trait]
pub trait SmsSender: Send + Sync {
    /// # Errors
    /// The message was not taken; no fault quotes a number.
    async fn send(&self, message: &TextMessage) -> Result<(), DeliveryFault>;
}
