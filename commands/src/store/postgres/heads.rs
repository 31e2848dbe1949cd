//! Stream heads in memory: the key and the newest version of every stream that was touched lately.

use crate::generations::{Generations, Weigh};
use crate::store::{StreamKey, StreamName};

/// The head of one stream, appends that are still in flight included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StreamHead {
    pub key: StreamKey,
    pub version: i64,
}

/// All heads are of one size, 100 bytes with their place in the map, so their number bounds them.
impl Weigh for StreamHead {}

/// Heads survive as many insertions as their capacity, which is far more than the appends that can
/// be queued: a queued append never meets a head that was dropped since it was decided.
pub(super) struct Heads(Generations<StreamName, StreamHead>);

impl Heads {
    pub fn new(capacity: usize) -> Self {
        Self(Generations::new(capacity))
    }

    pub fn get(&mut self, stream: &StreamName) -> Option<StreamHead> {
        self.0.get(stream)
    }

    pub fn set(&mut self, stream: StreamName, head: StreamHead) {
        self.0.insert(stream, head);
    }

    pub fn forget(&mut self, stream: &StreamName) {
        self.0.remove(stream);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}
