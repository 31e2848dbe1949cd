//! The tokens of sign-ups: what the link in the letter carries. None is stored: it is made again from the
//! event, and is good once because the sign-up says so.

use crate::{
    pipeline::{TokenKeys, keys::KeyFault, tokens::TokenFault},
    problem::Problem,
};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{Code, OrganizationId, UserId};
use serde::{Deserialize, Serialize};

const SIGNUP: &str = "signup";

/// What a link names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignupToken {
    pub organization: OrganizationId,
    /// Who the person will be.
    pub user: UserId,
    /// Of the event that was sent; a later one ends it.
    pub generation: u32,
}

/// The token of a link, good until the sign-up expires. The same content gives the same token.
///
/// # Errors
/// Where no private key was given.
pub fn signup_token(keys: &TokenKeys, content: &SignupToken, expires_at: DateTime<Utc>) -> Result<String, KeyFault> {
    keys.seal(SIGNUP, content, expires_at)
}

/// What a link names, while its time lasts.
///
/// # Errors
/// Any fault of the token.
pub fn read_signup_token(keys: &TokenKeys, token: &str) -> Result<SignupToken, TokenFault> {
    keys.unseal(SIGNUP, token)
}

/// Malformed, sealed for something else, expired, used, refused, superseded or of nothing: the same answer.
pub fn not_valid() -> Problem {
    Problem::new(Code::ResourceNotFound, "identity.signup_not_valid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pipeline::keys::generate_pem,
        sign_in::invitation_token::{SetupToken, setup_token},
    };
    use chrono::TimeDelta;
    use palmares_domain::kernel::InvitationId;
    use uuid::Uuid;

    #[test]
    fn a_token_is_made_again_and_is_good_for_a_sign_up_only() {
        let pem = generate_pem().unwrap();
        let keys = TokenKeys::from_pems("https://palmares.test", "palmares", [pem.as_str()]).unwrap();
        let (organization, user) = (OrganizationId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let content = SignupToken { organization, user, generation: 3 };
        let until = Utc::now() + TimeDelta::hours(1);
        let token = signup_token(&keys, &content, until).unwrap();
        assert_eq!(signup_token(&keys, &content, until).unwrap(), token);
        assert_eq!(read_signup_token(&keys, &token).unwrap(), content);
        let other = SetupToken { organization, invitation: InvitationId(Uuid::from_u128(3)), user };
        assert!(read_signup_token(&keys, &setup_token(&keys, &other, until).unwrap()).is_err());
        assert!(read_signup_token(&keys, &signup_token(&keys, &content, Utc::now() - TimeDelta::seconds(1)).unwrap()).is_err());
    }
}
