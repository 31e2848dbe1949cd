//! What a person carries from one account of theirs to another: the offer to link them, and the way over.
//!
//! Neither is stored. An offer says for which account it is made, as a digest, so that nobody else can
//! take it and its holder learns nothing of who is there; both are good for a short while, and once,
//! because the logs say so.

use super::meant::Meant;
use crate::pipeline::{TokenKeys, keys::KeyFault};
use chrono::{DateTime, Duration, Utc};
use palmares_commands::{
    digests::digest_of_parts,
    identity::{Offer, Switched},
};
use palmares_domain::{
    identity::memberships::Account,
    kernel::{Digest, MembershipId},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const LINK: &str = "membership_link";
const SWITCH: &str = "membership_switch";
/// As long as signing in elsewhere may take.
const LINK_GOOD_FOR: Duration = Duration::minutes(10);
const SWITCH_GOOD_FOR: Duration = Duration::minutes(1);

/// Who offers to be linked, and to whom.
#[derive(Serialize, Deserialize)]
struct Link {
    membership: MembershipId,
    from: Account,
    to: Digest,
}

/// The account for which an offer is made, so that only who knows it recognizes it.
fn named(membership: MembershipId, account: Account) -> Digest {
    let Account { organization_id, user_id } = account;
    digest_of_parts([membership.to_string(), organization_id.to_string(), user_id.to_string()].iter().map(String::as_str))
}

impl Meant {
    /// The account of whom is meant.
    pub fn account(&self) -> Account {
        Account { organization_id: self.organization, user_id: self.user }
    }
}

impl From<Account> for Meant {
    fn from(account: Account) -> Self {
        Self { organization: account.organization_id, user: account.user_id }
    }
}

/// An offer of one account to another, and until when it is good.
///
/// # Errors
/// Where no private key was given.
pub fn link_token(keys: &TokenKeys, from: Account, to: Account) -> Result<(String, DateTime<Utc>), KeyFault> {
    let (membership, until) = (MembershipId(Uuid::now_v7()), keys.now() + LINK_GOOD_FOR);
    Ok((keys.seal(LINK, &Link { membership, from, to: named(membership, to) }, until)?, until))
}

/// What an offer says to the account for which it was made; nothing where there is any fault.
pub fn read_link_token(keys: &TokenKeys, text: &str, taker: Account) -> Option<Offer> {
    let Link { membership, from, to } = keys.unseal(LINK, text).ok()?;
    (to == named(membership, taker)).then_some(Offer { membership_id: membership, from })
}

/// The way over, and until when it is open.
///
/// # Errors
/// Where no private key was given.
pub fn switch_token(keys: &TokenKeys, switched: &Switched) -> Result<(String, DateTime<Utc>), KeyFault> {
    let until = switched.asked_at + SWITCH_GOOD_FOR;
    Ok((keys.seal(SWITCH, switched, until)?, until))
}

/// The way that a text opens; nothing where there is any fault.
pub fn read_switch_token(keys: &TokenKeys, text: &str) -> Option<Switched> {
    keys.unseal(SWITCH, text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::keys::generate_pem;
    use palmares_domain::kernel::{OrganizationId, UserId};

    fn account(number: u128) -> Account {
        Account { organization_id: OrganizationId(Uuid::from_u128(number)), user_id: UserId(Uuid::from_u128(number + 1)) }
    }

    // covers: E-200
    #[test]
    fn an_offer_is_for_one_account_and_says_to_nobody_for_which() {
        let pem = generate_pem().unwrap();
        let keys = TokenKeys::from_pems("https://palmares.test", "palmares", [pem.as_str()]).unwrap();
        let (ada, same, stranger) = (account(1), account(10), account(20));
        let (text, _) = link_token(&keys, ada, same).unwrap();
        let offer = read_link_token(&keys, &text, same).unwrap();
        assert_eq!(offer.from, ada);
        for taker in [stranger, ada, Account { organization_id: same.organization_id, ..stranger }] {
            assert!(read_link_token(&keys, &text, taker).is_none(), "{taker:?}");
        }
        assert!(read_switch_token(&keys, &text).is_none(), "an offer opens the way over");
        let said: serde_json::Value = keys.unseal(LINK, &text).unwrap();
        assert!(!said.to_string().contains(&same.user_id.to_string()) && !said.to_string().contains(&same.organization_id.to_string()));
    }

    #[test]
    fn a_way_over_is_open_for_a_minute() {
        let pem = generate_pem().unwrap();
        let keys = TokenKeys::from_pems("https://palmares.test", "palmares", [pem.as_str()]).unwrap();
        let asked = |asked_at| Switched { from: account(1), membership_id: MembershipId(Uuid::from_u128(3)), session: None, asked_at };
        let now = asked(Utc::now());
        assert_eq!(read_switch_token(&keys, &switch_token(&keys, &now).unwrap().0), Some(now));
        let before = asked(Utc::now() - Duration::seconds(62));
        assert_eq!(read_switch_token(&keys, &switch_token(&keys, &before).unwrap().0), None);
    }
}
