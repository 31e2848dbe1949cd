//! States in memory, one slot per stream, bounded by count.

use super::kind::State;
use crate::generations::Generations;
use crate::store::{StreamHandle, StreamName};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{RwLock, broadcast};

/// A state and the version it is at, appends in flight included.
pub(super) struct Loaded {
    pub state: Box<dyn State>,
    pub version: i64,
    pub handle: Option<StreamHandle>,
}

#[derive(Default)]
pub(super) struct Entry {
    pub loaded: Option<Loaded>,
    /// Counts how often the entry was dropped, so that a failure drops only what it was decided on.
    pub epoch: u64,
}

#[derive(Default)]
pub(super) struct Slot {
    pub lock: Arc<RwLock<Entry>>,
    /// The newest version known to be committed; the state may be ahead of it.
    pub committed: AtomicI64,
}

impl Slot {
    pub fn commit(&self, version: i64) {
        self.committed.fetch_max(version, Ordering::AcqRel);
    }

    pub fn is_ahead(&self, version: i64) -> bool {
        version > self.committed.load(Ordering::Acquire)
    }

    /// Drops the state, unless someone has dropped it since `epoch`.
    pub async fn drop_state(&self, epoch: u64) {
        let mut entry = self.lock.write().await;
        if entry.epoch == epoch {
            entry.loaded = None;
            entry.epoch += 1;
        }
    }
}

pub(super) struct Slots(Mutex<Generations<StreamName, Arc<Slot>>>);

impl Slots {
    pub fn new(capacity: usize) -> Self {
        Self(Mutex::new(Generations::new(capacity)))
    }

    pub fn get(&self, stream: &StreamName) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(stream) {
            return slot.clone();
        }
        let slot = Arc::<Slot>::default();
        slots.insert(*stream, slot.clone());
        slot
    }

    fn known(&self, stream: &StreamName) -> Option<Arc<Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(stream).cloned()
    }

    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Drops the states of streams that other nodes append to.
    pub fn follow(self: Arc<Self>, mut changes: broadcast::Receiver<Arc<[StreamName]>>) {
        let slots = Arc::downgrade(&self);
        tokio::spawn(async move {
            loop {
                let changed = changes.recv().await;
                let Some(slots) = slots.upgrade() else { return };
                match changed {
                    Ok(streams) => {
                        for slot in streams.iter().filter_map(|stream| slots.known(stream)) {
                            let epoch = slot.lock.read().await.epoch;
                            slot.drop_state(epoch).await;
                        }
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => slots.clear(),
                    Err(broadcast::error::RecvError::Closed) => return,
                }
            }
        });
    }
}
