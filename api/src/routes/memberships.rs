//! Memberships: the accounts of one person in several organizations (E-21, E-200).
//!
//! A list of them is made from states rather than from a read model: where else somebody is, is sealed
//! in the log of each organization, and how they stand there, no reader of this one may see.

use crate::{
    pipeline::{Route, Services, action::Action, command::Prepare, route::Verb},
    problem::Problem,
    sign_in::{
        doors::EnterMembership,
        meant::{Found, Meant, found, meant},
        membership_token::{link_token, read_link_token, switch_token},
    },
};
use chrono::{DateTime, Utc};
use palmares_commands::identity::{LinkMembership, Switched, UnlinkMembership, offer_not_valid};
use palmares_domain::{
    identity::{
        RoleRef,
        memberships::{Account, Membership, Memberships},
        user::UserStatus,
    },
    kernel::{Admitted, Code, MembershipId, OrganizationId, Tenant, UserId},
    organizations::organization::{Organization, OrganizationStatus},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const ROUTES: &[Route] = &[
    Route::action::<ListMemberships>(Verb::Get, "/me/memberships", "identity.self.read_memberships"),
    Route::action::<OfferMembership>(Verb::Post, "/me/memberships", "identity.self.offer_membership"),
    Route::prepared::<LinkMembership, OfferRead>(Verb::Post, "/me/memberships/accept"),
    Route::prepared::<UnlinkMembership, AccountLookedUp>(Verb::Delete, "/me/memberships/{membership_id}"),
    Route::action::<SwitchMembership>(Verb::Post, "/me/memberships/{membership_id}/switch", "identity.self.switch_membership"),
    Route::door::<EnterMembership>(Verb::Post, "/auth/switch"),
];

/// Reads the offer, which has to be for the caller.
struct OfferRead;

impl Prepare<LinkMembership> for OfferRead {
    type Shown = ();

    async fn prepare(operation: LinkMembership, tenant: Tenant, services: &Services) -> Result<(LinkMembership, ()), Problem> {
        let taker = Account { organization_id: tenant.organization(), user_id: operation.user_id };
        match read_link_token(services.gate.tokens(), &operation.link_token, taker) {
            Some(offer) => Ok((LinkMembership { offer: Some(offer), ..operation }, ())),
            None => Err(offer_not_valid().into()),
        }
    }
}

/// Looks up the other account of a membership.
struct AccountLookedUp;

impl Prepare<UnlinkMembership> for AccountLookedUp {
    type Shown = ();

    async fn prepare(operation: UnlinkMembership, tenant: Tenant, services: &Services) -> Result<(UnlinkMembership, ()), Problem> {
        // Of a membership that is not there the operation itself says so.
        let account = account(services, tenant.organization(), operation.user_id, operation.membership_id).await?;
        Ok((UnlinkMembership { account, ..operation }, ()))
    }
}

async fn account(
    services: &Services,
    organization: OrganizationId,
    user: UserId,
    membership: MembershipId,
) -> Result<Option<Account>, Problem> {
    let account = |memberships: &Memberships| memberships.get(membership).map(|membership| membership.account);
    Ok(services.engine.look(organization, user, account).await?)
}

/// Offer to link one's account to another of one's own, in another organization. Whoever is signed in
/// there, under this address, can take the offer within ten minutes, once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferMembership {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    /// The short name of the other organization.
    #[schema(min_length = 2, max_length = 63)]
    pub organization: String,
    /// The address of one's account there.
    #[schema(max_length = 254)]
    pub email: String,
}

/// The answer is the same whether or not there is such an account.
#[derive(Serialize, ToSchema)]
pub struct MembershipOffered {
    /// What to give, signed in to the other account, to `POST /me/memberships/accept`.
    pub link_token: String,
    pub expires_at: DateTime<Utc>,
}

