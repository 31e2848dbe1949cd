//! What happens to somebody's consents.

use super::{ConsentType, DocumentVersion};
use crate::{
    events,
    kernel::{ConsentId, Digest, UserId},
    organizations::Locale,
};

events! {
    /// What happens to somebody's consents. Address and user agent stand sealed under the client
    /// context that the metadata names.
    pub enum ConsentEvent {
        ConsentGranted = "compliance.consent_granted" v 1 {
            consent_id: ConsentId = internal,
            user_id: UserId = internal,
            consent_type: ConsentType = internal,
            policy_version: DocumentVersion = internal,
            language: Locale = internal,
            /// Of the text that was agreed to.
            document_digest: Digest = internal,
        },
        /// The same consent goes on, for another version.
        ConsentRenewed = "compliance.consent_renewed" v 1 {
            consent_id: ConsentId = internal,
            user_id: UserId = internal,
            consent_type: ConsentType = internal,
            policy_version: DocumentVersion = internal,
            language: Locale = internal,
            document_digest: Digest = internal,
        },
        ConsentRevoked = "compliance.consent_revoked" v 1 {
            consent_id: ConsentId = internal,
            user_id: UserId = internal,
            consent_type: ConsentType = internal,
        }
    }
}
