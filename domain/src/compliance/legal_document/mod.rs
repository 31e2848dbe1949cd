//! The documents to which an organization's people agree, in one stream: each version with its texts,
//! their digests and the moment from which it is in force. What was published is never changed.

mod aggregate;
mod commands;
mod errors;
mod events;
#[cfg(test)]
mod tests;

pub use aggregate::{EFFECTIVE_MAX_MONTHS_AHEAD, LegalDocument, LegalDocuments, TEXT_MAX_BYTES};
pub use commands::{LegalDocumentCommand, PublishLegalDocument};
pub use errors::LegalDocumentError;
pub use events::{LegalDocumentEvent, LegalDocumentPublished};
