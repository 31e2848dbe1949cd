//! The tokens of security notices: what the link "this was not me" carries.
//!
//! None is stored: the letter's is made again from its event, and it is good once because the watch over
//! the user's sign-ins says so.

use crate::pipeline::{TokenKeys, keys::KeyFault, tokens::TokenFault};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::{LetterId, OrganizationId, UserId};
use serde::{Deserialize, Serialize};

const PURPOSE: &str = "disown_sign_in";

/// What a link names: whose letter it is, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisownToken {
    pub organization: OrganizationId,
    pub user: UserId,
    pub letter: LetterId,
}

/// The token of a notice. The same letter gives the same token.
///
/// # Errors
/// Where no private key was given.
pub fn disown_token(keys: &TokenKeys, content: &DisownToken, expires_at: DateTime<Utc>) -> Result<String, KeyFault> {
    keys.seal(PURPOSE, content, expires_at)
}

/// What a token names, while its time lasts.
///
/// # Errors
/// Any fault of the token.
pub fn read_disown_token(keys: &TokenKeys, token: &str) -> Result<DisownToken, TokenFault> {
    keys.unseal(PURPOSE, token)
}
