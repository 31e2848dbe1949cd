//! Keys hidden, destroyed and wrapped anew, seen from several nodes.

use super::*;
use crate::privacy::client_context::MemoryClientContextTable;
use crate::privacy::{Custody, KeyLife, MemorySealedRows, Rotated};
use crate::store::memory::MemoryStore;

#[tokio::test]
async fn the_memory_adapters_keep_the_contracts_of_a_keys_life() {
    let (table, store) = (Arc::new(MemoryDataKeyTable::default()), Arc::new(MemoryStore::default()));
    contract::key_life(table.as_ref(), table.as_ref()).await.unwrap();
    let contexts = Arc::new(MemoryClientContextTable::default());
    let rows = MemorySealedRows { store: store.clone(), contexts: contexts.clone(), keys: table.clone() };
    contract::sealed_rows(store.as_ref(), contexts.as_ref(), table.as_ref(), table.as_ref(), &rows).await.unwrap();
}

impl World {
    /// A node that follows what other nodes do to keys, and its custody.
    async fn following(&self) -> (Arc<KeyRing>, Custody) {
        let ring = Arc::new(self.node());
        ring.follow(None).await.unwrap();
        let (store, contexts) = (Arc::new(MemoryStore::default()), Arc::new(MemoryClientContextTable::default()));
        let rows = Arc::new(MemorySealedRows { store, contexts, keys: self.table.clone() });
        (ring.clone(), Custody::new(ring, self.table.clone(), rows))
    }
}

fn subject(place: &Place) -> Subject {
    Subject { organization: place.organization, id: place.subject }
}

