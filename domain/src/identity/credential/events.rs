//! What happens to a credential.

use super::PassKind;
use crate::{
    events,
    kernel::{Digest, PassId, Personal, UserId},
};
use chrono::{DateTime, Utc};

events! {
    /// What happens to a credential. Whatever could be used to sign in is sealed or a digest.
    pub enum CredentialEvent {
        PasswordSet = "identity.password_set" v 1 {
            user_id: UserId = internal,
            /// In the PHC string format.
            hash: Personal<String> = restricted of user_id for Security,
            /// Whether it has to be rotated before anything else.
            temporary: bool = internal,
        },
        /// The link or the code is made from the id when it is sent, and stands nowhere.
        PassIssued = "identity.pass_issued" v 1 {
            user_id: UserId = internal,
            pass_id: PassId = internal,
            kind: PassKind = internal,
            email: Personal<String> = confidential of user_id for Security,
            issued_at: DateTime<Utc> = internal,
            expires_at: DateTime<Utc> = internal,
        },
        PassUsed = "identity.pass_used" v 1 {
            user_id: UserId = internal,
            pass_id: PassId = internal,
        },
        PassFailed = "identity.pass_failed" v 1 {
            user_id: UserId = internal,
            pass_id: PassId = internal,
        },
        /// What was sent to the mailbox came back.
        EmailVerified = "identity.email_verified" v 1 {
            user_id: UserId = internal,
            email: Personal<String> = confidential of user_id for Security,
        },
        TotpEnrolmentBegun = "identity.totp_enrolment_begun" v 1 {
            user_id: UserId = internal,
            secret: Personal<String> = restricted of user_id for Security,
        },
        TotpEnrolled = "identity.totp_enrolled" v 1 {
            user_id: UserId = internal,
            /// The time step of the code that proved it.
            step: i64 = internal,
        },
        TotpVerified = "identity.totp_verified" v 1 {
            user_id: UserId = internal,
            step: i64 = internal,
        },
        TotpDisabled = "identity.totp_disabled" v 1 {
            user_id: UserId = internal,
        },
        /// A text message brings a code, which is made from the id when it is sent, and stands nowhere.
        PhoneCodeIssued = "identity.phone_code_issued" v 1 {
            user_id: UserId = internal,
            pass_id: PassId = internal,
            kind: PassKind = internal,
            phone: Personal<String> = confidential of user_id for Security,
            issued_at: DateTime<Utc> = internal,
            expires_at: DateTime<Utc> = internal,
        },
        /// The code came back: the telephone is the user's.
        PhoneEnrolled = "identity.phone_enrolled" v 1 {
            user_id: UserId = internal,
            phone: Personal<String> = confidential of user_id for Security,
        },
        PhoneRemoved = "identity.phone_removed" v 1 {
            user_id: UserId = internal,
        },
        /// These codes stand in place of all earlier ones.
        RecoveryCodesIssued = "identity.recovery_codes_issued" v 1 {
            user_id: UserId = internal,
            digests: Vec<Digest> = restricted,
        },
        RecoveryCodeUsed = "identity.recovery_code_used" v 1 {
            user_id: UserId = internal,
            digest: Digest = restricted,
        },
        ExternalIdentityLinked = "identity.external_identity_linked" v 1 {
            user_id: UserId = internal,
            /// The digest of the provider's name for itself and of what it calls us.
            issuer: Digest = internal,
            /// What the provider calls the person.
            subject: Personal<String> = restricted of user_id for Security,
        },
        /// From here on no account of this provider is linked because of an address.
        ExternalIdentityUnlinked = "identity.external_identity_unlinked" v 1 {
            user_id: UserId = internal,
            issuer: Digest = internal,
        },
        /// The next sign-in at a provider may link an account again.
        ExternalIdentitiesAllowed = "identity.external_identities_allowed" v 1 {
            user_id: UserId = internal,
        }
    }
}
