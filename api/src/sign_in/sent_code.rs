//! Codes that are sent: derived from what they are sent for, so that none is kept.

use crate::problem::Problem;
use aws_lc_rs::constant_time;
use palmares_commands::{
    engine::Rejection,
    privacy::{KeyRing, PrivacyError},
};
use palmares_domain::kernel::{OrganizationId, PassId, UserId};

/// Under these kinds the organization's index key hashes what a code is sent for: by mail or by text message, a
/// pass has an id of its own.
const PASS: &str = "email_code";
const SIGNUP: &str = "signup_code";
const CODES: u64 = 1_000_000;

/// The six digits of a pass: always the same ones, and nobody's guess without the organization's key.
///
/// # Errors
/// Keys that cannot be reached.
pub async fn pass_code(ring: &KeyRing, organization: OrganizationId, pass: PassId) -> Result<String, PrivacyError> {
    Ok(digits(&ring.lookup_hash(organization, PASS, &pass.to_string()).await?))
}

/// Whether a code is the one of a pass.
///
/// # Errors
/// Keys that cannot be reached.
pub async fn is_code_of(ring: &KeyRing, organization: OrganizationId, pass: PassId, code: &str) -> Result<bool, Problem> {
    let sent = pass_code(ring, organization, pass).await.map_err(|error| Rejection::Internal(error.into()))?;
    Ok(constant_time::verify_slices_are_equal(sent.as_bytes(), code.as_bytes()).is_ok())
}

/// The six digits of this generation that go on with a sign-up.
///
/// # Errors
/// Keys that cannot be reached.
pub async fn signup_code(ring: &KeyRing, organization: OrganizationId, user: UserId, generation: u32) -> Result<String, PrivacyError> {
    Ok(digits(&ring.lookup_hash(organization, SIGNUP, &format!("{user}\n{generation}")).await?))
}

fn digits(hash: &[u8; 32]) -> String {
    let [a, b, c, d, e, f, g, h, ..] = *hash;
    // Of 2^64 values, a remainder is more likely than another by 10^-13 of itself at most.
    format!("{:06}", u64::from_be_bytes([a, b, c, d, e, f, g, h]) % CODES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use palmares_commands::privacy::{data_keys::MemoryDataKeyTable, key_store::MemoryKeyStore};
    use std::sync::Arc;
    use uuid::Uuid;

    #[tokio::test]
    async fn a_code_has_six_digits_and_belongs_to_its_pass_and_organization() {
        let ring = KeyRing::new(Arc::new(MemoryKeyStore::default()), Arc::new(MemoryDataKeyTable::default()));
        let of = async |organization: u128, pass: u128| {
            pass_code(&ring, OrganizationId(Uuid::from_u128(organization)), PassId(Uuid::from_u128(pass))).await.unwrap()
        };
        let code = of(1, 1).await;
        assert!(code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
        assert_eq!(code, of(1, 1).await);
        assert!(code != of(1, 2).await || code != of(1, 3).await);
        assert!(code != of(2, 1).await || code != of(3, 1).await);
    }

    #[test]
    fn small_codes_keep_their_zeros() {
        let mut hash = [0; 32];
        hash[7] = 42;
        assert_eq!(digits(&hash), "000042");
    }
}
