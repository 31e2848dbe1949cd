//! What one user proves themselves with: a password, links and codes that are good once, an
//! authenticator and its recovery codes, a telephone, accounts elsewhere.
//!
//! No secret stands here in clear: the password is a hash, an authenticator's secret is sealed, a
//! link or a code is made from its id, and of a recovery code only the digest is kept. When the
//! person's security data is erased, the credential is closed for good.

mod aggregate;
mod authenticator;
mod commands;
mod errors;
mod events;
mod passes;
mod telephone;
#[cfg(test)]
mod tests;

pub use aggregate::{Credential, Password, Secrets};
pub use authenticator::{Authenticator, RECOVERY_CODES};
pub use commands::{CredentialAction, CredentialCommand, IssuePass, IssuePhoneCode, SetPassword};
pub use errors::CredentialError;
pub use events::{
    CredentialEvent, EmailVerified, ExternalIdentitiesAllowed, ExternalIdentityLinked, ExternalIdentityUnlinked, PassFailed, PassIssued,
    PassUsed, PasswordSet, PhoneCodeIssued, PhoneEnrolled, PhoneRemoved, RecoveryCodeUsed, RecoveryCodesIssued, TotpDisabled, TotpEnrolled,
    TotpEnrolmentBegun, TotpVerified,
};
pub use passes::{PASS_FAILURES_MAX, PASSES_PER_HOUR_MAX, Pass, PassKind};
