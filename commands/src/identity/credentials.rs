//! What users prove themselves with: steps of the doors by which they come in, none of them a
//! request of its own.

use super::sessions::sessions_stream;
use super::user_stream;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::{
        EXTERNAL_IDENTITY_LOOKUP,
        credential::{self, Credential, CredentialAction, CredentialCommand, PassKind},
        external_identity_key,
        sessions::{RevocationReason, Sessions, SessionsAction, SessionsCommand},
        user::{User, UserError, UserStatus},
    },
    kernel::{Admission, Code, Digest, PassId, SessionId, UserId},
};
use std::collections::BTreeSet;

/// The stream of what a user proves themselves with.
pub fn credential_stream(admission: &Admission, user: UserId) -> StreamRef {
    StreamRef::of::<Credential>(admission.organization, user)
}

/// Something that is good once, to be used up in the append of what it was needed for, so that two
/// requests cannot both use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    Pass { pass_id: PassId, kind: PassKind },
    Totp { step: i64 },
    RecoveryCode { digest: Digest },
}

impl Spent {
    fn action(self) -> CredentialAction {
        match self {
            Self::Pass { pass_id, kind } => CredentialAction::UsePass { pass_id, kind },
            Self::Totp { step } => CredentialAction::RecordTotp { step },
            Self::RecoveryCode { digest } => CredentialAction::UseRecoveryCode { digest },
        }
    }
}

/// Uses up what was presented.
pub(super) fn spend(unit: &mut Unit<'_>, user_id: UserId, spent: &[Spent]) -> Result<(), Refused> {
    spent.iter().try_for_each(|spent| run(unit, user_id, spent.action()))
}

pub(super) fn run(unit: &mut Unit<'_>, user_id: UserId, action: CredentialAction) -> Result<(), Refused> {
    unit.run::<Credential>(user_id, &CredentialCommand { user_id, action }).map(drop)
}

/// Refuses a user who is not there, or not any more.
fn check_there(unit: &mut Unit<'_>, user_id: UserId) -> Result<(), Refused> {
    let status = unit.state::<User>(user_id)?.profile().map(|profile| profile.status);
    match status {
        None => Err(UserError::NotFound.into()),
        Some(UserStatus::DeletionRequested | UserStatus::SoftDeleted | UserStatus::Purged) => Err(UserError::Deleted.into()),
        Some(_) => Ok(()),
    }
}

/// Declares operations on the credential of one user: their fields, and what they ask of it.
macro_rules! of_credential {
    ($($(#[$doc:meta])* $operation:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty),* } => $action:expr, $status:literal;)*) => {$(
        $(#[$doc])*
        pub struct $operation {
            pub user_id: UserId,
            $($(#[$field_doc])* pub $field: $ty,)*
        }

        impl Operation for $operation {
            fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
                vec![credential_stream(admission, self.user_id)]
            }

            fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
                vec![user_stream(admission, self.user_id)]
            }

            fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
                let action: fn(&Self) -> CredentialAction = $action;
                check_there(unit, self.user_id)?;
                run(unit, self.user_id, action(self))?;
                Ok(Answer::new("user_id", self.user_id, $status))
            }
        }
    )*};
}

of_credential! {
    /// Issues a link or a code that is good once.
    IssuePass { pass_id: PassId, kind: PassKind, email: String, expires_at: DateTime<Utc> } => |issue| {
        CredentialAction::IssuePass(credential::IssuePass {
            pass_id: issue.pass_id,
            kind: issue.kind,
            email: issue.email.clone(),
            expires_at: issue.expires_at,
        })
    }, "ISSUED";

    /// Uses a link or a code up; whether it is genuine, the caller has found out.
    UsePass { pass_id: PassId, kind: PassKind } => |used| CredentialAction::UsePass { pass_id: used.pass_id, kind: used.kind }, "USED";

    /// Counts a code that was typed wrong; after the fifth time the code is void.
    FailPass { pass_id: PassId, kind: PassKind } => |failed| CredentialAction::FailPass { pass_id: failed.pass_id, kind: failed.kind }, "FAILED";

    /// Begins to enrol an authenticator with its secret, base32.
    BeginTotp { secret: String } => |begin| CredentialAction::BeginTotp { secret: begin.secret.clone() }, "BEGUN";

    /// The authenticator gave the code of this step: it is enrolled.
    ConfirmTotp { step: i64 } => |confirm| CredentialAction::ConfirmTotp { step: confirm.step }, "ENROLLED";

    /// The authenticator gave the code of this step, which is used up.
    RecordTotp { step: i64 } => |record| CredentialAction::RecordTotp { step: record.step }, "VERIFIED";

    /// Takes the second factor away, with its recovery codes, unless the user must have one.
    DisableTotp { required: bool } => |disable| CredentialAction::DisableTotp { required: disable.required }, "DISABLED";

    /// Puts ten recovery codes in place of those that there are.
    IssueRecoveryCodes { digests: BTreeSet<Digest> } => |issue| CredentialAction::IssueRecoveryCodes { digests: issue.digests.clone() }, "ISSUED";

    UseRecoveryCode { digest: Digest } => |used| CredentialAction::UseRecoveryCode { digest: used.digest }, "USED";
}

/// Sets a password. Whoever is signed in by the one before is signed in no longer, one session
/// perhaps excepted.
pub struct SetPassword {
    pub user_id: UserId,
    /// In the PHC string format.
    pub hash: String,
    /// Somebody else knows it, so it has to be rotated first of all (E-136).
    pub temporary: bool,
    pub keep_session: Option<SessionId>,
    /// What showed that the user may, where it is good once.
    pub spent: Vec<Spent>,
}

impl Operation for SetPassword {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![credential_stream(admission, self.user_id), sessions_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user_id = self.user_id;
        check_there(unit, user_id)?;
        spend(unit, user_id, &self.spent)?;
        let set = credential::SetPassword { hash: self.hash.clone(), temporary: self.temporary };
        run(unit, user_id, CredentialAction::SetPassword(set))?;
        let action = SessionsAction::RevokeAll { except: self.keep_session, reason: RevocationReason::PasswordChanged };
        unit.run::<Sessions>(user_id, &SessionsCommand { user_id, action })?;
        Ok(Answer::new("user_id", user_id, "SET"))
    }
}

/// Lets an account at an identity provider sign a user in: of one account, one user.
pub struct LinkExternalIdentity {
    user_id: UserId,
    issuer: Digest,
    subject: String,
    key: String,
}

impl LinkExternalIdentity {
    /// `issuer` is the digest of the provider's name for itself, `subject` what it calls the person.
    pub fn new(user_id: UserId, issuer: Digest, subject: String) -> Self {
        let key = external_identity_key(issuer, &subject);
        Self { user_id, issuer, subject, key }
    }
}

impl Operation for LinkExternalIdentity {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![credential_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        vec![(EXTERNAL_IDENTITY_LOOKUP, &self.key)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_there(unit, self.user_id)?;
        let link = CredentialAction::LinkExternalIdentity { issuer: self.issuer, subject: self.subject.clone() };
        run(unit, self.user_id, link)?;
        let claim = unit
            .hashed(EXTERNAL_IDENTITY_LOOKUP)
            .ok_or_else(|| Refused::new(Code::InternalError, "claim_not_hashed", "the engine gave no claim for the external identity"))?;
        if unit.holder(claim).is_some() {
            return Err(Refused::new(Code::Conflict, "identity.external_identity_taken", "another user has this account"));
        }
        unit.claim(claim, self.user_id);
        Ok(Answer::new("user_id", self.user_id, "LINKED"))
    }
}
