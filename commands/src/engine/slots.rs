//! States in memory, one slot per stream, bounded by their estimated bytes.

use super::kind::State;
use super::size::{SLOT_BYTES, Size};
use crate::generations::{Generations, Weigh};
use crate::privacy::Subject;
use crate::store::{StreamHandle, StreamName};
use palmares_domain::registry::AGGREGATES;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{RwLock, broadcast};

/// A state and the version it is at, appends in flight included.
pub(super) struct Loaded {
    pub state: Box<dyn State>,
    pub version: i64,
    pub handle: Option<StreamHandle>,
    pub size: Size,
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
    /// Beside the lock, so that the map need not wait for whoever works with the state.
    state_bytes: AtomicUsize,
}

impl Weigh for Arc<Slot> {
    fn weight(&self) -> usize {
        SLOT_BYTES + self.state_bytes.load(Ordering::Relaxed)
    }
}

impl Slot {
    pub fn commit(&self, version: i64) {
        self.committed.fetch_max(version, Ordering::AcqRel);
    }

    pub fn is_ahead(&self, version: i64) -> bool {
        version > self.committed.load(Ordering::Acquire)
    }

    /// Takes note of what the state weighs now; the map counts it when the slot is next asked for.
    pub fn weigh(&self, loaded: &Loaded) {
        self.state_bytes.store(loaded.size.state_bytes(), Ordering::Relaxed);
    }

    /// Drops the state, unless someone has dropped it since `epoch`.
    pub async fn drop_state(&self, epoch: u64) {
        let mut entry = self.lock.write().await;
        if entry.epoch == epoch {
            entry.loaded = None;
            entry.epoch += 1;
            self.state_bytes.store(0, Ordering::Relaxed);
        }
    }
}

pub(super) struct Slots(Mutex<Generations<StreamName, Arc<Slot>>>);

impl Slots {
    /// Keeps at most about `cache_bytes`, in two generations.
    pub fn new(cache_bytes: usize) -> Self {
        Self(Mutex::new(Generations::new(cache_bytes / 2)))
    }

    /// What the states weighed when each was last asked for.
    pub fn bytes(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).weight()
    }

    /// Counts a state that was loaded just now, which may never be asked for again.
    pub fn count(&self, stream: &StreamName) {
        self.known(stream);
    }

    pub fn get(&self, stream: &StreamName) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(stream) {
            return slot;
        }
        let slot = Arc::<Slot>::default();
        slots.insert(*stream, slot.clone());
        slot
    }

    fn known(&self, stream: &StreamName) -> Option<Arc<Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(stream)
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

    /// Drops the states that hold opened data of subjects whose keys go.
    pub fn forget(self: Arc<Self>, mut forgotten: broadcast::Receiver<Subject>) {
        let slots = Arc::downgrade(&self);
        tokio::spawn(async move {
            loop {
                let subject = forgotten.recv().await;
                let Some(slots) = slots.upgrade() else { return };
                match subject {
                    Ok(subject) => {
                        for aggregate in AGGREGATES.iter().filter(|aggregate| aggregate.decides_on.is_some()) {
                            let stream =
                                StreamName { organization: subject.organization, stream_type: aggregate.stream_type, id: subject.id };
                            if let Some(slot) = slots.known(&stream) {
                                let epoch = slot.lock.read().await.epoch;
                                slot.drop_state(epoch).await;
                            }
                        }
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => slots.clear(),
                    Err(broadcast::error::RecvError::Closed) => return,
                }
            }
        });
    }
}
