//! What people are told of what they asked for, and those who answer of what nobody answered in time.

use super::{
    super::parse,
    asked::{Asked, Key, NEWS_PATIENCE, To, opened},
};
use crate::mail::{Happened, RequestTold};
use palmares_domain::{
    compliance::{deletion_request::DeletionEvent, subject_request::SubjectRequestEvent},
    kernel::UserId,
    messaging::letter::LetterKind,
};
use palmares_projections::engine::{Delivered, ReactError};

const REQUEST_OVERDUE: &str = "compliance.subject_request_overdue";
const BREACH_OVERDUE: &str = "compliance.breach_overdue";
const REVIEW_OVERDUE: &str = "compliance.access_review_overdue";

/// What somebody is told of whose deletion others undid, took back or refused.
pub(super) const UNDONE: [&str; 3] =
    ["compliance.restoration_explained", "compliance.cancellation_explained", "compliance.deletion_refused"];

/// What whoever asked is told of.
pub(super) const TOLD: [&str; 4] = [
    "compliance.subject_request_received",
    "compliance.subject_request_extended",
    "compliance.subject_request_fulfilled",
    "compliance.subject_request_refused",
];

/// What those are told of who look after compliance.
pub(super) const LATE: [&str; 3] = [REQUEST_OVERDUE, BREACH_OVERDUE, REVIEW_OVERDUE];

/// What is late, and whom it is about: nobody is told as an officer of their own request.
pub(super) struct Late {
    kind: LetterKind,
    told: Option<RequestTold>,
    pub about: Option<UserId>,
}

impl Late {
    /// What an event says is late.
    pub fn of(delivered: &Delivered) -> Result<Option<Self>, ReactError> {
        let event = &delivered.event;
        Ok(match event.event_type.as_str() {
            REQUEST_OVERDUE => {
                let SubjectRequestEvent::SubjectRequestOverdue(overdue) = parse(event)? else { return Ok(None) };
                let told = RequestTold { due_at: Some(overdue.due_at), ..RequestTold::of(overdue.request_id) };
                Some(Self { kind: LetterKind::RequestOverdue, told: Some(told), about: Some(overdue.user_id) })
            }
            BREACH_OVERDUE => Some(Self { kind: LetterKind::BreachOverdue, told: None, about: None }),
            REVIEW_OVERDUE => Some(Self { kind: LetterKind::ReviewOverdue, told: None, about: None }),
            _ => None,
        })
    }

    /// The letter to one of those who look after it.
    pub fn to(&self, delivered: &Delivered, recipient: UserId) -> Asked {
        letter(delivered, self.kind, recipient, self.told)
    }
}

/// What whoever asked is told; nothing of an event that is no answer to them.
pub(super) fn told(delivered: &Delivered) -> Result<Option<Asked>, ReactError> {
    let happened: SubjectRequestEvent = parse(&delivered.event)?;
    let told = RequestTold::of(happened.request_id());
    Ok(Some(match happened {
        SubjectRequestEvent::SubjectRequestReceived(received) => {
            let told = RequestTold { kind: Some(received.kind), due_at: Some(received.due_at), ..told };
            letter(delivered, LetterKind::RequestReceived, received.user_id, Some(told))
        }
        SubjectRequestEvent::SubjectRequestExtended(extended) => {
            let told = RequestTold { due_at: Some(extended.due_at), ..told };
            let note = opened(delivered, "reason")?;
            Asked { note, ..letter(delivered, LetterKind::RequestExtended, extended.user_id, Some(told)) }
        }
        SubjectRequestEvent::SubjectRequestRefused(refused) => {
            let told = RequestTold { ground: Some(refused.ground), ..told };
            let note = opened(delivered, "note")?;
            Asked { note, ..letter(delivered, LetterKind::RequestRefused, refused.user_id, Some(told)) }
        }
        SubjectRequestEvent::SubjectRequestFulfilled(fulfilled) => {
            let note = opened(delivered, "note")?;
            let letter = letter(delivered, LetterKind::RequestFulfilled, fulfilled.user_id, Some(told));
            let key = fulfilled.export_id.map_or(Key::Nothing, Key::Answer);
            Asked { note, key, valid_until: fulfilled.available_until.unwrap_or(letter.valid_until), ..letter }
        }
        _ => return Ok(None),
    }))
}

/// Who is back without having done it themselves is told, and why; and so is whoever asked for their own deletion where
/// others took it back or refused it (GDPR, article 12, paragraph 4).
pub(super) fn undone(delivered: &Delivered) -> Result<Option<Asked>, ReactError> {
    let (kind, told, ground) = match parse(&delivered.event)? {
        DeletionEvent::RestorationExplained(explained) => (LetterKind::DeletionUndone, explained.subject.user(), None),
        DeletionEvent::CancellationExplained(explained) => (LetterKind::DeletionCancelled, explained.told, None),
        DeletionEvent::DeletionRefused(refused) => (LetterKind::DeletionRefused, refused.told, Some(refused.ground)),
        _ => return Ok(None),
    };
    let Some(user) = told else { return Ok(None) };
    let note = opened(delivered, "reason")?;
    let asked = letter(delivered, kind, user, None);
    let happened = asked.happened.map(|happened| Happened { refused: ground, ..happened });
    Ok(Some(Asked { note, happened, ..asked }))
}

fn letter(delivered: &Delivered, kind: LetterKind, recipient: UserId, request: Option<RequestTold>) -> Asked {
    let at = delivered.event.recorded_at;
    let happened = Some(Happened { at, address: None, device: None, found: None, request, refused: None });
    Asked { kind, recipient, to: To::OnRecord, key: Key::Nothing, note: None, valid_until: at + NEWS_PATIENCE, happened }
}
