//! Looks whether every data key opens, so that nobody is the first to learn that one does not.

use super::{DataKeyName, KeyRing, KeyStoreError, PrivacyError, Secret, WrappedKey};

/// How many keys are unwrapped in one call.
const AT_ONCE: usize = 500;

impl KeyRing {
    /// Whose keys do not open: somebody changed them, or they are of another key store. What was
    /// sealed under one that is lost is lost with it, as after an erasure that is on no record.
    ///
    /// # Errors
    /// A database or a key store that does not answer.
    pub async fn unopenable(&self) -> Result<Vec<DataKeyName>, PrivacyError> {
        let (mut suspects, mut after) = (Vec::new(), None);
        loop {
            let keys = self.table.keys_after(after, AT_ONCE).await?;
            suspects.extend(self.closed(&keys).await?);
            after = keys.last().map(|key| key.name);
            if keys.len() < AT_ONCE {
                break;
            }
        }
        // Meanwhile one may have been wrapped anew, or destroyed.
        let standing: Vec<WrappedKey> = self.table.get_many(&suspects).await?.into_iter().map(|stored| stored.key).collect();
        self.closed(&standing).await
    }

    /// Which of these keys do not open.
    async fn closed(&self, keys: &[WrappedKey]) -> Result<Vec<DataKeyName>, PrivacyError> {
        // All at once, where all is well.
        if !is_closed(self.unwrap_many(&keys.iter().collect::<Vec<_>>()).await)? {
            return Ok(Vec::new());
        }
        let mut closed = Vec::new();
        for key in keys {
            if is_closed(self.unwrap_many(&[key]).await)? {
                closed.push(key.name);
            }
        }
        Ok(closed)
    }
}

fn is_closed(unwrapped: Result<Vec<Secret>, PrivacyError>) -> Result<bool, PrivacyError> {
    match unwrapped {
        Ok(_) => Ok(false),
        Err(PrivacyError::WrongEpochKey(..) | PrivacyError::KeyStore(KeyStoreError::NoSuchEpoch { .. })) => Ok(true),
        Err(error) => Err(error),
    }
}
