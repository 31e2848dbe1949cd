//! The read side's way to the key ring.

use async_trait::async_trait;
use palmares_commands::privacy::{KeyRing, PrivacyError, SealRequest};
use palmares_domain::kernel::{OrganizationId, Place};
use palmares_projections::engine::{KeyError, PersonalKeys};
use std::sync::Arc;

/// The key ring as the read side sees it.
pub(super) struct RingKeys(pub Arc<KeyRing>);

#[async_trait]
impl PersonalKeys for RingKeys {
    async fn seal(&self, place: &Place, clear: &[u8]) -> Result<Vec<u8>, KeyError> {
        let sealed = self.0.seal_many(&[SealRequest { place, clear }]).await.map_err(key_error)?;
        sealed.into_iter().next().map(|sealed| sealed.ciphertext).ok_or(KeyError::Destroyed)
    }

    async fn open(&self, place: &Place, ciphertext: &[u8]) -> Result<Option<Vec<u8>>, KeyError> {
        let opened = self.0.open_many(&[(place.clone(), ciphertext)]).await.map_err(key_error)?;
        Ok(opened.into_iter().next().flatten().map(|clear| clear.to_vec()))
    }

    async fn lookup_hash(&self, organization: OrganizationId, kind: &str, value: &str) -> Result<[u8; 32], KeyError> {
        self.0.lookup_hash(organization, kind, value).await.map_err(key_error)
    }

    async fn seal_many(&self, items: &[(Place, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, KeyError> {
        let requests: Vec<_> = items.iter().map(|(place, clear)| SealRequest { place, clear }).collect();
        match self.0.seal_many(&requests).await {
            Ok(sealed) => Ok(sealed.into_iter().map(|sealed| Some(sealed.ciphertext)).collect()),
            // One destroyed key refuses them all together: each is asked for on its own.
            Err(PrivacyError::KeyRefused(_)) => {
                let mut sealed = Vec::with_capacity(items.len());
                for (place, clear) in items {
                    sealed.push(match self.seal(place, clear).await {
                        Err(KeyError::Destroyed) => None,
                        ciphertext => Some(ciphertext?),
                    });
                }
                Ok(sealed)
            }
            Err(error) => Err(key_error(error)),
        }
    }

    async fn open_many(&self, items: &[(Place, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, KeyError> {
        let opened = self.0.open_many(items).await.map_err(key_error)?;
        Ok(opened.into_iter().map(|clear| clear.map(|clear| clear.to_vec())).collect())
    }
}

fn key_error(error: PrivacyError) -> KeyError {
    match error {
        PrivacyError::KeyRefused(_) => KeyError::Destroyed,
        error if error.is_of_one_value() => KeyError::Mismatch,
        error => KeyError::Unavailable(error.into()),
    }
}
