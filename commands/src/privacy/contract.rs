//! What every adapter of a port of this module has to keep, as suites that run against any of them.
//!
//! Each takes a fresh organization, so that it runs beside others on one database. An `Err` says
//! which promise was broken.

mod key_life;

pub use key_life::{key_life, sealed_rows};

use super::client_context::SealedClientContext;
use super::data_keys::StoredKey;
use super::key_store::EpochKey;
use super::{ClientContextTable, DataKeyName, DataKeyTable, Epoch, KeyStore, KeyStoreError, Secret, WrappedKey};
use anyhow::{Result, ensure};
use futures::future::try_join_all;
use palmares_domain::kernel::{OrganizationId, Purpose};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

fn organization() -> OrganizationId {
    OrganizationId(Uuid::now_v7())
}

/// Whether two epoch keys are one: what either wraps, the other unwraps.
pub async fn is_same(one: &dyn EpochKey, other: &dyn EpochKey) -> Result<bool> {
    let (associated, secret) = (b"name".to_vec(), Secret::random()?);
    let wrapped = one.wrap(&[(associated.clone(), secret.clone())]).await?;
    let unwrapped = other.unwrap(&[(associated, &wrapped[0])]).await?;
    Ok(matches!(unwrapped.as_slice(), [Some(found)] if found.bytes() == secret.bytes()))
}

/// The key of an epoch, or nothing where it says, now or when it is used, that it does not exist.
async fn standing(store: &dyn KeyStore, organization: OrganizationId, epoch: Epoch) -> Result<Option<Arc<dyn EpochKey>>> {
    let gone = |error: KeyStoreError| match error {
        KeyStoreError::NoSuchEpoch { .. } => Ok(None),
        error => Err(anyhow::Error::from(error)),
    };
    match store.epoch_key(organization, epoch).await {
        Ok(key) => key.wrap(&[(b"name".to_vec(), Secret::random()?)]).await.map_or_else(gone, |_| Ok(Some(key.clone()))),
        Err(error) => gone(error),
    }
}

/// The contract of [`KeyStore`].
pub async fn key_store(store: &dyn KeyStore) -> Result<()> {
    let (mine, theirs) = (organization(), organization());
    ensure!(standing(store, mine, Epoch::FIRST).await?.is_none(), "an epoch nobody made is an error");

    let epochs = try_join_all((0..8).map(|_| store.current_epoch(mine))).await?;
    ensure!(epochs.iter().all(|epoch| *epoch == Epoch::FIRST), "the first use makes epoch 1");
    let keys = try_join_all((0..4).map(|_| store.epoch_key(mine, Epoch::FIRST))).await?;
    for key in &keys {
        ensure!(is_same(key.as_ref(), keys[0].as_ref()).await?, "an epoch has one key");
    }
    ensure!(standing(store, mine, Epoch(2)).await?.is_none(), "the next epoch is not made by asking");
    wrapping(keys[0].as_ref()).await?;

    let index_keys = try_join_all((0..8).map(|_| store.index_key(mine))).await?;
    ensure!(index_keys.iter().all(|key| key.0.bytes() == index_keys[0].0.bytes()), "an organization has one index key");
    let epoch = store.current_epoch(theirs).await?;
    let foreign = store.epoch_key(theirs, epoch).await?;
    ensure!(!is_same(foreign.as_ref(), keys[0].as_ref()).await?, "organizations share no epoch key");
    ensure!(store.index_key(theirs).await?.0.bytes() != index_keys[0].0.bytes(), "organizations share no index key");
    epochs_end(store, mine, keys[0].as_ref()).await?;
    ensure!(store.index_key(mine).await?.0.bytes() == index_keys[0].0.bytes(), "a rotation leaves the index key");
    ensure!(standing(store, theirs, epoch).await?.is_some(), "an organization's epochs end alone");
    Ok(())
}

