//! Why personal data was not sealed or opened.

use super::{CipherError, DataKeyName, Epoch, KeyStoreError, Subject};
use palmares_domain::kernel::{OrganizationId, Place};

/// None of these texts holds a key or a clear value. A key that does not exist any more is no
/// error but `None`.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    #[error(transparent)]
    KeyStore(#[from] KeyStoreError),
    #[error("the tables of keys and sealed rows cannot be reached")]
    Database(#[from] sqlx::Error),
    #[error("the ciphertext at {} {} {} was altered, or was moved there", .0.container, .0.id, .0.field)]
    NotAuthentic(Box<Place>),
    #[error("the ciphertext at {} {} {} is not the one that its event recorded", .0.container, .0.id, .0.field)]
    DigestMismatch(Box<Place>),
    #[error("the value at {} {} {} is not of the field's type", .0.container, .0.id, .0.field)]
    WrongType(Box<Place>),
    #[error("the {} key of subject {} in organization {} does not open under epoch {}: is this the key store of this database?",
        .0.purpose.name(), .0.subject, .0.organization, .1.0)]
    WrongEpochKey(DataKeyName, Epoch),
    /// A tombstone stands where the key would: its subject was erased.
    #[error("no {} key may be made for subject {} in organization {}", .0.purpose.name(), .0.subject, .0.organization)]
    KeyRefused(DataKeyName),
    #[error("the keys of subject {} in organization {} are under legal hold", .0.id, .0.organization)]
    UnderLegalHold(Subject),
    #[error("the epoch of organization {0} was retired while a key was made under it")]
    EpochRetired(OrganizationId),
    #[error("no purpose is named `{0}`")]
    UnknownPurpose(String),
    #[error("field `{0}` cannot be written as JSON")]
    NotSerialisable(&'static str),
    #[error(transparent)]
    Cipher(#[from] CipherError),
}

impl PrivacyError {
    /// Whether one ciphertext was altered or moved, and the next may well be opened.
    pub fn is_of_one_value(&self) -> bool {
        matches!(self, Self::NotAuthentic(_) | Self::DigestMismatch(_) | Self::Cipher(CipherError::UnknownFormat))
    }
}
