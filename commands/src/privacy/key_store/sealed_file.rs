//! One sealed file per epoch, in a folder per organization: the key store without a KMS.
//!
//! `<folder>/<organization>/epoch-<n>.sealed` and `index.sealed`, each 32 bytes under the master
//! key, bound to organization and name. Destroying an epoch is deleting one file; keep the folder
//! out of the backups of the database.

use super::{Epoch, EpochKey, IndexKey, KeyStore, KeyStoreError};
use crate::privacy::cipher::{Cipher, associated_data};
use crate::privacy::{MasterKey, Secret, exclusive_file};
use async_trait::async_trait;
use palmares_domain::kernel::OrganizationId;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const INDEX_FILE: &str = "index.sealed";

fn epoch_file(epoch: Epoch) -> String {
    format!("epoch-{}.sealed", epoch.0)
}

fn parse_epoch_file(name: &str) -> Option<Epoch> {
    let number = name.strip_prefix("epoch-")?.strip_suffix(".sealed")?.parse().ok()?;
    (number >= Epoch::FIRST.0).then_some(Epoch(number))
}

/// Keys in sealed files.
pub struct SealedFileKeyStore {
    files: Arc<Files>,
}

impl SealedFileKeyStore {
    /// A key store in `folder`, which is made where it is missing.
    pub fn open(folder: impl Into<PathBuf>, master: &MasterKey) -> Result<Self, KeyStoreError> {
        let files = Files { folder: folder.into(), cipher: Cipher::new(master.secret())? };
        exclusive_file::create_folder(&files.folder).map_err(at(&files.folder))?;
        Ok(Self { files: Arc::new(files) })
    }

    /// Runs `work` where blocking is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Files) -> Result<T, KeyStoreError> + Send + 'static,
    ) -> Result<T, KeyStoreError> {
        let files = Arc::clone(&self.files);
        tokio::task::spawn_blocking(move || work(&files)).await.map_err(|_| KeyStoreError::Interrupted)?
    }
}

#[async_trait]
impl KeyStore for SealedFileKeyStore {
    async fn epoch_key(&self, organization: OrganizationId, epoch: Epoch) -> Result<Arc<dyn EpochKey>, KeyStoreError> {
        let secret = self.blocking(move |files| files.read(organization, &epoch_file(epoch))).await?;
        let secret = secret.ok_or(KeyStoreError::NoSuchEpoch { organization, epoch })?;
        Ok(Arc::new(Cipher::new(&secret)?))
    }

    async fn current_epoch(&self, organization: OrganizationId) -> Result<Epoch, KeyStoreError> {
        self.blocking(move |files| match files.epochs(organization)?.last() {
            Some(epoch) => Ok(*epoch),
            None => files.read_or_create(organization, &epoch_file(Epoch::FIRST)).map(|_| Epoch::FIRST),
        })
        .await
    }

    async fn begin_epoch(&self, organization: OrganizationId) -> Result<Epoch, KeyStoreError> {
        self.blocking(move |files| {
            let epoch = files.epochs(organization)?.last().map_or(Epoch::FIRST, |epoch| epoch.next());
            files.read_or_create(organization, &epoch_file(epoch)).map(|_| epoch)
        })
        .await
    }

    async fn destroy_epochs_before(&self, organization: OrganizationId, epoch: Epoch) -> Result<(), KeyStoreError> {
        self.blocking(move |files| {
            for old in files.epochs(organization)?.into_iter().filter(|old| *old < epoch) {
                files.destroy(organization, &epoch_file(old))?;
            }
            Ok(())
        })
        .await
    }

