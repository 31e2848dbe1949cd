//! What a person asks under data protection law, and what became of it: the queue of the compliance
//! officer, with a due date of one month (GDPR, article 12(3)).

mod aggregate;
mod commands;
mod errors;
mod events;
mod kind;
mod status;
#[cfg(test)]
mod tests;

pub use aggregate::{EXTENSION_MAX_MONTHS, RECEIVED_MAX_MONTHS_AGO, Request, SubjectRequest};
pub use commands::{AnsweringDeletion, AnsweringExport, ReceiveRequest, SubjectRequestCommand};
pub use errors::SubjectRequestError;
pub use events::{
    SubjectRequestEvent, SubjectRequestExtended, SubjectRequestFulfilled, SubjectRequestOverdue, SubjectRequestReceived,
    SubjectRequestRefused, SubjectRequestTaken, SubjectRequestWithdrawn,
};
pub use kind::{RequestRefusal, SubjectRequestKind};
pub use status::SubjectRequestStatus;
