//! Who is meant by an organization's short name and an e-mail address.

use super::challenge::Challenge;
use crate::{pipeline::Services, problem::Problem};
use palmares_commands::{engine::Engine, organizations::slug_claim};
use palmares_domain::{
    identity::{
        EMAIL_LOOKUP, Rights,
        credential::Credential,
        email_key,
        role_catalogue::RoleCatalogue,
        user::{User, UserStatus},
    },
    kernel::{OrganizationId, UserId, derive_uuid},
    organizations::organization::{Organization, Settings},
};

/// Somebody who may be there or not. Those who are not have ids as well, under which nothing is
/// found, so that looking them up takes the same steps.
#[derive(Clone, Debug)]
pub struct Meant {
    pub organization: OrganizationId,
    pub user: UserId,
}

/// What stands about them, as far as signing in needs it.
#[derive(Clone, Default)]
pub struct Found {
    pub status: Option<UserStatus>,
    /// What the user's roles grant now.
    pub rights: Rights,
    /// Whether letters can reach them.
    pub has_address: bool,
    pub organization_active: bool,
    /// What the organization asks of its people.
    pub settings: Settings,
    pub credential: Credential,
}

impl Found {
    /// Whether the user may come in; who is to be deleted may then do no more than export and cancel.
    pub fn may_sign_in(&self) -> bool {
        self.organization_active && self.status.is_some_and(UserStatus::may_sign_in)
    }

    /// The hash that a password is compared with: none of whoever may not come in.
    pub fn password_to_check(&self) -> Option<String> {
        self.credential.password().filter(|_| self.may_sign_in()).map(|password| password.hash.clone())
    }

    /// Whether whoever holds this challenge may take their next step: as a user, or as somebody who
    /// accepted an invitation and is not done.
    pub fn may_go_on(&self, challenge: &Challenge) -> bool {
        match challenge.invitation {
            None => self.may_sign_in(),
            Some(_) => self.is_newcomer(),
        }
    }

    /// Whether the user accepted an invitation, and has not done what is asked of newcomers.
    pub fn is_newcomer(&self) -> bool {
        self.organization_active && self.status == Some(UserStatus::PendingActivation)
    }

    /// Whether the user may not go without a second factor: whoever administers the platform or an
    /// organization, or sees what is confidential of others (E-113), and everyone where the organization says so.
    pub fn needs_second_factor(&self) -> bool {
        self.settings.requires_mfa() || self.needs_authenticator()
    }

    /// Whether the user's roles need a second factor, for which nothing that is sent is enough.
    pub fn needs_authenticator(&self) -> bool {
        self.rights.need_second_factor()
    }

    /// Looks up what stands about somebody.
    pub async fn of(engine: &Engine, meant: &Meant) -> Result<Self, Problem> {
        let Meant { organization, user } = *meant;
        let profile = |user: &User| {
            user.profile().map(|profile| (Some(profile.status), profile.roles.clone(), user.has_address())).unwrap_or_default()
        };
        let (status, roles, has_address) = engine.look(organization, user, profile).await?;
        let rights = engine.look(organization, organization, |catalogue: &RoleCatalogue| catalogue.rights(&roles)).await?;
        let asks = |organization: &Organization| (organization.is_active(), organization.settings());
        let (organization_active, settings) = engine.look(organization, organization, asks).await?;
        let credential = engine.state::<Credential>(organization, user).await?;
        Ok(Self { status, rights, has_address, organization_active, settings, credential })
    }
}

/// Finds out who is meant.
pub async fn meant(services: &Services, organization: &str, email: &str) -> Result<Meant, Problem> {
    let engine = &services.engine;
    let email = email_key(email);
    let known = engine.owner(slug_claim(organization)).await?.map(OrganizationId);
    // Every organization has keys of its own, and a stranger's guess is no reason to make some. So
    // the address at an unknown one is hashed under the platform's, together with the guess.
    let (keys_of, value) = known.map_or((OrganizationId::PLATFORM, format!("{organization}\n{email}")), |known| (known, email.clone()));
    let holder = engine.holder(keys_of, EMAIL_LOOKUP, &value).await?;
    let organization = known.unwrap_or_else(|| OrganizationId(derive_uuid("nobodys-organization", &[organization.as_bytes()])));
    let user = UserId(holder.unwrap_or_else(|| derive_uuid("nobody", &[organization.0.as_bytes(), email.as_bytes()])));
    Ok(Meant { organization, user })
}

/// Looks up what stands about them.
pub async fn found(services: &Services, meant: &Meant) -> Result<Found, Problem> {
    Found::of(&services.engine, meant).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use palmares_domain::{
        identity::credential::{CredentialAction, CredentialCommand, SetPassword},
        kernel::{Aggregate, Facts},
    };
    use uuid::Uuid;

    // covers: H-22
    #[test]
    fn no_password_is_checked_of_who_may_not_come_in() {
        let user_id = UserId(Uuid::from_u128(1));
        let set =
            CredentialAction::SetPassword(SetPassword { hash: "$argon2id$v=19$c2FsdHNhbHQ$aGFzaGhhc2g".to_owned(), temporary: false });
        let facts = Facts { now: chrono::DateTime::UNIX_EPOCH, actor: user_id };
        let mut credential = Credential::default();
        for event in credential.decide(&CredentialCommand { user_id, action: set }, &facts).unwrap() {
            credential.evolve(&event);
        }
        for status in [None].into_iter().chain(UserStatus::ALL.map(Some)) {
            for organization_active in [true, false] {
                let found = Found { status, organization_active, credential: credential.clone(), ..Found::default() };
                assert_eq!(found.password_to_check().is_some(), found.may_sign_in(), "{status:?}, {organization_active}");
            }
        }
        let member = Found { status: Some(UserStatus::Active), organization_active: true, credential, ..Found::default() };
        assert!(member.password_to_check().is_some());
        let suspended = Found { status: Some(UserStatus::Suspended), ..member.clone() };
        let closed = Found { organization_active: false, ..member };
        assert!(suspended.password_to_check().is_none() && closed.password_to_check().is_none());
    }
}