    async fn index_key(&self, organization: OrganizationId) -> Result<IndexKey, KeyStoreError> {
        self.blocking(move |files| files.read_or_create(organization, INDEX_FILE)).await.map(IndexKey)
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// The blocking half.
struct Files {
    folder: PathBuf,
    cipher: Cipher,
}

impl Files {
    fn path(&self, organization: OrganizationId, name: &str) -> PathBuf {
        self.folder.join(organization.to_string()).join(name)
    }

    /// The epochs that are there, in order.
    fn epochs(&self, organization: OrganizationId) -> Result<Vec<Epoch>, KeyStoreError> {
        let folder = self.folder.join(organization.to_string());
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(at(&folder)(error)),
        };
        let mut epochs = Vec::new();
        for entry in entries {
            let name = entry.map_err(at(&folder))?.file_name();
            epochs.extend(name.to_str().and_then(parse_epoch_file));
        }
        epochs.sort_unstable();
        Ok(epochs)
    }

    /// Overwrites a key and deletes its file, gone for good when this returns. Overwriting reaches the
    /// blocks of a plain disk; a file system that copies on write may keep them until they are reused.
    fn destroy(&self, organization: OrganizationId, name: &str) -> Result<(), KeyStoreError> {
        let path = self.path(organization, name);
        exclusive_file::destroy(&path).map_err(at(&path))
    }

    fn read(&self, organization: OrganizationId, name: &str) -> Result<Option<Secret>, KeyStoreError> {
        let path = self.path(organization, name);
        let sealed = match fs::read(&path) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&path)(error)),
        };
        let opened = self.cipher.open(&Self::associated(organization, name), &sealed);
        let secret = opened.ok().and_then(|clear| Secret::from_slice(&clear));
        secret.map(Some).ok_or(KeyStoreError::NotOpened(path))
    }

    fn read_or_create(&self, organization: OrganizationId, name: &str) -> Result<Secret, KeyStoreError> {
        if let Some(secret) = self.read(organization, name)? {
            return Ok(secret);
        }
        let path = self.path(organization, name);
        let sealed = self.cipher.seal(&Self::associated(organization, name), Secret::random()?.bytes())?;
        let folder = self.folder.join(organization.to_string());
        exclusive_file::create_folder(&folder).map_err(at(&folder))?;
        exclusive_file::create(&path, &sealed).map_err(at(&path))?;
        // Another node may have been first: what stands in the file now is the key.
        self.read(organization, name)?.ok_or_else(|| at(&path)(ErrorKind::NotFound.into()))
    }

    fn associated(organization: OrganizationId, name: &str) -> Vec<u8> {
        associated_data("palmares/key_store", &[organization.0.as_bytes(), name.as_bytes()])
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> KeyStoreError + use<> {
    let path = path.to_owned();
    move |source| KeyStoreError::Io { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::contract;
    use crate::privacy::exclusive_file::scratch::Scratch;
    use crate::privacy::key_store::MemoryKeyStore;
    use std::os::unix::fs::PermissionsExt;
    use uuid::Uuid;

    fn master() -> MasterKey {
        MasterKey::new(Secret::random().unwrap())
    }

    fn organization() -> OrganizationId {
        OrganizationId(Uuid::now_v7())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn both_adapters_keep_the_contract() {
        let scratch = Scratch::new();
        contract::key_store(&SealedFileKeyStore::open(&scratch.0, &master()).unwrap()).await.unwrap();
        contract::key_store(&MemoryKeyStore::default()).await.unwrap();
    }

    #[tokio::test]
    async fn keys_survive_a_restart() {
        let (scratch, master, organization) = (Scratch::new(), master(), organization());
        let before = SealedFileKeyStore::open(scratch.0.join("keys"), &master).unwrap();
        let epoch = before.current_epoch(organization).await.unwrap();
        let after = SealedFileKeyStore::open(scratch.0.join("keys"), &master).unwrap();
        assert_eq!(after.current_epoch(organization).await.unwrap(), epoch);
        let (old, new) = (before.epoch_key(organization, epoch).await.unwrap(), after.epoch_key(organization, epoch).await.unwrap());
        assert!(contract::is_same(old.as_ref(), new.as_ref()).await.unwrap());
        let (old, new) = (before.index_key(organization).await.unwrap(), after.index_key(organization).await.unwrap());
        assert_eq!(old.0.bytes(), new.0.bytes());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nodes_that_start_at_once_share_one_key() {
        let (scratch, master, organization) = (Scratch::new(), master(), organization());
        let nodes: Vec<_> = (0..12).map(|_| SealedFileKeyStore::open(&scratch.0, &master).unwrap()).collect();
        let tasks: Vec<_> = nodes
            .into_iter()
            .map(|node| {
                tokio::spawn(async move {
                    let epoch = node.current_epoch(organization).await.unwrap();
                    (node.epoch_key(organization, epoch).await.unwrap(), *node.index_key(organization).await.unwrap().0.bytes())
                })
            })
            .collect();
        let mut keys = Vec::new();
        for task in tasks {
            keys.push(task.await.unwrap());
        }
        for (epoch_key, index_key) in &keys {
            assert!(contract::is_same(epoch_key.as_ref(), keys[0].0.as_ref()).await.unwrap());
            assert_eq!(*index_key, keys[0].1);
        }
    }

    #[tokio::test]
    async fn another_master_key_and_a_moved_file_do_not_open() {
        let (scratch, master_key, mine, theirs) = (Scratch::new(), master(), organization(), organization());
        let store = SealedFileKeyStore::open(&scratch.0, &master_key).unwrap();
        store.current_epoch(mine).await.unwrap();
        store.index_key(mine).await.unwrap();
        store.current_epoch(theirs).await.unwrap();

        let other = SealedFileKeyStore::open(&scratch.0, &master()).unwrap();
        let error = other.epoch_key(mine, Epoch::FIRST).await.err().unwrap();
        assert!(matches!(error, KeyStoreError::NotOpened(_)) && error.to_string().contains("another master key"));

        let file = |owner: OrganizationId, name: &str| scratch.0.join(owner.to_string()).join(name);
        for (from, to) in
            [(file(theirs, "epoch-1.sealed"), file(mine, "epoch-1.sealed")), (file(mine, "index.sealed"), file(mine, "epoch-1.sealed"))]
        {
            fs::copy(from, to).unwrap();
            assert!(matches!(store.epoch_key(mine, Epoch::FIRST).await, Err(KeyStoreError::NotOpened(_))));
        }
        fs::copy(file(theirs, "epoch-1.sealed"), file(theirs, "epoch-2.sealed")).unwrap();
        assert_eq!(store.current_epoch(theirs).await.unwrap(), Epoch(2));
        assert!(matches!(store.epoch_key(theirs, Epoch(2)).await, Err(KeyStoreError::NotOpened(_))));
    }

    #[tokio::test]
    async fn files_are_for_their_owner_alone_and_hold_no_clear_key() {
        let (scratch, organization) = (Scratch::new(), organization());
        let store = SealedFileKeyStore::open(&scratch.0, &master()).unwrap();
        let epoch = store.current_epoch(organization).await.unwrap();
        let files = &store.files;
        let key = files.read(organization, &epoch_file(epoch)).unwrap().unwrap();
        let folder = scratch.0.join(organization.to_string());
        let path = folder.join("epoch-1.sealed");
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!fs::read(&path).unwrap().windows(32).any(|window| window == key.bytes()));
    }

    #[tokio::test]
    async fn a_destroyed_epoch_leaves_no_file() {
        let (scratch, organization) = (Scratch::new(), organization());
        let store = SealedFileKeyStore::open(&scratch.0, &master()).unwrap();
        store.current_epoch(organization).await.unwrap();
        store.index_key(organization).await.unwrap();
        let epoch = store.begin_epoch(organization).await.unwrap();
        store.destroy_epochs_before(organization, epoch).await.unwrap();
        let mut left: Vec<_> =
            fs::read_dir(scratch.0.join(organization.to_string())).unwrap().map(|file| file.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["epoch-2.sealed", "index.sealed"]);
    }

    #[test]
    fn only_epoch_files_count_as_epochs() {
        assert_eq!(parse_epoch_file("epoch-12.sealed"), Some(Epoch(12)));
        for name in ["epoch-0.sealed", "epoch--1.sealed", "epoch-.sealed", "index.sealed", "epoch-1.sealed.bak", ".x.tmp"] {
            assert_eq!(parse_epoch_file(name), None, "{name}");
        }
    }
}
