//! The way over SMTP (RFC 5321).

use super::{DeliveryFault, MailSettings, Mailer, Message};
use anyhow::Context;
use async_trait::async_trait;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::{
        Mailbox, MultiPart, MultiPartKind, SinglePart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{self, AsyncSmtpTransportBuilder},
};
use palmares_domain::messaging::letter::UndeliverableReason;
use std::time::Duration;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// How long the server may take for each step.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an address of a mail server stands for.
pub(super) fn server(url: &str) -> Result<AsyncSmtpTransportBuilder, smtp::Error> {
    Ok(Transport::from_url(url)?.timeout(Some(PATIENCE)))
}

/// Sends by the mail server of the settings, over a few connections that stay open.
pub struct SmtpMailer {
    transport: Transport,
    from: Mailbox,
}

impl SmtpMailer {
    /// # Errors
    /// Settings that are none ([`MailSettings::fault`]).
    pub fn new(settings: &MailSettings) -> anyhow::Result<Self> {
        if let Some(fault) = settings.fault() {
            anyhow::bail!(fault);
        }
        // The address holds a password, and the error may quote it.
        let server = server(&settings.smtp_url).map_err(|_| anyhow::anyhow!("PALMARES_SMTP_URL cannot be used"))?;
        Ok(Self { transport: server.build(), from: settings.from.parse().context("PALMARES_MAIL_FROM cannot be used")? })
    }

    /// The message as it goes over the wire: the same bytes whenever it is made of the same letter.
    fn formed(&self, message: &Message, to: Address) -> Result<lettre::Message, lettre::error::Error> {
        let alternatives = MultiPart::builder().kind(MultiPartKind::Alternative).boundary(format!("letter-{}", message.id));
        let body = alternatives
            .singlepart(SinglePart::plain(message.letter.text.clone()))
            .singlepart(SinglePart::html(message.letter.html.clone()));
        lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .date(message.date.into())
            .message_id(Some(format!("<{}@{}>", message.id, self.from.email.domain())))
            .subject(message.letter.subject.clone())
            // No machine shall answer it (RFC 3834).
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Content-Language"), message.language.tag().to_owned()))
            .multipart(body)
    }

    /// What a failed attempt says of the letter. Replies may quote the address, so only their code is kept.
    async fn fault(&self, error: &smtp::Error) -> DeliveryFault {
        let Some(code) = error.status().map(u16::from) else {
            return DeliveryFault::Unreachable(error.to_string());
        };
        // A server that would not talk to us about any letter has said nothing of this one.
        if !matches!(self.transport.test_connection().await, Ok(true)) {
            return DeliveryFault::Unreachable(format!("it answered {code}"));
        }
        if error.is_permanent() {
            return DeliveryFault::Permanent(UndeliverableReason::Refused, format!("the mail server answered {code}"));
        }
        DeliveryFault::Deferred(code)
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, message: &Message) -> Result<(), DeliveryFault> {
        let invalid = |what: &str| DeliveryFault::Permanent(UndeliverableReason::AddressInvalid, what.to_owned());
        let to: Address = message.to.parse().map_err(|_| invalid("the address is none"))?;
        if !message.to.is_ascii() {
            return Err(invalid("the address needs SMTPUTF8"));
        }
        let formed = self.formed(message, to).map_err(|_| invalid("the address does not fit a header"))?;
        match self.transport.send(formed).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.fault(&error).await),
        }
    }
}

#[cfg(test)]
#[path = "smtp_tests.rs"]
mod tests;
