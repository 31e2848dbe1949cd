//! The tokens of passes: what the link in a letter carries.
//!
//! None is stored: the letter's is made again from the event of the pass, and it is good once because
//! the credential says so.

use crate::pipeline::{TokenKeys, keys::KeyFault, tokens::TokenFault};
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::credential::PassKind,
    kernel::{OrganizationId, PassId, UserId},
};
use serde::{Deserialize, Serialize};

/// What a link names: whose pass it is, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassToken {
    pub organization: OrganizationId,
    pub user: UserId,
    pub pass: PassId,
}

/// A token of one kind is good for nothing else.
fn purpose(kind: PassKind) -> &'static str {
    match kind {
        PassKind::MagicLink => "magic_link",
        PassKind::PasswordReset => "password_reset",
        PassKind::EmailCode => "email_code",
        PassKind::EmailVerification => "email_verification",
    }
}

/// The token of a pass, good until the pass expires. The same pass gives the same token.
///
/// # Errors
/// Where no private key was given.
pub fn pass_token(keys: &TokenKeys, kind: PassKind, content: &PassToken, expires_at: DateTime<Utc>) -> Result<String, KeyFault> {
    keys.seal(purpose(kind), content, expires_at)
}

/// What a token of this kind names, while its time lasts.
///
/// # Errors
/// Any fault of the token.
pub fn read_pass_token(keys: &TokenKeys, kind: PassKind, token: &str) -> Result<PassToken, TokenFault> {
    keys.unseal(purpose(kind), token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::keys::generate_pem;
    use chrono::TimeDelta;
    use uuid::Uuid;

    #[test]
    fn a_token_is_made_again_and_is_good_for_its_kind_only() {
        let pem = generate_pem().unwrap();
        let keys = TokenKeys::from_pems("https://palmares.test", "palmares", [pem.as_str()]).unwrap();
        let [a, b, c] = [1, 2, 3].map(Uuid::from_u128);
        let content = PassToken { organization: OrganizationId(a), user: UserId(b), pass: PassId(c) };
        let until = Utc::now() + TimeDelta::minutes(15);
        let kinds = [PassKind::MagicLink, PassKind::PasswordReset, PassKind::EmailCode, PassKind::EmailVerification];
        for kind in kinds {
            let token = pass_token(&keys, kind, &content, until).unwrap();
            assert_eq!(pass_token(&keys, kind, &content, until).unwrap(), token);
            for other in kinds {
                assert_eq!(read_pass_token(&keys, other, &token).ok(), (other == kind).then_some(content), "{kind:?} as {other:?}");
            }
        }
        let over = pass_token(&keys, PassKind::MagicLink, &content, Utc::now() - TimeDelta::seconds(1)).unwrap();
        assert!(read_pass_token(&keys, PassKind::MagicLink, &over).is_err());
    }
}
