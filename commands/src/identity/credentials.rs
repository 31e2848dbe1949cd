//! What users prove themselves with: what is sent to them, and accounts elsewhere. The doors by which
//! users come in ask for it; none of it is a request of its own.

use super::user_stream;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::{
        EXTERNAL_IDENTITY_LOOKUP,
        credential::{self, Credential, CredentialAction, CredentialCommand, PassKind},
        external_identity_key,
        user::{User, UserError, UserStatus},
    },
    kernel::{Admission, Code, Digest, PassId, UserId},
};

/// The stream of what a user proves themselves with.
pub(super) fn credential_stream(admission: &Admission, user: UserId) -> StreamRef {
    StreamRef::of::<Credential>(admission.organization, user)
}

/// Asks something of the credential of a user who is there, and was not deleted.
pub(super) fn run(unit: &mut Unit<'_>, user_id: UserId, action: CredentialAction) -> Result<(), Refused> {
    let status = unit.state::<User>(user_id)?.profile().map(|profile| profile.status);
    match status {
        None => Err(UserError::NotFound.into()),
        Some(UserStatus::SoftDeleted | UserStatus::Purged) => Err(UserError::Deleted.into()),
        Some(_) => unit.run::<Credential>(user_id, &CredentialCommand { user_id, action }).map(drop),
    }
}

/// Issues a link or a code that is good once; a letter brings it.
pub struct IssuePass {
    pub user_id: UserId,
    pub pass_id: PassId,
    pub kind: PassKind,
    /// The mailbox that it is sent to.
    pub email: String,
    pub expires_at: DateTime<Utc>,
}

impl Operation for IssuePass {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![credential_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { user_id, pass_id, kind, ref email, expires_at } = *self;
        run(unit, user_id, CredentialAction::IssuePass(credential::IssuePass { pass_id, kind, email: email.clone(), expires_at }))?;
        Ok(Answer::new("user_id", user_id, "ISSUED"))
    }
}

/// Counts a code that was typed wrong; after the fifth time the code is void.
pub struct FailPass {
    pub user_id: UserId,
    pub pass_id: PassId,
    pub kind: PassKind,
}

impl Operation for FailPass {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![credential_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { user_id, pass_id, kind } = *self;
        run(unit, user_id, CredentialAction::FailPass { pass_id, kind })?;
        Ok(Answer::new("user_id", user_id, "FAILED"))
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
    /// `issuer` is the [`provider_digest`](super::provider_digest), `subject` what the provider calls the person.
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
        let link = CredentialAction::LinkExternalIdentity { issuer: self.issuer, subject: self.subject.clone() };
        run(unit, self.user_id, link)?;
        let claim = unit.claim_of(EXTERNAL_IDENTITY_LOOKUP)?;
        if unit.holder(claim).is_some() {
            return Err(Refused::new(Code::Conflict, "identity.external_identity_taken", "another user has this account"));
        }
        unit.claim(claim, self.user_id);
        Ok(Answer::new("user_id", self.user_id, "LINKED"))
    }
}
