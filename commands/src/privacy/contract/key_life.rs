//! What hiding, holding, destroying and redacting have to keep.

use super::organization;
use crate::privacy::client_context::SealedClientContext;
use crate::privacy::{
    ClientContextTable, DataKeyName, DataKeyTable, Epoch, KeyFate, KeyLife, PURPOSES, PrivacyError, Redacted, SealedRows, Subject,
    WrappedKey,
};
use crate::store::{self, Append, EventStore, LoadRequest, NewEvent, SealedBlob, Snapshot, StreamName, StreamWrite};
use anyhow::{Result, ensure};
use futures::future::try_join_all;
use palmares_domain::kernel::{EventId, OrganizationId, Purpose, UserId};
use std::sync::Arc;
use uuid::Uuid;

fn name(subject: Subject, purpose: Purpose) -> DataKeyName {
    DataKeyName { organization: subject.organization, subject: subject.id, purpose }
}

fn key(subject: Subject, purpose: Purpose, epoch: i32) -> WrappedKey {
    WrappedKey { name: name(subject, purpose), epoch: Epoch(epoch), wrapped: vec![epoch as u8; 61] }
}

fn subject(organization: OrganizationId) -> Subject {
    Subject { organization, id: Uuid::now_v7() }
}

/// The contract of [`KeyLife`] over the same keys as `table`.
pub async fn key_life(table: &dyn DataKeyTable, life: &dyn KeyLife) -> Result<()> {
    let (mine, theirs) = (organization(), organization());
    let one = subject(mine);
    let (other, elsewhere) = (subject(mine), Subject { organization: theirs, id: one.id });
    for subject in [one, other, elsewhere] {
        table.insert_many(&[key(subject, Purpose::Health, 1), key(subject, Purpose::Reward, 1)]).await?;
    }
    hiding(table, life, one, other).await?;
    destruction(table, life, one, [other, elsewhere]).await?;
    races(table, life, mine).await?;
    epochs(table, life, theirs, elsewhere).await
}

async fn hiding(table: &dyn DataKeyTable, life: &dyn KeyLife, one: Subject, other: Subject) -> Result<()> {
    let before = table.last_change().await?;
    life.hide(one).await?;
    life.hide(one).await?;
    let told = table.changes_after(before).await?;
    ensure!(told.len() == 2 && told.iter().all(|change| change.subject == one), "every node is told of a hiding: {told:?}");
    ensure!(table.changes_after(told[1].seq).await?.is_empty() && table.last_change().await? == told[1].seq, "and once");
    let found = table.get_many(&[name(one, Purpose::Health), name(other, Purpose::Health)]).await?;
    let hidden: Vec<bool> =
        [one, other].iter().map(|subject| found.iter().any(|key| key.key.name.subject == subject.id && key.hidden)).collect();
    ensure!(hidden == [true, false], "the keys of who is hidden say so, and stand");
    let made = table.insert_many(&[key(one, Purpose::Profile, 1)]).await?;
    ensure!(made.len() == 1 && made[0].hidden, "a key made while its subject is hidden is hidden");
    life.unhide(one).await?;
    ensure!(table.changes_after(told[1].seq).await?.len() == 1, "every node is told of a showing");
    ensure!(!table.get_many(&[name(one, Purpose::Health)]).await?[0].hidden, "who is shown again is not hidden");
    Ok(())
}

