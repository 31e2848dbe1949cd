//! Custody of keys: what may be done to them beyond sealing and opening. Whoever erases asks here.

use super::{Epoch, KeyLife, KeyRing, PrivacyError, Redacted, SealedRows, Subject, SubjectKeys, WrappedKey};
use palmares_domain::kernel::{OrganizationId, Purpose};
use std::sync::Arc;
use uuid::Uuid;

/// How many keys are wrapped anew at once.
const REWRAPPED_AT_ONCE: usize = 500;

/// What a rotation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The epoch that all keys of the organization are under; those before it are destroyed.
    pub epoch: Epoch,
    /// How many keys were wrapped anew by this call.
    pub rewrapped: usize,
}

/// Hides, holds, destroys and redacts. Each step is durable when it returns and may be repeated.
pub struct Custody {
    ring: Arc<KeyRing>,
    life: Arc<dyn KeyLife>,
    rows: Arc<dyn SealedRows>,
}

impl Custody {
    pub fn new(ring: Arc<KeyRing>, life: Arc<dyn KeyLife>, rows: Arc<dyn SealedRows>) -> Self {
        Self { ring, life, rows }
    }

    /// Makes the subject's data read as absent: here when this returns, elsewhere as soon as it is
    /// heard, and within [`super::FORGOTTEN_EVERYWHERE_WITHIN`] in any case. New data is still sealed.
    pub async fn hide(&self, subject: Subject) -> Result<(), PrivacyError> {
        self.life.hide(subject).await?;
        self.ring.evict(subject.organization, subject.id);
        Ok(())
    }

    /// Takes [`Custody::hide`] back. What was destroyed meanwhile stays destroyed.
    pub async fn unhide(&self, subject: Subject) -> Result<(), PrivacyError> {
        self.life.unhide(subject).await?;
        self.ring.evict(subject.organization, subject.id);
        Ok(())
    }

    /// Keeps the subject's keys from destruction until `hold` is released, hidden or not.
    pub async fn quarantine(&self, subject: Subject, hold: Uuid) -> Result<(), PrivacyError> {
        self.life.quarantine(subject, hold).await
    }

    pub async fn release(&self, subject: Subject, hold: Uuid) -> Result<(), PrivacyError> {
        self.life.release(subject, hold).await
    }

    /// Destroys the keys of these purposes and leaves tombstones, so that none is made again: sealing
    /// fails with [`PrivacyError::KeyRefused`], reading finds nothing. Answers how many keys there were.
    ///
    /// Refused with [`PrivacyError::UnderLegalHold`] while there is a hold. Other nodes have forgotten
    /// the keys within [`super::FORGOTTEN_EVERYWHERE_WITHIN`]; older backups hold them still, until the
    /// organization's epoch is rotated.
    pub async fn destroy_keys(&self, subject: Subject, purposes: &[Purpose], erasure: Uuid) -> Result<usize, PrivacyError> {
        let destroyed = self.life.destroy(subject, purposes, erasure).await?;
        self.ring.evict(subject.organization, subject.id);
        Ok(destroyed)
    }

    /// Deletes what was sealed under the keys that this erasure destroyed: rows beside events, client
    /// contexts, sealed snapshots. Events stay, and verify. Rows whose key stands are not touched.
    pub async fn redact(&self, subject: Subject, purposes: &[Purpose], erasure: Uuid) -> Result<Redacted, PrivacyError> {
        self.rows.redact(subject, purposes, erasure).await
    }

    /// What stands of a subject: keys, tombstones, holds.
    pub async fn subject_keys(&self, subject: Subject) -> Result<SubjectKeys, PrivacyError> {
        self.life.subject_keys(subject).await
    }

    /// Wraps every key of the organization under a new epoch and destroys those before it, so that no
    /// older backup of the database opens any more. Readers and writers go on meanwhile.
    ///
    /// After a crash at any step it is simply called again: it begins one more epoch and ends all
    /// others. Who remembers the epoch goes on with [`Custody::complete_rotation`] instead.
    pub async fn rotate_epoch(&self, organization: OrganizationId) -> Result<Rotated, PrivacyError> {
        let epoch = self.begin_rotation(organization).await?;
        self.complete_rotation(organization, epoch).await
    }

    /// The first step: a new epoch, under which keys are made from now on.
    pub async fn begin_rotation(&self, organization: OrganizationId) -> Result<Epoch, PrivacyError> {
        Ok(self.ring.store().begin_epoch(organization).await?)
    }

    /// The other steps: no key is made under an older epoch, those that are there are wrapped anew, and
    /// the older epochs are destroyed. A key that does not unwrap stops it before anything is destroyed.
    pub async fn complete_rotation(&self, organization: OrganizationId, epoch: Epoch) -> Result<Rotated, PrivacyError> {
        self.life.retire_epochs(organization, epoch.before()).await?;
        let mut rewrapped = 0;
        loop {
            let old = self.life.keys_up_to(organization, epoch.before(), REWRAPPED_AT_ONCE).await?;
            if old.is_empty() {
                break;
            }
            let secrets = self.ring.unwrap_many(&old.iter().collect::<Vec<&WrappedKey>>()).await?;
            let secrets = old.iter().map(|key| key.name).zip(secrets).map(Ok);
            let new = self.ring.wrapped(organization, epoch, secrets).await?;
            self.life.rewrap(organization, &new).await?;
            rewrapped += new.len();
        }
        self.ring.store().destroy_epochs_before(organization, epoch).await?;
        self.ring.evict_epochs(organization, epoch);
        Ok(Rotated { epoch, rewrapped })
    }
}
