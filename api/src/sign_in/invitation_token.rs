//! The tokens of invitations: the one in the letter, and the one by which an accepted invitation is completed.
//!
//! This is the one place that knows their purposes and what they say. Neither is stored: the first is
//! made again from the event of the invitation, and is good once because the aggregate says so.

use crate::{
    pipeline::{TokenKeys, keys::KeyFault, tokens::TokenFault},
    problem::Problem,
};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{Code, InvitationId, OrganizationId, UserId};
use serde::{Deserialize, Serialize};

const INVITATION: &str = "invitation";
const SETUP: &str = "invitation_setup";

/// What the token in a letter names: bound to the organization, and through the invitation to role
/// and person (E-118).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationToken {
    pub organization: OrganizationId,
    pub invitation: InvitationId,
    /// Of the event that was sent; a later one ends it.
    pub generation: u32,
}

/// Who has accepted, and has yet to do what is asked of newcomers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupToken {
    pub organization: OrganizationId,
    pub invitation: InvitationId,
    pub user: UserId,
}

/// The token of an invitation, good until the invitation expires. The same terms give the same token.
///
/// # Errors
/// Where no private key was given.
pub fn invitation_token(keys: &TokenKeys, content: &InvitationToken, expires_at: DateTime<Utc>) -> Result<String, KeyFault> {
    keys.seal(INVITATION, content, expires_at)
}

/// What an invitation's token names, while its time lasts.
///
/// # Errors
/// Any fault of the token.
pub fn read_invitation_token(keys: &TokenKeys, token: &str) -> Result<InvitationToken, TokenFault> {
    keys.unseal(INVITATION, token)
}

/// The token with which whoever accepted goes on.
///
/// # Errors
/// Where no private key was given.
pub fn setup_token(keys: &TokenKeys, content: &SetupToken, until: DateTime<Utc>) -> Result<String, KeyFault> {
    keys.seal(SETUP, content, until)
}

/// Who goes on, while the token's time lasts.
///
/// # Errors
/// Any fault of the token.
pub fn read_setup_token(keys: &TokenKeys, token: &str) -> Result<SetupToken, TokenFault> {
    keys.unseal(SETUP, token)
}

/// Malformed, sealed for something else, expired, used, revoked, superseded or of nothing: the same answer.
pub fn not_valid() -> Problem {
    Problem::new(Code::ResourceNotFound, "identity.invitation_not_valid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::keys::generate_pem;
    use chrono::TimeDelta;
    use uuid::Uuid;

    // covers: E-118
    #[test]
    fn a_token_is_made_again_and_is_good_for_one_purpose() {
        let pem = generate_pem().unwrap();
        let keys = TokenKeys::from_pems("https://palmares.test", "palmares", [pem.as_str()]).unwrap();
        let (organization, invitation) = (OrganizationId(Uuid::from_u128(1)), InvitationId(Uuid::from_u128(2)));
        let content = InvitationToken { organization, invitation, generation: 3 };
        let until = Utc::now() + TimeDelta::hours(1);
        let token = invitation_token(&keys, &content, until).unwrap();
        assert_eq!(invitation_token(&keys, &content, until).unwrap(), token);
        assert_eq!(read_invitation_token(&keys, &token).unwrap(), content);
        let setup = setup_token(&keys, &SetupToken { organization, invitation, user: UserId(Uuid::from_u128(4)) }, until).unwrap();
        assert!(read_setup_token(&keys, &token).is_err() && read_invitation_token(&keys, &setup).is_err());
        assert_eq!(read_setup_token(&keys, &setup).unwrap().user, UserId(Uuid::from_u128(4)));
        let over = invitation_token(&keys, &content, Utc::now() - TimeDelta::seconds(1)).unwrap();
        assert!(read_invitation_token(&keys, &over).is_err());
    }
}
