//! Memberships: the accounts of one person in several organizations, joined and parted (E-200).
//!
//! These are the only operations that append to the logs of two organizations: a link stands on both
//! sides or on neither. Nothing else of the other organization is written, and read is whether the
//! other account may act.

use super::user_stream;
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::store::ClaimKey;
use palmares_domain::{
    identity::{
        memberships::{self, Account, Memberships, MembershipsAction, MembershipsCommand},
        user::User,
    },
    kernel::{Admission, MembershipId, OrganizationId, UserId},
    organizations::organization::Organization,
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    LinkMembership => permit "identity.self.link_membership", throttle Write, owner |link| Some(link.user_id);
    UnlinkMembership => permit "identity.self.unlink_membership", throttle Write, owner |unlink| Some(unlink.user_id);
}

/// The stream of what a user knows of their accounts elsewhere.
pub(super) fn memberships_stream(account: Account) -> StreamRef {
    StreamRef::of::<Memberships>(account.organization_id, account.user_id)
}

/// What tells whether an account may act.
pub(super) fn standing_streams(account: Account) -> [StreamRef; 2] {
    let organization = account.organization_id;
    [StreamRef::of::<User>(organization, account.user_id), StreamRef::of::<Organization>(organization, organization)]
}

/// Whether an account may act. The operation names its [`standing_streams`].
pub(super) fn may_act(unit: &mut Unit<'_>, account: Account) -> Result<bool, Refused> {
    Ok(unit.state::<User>(account.user_id)?.is_active() && unit.state::<Organization>(account.organization_id)?.is_active())
}

pub(super) fn run(unit: &mut Unit<'_>, user_id: UserId, action: MembershipsAction) -> Result<(), Refused> {
    unit.run::<Memberships>(user_id, &MembershipsCommand { user_id, action }).map(drop)
}

/// The account of whom a command is about, which is the caller's own.
pub(super) fn own(admission: &Admission, user_id: UserId) -> Account {
    Account { organization_id: admission.organization, user_id }
}

/// Parts the user's account from those elsewhere, where somebody else sets how the user signs in: what an
/// administrator may do in one organization reaches no other.
pub(super) fn part_from_elsewhere(unit: &mut Unit<'_>, user_id: UserId) -> Result<(), Refused> {
    if unit.facts().actor == user_id {
        return Ok(());
    }
    run(unit, user_id, MembershipsAction::UnlinkAll)
}

/// An offer to be linked, once it was found to be genuine and the caller's to take.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// Of the link that it becomes; an offer is good once.
    pub membership_id: MembershipId,
    /// Who made it.
    pub from: Account,
}

impl Offer {
    /// Held by whoever took the offer, so that nobody does again.
    fn claim(&self) -> ClaimKey {
        ClaimKey { organization: OrganizationId::PLATFORM, key: self.membership_id.0 }
    }
}

/// Links one's account to the one, in another organization, that made the offer. Both keep their own
/// rights, data and sessions; nothing is shared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkMembership {
    pub user_id: UserId,
    /// What the other account was given by `POST /me/memberships`.
    pub link_token: String,
    /// What the token says.
    #[serde(skip)]
    #[schema(ignore)]
    pub offer: Option<Offer>,
}

/// One answer for whatever is wrong with an offer: whose it is, its time, that it was taken.
#[must_use]
pub fn offer_not_valid() -> Refused {
    Refused::field("link_token", "identity.membership_link_not_valid")
}

impl Operation for LinkMembership {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        let other = self.offer.map(|offer| memberships_stream(offer.from));
        [memberships_stream(own(admission, self.user_id))].into_iter().chain(other).collect()
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        let other = self.offer.map(|offer| standing_streams(offer.from));
        [user_stream(admission, self.user_id)].into_iter().chain(other.into_iter().flatten()).collect()
    }

    fn claims(&self, _: &Admission) -> Vec<ClaimKey> {
        self.offer.iter().map(Offer::claim).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let offer = self.offer.ok_or_else(offer_not_valid)?;
        let Offer { membership_id, from } = offer;
        let own = own(unit.admission(), self.user_id);
        let taken = unit.holder(offer.claim()).is_some();
        if taken || !may_act(unit, from)? || !unit.state::<User>(own.user_id)?.is_active() {
            return Err(offer_not_valid());
        }
        for (user, account) in [(own, from), (from, own)] {
            let link = memberships::LinkMembership { membership_id, organization_id: user.organization_id, account };
            run(unit, user.user_id, MembershipsAction::Link(link))?;
        }
        unit.claim(offer.claim(), own.user_id);
        Ok(Answer::new("id", membership_id, "LINKED"))
    }
}

/// Parts one's account from another one, from either side and whatever has become of the other.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnlinkMembership {
    pub user_id: UserId,
    #[schema(value_type = Uuid)]
    pub membership_id: MembershipId,
    /// The other account.
    #[serde(skip)]
    #[schema(ignore)]
    pub account: Option<Account>,
}

impl Operation for UnlinkMembership {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        let other = self.account.map(memberships_stream);
        [memberships_stream(own(admission, self.user_id))].into_iter().chain(other).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let unlink = MembershipsAction::Unlink { membership_id: self.membership_id };
        run(unit, self.user_id, unlink.clone())?;
        // Where the other side was erased, there is nothing to part from any more.
        if let Some(other) = self.account
            && unit.state::<Memberships>(other.user_id)?.get(self.membership_id).is_some()
        {
            run(unit, other.user_id, unlink)?;
        }
        Ok(Answer::new("id", self.membership_id, "UNLINKED"))
    }
}
