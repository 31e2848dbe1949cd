//! What may be asked of a credential.

use super::PassKind;
use crate::kernel::{Digest, PassId, UserId};
use chrono::{DateTime, Utc};
use std::{collections::BTreeSet, fmt};

/// Something asked of the credential of `user_id`, which may not have been used before.
#[derive(Clone, Debug)]
pub struct CredentialCommand {
    pub user_id: UserId,
    pub action: CredentialAction,
}

#[derive(Clone)]
pub enum CredentialAction {
    SetPassword(SetPassword),
    /// Puts the hash of another password, of the user's own choice, in place of the one there is (E-98).
    ChangePassword {
        hash: String,
    },
    IssuePass(IssuePass),
    /// Uses a link or a code up. Whether it is genuine, the caller has found out.
    UsePass {
        pass_id: PassId,
        kind: PassKind,
    },
    /// Counts a code that was typed wrong.
    FailPass {
        pass_id: PassId,
        kind: PassKind,
    },
    /// The mailbox was shown to be the user's by what is no pass, such as the link of a sign-up.
    VerifyEmail {
        email: String,
    },
    /// Begins to enrol an authenticator with its secret, base32 (RFC 6238).
    BeginTotp {
        secret: String,
    },
    /// The authenticator gave the code of this step, so it has the secret.
    ConfirmTotp {
        step: i64,
    },
    /// The authenticator gave the code of this step.
    RecordTotp {
        step: i64,
    },
    /// `required`: whether the user must have a second factor (E-113).
    DisableTotp {
        required: bool,
    },
    /// Sends a code to a telephone that is to be a second factor (E-112).
    BeginPhone(IssuePhoneCode),
    /// The code came back. Whether it is genuine, the caller has found out.
    ConfirmPhone {
        pass_id: PassId,
    },
    /// Sends a code to the telephone that is enrolled.
    SendPhoneCode {
        pass_id: PassId,
        expires_at: DateTime<Utc>,
    },
    RemovePhone,
    IssueRecoveryCodes {
        digests: BTreeSet<Digest>,
    },
    UseRecoveryCode {
        digest: Digest,
    },
    /// Lets the account `subject` of an identity provider sign the user in.
    LinkExternalIdentity {
        issuer: Digest,
        subject: String,
    },
    /// Takes that away again. `reachable`: whether a link to sign in can be sent to the user.
    UnlinkExternalIdentity {
        issuer: Digest,
        reachable: bool,
    },
    /// Lets sign-ins at providers link accounts again that were unlinked.
    AllowExternalIdentities,
}

/// Sets a password, whether or not there was one.
#[derive(Clone)]
pub struct SetPassword {
    /// In the PHC string format, which names algorithm, parameters and salt.
    pub hash: String,
    /// Somebody else knows it: it has to be rotated before anything else (E-136).
    pub temporary: bool,
}

/// Issues a link or a code that is good once; an older one of its kind no longer works.
#[derive(Clone)]
pub struct IssuePass {
    pub pass_id: PassId,
    pub kind: PassKind,
    /// The mailbox that it is sent to.
    pub email: String,
    pub expires_at: DateTime<Utc>,
}

/// Issues a code to a telephone, in E.164.
#[derive(Clone)]
pub struct IssuePhoneCode {
    pub pass_id: PassId,
    pub phone: String,
    pub expires_at: DateTime<Utc>,
}

// Written out, because a derived `Debug` would put secrets into log lines.
impl fmt::Debug for CredentialAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SetPassword(_) => "SetPassword",
            Self::ChangePassword { .. } => "ChangePassword",
            Self::IssuePass(_) => "IssuePass",
            Self::UsePass { .. } => "UsePass",
            Self::FailPass { .. } => "FailPass",
            Self::VerifyEmail { .. } => "VerifyEmail",
            Self::BeginTotp { .. } => "BeginTotp",
            Self::ConfirmTotp { .. } => "ConfirmTotp",
            Self::RecordTotp { .. } => "RecordTotp",
            Self::DisableTotp { .. } => "DisableTotp",
            Self::BeginPhone(_) => "BeginPhone",
            Self::ConfirmPhone { .. } => "ConfirmPhone",
            Self::SendPhoneCode { .. } => "SendPhoneCode",
            Self::RemovePhone => "RemovePhone",
            Self::IssueRecoveryCodes { .. } => "IssueRecoveryCodes",
            Self::UseRecoveryCode { .. } => "UseRecoveryCode",
            Self::LinkExternalIdentity { .. } => "LinkExternalIdentity",
            Self::UnlinkExternalIdentity { .. } => "UnlinkExternalIdentity",
            Self::AllowExternalIdentities => "AllowExternalIdentities",
        })
    }
}
