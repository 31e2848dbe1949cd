//! The mails that were caught last, in memory.

use super::{DEFERRED_DOMAIN, REJECTED_DOMAIN};
use chrono::{DateTime, Utc};
use mail_parser::MessageParser;
use palmares_domain::identity::email_key;
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// How many are kept.
pub const CAUGHT_MAX: usize = 200;

/// Who text messages are from.
pub const SMS: &str = "SMS";

/// A mail, or a text message, as it was handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    pub id: Uuid,
    /// Whom the envelope names.
    pub to: Vec<String>,
    pub from: String,
    pub subject: String,
    /// `Message-ID`, without its brackets.
    pub message_id: String,
    pub text: String,
    pub html: Option<String>,
    pub received_at: DateTime<Utc>,
}

/// What a server makes of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted,
    Rejected,
    Deferred,
}

/// Everything that was caught.
#[derive(Default)]
pub struct Caught(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    /// The newest first.
    mails: VecDeque<Arc<Mail>>,
    /// Who was put off once.
    deferred: HashSet<String>,
}

impl Caught {
    /// The mails that `to` got, or everybody; the newest first.
    pub fn to(&self, to: Option<&str>) -> Vec<Arc<Mail>> {
        let to = to.map(email_key);
        let wanted = |mail: &&Arc<Mail>| to.as_ref().is_none_or(|to| mail.to.iter().any(|address| email_key(address) == *to));
        self.shelf().mails.iter().filter(wanted).cloned().collect()
    }

    pub fn find(&self, id: Uuid) -> Option<Arc<Mail>> {
        self.shelf().mails.iter().find(|mail| mail.id == id).cloned()
    }

    pub(super) fn keep(&self, from: &str, to: Vec<String>, raw: &[u8]) {
        let mail = Arc::new(read(from, to, raw));
        let mut shelf = self.shelf();
        shelf.mails.push_front(mail);
        shelf.mails.truncate(CAUGHT_MAX);
    }

    /// Keeps a text message. One that comes again is the same.
    pub(super) fn keep_text(&self, id: Uuid, to: String, text: String) {
        let (from, subject) = (SMS.to_owned(), text.clone());
        let mail = Mail { id, to: vec![to], from, subject, message_id: id.to_string(), text, html: None, received_at: Utc::now() };
        let mut shelf = self.shelf();
        shelf.mails.retain(|known| known.id != id);
        shelf.mails.push_front(Arc::new(mail));
        shelf.mails.truncate(CAUGHT_MAX);
    }

    /// Decides by the domain, so that tests can ask for each answer.
    pub(super) fn judge(&self, to: &str) -> Verdict {
        let to = email_key(to);
        let domain = to.rsplit_once('@').map(|(_, domain)| domain.to_owned());
        match domain.as_deref() {
            Some(REJECTED_DOMAIN) => Verdict::Rejected,
            Some(DEFERRED_DOMAIN) if self.shelf().deferred.insert(to) => Verdict::Deferred,
            _ => Verdict::Accepted,
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a mail; what it does not say stays empty, and what is no mail at all is shown as its text.
fn read(from: &str, to: Vec<String>, raw: &[u8]) -> Mail {
    let parsed = MessageParser::default().parse(raw);
    let part = |text: Option<std::borrow::Cow<'_, str>>| text.map(|text| text.replace("\r\n", "\n"));
    let text = parsed.as_ref().and_then(|mail| part(mail.body_text(0)));
    // Where there is only a text, the parser would make a page of it.
    let html = parsed.as_ref().filter(|mail| mail.html_part(0).is_some_and(|part| part.is_text_html()));
    Mail {
        id: Uuid::now_v7(),
        to,
        from: from.to_owned(),
        subject: parsed.as_ref().and_then(|mail| mail.subject()).unwrap_or_default().to_owned(),
        message_id: parsed.as_ref().and_then(|mail| mail.message_id()).unwrap_or_default().to_owned(),
        text: text.unwrap_or_else(|| String::from_utf8_lossy(raw).into_owned()),
        html: html.and_then(|mail| part(mail.body_html(0))),
        received_at: Utc::now(),
    }
}
