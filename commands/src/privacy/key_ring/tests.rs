mod life;

use super::*;
use crate::digests::digest_of;
use crate::privacy::contract;
use crate::privacy::data_keys::{KeyChange, MemoryDataKeyTable};
use crate::privacy::key_store::{MemoryKeyStore, SealedFileKeyStore};
use crate::privacy::{MasterKey, exclusive_file::scratch::Scratch};

struct World {
    store: Arc<dyn KeyStore>,
    table: Arc<MemoryDataKeyTable>,
}

impl World {
    fn new() -> Self {
        Self { store: Arc::new(MemoryKeyStore::default()), table: Arc::new(MemoryDataKeyTable::default()) }
    }

    /// A ring with nothing cached: another node, or this one after a restart.
    fn node(&self) -> KeyRing {
        KeyRing::new(self.store.clone(), self.table.clone())
    }
}

fn place() -> Place {
    Place {
        organization: OrganizationId(Uuid::now_v7()),
        subject: Uuid::now_v7(),
        purpose: Purpose::Health,
        container: "event/activity_log/1".to_owned(),
        id: Uuid::now_v7(),
        field: "value".to_owned(),
    }
}

async fn seal_one(ring: &KeyRing, place: &Place, clear: &[u8]) -> Sealed {
    ring.seal_many(&[SealRequest { place, clear }]).await.unwrap().remove(0)
}

async fn open_one(ring: &KeyRing, place: &Place, ciphertext: &[u8]) -> Result<Option<Vec<u8>>, PrivacyError> {
    let mut opened = ring.open_many(&[(place.clone(), ciphertext)]).await?;
    Ok(opened.remove(0).map(|clear| clear.to_vec()))
}

#[tokio::test]
async fn what_one_node_seals_another_opens() {
    let (world, place) = (World::new(), place());
    let sealed = seal_one(&world.node(), &place, b"72 bpm").await;
    assert_eq!(sealed.digest, digest_of(&sealed.ciphertext));
    assert!(!sealed.ciphertext.windows(6).any(|window| window == b"72 bpm"));
    assert_eq!(open_one(&world.node(), &place, &sealed.ciphertext).await.unwrap().unwrap(), b"72 bpm");
}

