//! Why something is refused of a credential.

use super::{authenticator::RECOVERY_CODES, passes::PASSES_PER_HOUR_MAX};
use crate::kernel::{Code, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error("the security data of this user was erased")]
    Closed,
    #[error("a password is kept as a hash in the PHC string format, of at most 512 characters")]
    PasswordHashInvalid,
    #[error("the user has no password")]
    PasswordMissing,
    #[error("an e-mail address has one @ with a name before it and a domain with a dot after it, at most 254 characters")]
    EmailInvalid,
    #[error("a link or a code ends after it begins")]
    PassOver,
    #[error("at most {PASSES_PER_HOUR_MAX} links or codes of a kind are sent in an hour, a minute apart")]
    TooManyPasses,
    /// Never issued, used, replaced by a newer one, or guessed at too often: which, nobody is told.
    #[error("the link or code is not valid, or no longer")]
    PassNotValid,
    #[error("the link or code has expired")]
    PassExpired,
    #[error("an authenticator's secret is base32, of 16 to 128 characters")]
    TotpSecretInvalid,
    #[error("the user has an authenticator already")]
    TotpEnrolledAlready,
    #[error("no enrolment of an authenticator was begun")]
    TotpNotBegun,
    #[error("the user has no authenticator")]
    TotpNotEnrolled,
    /// RFC 6238, 5.2: a code is good once.
    #[error("a code of this or of a later step was used before")]
    TotpStepUsed,
    #[error("a telephone number has a + and 7 to 15 digits, the country's code first")]
    PhoneInvalid,
    #[error("the user has a telephone as a second factor already")]
    PhoneEnrolledAlready,
    #[error("the user has no telephone as a second factor")]
    PhoneNotEnrolled,
    #[error("the user must have a second factor")]
    SecondFactorRequired,
    #[error("exactly {RECOVERY_CODES} recovery codes are issued at once")]
    RecoveryCodeCount,
    #[error("no such recovery code, or it was used")]
    RecoveryCodeNotValid,
    #[error("a subject has 1 to 255 characters, no control characters, and no space around it")]
    SubjectInvalid,
    #[error("an account of this provider is linked already")]
    ExternalIdentityLinkedAlready,
    #[error("too many external accounts are linked")]
    TooManyExternalIdentities,
    #[error("no account of this provider is linked")]
    ExternalIdentityNotLinked,
    #[error("without this account the user could not sign in any more")]
    ExternalIdentityIsOnlyWay,
    #[error("the user took an account of this provider away, and has not allowed one since then")]
    ExternalIdentityUnlinkedBefore,
    #[error("no account was taken away")]
    NothingUnlinked,
}

impl Refusal for CredentialError {
    fn code(&self) -> Code {
        match self {
            // Not something that a caller may be told to mend: a hash is made by the platform.
            Self::PasswordHashInvalid | Self::TotpSecretInvalid | Self::RecoveryCodeCount | Self::PassOver => Code::InternalError,
            Self::EmailInvalid | Self::SubjectInvalid | Self::PhoneInvalid => Code::ValidationError,
            Self::TooManyPasses => Code::RateLimited,
            Self::PassNotValid | Self::PassExpired | Self::TotpStepUsed | Self::RecoveryCodeNotValid => Code::AuthenticationFailed,
            Self::SecondFactorRequired => Code::AccessDenied,
            Self::ExternalIdentityNotLinked | Self::NothingUnlinked => Code::ResourceNotFound,
            Self::Closed
            | Self::PasswordMissing
            | Self::TotpEnrolledAlready
            | Self::TotpNotBegun
            | Self::TotpNotEnrolled
            | Self::PhoneEnrolledAlready
            | Self::PhoneNotEnrolled
            | Self::ExternalIdentityLinkedAlready
            | Self::TooManyExternalIdentities
            | Self::ExternalIdentityIsOnlyWay
            | Self::ExternalIdentityUnlinkedBefore => Code::Conflict,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Closed => "identity.credential_closed",
            Self::PasswordHashInvalid => "identity.password_hash_invalid",
            Self::PasswordMissing => "identity.password_missing",
            Self::EmailInvalid => "identity.email_invalid",
            Self::PassOver => "identity.pass_over",
            Self::TooManyPasses => "identity.too_many_passes",
            Self::PassNotValid => "identity.pass_not_valid",
            Self::PassExpired => "identity.pass_expired",
            Self::TotpSecretInvalid => "identity.totp_secret_invalid",
            Self::TotpEnrolledAlready => "identity.totp_enrolled_already",
            Self::TotpNotBegun => "identity.totp_not_begun",
            Self::TotpNotEnrolled => "identity.totp_not_enrolled",
            Self::TotpStepUsed => "identity.totp_step_used",
            Self::PhoneInvalid => "identity.phone_invalid",
            Self::PhoneEnrolledAlready => "identity.phone_enrolled_already",
            Self::PhoneNotEnrolled => "identity.phone_not_enrolled",
            Self::SecondFactorRequired => "identity.second_factor_required",
            Self::RecoveryCodeCount => "identity.recovery_code_count",
            Self::RecoveryCodeNotValid => "identity.recovery_code_not_valid",
            Self::SubjectInvalid => "identity.subject_invalid",
            Self::ExternalIdentityLinkedAlready => "identity.external_identity_linked_already",
            Self::TooManyExternalIdentities => "identity.too_many_external_identities",
            Self::ExternalIdentityNotLinked => "identity.external_identity_not_linked",
            Self::ExternalIdentityIsOnlyWay => "identity.external_identity_is_only_way",
            Self::ExternalIdentityUnlinkedBefore => "identity.external_identity_unlinked_before",
            Self::NothingUnlinked => "identity.nothing_unlinked",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::EmailInvalid => Some("email"),
            Self::SubjectInvalid => Some("subject"),
            Self::PhoneInvalid => Some("phone"),
            _ => None,
        }
    }
}