async fn destruction(table: &dyn DataKeyTable, life: &dyn KeyLife, one: Subject, others: [Subject; 2]) -> Result<()> {
    let (hold, second_hold, erasure) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    life.quarantine(one, hold).await?;
    life.quarantine(one, hold).await?;
    life.quarantine(one, second_hold).await?;
    life.release(one, second_hold).await?;
    life.hide(one).await?;
    let held = life.destroy(one, &[Purpose::Health], erasure).await;
    ensure!(matches!(held, Err(PrivacyError::UnderLegalHold(subject)) if subject == one), "a hold stops the destruction");
    ensure!(table.get_many(&[name(one, Purpose::Health)]).await?.len() == 1, "what is held stands");
    ensure!(life.subject_keys(one).await?.holds == [hold] && life.subject_keys(one).await?.hidden, "a hold does not stop the hiding");
    life.release(one, hold).await?;

    let before = table.last_change().await?;
    let purposes = [Purpose::Health, Purpose::Security];
    ensure!(life.destroy(one, &purposes, erasure).await? == 1, "one of the two was there");
    ensure!(table.changes_after(before).await?.iter().any(|change| change.subject == one), "every node is told");
    life.quarantine(one, hold).await?;
    ensure!(life.destroy(one, &purposes, Uuid::now_v7()).await? == 0, "the second time nothing is there, nor for a hold to keep");
    life.release(one, hold).await?;
    let fates = life.subject_keys(one).await?.keys;
    let expected = [
        KeyFate::Standing(Purpose::Profile),
        KeyFate::Destroyed(Purpose::Health, erasure),
        KeyFate::Standing(Purpose::Reward),
        KeyFate::Destroyed(Purpose::Security, erasure),
    ];
    ensure!(fates == expected, "the first tombstone stays, other purposes stand: {fates:?}");
    for purpose in purposes {
        ensure!(table.insert_many(&[key(one, purpose, 9)]).await?.is_empty(), "a tombstone forbids the key's return");
        ensure!(table.get_many(&[name(one, purpose)]).await?.is_empty(), "a destroyed key is not there");
    }
    life.rewrap(one.organization, &[key(one, Purpose::Health, 9)]).await?;
    ensure!(table.get_many(&[name(one, Purpose::Health)]).await?.is_empty(), "nor does a rotation bring it back");
    for other in others {
        ensure!(table.get_many(&[name(other, Purpose::Health)]).await?.len() == 1, "nobody else loses a key");
    }
    Ok(())
}

/// Keys made and destroyed at once: whoever is first, no key is left.
async fn races(table: &dyn DataKeyTable, life: &dyn KeyLife, mine: OrganizationId) -> Result<()> {
    for _ in 0..8 {
        let one = subject(mine);
        let keys: Vec<WrappedKey> = PURPOSES.iter().map(|purpose| key(one, *purpose, 1)).collect();
        let making = try_join_all((0..6).map(|_| table.insert_many(&keys)));
        let (made, destroyed) = futures::join!(making, life.destroy(one, &PURPOSES, Uuid::now_v7()));
        made?;
        destroyed?;
        let names: Vec<DataKeyName> = keys.iter().map(|key| key.name).collect();
        ensure!(table.get_many(&names).await?.is_empty(), "a key that was made while it was destroyed is destroyed");
    }
    Ok(())
}

async fn epochs(table: &dyn DataKeyTable, life: &dyn KeyLife, theirs: OrganizationId, one: Subject) -> Result<()> {
    life.retire_epochs(theirs, Epoch(1)).await?;
    let refused = table.insert_many(&[key(subject(theirs), Purpose::Health, 1)]).await;
    ensure!(matches!(refused, Err(PrivacyError::EpochRetired(at)) if at == theirs), "no key is made under a retired epoch");
    ensure!(life.keys_up_to(theirs, Epoch(1), 1).await?.len() == 1, "as many as are asked for");
    let old = life.keys_up_to(theirs, Epoch(1), 100).await?;
    ensure!(old.len() == 2 && old.iter().all(|key| key.epoch == Epoch(1)), "the keys under an old epoch: {old:?}");
    life.rewrap(theirs, &[key(one, Purpose::Health, 2), key(one, Purpose::Reward, 2)]).await?;
    life.rewrap(theirs, &[key(one, Purpose::Health, 1)]).await?;
    ensure!(life.keys_up_to(theirs, Epoch(1), 100).await?.is_empty(), "all are wrapped anew, and stay so");
    let found = table.get_many(&[name(one, Purpose::Health)]).await?;
    ensure!(found.len() == 1 && found[0].key == key(one, Purpose::Health, 2), "under the new epoch");
    table.insert_many(&[key(subject(theirs), Purpose::Health, 2)]).await?;
    Ok(())
}