#[tokio::test]
async fn a_batch_keeps_its_order_over_subjects_and_purposes() {
    let (world, first) = (World::new(), place());
    let places = [
        first.clone(),
        Place { purpose: Purpose::Reward, ..first.clone() },
        place(),
        Place { field: "note".to_owned(), ..first.clone() },
        first.clone(),
    ];
    let clear = [b"a".as_slice(), b"b", b"c", b"d", b"a"];
    let requests: Vec<_> = places.iter().zip(clear).map(|(place, clear)| SealRequest { place, clear }).collect();
    let sealed = world.node().seal_many(&requests).await.unwrap();
    let items: Vec<_> = places.iter().zip(&sealed).map(|(place, sealed)| (place.clone(), sealed.ciphertext.as_slice())).collect();
    let opened = world.node().open_many(&items).await.unwrap();
    let opened: Vec<_> = opened.iter().map(|clear| clear.as_ref().unwrap().as_slice()).collect();
    assert_eq!(opened, clear);
    assert!(world.node().seal_many(&[]).await.unwrap().is_empty() && world.node().open_many(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_ciphertext_moved_in_any_part_of_its_place_is_refused() {
    let (world, here) = (World::new(), place());
    let ring = world.node();
    let sealed = seal_one(&ring, &here, b"secret").await;
    let moved = [
        Place { organization: OrganizationId(Uuid::now_v7()), ..here.clone() },
        Place { subject: Uuid::now_v7(), ..here.clone() },
        Place { purpose: Purpose::Hr, ..here.clone() },
        Place { container: "event/activity_log/2".to_owned(), ..here.clone() },
        Place { id: Uuid::now_v7(), ..here.clone() },
        Place { field: "note".to_owned(), ..here.clone() },
    ];
    for place in moved {
        seal_one(&ring, &place, b"so that its key exists").await;
        let error = open_one(&ring, &place, &sealed.ciphertext).await.unwrap_err();
        assert!(matches!(error, PrivacyError::NotAuthentic(at) if *at == place));
    }
    let mut altered = sealed.ciphertext.clone();
    altered[20] ^= 1;
    assert!(matches!(open_one(&ring, &here, &altered).await, Err(PrivacyError::NotAuthentic(_))));
    assert!(matches!(open_one(&ring, &here, b"").await, Err(PrivacyError::NotAuthentic(_))));
}

#[tokio::test]
async fn a_destroyed_key_reads_as_none_and_leaves_others_readable() {
    let (world, mine) = (World::new(), place());
    let (ring, other) = (world.node(), Place { purpose: Purpose::Reward, ..mine.clone() });
    let (sealed, kept) = (seal_one(&ring, &mine, b"health").await, seal_one(&ring, &other, b"reward").await);
    world.table.lose(DataKeyName::of(&mine));
    assert!(open_one(&ring, &mine, &sealed.ciphertext).await.unwrap().is_some(), "still cached on this node");
    ring.evict(mine.organization, mine.subject);
    for node in [ring, world.node()] {
        assert_eq!(open_one(&node, &mine, &sealed.ciphertext).await.unwrap(), None);
        assert_eq!(open_one(&node, &other, &kept.ciphertext).await.unwrap().unwrap(), b"reward");
        let both = [(mine.clone(), sealed.ciphertext.as_slice()), (other.clone(), kept.ciphertext.as_slice())];
        let readable: Vec<bool> = node.open_many(&both).await.unwrap().iter().map(Option::is_some).collect();
        assert_eq!(readable, [false, true]);
    }
}

#[test]
fn every_purpose_is_evicted() {
    // A purpose added to the kernel stops this from compiling until `PURPOSES` has it too.
    let number = |purpose| match purpose {
        Purpose::Profile => 0,
        Purpose::Health => 1,
        Purpose::Reward => 2,
        Purpose::Hr => 3,
        Purpose::Security => 4,
        Purpose::Case => 5,
    };
    assert_eq!(PURPOSES.map(number), [0, 1, 2, 3, 4, 5]);
}

/// A table whose key is destroyed, and evicted everywhere, while its row is on the way.
struct DestroyedInFlight {
    inner: MemoryDataKeyTable,
    ring: std::sync::OnceLock<std::sync::Weak<KeyRing>>,
}

#[async_trait::async_trait]
impl DataKeyTable for DestroyedInFlight {
    async fn get_many(&self, names: &[DataKeyName]) -> Result<Vec<StoredKey>, PrivacyError> {
        let found = self.inner.get_many(names).await?;
        for StoredKey { key, .. } in &found {
            self.inner.lose(key.name);
            if let Some(ring) = self.ring.get().and_then(std::sync::Weak::upgrade) {
                ring.evict(key.name.organization, key.name.subject);
            }
        }
        Ok(found)
    }

    async fn insert_many(&self, keys: &[WrappedKey]) -> Result<Vec<StoredKey>, PrivacyError> {
        self.inner.insert_many(keys).await
    }

    async fn sample(&self) -> Result<Option<WrappedKey>, PrivacyError> {
        self.inner.sample().await
    }

    async fn keys_after(&self, after: Option<DataKeyName>, limit: usize) -> Result<Vec<WrappedKey>, PrivacyError> {
        self.inner.keys_after(after, limit).await
    }

    async fn last_change(&self) -> Result<i64, PrivacyError> {
        self.inner.last_change().await
    }

    async fn changes_after(&self, seq: i64) -> Result<Vec<KeyChange>, PrivacyError> {
        self.inner.changes_after(seq).await
    }
}

#[tokio::test]
async fn a_key_fetched_before_its_eviction_is_not_kept_after_it() {
    let table = Arc::new(DestroyedInFlight { inner: MemoryDataKeyTable::default(), ring: std::sync::OnceLock::new() });
    let ring = Arc::new(KeyRing::new(Arc::new(MemoryKeyStore::default()), table.clone()));
    table.ring.set(Arc::downgrade(&ring)).unwrap();
    let place = place();
    let sealed = seal_one(&ring, &place, b"secret").await;
    ring.evict(place.organization, place.subject);
    assert!(open_one(&ring, &place, &sealed.ciphertext).await.unwrap().is_some(), "the row was read before it went");
    assert_eq!(open_one(&ring, &place, &sealed.ciphertext).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_make_a_key_at_once_share_it() {
    let (world, place) = (World::new(), place());
    let tasks: Vec<_> = (0..16u8)
        .map(|n| {
            let (node, place) = (world.node(), place.clone());
            tokio::spawn(async move { seal_one(&node, &place, &[n]).await })
        })
        .collect();
    let reader = world.node();
    for (n, task) in tasks.into_iter().enumerate() {
        let sealed = task.await.unwrap();
        assert_eq!(open_one(&reader, &place, &sealed.ciphertext).await.unwrap().unwrap(), [n as u8]);
    }
}

#[tokio::test]
async fn the_fast_path_seals_all_or_nothing() {
    let (world, cached, absent) = (World::new(), place(), place());
    let ring = world.node();
    fn request(place: &Place) -> SealRequest<'_> {
        SealRequest { place, clear: b"x" }
    }
    assert!(ring.try_seal_cached(&[request(&cached)]).unwrap().is_none());
    seal_one(&ring, &cached, b"x").await;
    let sealed = ring.try_seal_cached(&[request(&cached)]).unwrap().unwrap().remove(0);
    assert_eq!(open_one(&ring, &cached, &sealed.ciphertext).await.unwrap().unwrap(), b"x");
    assert!(ring.try_seal_cached(&[request(&cached), request(&absent)]).unwrap().is_none());
    assert!(ring.try_seal_cached(&[]).unwrap().unwrap().is_empty());
}

#[tokio::test]
async fn a_wrapped_key_opens_under_its_own_name_and_epoch_only() {
    let (world, place) = (World::new(), place());
    seal_one(&world.node(), &place, b"x").await;
    let name = DataKeyName::of(&place);
    let stolen = world.table.get_many(&[name]).await.unwrap().remove(0).key;
    let other = DataKeyName { subject: Uuid::now_v7(), ..name };
    world.table.insert_many(&[WrappedKey { name: other, ..stolen.clone() }]).await.unwrap();
    let elsewhere = Place { subject: other.subject, ..place.clone() };
    let error = open_one(&world.node(), &elsewhere, b"anything").await.unwrap_err();
    assert!(matches!(error, PrivacyError::WrongEpochKey(at, _) if at == other));

    world.table.lose(name);
    world.table.insert_many(&[WrappedKey { epoch: Epoch(2), ..stolen }]).await.unwrap();
    let error = open_one(&world.node(), &place, b"anything").await.unwrap_err();
    assert!(matches!(error, PrivacyError::KeyStore(_)), "an epoch that is missing is no erasure");
}

#[tokio::test]
async fn the_key_store_of_another_database_is_noticed() {
    let (world, place, scratch) = (World::new(), place(), Scratch::new());
    world.node().verify_key_store().await.unwrap();
    seal_one(&world.node(), &place, b"x").await;
    world.node().verify_key_store().await.unwrap();
    assert!(!world.node().is_durable());

    let master = MasterKey::new(Secret::random().unwrap());
    let other = SealedFileKeyStore::open(&scratch.0, &master).unwrap();
    let ring = KeyRing::new(Arc::new(other), world.table.clone());
    assert!(ring.is_durable());
    assert!(matches!(ring.verify_key_store().await, Err(PrivacyError::KeyStore(_))));
    ring.store.current_epoch(place.organization).await.unwrap();
    assert!(matches!(ring.verify_key_store().await, Err(PrivacyError::WrongEpochKey(..))));
}

#[tokio::test]
async fn lookup_hashes_tell_equality_within_one_organization_and_kind() {
    let (world, mine, theirs) = (World::new(), OrganizationId(Uuid::now_v7()), OrganizationId(Uuid::now_v7()));
    let hash = world.node().lookup_hash(mine, "external_ref", "1503960366").await.unwrap();
    assert_eq!(world.node().lookup_hash(mine, "external_ref", "1503960366").await.unwrap(), hash);
    for (organization, kind, value) in [
        (theirs, "external_ref", "1503960366"),
        (mine, "email", "1503960366"),
        (mine, "external_ref", "1503960367"),
        (mine, "external_ref1", "503960366"),
    ] {
        assert_ne!(world.node().lookup_hash(organization, kind, value).await.unwrap(), hash, "{kind} {value}");
    }
}

#[tokio::test]
async fn errors_show_no_secret() {
    let (world, place) = (World::new(), place());
    let sealed = seal_one(&world.node(), &place, b"secret").await;
    let moved = Place { id: Uuid::now_v7(), ..place };
    let error = open_one(&world.node(), &moved, &sealed.ciphertext).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[tokio::test]
async fn the_memory_table_keeps_the_contract() {
    contract::data_key_table(&MemoryDataKeyTable::default()).await.unwrap();
}

/// Changed, exchanged, of an epoch that there never was: nobody has to wait until somebody's data is asked for.
#[tokio::test]
async fn keys_that_do_not_open_are_found_among_those_that_do() {
    let (world, [one, other, third, fourth]) = (World::new(), std::array::from_fn(|_| place()));
    let places = [&one, &other, &third, &fourth];
    for place in places {
        seal_one(&world.node(), place, b"72 bpm").await;
    }
    assert_eq!(world.node().unopenable().await.unwrap(), []);
    let wrapped_of = async |place: &Place| world.table.get_many(&[DataKeyName::of(place)]).await.unwrap().remove(0).key.wrapped;
    let foreign = wrapped_of(&fourth).await;
    world.table.alter(DataKeyName::of(&one), |key| key.wrapped[20] ^= 1);
    world.table.alter(DataKeyName::of(&other), |key| key.wrapped = foreign);
    world.table.alter(DataKeyName::of(&third), |key| key.epoch = Epoch(7));
    let mut found = world.node().unopenable().await.unwrap();
    found.sort_unstable();
    let mut altered = [&one, &other, &third].map(DataKeyName::of);
    altered.sort_unstable();
    assert_eq!(found, altered);
}