async fn wrapping(key: &dyn EpochKey) -> Result<()> {
    let secrets: Vec<(Vec<u8>, Secret)> =
        (0..3u8).map(|n| Ok((vec![n], Secret::random()?))).collect::<Result<_, crate::privacy::CipherError>>()?;
    let wrapped = key.wrap(&secrets).await?;
    let bound: Vec<(Vec<u8>, &[u8])> =
        secrets.iter().zip(&wrapped).map(|((name, _), wrapped)| (name.clone(), wrapped.as_slice())).collect();
    let unwrapped = key.unwrap(&bound).await?;
    let same =
        unwrapped.iter().zip(&secrets).all(|(found, (_, secret))| found.as_ref().is_some_and(|found| found.bytes() == secret.bytes()));
    ensure!(unwrapped.len() == 3 && same, "what is wrapped unwraps, in order");
    let moved = key.unwrap(&[(vec![1], wrapped[0].as_slice()), (vec![1], wrapped[1].as_slice()), (vec![2], b"x")]).await?;
    let opened: Vec<bool> = moved.iter().map(Option::is_some).collect();
    ensure!(opened == [false, true, false], "what was moved or altered does not unwrap, and what is beside it does: {opened:?}");
    ensure!(key.wrap(&[]).await?.is_empty() && key.unwrap(&[]).await?.is_empty(), "nothing asked, nothing answered");
    Ok(())
}

/// Rotations, over the key of epoch 1.
async fn epochs_end(store: &dyn KeyStore, mine: OrganizationId, first: &dyn EpochKey) -> Result<()> {
    let name = b"name".to_vec();
    let wrapped = first.wrap(&[(name.clone(), Secret::random()?)]).await?;
    let second = store.begin_epoch(mine).await?;
    ensure!(second == Epoch(2) && store.current_epoch(mine).await? == second, "an epoch follows the one before");
    let old = store.epoch_key(mine, Epoch::FIRST).await?;
    ensure!(old.unwrap(&[(name.clone(), &wrapped[0])]).await?[0].is_some(), "the old one still opens");
    let new = store.epoch_key(mine, second).await?;
    ensure!(new.unwrap(&[(name.clone(), &wrapped[0])]).await?[0].is_none(), "the new one does not open what the old one wrapped");
    let third = store.begin_epoch(mine).await?;
    for _ in 0..2 {
        store.destroy_epochs_before(mine, third).await?;
    }
    for gone in [Epoch::FIRST, second] {
        let key = store.epoch_key(mine, gone).await;
        let opened = match key {
            Ok(key) => key.unwrap(&[(name.clone(), &wrapped[0])]).await.map(|found| found[0].is_some()),
            Err(error) => Err(error),
        };
        ensure!(matches!(opened, Err(KeyStoreError::NoSuchEpoch { .. })), "a destroyed epoch is not there, and is no lost key");
        ensure!(standing(store, mine, gone).await?.is_none(), "nor does it wrap");
    }
    ensure!(standing(store, mine, third).await?.is_some() && store.current_epoch(mine).await? == third, "the newest stays");
    Ok(())
}

