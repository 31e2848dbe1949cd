//! The tokens of passes: what the link in a letter carries.
//!
//! None is stored: the letter's is made again from the event of the pass, and it is good once because
//! the credential says so. The device on which a pass was asked for is not stored either: the pass's id
//! tells it from others.

use crate::pipeline::{TokenKeys, keys::KeyFault, tokens::TokenFault};
use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use palmares_domain::{
    identity::credential::PassKind,
    kernel::{Digest, OrganizationId, PassId, UserId},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
        PassKind::AccountReminder => "account_reminder",
        PassKind::PhoneEnrolment => "phone_enrolment",
        PassKind::PhoneCode => "phone_code",
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

/// How many bytes of a pass's id are random; the others are the mark of a device.
const RANDOM_BYTES: usize = 9;

/// The id of a new pass, marked with the device on which it is asked for, where it tells its id.
pub fn fresh_pass(device: Option<Digest>) -> PassId {
    let mut bytes = Uuid::new_v4().into_bytes();
    let (random, mark) = bytes.split_at_mut(RANDOM_BYTES);
    mark.copy_from_slice(&marked(random, device)[..mark.len()]);
    PassId(Uuid::from_bytes(bytes))
}

/// Whether a pass may be used on a device: where it was asked for on one that told its id, on that one.
pub fn comes_from(pass: PassId, device: Option<Digest>) -> bool {
    let (random, mark) = pass.0.as_bytes().split_at(RANDOM_BYTES);
    [None, device].into_iter().any(|device| marked(random, device)[..mark.len()] == *mark)
}

fn marked(random: &[u8], device: Option<Digest>) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(random);
    if let Some(Digest(device)) = device {
        context.update(&device);
    }
    let mut marked = [0; 32];
    marked.copy_from_slice(context.finish().as_ref());
    marked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::keys::generate_pem;
    use chrono::TimeDelta;

    // covers: E-105
    #[test]
    fn a_pass_that_was_asked_for_on_a_device_is_good_on_that_one_only() {
        let (phone, laptop) = (Some(Digest([1; 32])), Some(Digest([2; 32])));
        let bound = fresh_pass(phone);
        assert_eq!([phone, laptop, None].map(|device| comes_from(bound, device)), [true, false, false]);
        let free = fresh_pass(None);
        assert_eq!([phone, laptop, None].map(|device| comes_from(free, device)), [true; 3]);
        assert_ne!(fresh_pass(phone), bound);
    }

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
