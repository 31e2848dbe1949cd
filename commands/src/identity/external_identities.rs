//! Accounts elsewhere that sign a user in, as the user sees them.

use super::{credentials::credential_stream, user_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    identity::{
        EXTERNAL_IDENTITY_LOOKUP,
        credential::{Credential, CredentialAction, CredentialCommand, CredentialError},
        external_identity_key,
        user::User,
    },
    kernel::{Admission, Digest, UserId, derive_uuid},
};
use serde::Deserialize;
use std::fmt;
use utoipa::ToSchema;
use uuid::Uuid;

crate::capabilities! {
    UnlinkExternalIdentity => permit "identity.self.unlink_identity", throttle Write, owner |unlink| Some(unlink.user_id);
    AllowExternalIdentities => permit "identity.self.allow_identities", throttle Write, owner |allow| Some(allow.user_id);
}

/// What names an account elsewhere to its user: there is one of a provider at most.
#[must_use]
pub fn external_identity_id(issuer: Digest) -> Uuid {
    derive_uuid("external-identity", &[&issuer.0])
}

/// Takes away that an account elsewhere signs one in. Another user may link it from then on, and no account of
/// its provider is linked to this one by itself until they allow it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnlinkExternalIdentity {
    pub user_id: UserId,
    pub identity_id: Uuid,
    /// The provider's digest and the key under which the account is claimed, once they were looked up.
    #[serde(skip)]
    #[schema(ignore)]
    found: Option<(Digest, String)>,
}

// Written out, because a derived `Debug` would put personal data into log lines.
impl fmt::Debug for UnlinkExternalIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnlinkExternalIdentity").field("identity_id", &self.identity_id).finish_non_exhaustive()
    }
}

impl UnlinkExternalIdentity {
    /// Looks up which account it is, in the credential of the user.
    #[must_use]
    pub fn found_in(self, credential: &Credential) -> Self {
        let mut all = credential.external_identities();
        let found = all.find(|(issuer, _)| external_identity_id(*issuer) == self.identity_id);
        let found = found.map(|(issuer, subject)| (issuer, external_identity_key(issuer, subject)));
        drop(all);
        Self { found, ..self }
    }
}

impl Operation for UnlinkExternalIdentity {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![credential_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        self.found.iter().map(|(_, key)| (EXTERNAL_IDENTITY_LOOKUP, key.as_str())).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user_id = self.user_id;
        let Some((issuer, _)) = self.found else { return Err(CredentialError::ExternalIdentityNotLinked.into()) };
        let reachable = unit.state::<User>(user_id)?.has_address();
        let action = CredentialAction::UnlinkExternalIdentity { issuer, reachable };
        unit.run::<Credential>(user_id, &CredentialCommand { user_id, action })?;
        let claim = unit.claim_of(EXTERNAL_IDENTITY_LOOKUP)?;
        if unit.holder(claim) == Some(user_id.0) {
            unit.release(claim);
        }
        Ok(Answer::new("id", self.identity_id, "UNLINKED"))
    }
}

/// Lets the next sign-in at an identity provider link an account again, where one was taken away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowExternalIdentities {
    pub user_id: UserId,
}

impl Operation for AllowExternalIdentities {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![credential_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let user_id = self.user_id;
        unit.run::<Credential>(user_id, &CredentialCommand { user_id, action: CredentialAction::AllowExternalIdentities })?;
        Ok(Answer::new("user_id", user_id, "ALLOWED"))
    }
}
