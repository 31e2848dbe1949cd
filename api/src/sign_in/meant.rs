//! Who is meant by an organization's short name and an e-mail address.

use super::challenge::Challenge;
use crate::{pipeline::Services, problem::Problem};
use palmares_commands::{engine::Engine, organizations::slug_claim};
use palmares_domain::{
    identity::{
        EMAIL_LOOKUP, Role, RoleRef,
        credential::Credential,
        email_key,
        user::{User, UserStatus},
    },
    kernel::{OrganizationId, UserId, derive_uuid},
    organizations::organization::{Organization, Settings},
};
use std::collections::BTreeSet;

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
    pub roles: BTreeSet<RoleRef>,
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
    /// organization (E-113), and everyone where the organization says so.
    pub fn needs_second_factor(&self) -> bool {
        let administers = |role: Role| role.is_platform() || role == Role::OrganizationAdmin;
        self.settings.requires_mfa() || self.roles.iter().filter_map(|role| role.built_in()).any(administers)
    }

    /// Looks up what stands about somebody.
    pub async fn of(engine: &Engine, meant: &Meant) -> Result<Self, Problem> {
        let Meant { organization, user } = *meant;
        let profile = |user: &User| {
            user.profile().map(|profile| (Some(profile.status), profile.roles.clone(), profile.email_claim.is_some())).unwrap_or_default()
        };
        let (status, roles, has_address) = engine.look(organization, user, profile).await?;
        let asks = |organization: &Organization| (organization.is_active(), organization.settings());
        let (organization_active, settings) = engine.look(organization, organization, asks).await?;
        let credential = engine.state::<Credential>(organization, user).await?;
        Ok(Self { status, roles, has_address, organization_active, settings, credential })
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