/// The contract of [`SealedRows`] over the same data as the other ports.
pub async fn sealed_rows(
    store: &dyn EventStore,
    contexts: &dyn ClientContextTable,
    table: &dyn DataKeyTable,
    life: &dyn KeyLife,
    rows: &dyn SealedRows,
) -> Result<()> {
    let (mine, theirs) = (organization(), organization());
    let one = subject(mine);
    let others = [subject(mine), Subject { organization: theirs, id: one.id }];
    for subject in [one, others[0], others[1]] {
        record(store, contexts, subject).await?;
        table.insert_many(&PURPOSES.map(|purpose| key(subject, purpose, 1))).await?;
    }
    let erasure = Uuid::now_v7();
    ensure!(rows.redact(one, &PURPOSES, erasure).await? == Redacted::default(), "what has its key is not redacted");
    let health = [Purpose::Health];
    life.destroy(one, &health, erasure).await?;
    ensure!(rows.redact(one, &PURPOSES, Uuid::now_v7()).await? == Redacted::default(), "nor under another erasure's id");
    let redacted = rows.redact(one, &PURPOSES, erasure).await?;
    ensure!(redacted == Redacted { fields: 1, client_contexts: 0, snapshots: 1 }, "what its key is gone of: {redacted:?}");
    life.destroy(one, &PURPOSES, erasure).await?;
    let redacted = rows.redact(one, &PURPOSES, erasure).await?;
    ensure!(redacted == Redacted { fields: 1, client_contexts: 1, snapshots: 0 }, "then the rest: {redacted:?}");
    ensure!(rows.redact(one, &PURPOSES, erasure).await? == Redacted::default(), "and nothing is left");
    ensure!(left(store, contexts, one).await? == (0, false, 0), "as who reads sees too");
    for other in others {
        ensure!(left(store, contexts, other).await? == (2, true, 1), "nobody else loses anything");
    }
    Ok(())
}

fn stream(subject: Subject) -> StreamName {
    StreamName { organization: subject.organization, stream_type: "activity_log", id: subject.id }
}

async fn record(store: &dyn EventStore, contexts: &dyn ClientContextTable, subject: Subject) -> Result<()> {
    let blob = |field, purpose| SealedBlob { field, subject: subject.id, purpose, ciphertext: vec![7; 40] };
    let event = NewEvent {
        id: EventId(Uuid::now_v7()),
        event_type: "test.happened",
        schema_version: 1,
        effective_at: None,
        payload: b"{}".to_vec(),
        sealed: vec![blob("note", Purpose::Health), blob("name", Purpose::Profile)],
    };
    let append = Append {
        organization: subject.organization,
        actor: UserId(subject.id),
        metadata: Arc::from(b"{}".as_slice()),
        writes: vec![StreamWrite { stream: stream(subject), expected_version: 0, handle: None, events: vec![event] }],
        claims: Vec::new(),
        releases: Vec::new(),
        command: None,
    };
    store::append(store, append).await?;
    store.keep_snapshot(stream(subject), Snapshot { version: 1, shape: 7, state: vec![7; 40] });
    let until_kept = async {
        // Written behind the call.
        while left(store, contexts, subject).await?.2 == 0 {
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), until_kept).await??;
    let context = SealedClientContext { organization: subject.organization, id: subject.id, subject: subject.id, ciphertext: vec![7; 40] };
    Ok(contexts.insert(&context, &[7; 32]).await?)
}

/// How many sealed fields are left, whether the context is, and how many snapshots.
async fn left(store: &dyn EventStore, contexts: &dyn ClientContextTable, subject: Subject) -> Result<(usize, bool, usize)> {
    let whole = store.load(LoadRequest { stream: stream(subject), shape: 0, with_sealed: true }).await?;
    ensure!(whole.events.len() == 1, "events stay");
    let kept = store.load(LoadRequest { stream: stream(subject), shape: 7, with_sealed: true }).await?;
    let contexts = contexts.get_many(subject.organization, &[subject.id]).await?;
    Ok((whole.events[0].sealed.len(), !contexts.is_empty(), usize::from(kept.snapshot.is_some())))
}
