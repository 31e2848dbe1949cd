//! An authenticator app (RFC 6238), and the codes that stand in for it when it is lost.

use super::CredentialError;
use crate::kernel::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many recovery codes are issued at once.
pub const RECOVERY_CODES: usize = 10;
/// 80 bits; RFC 4226, 4, recommends 160.
const SECRET_MIN_CHARS: usize = 16;
const SECRET_MAX_CHARS: usize = 128;

/// Where a user stands with an authenticator. Codes are computed by whoever has a clock and a MAC;
/// the rules see the time step that a code belongs to.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Authenticator {
    #[default]
    None,
    /// The secret was shown; that it arrived is not proven.
    Begun { secret: String },
    Enrolled {
        secret: String,
        /// The greatest step of which a code was used.
        last_step: i64,
        recovery_codes: BTreeSet<Digest>,
    },
}

impl Authenticator {
    pub(super) fn check_may_begin(&self, secret: &str) -> Result<(), CredentialError> {
        if matches!(self, Self::Enrolled { .. }) {
            return Err(CredentialError::TotpEnrolledAlready);
        }
        let base32 = secret.bytes().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte));
        if !base32 || !(SECRET_MIN_CHARS..=SECRET_MAX_CHARS).contains(&secret.len()) {
            return Err(CredentialError::TotpSecretInvalid);
        }
        Ok(())
    }

    pub(super) fn check_may_confirm(&self) -> Result<(), CredentialError> {
        match self {
            Self::None => Err(CredentialError::TotpNotBegun),
            Self::Begun { .. } => Ok(()),
            Self::Enrolled { .. } => Err(CredentialError::TotpEnrolledAlready),
        }
    }

    /// The greatest step used and the recovery codes left, of one that is enrolled.
    pub(super) fn enrolled(&self) -> Result<(i64, &BTreeSet<Digest>), CredentialError> {
        match self {
            Self::Enrolled { last_step, recovery_codes, .. } => Ok((*last_step, recovery_codes)),
            Self::None | Self::Begun { .. } => Err(CredentialError::TotpNotEnrolled),
        }
    }

    pub(super) fn confirmed(&mut self, step: i64) {
        if let Self::Begun { secret } = self {
            *self = Self::Enrolled { secret: std::mem::take(secret), last_step: step, recovery_codes: BTreeSet::new() };
        }
    }

    pub(super) fn verified(&mut self, step: i64) {
        if let Self::Enrolled { last_step, .. } = self {
            *last_step = step.max(*last_step);
        }
    }

    pub(super) fn recovery_codes_issued(&mut self, digests: &[Digest]) {
        if let Self::Enrolled { recovery_codes, .. } = self {
            *recovery_codes = digests.iter().copied().collect();
        }
    }

    pub(super) fn recovery_code_used(&mut self, digest: &Digest) {
        if let Self::Enrolled { recovery_codes, .. } = self {
            recovery_codes.remove(digest);
        }
    }
}
