//! What every adapter of a port of this module has to keep, as suites that run against any of them.
//!
//! Each takes a fresh organization, so that it runs beside others on one database. An `Err` says
//! which promise was broken.

use super::client_context::SealedClientContext;
use super::{ClientContextTable, DataKeyName, DataKeyTable, Epoch, KeyStore, KeyStoreError, WrappedKey};
use anyhow::{Result, ensure};
use futures::future::try_join_all;
use palmares_domain::kernel::{OrganizationId, Purpose};
use std::collections::BTreeSet;
use uuid::Uuid;

fn organization() -> OrganizationId {
    OrganizationId(Uuid::now_v7())
}

/// The contract of [`KeyStore`].
pub async fn key_store(store: &dyn KeyStore) -> Result<()> {
    let (mine, theirs) = (organization(), organization());
    let missing = store.epoch_key(mine, Epoch::FIRST).await;
    ensure!(matches!(missing, Err(KeyStoreError::NoSuchEpoch { .. })), "an epoch nobody made is an error");

    let epochs = try_join_all((0..8).map(|_| store.current_epoch(mine))).await?;
    ensure!(epochs.iter().all(|epoch| *epoch == Epoch::FIRST), "the first use makes epoch 1");
    let keys = try_join_all((0..8).map(|_| store.epoch_key(mine, Epoch::FIRST))).await?;
    ensure!(keys.iter().all(|key| key.0.bytes() == keys[0].0.bytes()), "an epoch has one key");
    let missing = store.epoch_key(mine, Epoch(2)).await;
    ensure!(matches!(missing, Err(KeyStoreError::NoSuchEpoch { .. })), "the next epoch is not made by asking");

    let index_keys = try_join_all((0..8).map(|_| store.index_key(mine))).await?;
    ensure!(index_keys.iter().all(|key| key.0.bytes() == index_keys[0].0.bytes()), "an organization has one index key");
    ensure!(index_keys[0].0.bytes() != keys[0].0.bytes(), "index key and epoch key differ");

    let epoch = store.current_epoch(theirs).await?;
    ensure!(store.epoch_key(theirs, epoch).await?.0.bytes() != keys[0].0.bytes(), "organizations share no epoch key");
    ensure!(store.index_key(theirs).await?.0.bytes() != index_keys[0].0.bytes(), "organizations share no index key");
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

    ensure!(table.insert_many(&[key(health, 1)]).await? == [key(health, 1)], "a new key is stored as given");
    let answer = sorted(table.insert_many(&[key(reward, 2), key(health, 9)]).await?);
    ensure!(answer == [key(health, 1), key(reward, 2)], "the first writer's key stays, and the second gets it");
    table.insert_many(&[key(foreign, 3)]).await?;
    let answer = sorted(table.get_many(&[reward, health, name(mine, Purpose::Hr)]).await?);
    ensure!(answer == [key(health, 1), key(reward, 2)], "only the keys asked for, of this organization");
    ensure!(table.get_many(&[foreign]).await? == [key(foreign, 3)], "the same subject elsewhere has another key");
    ensure!(table.sample().await?.is_some(), "a table with keys has a sample");

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
    table.insert(&context(mine, first, 1)).await?;
    table.insert(&context(mine, first, 2)).await?;
    table.insert(&context(theirs, first, 3)).await?;
    table.insert(&context(mine, second, 4)).await?;
    ensure!(table.get_many(mine, &[first]).await? == [context(mine, first, 1)], "the first row of an id stays");
    ensure!(table.get_many(theirs, &[first, second]).await? == [context(theirs, first, 3)], "an organization sees its own");
    let both: BTreeSet<Uuid> = table.get_many(mine, &[second, first, Uuid::now_v7()]).await?.into_iter().map(|row| row.id).collect();
    ensure!(both == BTreeSet::from([first, second]), "every context asked for that exists");
    ensure!(table.get_many(mine, &[]).await?.is_empty(), "nothing asked, nothing answered");
    Ok(())
}

fn sorted(mut keys: Vec<WrappedKey>) -> Vec<WrappedKey> {
    keys.sort_by_key(|key| key.name);
    keys
}
