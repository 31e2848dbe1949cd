//! People whom an identity provider knows and we do not yet: they join when they first come (E-103, E-106).

use super::credentials::{credential_stream, run};
use super::emails::{Email, set_email};
use super::user_stream;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::organizations::domain_stream;
use palmares_domain::{
    identity::{
        EXTERNAL_IDENTITY_LOOKUP, EXTERNAL_REF_LOOKUP, Role,
        credential::CredentialAction,
        external_identity_key,
        user::{self, User, UserCommand},
    },
    kernel::{Admission, Code, Digest, UserId, derive_uuid},
    organizations::{
        domain::{AutoJoin, Domain, DomainName, domain_id},
        organization::Organization,
    },
};

/// Makes a member of someone for whom the organization's provider vouches and whose address is of a
/// domain that the organization proved and opened. No request offers it: the door does, once it has
/// verified what the provider says.
pub struct JoinByProvider {
    user_id: UserId,
    email: Email,
    display_name: Option<String>,
    domain: DomainName,
    provider: Digest,
    subject: String,
    external_ref: String,
    identity_key: String,
}

impl JoinByProvider {
    /// None where the address has no domain that an organization could have.
    pub fn new(user_id: UserId, provider: Digest, subject: String, email: String, display_name: Option<String>) -> Option<Self> {
        let domain = DomainName::of_email(&email)?;
        // What the provider calls them may be longer than a reference, and is nobody's to read.
        let external_ref = format!("oidc:{}", derive_uuid("joined-by-provider", &[&provider.0, subject.as_bytes()]));
        let identity_key = external_identity_key(provider, &subject);
        Some(Self { user_id, email: email.into(), display_name, domain, provider, subject, external_ref, identity_key })
    }
}

impl Operation for JoinByProvider {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id), credential_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        let organization = admission.organization;
        vec![domain_stream(organization, &self.domain), StreamRef::of::<Organization>(organization, organization)]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        vec![(EXTERNAL_REF_LOOKUP, self.external_ref.as_str()), (EXTERNAL_IDENTITY_LOOKUP, self.identity_key.as_str()), self.email.lookup()]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let (user_id, organization) = (self.user_id, unit.organization());
        let domain = unit.state::<Domain>(domain_id(organization, &self.domain))?;
        if !(domain.is_verified() && domain.auto_join() == AutoJoin::Automatic) {
            return Err(Refused::new(Code::AuthenticationFailed, "sign_in.failed", "people of this domain do not join by themselves"));
        }
        let profile = unit.state::<Organization>(organization)?.profile();
        if !profile.is_some_and(|profile| profile.settings.allows_email(self.email.text())) {
            return Err(Refused::new(Code::AuthenticationFailed, "sign_in.failed", "the organization takes no addresses of this domain"));
        }
        let create = UserCommand::Create(user::CreateUser {
            user_id,
            organization_id: organization,
            external_ref: self.external_ref.clone(),
            display_name: self.display_name.clone(),
            role: Role::Member.into(),
        });
        unit.run::<User>(user_id, &create)?;
        set_email(unit, user_id, &self.email, None)?;
        run(unit, user_id, CredentialAction::LinkExternalIdentity { issuer: self.provider, subject: self.subject.clone() })?;
        for kind in [EXTERNAL_REF_LOOKUP, EXTERNAL_IDENTITY_LOOKUP] {
            let claim = unit.claim_of(kind)?;
            if unit.holder(claim).is_some() {
                return Err(Refused::new(Code::Conflict, "identity.external_identity_taken", "another user has this account"));
            }
            unit.claim(claim, user_id);
        }
        Ok(Answer::new("id", user_id, "JOINED"))
    }
}
