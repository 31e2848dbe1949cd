//! The key of an export that answers somebody's request: derived from the export, so that none is kept, and told in
//! the letter to whose export it is alone.

use age::secrecy::SecretString;
use palmares_commands::privacy::{KeyRing, PrivacyError};
use palmares_domain::kernel::{Digest, ExportId, OrganizationId};

/// Under this kind the organization's index key hashes what a key is for.
const KIND: &str = "answer_export_key";
/// Hexadecimal digits, which makes 128 bits: nobody's guess.
const DIGITS: usize = 32;
const GROUP: usize = 4;
/// What a passphrase that people make up would need is wasted on one that is random.
const WORK_FACTOR_LOG: u8 = 12;

/// The passphrase (age-encryption.org/v1, scrypt) of an export: always the same one, and nobody's guess without the
/// organization's key.
///
/// # Errors
/// Keys that cannot be reached.
pub(in crate::reactors) async fn answer_key(
    ring: &KeyRing,
    organization: OrganizationId,
    export: ExportId,
) -> Result<String, PrivacyError> {
    let digits = Digest(ring.lookup_hash(organization, KIND, &export.to_string()).await?).to_string();
    let letters: Vec<char> = digits.chars().take(DIGITS).collect();
    Ok(letters.chunks(GROUP).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
}

/// Who opens what is sealed under a passphrase.
pub(super) fn recipient(passphrase: String) -> age::scrypt::Recipient {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase));
    recipient.set_work_factor(WORK_FACTOR_LOG);
    recipient
}

#[cfg(test)]
mod tests {
    use super::*;
    use palmares_commands::privacy::{data_keys::MemoryDataKeyTable, key_store::MemoryKeyStore};
    use std::sync::Arc;
    use uuid::Uuid;

    // covers: E-178
    #[tokio::test]
    async fn a_key_belongs_to_its_export_and_organization_and_opens_what_is_sealed_under_it() {
        let ring = KeyRing::new(Arc::new(MemoryKeyStore::default()), Arc::new(MemoryDataKeyTable::default()));
        let of = async |organization: u128, export: u128| {
            answer_key(&ring, OrganizationId(Uuid::from_u128(organization)), ExportId(Uuid::from_u128(export))).await.unwrap()
        };
        let key = of(1, 1).await;
        assert!(key.len() == 39 && key.split('-').all(|group| group.len() == 4), "{key}");
        assert_eq!(key, of(1, 1).await);
        assert!(key != of(1, 2).await && key != of(2, 1).await);
        let sealed = age::encrypt(&recipient(key.clone()), b"all of it").unwrap();
        let opened = |key: String| age::decrypt(&age::scrypt::Identity::new(SecretString::from(key)), &sealed);
        assert_eq!(opened(key).unwrap(), b"all of it");
        assert!(opened(of(1, 2).await).is_err());
    }
}
