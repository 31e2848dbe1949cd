//! Data keys ready for use, for a while.
//!
//! A look-up stands on the way of every sealed field, so it is one in a plain map: a concurrent cache
//! costs several times what the cipher does.

use super::Sealed;
use crate::digests::digest_of;
use crate::generations::{Generations, Weigh};
use crate::privacy::cipher::Cipher;
use crate::privacy::{DataKeyName, PrivacyError};
use palmares_domain::kernel::Place;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A key that was destroyed is not used after this time, whatever else fails.
const KEPT_FOR: Duration = Duration::from_secs(600);
/// How often keys that nobody asks for any more are wiped.
const TIDIED_EVERY: Duration = Duration::from_secs(60);

/// A data key ready for use.
#[derive(Clone)]
pub(in crate::privacy) struct Prepared {
    pub cipher: Arc<Cipher>,
    /// It seals, and opens nothing.
    pub hidden: bool,
}

impl Prepared {
    /// Seals a value for its place.
    pub fn seal(&self, place: &Place, clear: &[u8]) -> Result<Sealed, PrivacyError> {
        let ciphertext = self.cipher.seal(&place.associated_data(), clear)?;
        let digest = digest_of(&ciphertext);
        Ok(Sealed { ciphertext, digest })
    }
}

#[derive(Clone)]
struct Kept {
    key: Prepared,
    until: Instant,
}

impl Weigh for Kept {}

/// The keys that this node has prepared.
pub(super) struct PreparedKeys {
    keys: Mutex<Generations<DataKeyName, Kept>>,
    tidied: Mutex<Instant>,
}

impl PreparedKeys {
    /// Keeps at most so many.
    pub fn new(capacity: usize) -> Self {
        Self { keys: Mutex::new(Generations::new(capacity / 2)), tidied: Mutex::new(Instant::now()) }
    }

    pub fn get(&self, name: &DataKeyName) -> Option<Prepared> {
        let kept = self.keys().get(name)?;
        if kept.until > Instant::now() {
            return Some(kept.key);
        }
        self.forget(name);
        None
    }

    pub fn insert(&self, name: DataKeyName, key: Prepared) {
        self.keys().insert(name, Kept { key, until: Instant::now() + KEPT_FOR });
    }

    pub fn forget(&self, name: &DataKeyName) {
        self.keys().remove(name);
    }

    pub fn forget_all(&self) {
        self.keys().clear();
    }

    /// Wipes what is too old, where that was not done lately.
    pub fn tidy(&self) {
        let now = Instant::now();
        let mut tidied = self.tidied.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(*tidied) >= TIDIED_EVERY {
            *tidied = now;
            self.keys().retain(|kept| kept.until > now);
        }
    }

    fn keys(&self) -> MutexGuard<'_, Generations<DataKeyName, Kept>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::cipher::Secret;
    use palmares_domain::kernel::{OrganizationId, Purpose};
    use uuid::Uuid;

    fn name(subject: u128) -> DataKeyName {
        DataKeyName { organization: OrganizationId(Uuid::nil()), subject: Uuid::from_u128(subject), purpose: Purpose::Profile }
    }

    fn key() -> Prepared {
        Prepared { cipher: Arc::new(Cipher::new(&Secret::random().unwrap()).unwrap()), hidden: false }
    }

    #[test]
    fn a_key_is_used_until_its_time_is_over_and_wiped_behind_it() {
        let keys = PreparedKeys::new(100);
        let (kept, old) = (key(), key());
        keys.insert(name(1), kept.clone());
        keys.keys().insert(name(2), Kept { key: old.clone(), until: Instant::now() });
        keys.tidy();
        assert_eq!(Arc::strong_count(&old.cipher), 2, "tidied a moment ago");
        *keys.tidied.lock().unwrap() -= TIDIED_EVERY;
        keys.tidy();
        assert_eq!((Arc::strong_count(&kept.cipher), Arc::strong_count(&old.cipher)), (2, 1));
        keys.keys().insert(name(2), Kept { key: old.clone(), until: Instant::now() });
        assert!(keys.get(&name(1)).is_some() && keys.get(&name(2)).is_none());
        assert_eq!(Arc::strong_count(&old.cipher), 1, "whoever finds it too old wipes it");
    }

    #[test]
    fn more_keys_than_the_capacity_are_never_kept() {
        let keys = PreparedKeys::new(10);
        (0..1_000).for_each(|subject| keys.insert(name(subject), key()));
        assert!(keys.get(&name(999)).is_some());
        assert!((0..1_000).filter(|subject| keys.keys().get(&name(*subject)).is_some()).count() <= 10);
    }
}