/// Waits until a node that was told nothing directly has heard.
async fn until(ring: &KeyRing, place: &Place, ciphertext: &[u8], readable: bool) {
    let heard = async {
        while open_one(ring, place, ciphertext).await.unwrap().is_some() != readable {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(FORGOTTEN_EVERYWHERE_WITHIN, heard).await.expect("every node hears within the bound");
}

// covers: P-53
#[tokio::test]
async fn who_is_hidden_reads_as_absent_on_every_node_and_is_readable_when_shown_again() {
    let (world, place) = (World::new(), place());
    let ((here, custody), (there, _)) = (world.following().await, world.following().await);
    let sealed = seal_one(&here, &place, b"72 bpm").await;
    assert!(open_one(&there, &place, &sealed.ciphertext).await.unwrap().is_some());
    let mut told = there.forgotten();
    custody.hide(subject(&place)).await.unwrap();
    assert_eq!(open_one(&here, &place, &sealed.ciphertext).await.unwrap(), None, "from the moment of the request");
    until(&there, &place, &sealed.ciphertext, false).await;
    assert_eq!(told.recv().await.unwrap(), subject(&place), "who holds opened data is told too");
    assert_eq!(open_one(&world.node(), &place, &sealed.ciphertext).await.unwrap(), None, "after a restart as well");
    assert!(!here.is_open(&DataKeyName::of(&place)));
    let later = seal_one(&there, &place, b"still sealed").await;
    assert_eq!(open_one(&there, &place, &later.ciphertext).await.unwrap(), None);

    custody.unhide(subject(&place)).await.unwrap();
    assert_eq!(open_one(&here, &place, &later.ciphertext).await.unwrap().unwrap(), b"still sealed");
    until(&there, &place, &sealed.ciphertext, true).await;
}

// covers: P-53
#[tokio::test]
async fn a_destroyed_key_is_gone_on_every_node_and_is_not_made_again() {
    let (world, place) = (World::new(), place());
    let other = Place { purpose: Purpose::Reward, ..place.clone() };
    let ((here, custody), (there, _)) = (world.following().await, world.following().await);
    let (sealed, kept) = (seal_one(&here, &place, b"health").await, seal_one(&there, &other, b"reward").await);
    assert!(open_one(&there, &place, &sealed.ciphertext).await.unwrap().is_some());
    assert_eq!(custody.destroy_keys(subject(&place), &[Purpose::Health], Uuid::now_v7()).await.unwrap(), 1);
    assert_eq!(open_one(&here, &place, &sealed.ciphertext).await.unwrap(), None);
    until(&there, &place, &sealed.ciphertext, false).await;
    for node in [here, there, Arc::new(world.node())] {
        assert_eq!(open_one(&node, &place, &sealed.ciphertext).await.unwrap(), None);
        assert_eq!(open_one(&node, &other, &kept.ciphertext).await.unwrap().unwrap(), b"reward", "another purpose stays");
        let refused = node.seal_many(&[SealRequest { place: &place, clear: b"again" }]).await.unwrap_err();
        assert!(matches!(refused, PrivacyError::KeyRefused(name) if name == DataKeyName::of(&place)));
    }
}

#[tokio::test]
async fn a_node_that_is_out_of_touch_uses_no_key_that_it_prepared() {
    let (world, place) = (World::new(), place());
    let ring = Arc::new(world.node());
    let sealed = seal_one(&ring, &place, b"x").await;
    world.table.destroy(subject(&place), &[Purpose::Health], Uuid::now_v7()).await.unwrap();
    assert!(open_one(&ring, &place, &sealed.ciphertext).await.unwrap().is_some(), "nobody told this one");
    ring.lease.end();
    assert_eq!(open_one(&ring, &place, &sealed.ciphertext).await.unwrap(), None);
    assert!(ring.try_seal_cached(&[SealRequest { place: &place, clear: b"x" }]).unwrap().is_none());
}

// covers: P-53
#[tokio::test]
async fn a_rotation_wraps_every_key_anew_and_ends_the_epochs_before() {
    let (world, first) = (World::new(), place());
    let ((here, custody), (there, _)) = (world.following().await, world.following().await);
    let places: Vec<Place> = (0..1_203).map(|_| Place { subject: Uuid::now_v7(), ..first.clone() }).collect();
    let mut sealed = Vec::new();
    for place in &places {
        sealed.push(seal_one(&here, place, b"72 bpm").await);
    }
    let hash = here.lookup_hash(first.organization, "email", "a@b").await.unwrap();
    let stranger = place();
    let strangers = seal_one(&here, &stranger, b"theirs").await;
    let rotated = custody.rotate_epoch(first.organization).await.unwrap();
    assert_eq!(rotated, Rotated { epoch: Epoch(2), rewrapped: places.len() });
    for node in [&here, &there, &Arc::new(world.node())] {
        for (place, sealed) in places.iter().zip(&sealed) {
            assert_eq!(open_one(node, place, &sealed.ciphertext).await.unwrap().unwrap(), b"72 bpm");
        }
        assert_eq!(open_one(node, &stranger, &strangers.ciphertext).await.unwrap().unwrap(), b"theirs");
    }
    assert!(world.store.epoch_key(first.organization, Epoch(1)).await.is_err(), "destroyed");
    assert_eq!(world.node().lookup_hash(first.organization, "email", "a@b").await.unwrap(), hash, "uniqueness goes on");
    seal_one(&there, &Place { subject: Uuid::now_v7(), ..first.clone() }, b"new").await;
    assert_eq!(custody.rotate_epoch(first.organization).await.unwrap(), Rotated { epoch: Epoch(3), rewrapped: places.len() + 1 });
}

/// Every step of a rotation can be the last one before a crash.
#[tokio::test]
async fn a_rotation_that_was_cut_short_at_any_step_is_completed_by_the_next() {
    for steps in 0..5 {
        let (world, first) = (World::new(), place());
        let (ring, custody) = world.following().await;
        let places: Vec<Place> = (0..3).map(|_| Place { subject: Uuid::now_v7(), ..first.clone() }).collect();
        let mut sealed = Vec::new();
        for place in &places {
            sealed.push(seal_one(&ring, place, b"kept").await);
        }
        let organization = first.organization;
        let epoch = custody.begin_rotation(organization).await.unwrap();
        if steps > 0 {
            world.table.retire_epochs(organization, epoch.before()).await.unwrap();
        }
        if steps > 1 {
            // One batch of several.
            let old = world.table.keys_up_to(organization, epoch.before(), 1).await.unwrap();
            let secrets = ring.unwrap_many(&[&old[0]]).await.unwrap();
            let new = ring.wrapped(organization, epoch, secrets.into_iter().map(|secret| Ok((old[0].name, secret)))).await.unwrap();
            world.table.rewrap(organization, &new).await.unwrap();
        }
        if steps > 2 {
            custody.complete_rotation(organization, epoch).await.unwrap();
        }
        let rotated = match steps % 2 {
            0 => custody.complete_rotation(organization, epoch).await.unwrap(),
            _ => custody.rotate_epoch(organization).await.unwrap(),
        };
        assert_eq!(world.store.current_epoch(organization).await.unwrap(), rotated.epoch, "after {steps} steps");
        assert!(world.store.epoch_key(organization, rotated.epoch.before()).await.is_err(), "after {steps} steps");
        for (place, sealed) in places.iter().zip(&sealed) {
            assert_eq!(open_one(&world.node(), place, &sealed.ciphertext).await.unwrap().unwrap(), b"kept", "after {steps} steps");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_and_writers_go_on_while_epochs_are_rotated() {
    let (world, first) = (Arc::new(World::new()), place());
    let (_, custody) = world.following().await;
    let working: Vec<_> = (0..4)
        .map(|_| {
            let (world, first) = (world.clone(), first.clone());
            tokio::spawn(async move {
                for _ in 0..50 {
                    let place = Place { subject: Uuid::now_v7(), ..first.clone() };
                    let sealed = seal_one(&world.node(), &place, b"busy").await;
                    tokio::task::yield_now().await;
                    assert_eq!(open_one(&world.node(), &place, &sealed.ciphertext).await.unwrap().unwrap(), b"busy");
                }
            })
        })
        .collect();
    for _ in 0..10 {
        custody.rotate_epoch(first.organization).await.unwrap();
        tokio::task::yield_now().await;
    }
    for worker in working {
        worker.await.unwrap();
    }
}

#[tokio::test]
async fn a_key_that_does_not_unwrap_stops_a_rotation_before_anything_is_destroyed() {
    let (world, first) = (World::new(), place());
    let (ring, custody) = world.following().await;
    let sealed = seal_one(&ring, &first, b"kept").await;
    let name = DataKeyName { subject: Uuid::now_v7(), ..DataKeyName::of(&first) };
    world.table.insert_many(&[WrappedKey { name, epoch: Epoch::FIRST, wrapped: vec![1; 61] }]).await.unwrap();
    let error = custody.rotate_epoch(first.organization).await.unwrap_err();
    assert!(matches!(error, PrivacyError::WrongEpochKey(at, _) if at == name));
    assert_eq!(open_one(&world.node(), &first, &sealed.ciphertext).await.unwrap().unwrap(), b"kept");
}