impl Action for OfferMembership {
    type Output = MembershipOffered;
    const RECORDED: bool = false;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<MembershipOffered, Problem> {
        let (admission, offer) = (admitted.admission(), admitted.value());
        let from = Account { organization_id: admission.organization, user_id: admission.actor };
        let to = meant(services, &offer.organization, &offer.email).await?;
        if to.organization == from.organization_id {
            return Err(Problem::invalid_field("organization", "identity.membership_same_organization"));
        }
        let (link_token, expires_at) = link_token(services.gate.tokens(), from, to.account()).map_err(Problem::internal)?;
        Ok(MembershipOffered { link_token, expires_at })
    }
}

/// One's accounts in other organizations.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListMemberships {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
}

#[derive(Serialize, ToSchema)]
pub struct MembershipList {
    pub items: Vec<MembershipShown>,
}

/// An account in another organization, as it stands there now.
#[derive(Serialize, ToSchema)]
pub struct MembershipShown {
    #[schema(value_type = Uuid)]
    pub id: MembershipId,
    #[schema(value_type = Uuid)]
    pub organization_id: OrganizationId,
    pub organization_slug: Option<String>,
    pub organization_name: Option<String>,
    pub organization_status: Option<OrganizationStatus>,
    /// One's user id there.
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    pub status: Option<UserStatus>,
    /// Names of built-in roles, and ids of that organization's own.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<RoleRef>,
    pub linked_at: DateTime<Utc>,
    /// When one last went from here to there.
    pub last_switched_at: Option<DateTime<Utc>>,
}

impl MembershipShown {
    async fn of(services: &Services, id: MembershipId, membership: &Membership) -> Result<Self, Problem> {
        let Membership { account, linked_at, last_switched_at } = *membership;
        let Account { organization_id, user_id } = account;
        let Found { status, rights, .. } = found(services, &Meant::from(account)).await?;
        let named = |found: &Organization| found.profile().map(|profile| (profile.slug.clone(), profile.name.clone(), profile.status));
        let organization = services.engine.look(organization_id, organization_id, named).await?;
        let (organization_slug, organization_name, organization_status) = match organization {
            Some((slug, name, status)) => (Some(slug), Some(name), Some(status)),
            None => (None, None, None),
        };
        Ok(Self {
            id,
            organization_id,
            organization_slug,
            organization_name,
            organization_status,
            user_id,
            status,
            roles: rights.roles().collect(),
            linked_at,
            last_switched_at,
        })
    }
}

impl Action for ListMemberships {
    type Output = MembershipList;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<MembershipList, Problem> {
        let admission = admitted.admission();
        let memberships: Memberships = services.engine.state(admission.organization, admission.actor).await?;
        let mut items = Vec::new();
        for (id, membership) in memberships.all() {
            items.push(MembershipShown::of(services, id, membership).await?);
        }
        Ok(MembershipList { items })
    }
}

/// Ask for the way to a linked account in another organization.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchMembership {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    #[schema(value_type = Uuid)]
    pub membership_id: MembershipId,
}

#[derive(Serialize, ToSchema)]
pub struct SwitchOpened {
    /// What to give to `POST /auth/switch`, within a minute and once.
    pub switch_token: String,
    pub expires_at: DateTime<Utc>,
}

impl Action for SwitchMembership {
    type Output = SwitchOpened;
    /// What is recorded is that somebody went over.
    const RECORDED: bool = false;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<SwitchOpened, Problem> {
        let (admission, membership_id) = (admitted.admission(), admitted.value().membership_id);
        let from = Account { organization_id: admission.organization, user_id: admission.actor };
        let account = account(services, from.organization_id, from.user_id, membership_id).await?;
        let account = account.ok_or_else(|| Problem::new(Code::ResourceNotFound, "identity.membership_not_found"))?;
        if !found(services, &Meant::from(account)).await?.may_sign_in() {
            return Err(Problem::new(Code::Conflict, "identity.membership_not_active"));
        }
        let switched = Switched { from, membership_id, session: admission.session, asked_at: services.engine.now() };
        let (switch_token, expires_at) = switch_token(services.gate.tokens(), &switched).map_err(Problem::internal)?;
        Ok(SwitchOpened { switch_token, expires_at })
    }
}
