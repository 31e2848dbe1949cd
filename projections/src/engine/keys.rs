//! The port to the key ring: the read side opens and seals personal data without knowing keys.

use async_trait::async_trait;
use palmares_domain::kernel::{OrganizationId, Place};

/// Opens and seals personal values; an adapter over the write side's key ring implements it.
#[async_trait]
pub trait PersonalKeys: Send + Sync {
    /// Seals `clear` for `place`.
    async fn seal(&self, place: &Place, clear: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Opens a ciphertext that was sealed for `place`; `None` when its key was destroyed.
    async fn open(&self, place: &Place, ciphertext: &[u8]) -> Result<Option<Vec<u8>>, KeyError>;

    /// A keyed hash of a value: equal values of a kind have equal hashes within an organization,
    /// and nothing else can be told from them. It is the one that claims use.
    async fn lookup_hash(&self, organization: OrganizationId, kind: &str, value: &str) -> Result<[u8; 32], KeyError>;

    /// Seals every value, in order; `None` where the subject's key was destroyed.
    async fn seal_many(&self, items: &[(Place, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, KeyError> {
        let mut sealed = Vec::with_capacity(items.len());
        for (place, clear) in items {
            sealed.push(match self.seal(place, clear).await {
                Ok(ciphertext) => Some(ciphertext),
                Err(KeyError::Destroyed) => None,
                Err(error) => return Err(error),
            });
        }
        Ok(sealed)
    }

    /// Opens every ciphertext, in order; `None` where its key was destroyed.
    async fn open_many(&self, items: &[(Place, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, KeyError> {
        let mut opened = Vec::with_capacity(items.len());
        for (place, ciphertext) in items {
            opened.push(self.open(place, ciphertext).await?);
        }
        Ok(opened)
    }

    /// Opens every ciphertext, in order, each by itself: one that does not fit its place takes none of the others down.
    async fn open_each(&self, items: &[(Place, &[u8])]) -> Result<Vec<Opened>, KeyError> {
        match self.open_many(items).await {
            Err(KeyError::Mismatch) => {}
            opened => return Ok(opened?.into_iter().map(Opened::from).collect()),
        }
        let mut opened = Vec::with_capacity(items.len());
        for (place, ciphertext) in items {
            opened.push(match self.open(place, ciphertext).await {
                Err(KeyError::Mismatch) => Opened::Unreadable,
                clear => Opened::from(clear?),
            });
        }
        Ok(opened)
    }
}

/// What became of a ciphertext.
pub enum Opened {
    Clear(Vec<u8>),
    /// Its key was destroyed, or its subject is hidden.
    Gone,
    /// It was altered or moved: whoever wrote it past the application, nobody knows what stood there.
    Unreadable,
}

impl From<Option<Vec<u8>>> for Opened {
    fn from(clear: Option<Vec<u8>>) -> Self {
        clear.map_or(Self::Gone, Self::Clear)
    }
}

/// Why a value could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key store does not answer; the same call may succeed later.
    #[error("the key store is unavailable: {0}")]
    Unavailable(#[source] anyhow::Error),
    /// The ciphertext does not belong to this place or was altered.
    #[error("a ciphertext does not fit its place")]
    Mismatch,
    /// The subject's key was destroyed, so nothing can be sealed for it.
    #[error("the key was destroyed")]
    Destroyed,
}
