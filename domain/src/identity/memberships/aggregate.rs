//! The rules of a user's memberships.

use super::{
    Account, LinkMembership, MembershipLinked, MembershipUnlinked, MembershipsAction, MembershipsCommand, MembershipsError,
    MembershipsEvent, SwitchedAway, SwitchedIn,
};
use crate::kernel::{Aggregate, Facts, MembershipId, Personal, Purpose, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// To how many other accounts one is linked at most.
pub const MEMBERSHIPS_MAX: usize = 50;

/// The other accounts of a person.
///
/// It holds in clear where they are, so its snapshot is sealed. An event that cannot be opened any more
/// was erased: this side forgets everything with it and leads nowhere from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", content = "linked", rename_all = "snake_case")]
pub enum Memberships {
    Open(BTreeMap<MembershipId, Membership>),
    Closed,
}

/// One other account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub account: Account,
    pub linked_at: DateTime<Utc>,
    /// When the person last went from here to there.
    pub last_switched_at: Option<DateTime<Utc>>,
}

impl Default for Memberships {
    fn default() -> Self {
        Self::Open(BTreeMap::new())
    }
}

impl Memberships {
    fn linked(&self) -> Result<&BTreeMap<MembershipId, Membership>, MembershipsError> {
        match self {
            Self::Open(linked) => Ok(linked),
            Self::Closed => Err(MembershipsError::Closed),
        }
    }

    /// Every other account.
    pub fn all(&self) -> impl Iterator<Item = (MembershipId, &Membership)> {
        self.linked().into_iter().flatten().map(|(id, membership)| (*id, membership))
    }

    /// One other account.
    pub fn get(&self, membership_id: MembershipId) -> Option<&Membership> {
        self.linked().ok()?.get(&membership_id)
    }

    /// Whether this side of a membership leads to that account.
    pub fn leads_to(&self, membership_id: MembershipId, account: Account) -> bool {
        self.get(membership_id).is_some_and(|membership| membership.account == account)
    }

    fn known(&self, membership_id: MembershipId) -> Result<&Membership, MembershipsError> {
        self.linked()?.get(&membership_id).ok_or(MembershipsError::NotFound)
    }

    fn link(&self, user_id: UserId, link: &LinkMembership, now: DateTime<Utc>) -> Result<MembershipsEvent, MembershipsError> {
        let linked = self.linked()?;
        let there = link.account.organization_id;
        if there == link.organization_id {
            return Err(MembershipsError::SameOrganization);
        }
        if linked.values().any(|membership| membership.account.organization_id == there) {
            return Err(MembershipsError::LinkedAlready);
        }
        if linked.len() >= MEMBERSHIPS_MAX {
            return Err(MembershipsError::TooMany);
        }
        let (membership_id, account) = (link.membership_id, Personal::Clear(link.account));
        Ok(MembershipLinked { user_id, membership_id, account, linked_at: now }.into())
    }

    /// What was asked for once is good once. Clocks of two nodes differ, so the later of the two times
    /// is kept, and nothing that was asked for by then is good again.
    fn switch_away(
        &self,
        user_id: UserId,
        membership_id: MembershipId,
        asked_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<MembershipsEvent, MembershipsError> {
        if self.known(membership_id)?.last_switched_at.is_some_and(|last| asked_at <= last) {
            return Err(MembershipsError::SwitchSpent);
        }
        Ok(SwitchedAway { user_id, membership_id, switched_at: now.max(asked_at) }.into())
    }
}

impl Aggregate for Memberships {
    const TYPE: &'static str = "memberships";
    const SHAPE: u16 = 1;
    const DECIDES_ON_PERSONAL_DATA: Option<Purpose> = Some(Purpose::Security);

    type Command = MembershipsCommand;
    type Event = MembershipsEvent;
    type Error = MembershipsError;

    fn decide(&self, command: &MembershipsCommand, facts: &Facts) -> Result<Vec<MembershipsEvent>, MembershipsError> {
        let user_id = command.user_id;
        Ok(vec![match &command.action {
            MembershipsAction::Link(link) => self.link(user_id, link, facts.now)?,
            MembershipsAction::Unlink { membership_id } => {
                self.known(*membership_id)?;
                MembershipUnlinked { user_id, membership_id: *membership_id }.into()
            }
            MembershipsAction::UnlinkAll => {
                let unlinked = |(membership_id, _)| MembershipUnlinked { user_id, membership_id }.into();
                return Ok(self.all().map(unlinked).collect());
            }
            MembershipsAction::SwitchAway { membership_id, asked_at } => self.switch_away(user_id, *membership_id, *asked_at, facts.now)?,
            MembershipsAction::SwitchIn { membership_id, session_id } => {
                self.known(*membership_id)?;
                SwitchedIn { user_id, membership_id: *membership_id, session_id: *session_id }.into()
            }
        }])
    }

    fn evolve(&mut self, event: &MembershipsEvent) {
        let Self::Open(linked) = self else { return };
        match event {
            MembershipsEvent::MembershipLinked(event) => match event.account.clear() {
                Some(account) => {
                    let membership = Membership { account: *account, linked_at: event.linked_at, last_switched_at: None };
                    linked.insert(event.membership_id, membership);
                }
                None => *self = Self::Closed,
            },
            MembershipsEvent::MembershipUnlinked(event) => {
                linked.remove(&event.membership_id);
            }
            MembershipsEvent::SwitchedAway(event) => {
                if let Some(membership) = linked.get_mut(&event.membership_id) {
                    membership.last_switched_at = Some(event.switched_at);
                }
            }
            MembershipsEvent::SwitchedIn(_) => {}
        }
    }
}