/// The contract of [`DataKeyTable`].
pub async fn data_key_table(table: &dyn DataKeyTable) -> Result<()> {
    let (mine, theirs, subject) = (organization(), organization(), Uuid::now_v7());
    let name = |organization, purpose| DataKeyName { organization, subject, purpose };
    let key = |name, byte: u8| WrappedKey { name, epoch: Epoch(3), wrapped: vec![byte; 61] };
    let (health, reward, foreign) = (name(mine, Purpose::Health), name(mine, Purpose::Reward), name(theirs, Purpose::Health));
    ensure!(table.get_many(&[]).await?.is_empty() && table.insert_many(&[]).await?.is_empty(), "nothing asked, nothing answered");
    ensure!(table.get_many(&[health, reward]).await?.is_empty(), "a key nobody made does not exist");

    ensure!(sorted(table.insert_many(&[key(health, 1)]).await?) == [key(health, 1)], "a new key is stored as given");
    let answer = sorted(table.insert_many(&[key(reward, 2), key(health, 9)]).await?);
    ensure!(answer == [key(health, 1), key(reward, 2)], "the first writer's key stays, and the second gets it");
    table.insert_many(&[key(foreign, 3)]).await?;
    let answer = sorted(table.get_many(&[reward, health, name(mine, Purpose::Hr)]).await?);
    ensure!(answer == [key(health, 1), key(reward, 2)], "only the keys asked for, of this organization");
    ensure!(sorted(table.get_many(&[foreign]).await?) == [key(foreign, 3)], "the same subject elsewhere has another key");
    ensure!(table.sample().await?.is_some(), "a table with keys has a sample");
    let (mut every, mut after) = (BTreeSet::new(), None);
    while let [key] = &table.keys_after(after, 1).await?[..] {
        ensure!(every.insert(key.name), "one after the other, each of them once");
        after = Some(key.name);
    }
    ensure!(every.is_superset(&[health, reward, foreign].into()), "the keys of every organization");

    // Many writers of overlapping sets, in opposite orders: one winner for each name, no deadlock.
    let names: Vec<DataKeyName> =
        (0..20).map(|_| DataKeyName { organization: mine, subject: Uuid::now_v7(), purpose: Purpose::Profile }).collect();
    let attempts: Vec<Vec<WrappedKey>> = (0..12u8)
        .map(|writer| {
            let mut keys: Vec<WrappedKey> = names.iter().map(|name| key(*name, writer)).collect();
            if writer % 2 == 1 {
                keys.reverse();
            }
            keys
        })
        .collect();
    let answers = try_join_all(attempts.iter().map(|keys| table.insert_many(keys))).await?;
    let distinct: BTreeSet<Vec<(DataKeyName, Vec<u8>)>> =
        answers.into_iter().map(|answer| sorted(answer).into_iter().map(|key| (key.name, key.wrapped)).collect()).collect();
    ensure!(distinct.len() == 1, "all writers at once get the same keys");
    ensure!(distinct.iter().all(|answer| answer.len() == names.len()), "every name is answered once");
    Ok(())
}

/// The contract of [`ClientContextTable`].
pub async fn client_context_table(table: &dyn ClientContextTable) -> Result<()> {
    let (mine, theirs, subject) = (organization(), organization(), Uuid::now_v7());
    let context = |organization, id, byte: u8| SealedClientContext { organization, id, subject, ciphertext: vec![byte; 40] };
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    ensure!(table.get_many(mine, &[first]).await?.is_empty(), "a context nobody stored does not exist");
    table.insert(&context(mine, first, 1), &[7; 32]).await?;
    table.insert(&context(mine, first, 2), &[7; 32]).await?;
    table.insert(&context(theirs, first, 3), &[7; 32]).await?;
    table.insert(&context(mine, second, 4), &[7; 32]).await?;
    ensure!(table.get_many(mine, &[first]).await? == [context(mine, first, 1)], "the first row of an id stays");
    ensure!(table.get_many(theirs, &[first, second]).await? == [context(theirs, first, 3)], "an organization sees its own");
    let both: BTreeSet<Uuid> = table.get_many(mine, &[second, first, Uuid::now_v7()]).await?.into_iter().map(|row| row.id).collect();
    ensure!(both == BTreeSet::from([first, second]), "every context asked for that exists");
    ensure!(table.get_many(mine, &[]).await?.is_empty(), "nothing asked, nothing answered");
    Ok(())
}

fn sorted(stored: Vec<StoredKey>) -> Vec<WrappedKey> {
    let mut keys: Vec<WrappedKey> = stored.into_iter().map(|stored| stored.key).collect();
    keys.sort_by_key(|key| key.name);
    keys
}
