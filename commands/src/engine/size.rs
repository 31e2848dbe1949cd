//! What a state weighs in memory, and when its next snapshot is due.

use crate::store::LoadedStream;

/// What a stream takes beside the bytes of its state: its slot, its entry in the map, its loaded parts.
pub(super) const SLOT_BYTES: usize = 640;
/// What a byte of a snapshot takes in memory: maps are not full, and the allocator rounds up.
const MEMORY_PER_SNAPSHOT_BYTE: usize = 2;
/// A state that is smaller is not measured for what it may have grown by.
const MEASURED_FROM_BYTES: usize = 2_048;

/// What reading one event costs beside its payload, as bytes of a snapshot that cost as much.
const EVENT_COST_BYTES: usize = 256;
/// A shorter tail is read in one round trip with the snapshot, whatever is in it.
const SNAPSHOT_TAIL_MIN_EVENTS: usize = 100;

/// The events behind a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tail {
    pub events: usize,
    pub bytes: usize,
}

/// Whether the tail costs about as much to read as the next snapshot costs to write.
///
/// A state is at most as large as its last snapshot and the tail together, so the snapshots of a
/// stream write a bounded number of bytes per event, however large its state becomes; and loading
/// it reads at most about twice its state.
pub(super) fn snapshot_is_due(tail: Tail, snapshot_bytes: usize) -> bool {
    tail.events >= SNAPSHOT_TAIL_MIN_EVENTS && tail.bytes + tail.events * EVENT_COST_BYTES >= snapshot_bytes
}

/// The size of a state, known without writing it out for each event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Bytes of the state as a snapshot, when it was last measured.
    measured_bytes: usize,
    /// Bytes of the events since then: it has hardly grown by more.
    added_bytes: usize,
    /// Bytes of the last snapshot.
    snapshot_bytes: usize,
    tail: Tail,
}

impl Size {
    pub fn of(found: &LoadedStream) -> Self {
        let snapshot_bytes = found.snapshot.as_ref().map_or(0, |snapshot| snapshot.state.len());
        let mut size = Self { measured_bytes: snapshot_bytes, snapshot_bytes, ..Self::default() };
        size.add(found.events.iter().map(|event| event.payload.len()));
        size
    }

    /// Counts events, given by the bytes of their payloads.
    pub fn add(&mut self, payload_bytes: impl ExactSizeIterator<Item = usize>) {
        self.tail.events += payload_bytes.len();
        let bytes: usize = payload_bytes.sum();
        self.tail.bytes += bytes;
        self.added_bytes += bytes;
    }

    /// Whether what is not measured may be more than what is. Measuring then costs a bounded time per
    /// byte of the events, and the weight is at most about twice what it should be.
    pub fn is_vague(&self) -> bool {
        self.added_bytes > self.measured_bytes.max(MEASURED_FROM_BYTES)
    }

    pub fn measured(&mut self, bytes: usize) {
        (self.measured_bytes, self.added_bytes) = (bytes, 0);
    }

    pub fn snapshot_is_due(&self) -> bool {
        snapshot_is_due(self.tail, self.snapshot_bytes)
    }

    /// The next tail begins here, also where the snapshot could not be made and has no bytes.
    pub fn snapshot_taken(&mut self, bytes: Option<usize>) {
        if let Some(bytes) = bytes {
            self.measured(bytes);
        }
        (self.snapshot_bytes, self.tail) = (self.measured_bytes + self.added_bytes, Tail::default());
    }

    /// What the state takes in memory, in bytes, beside [`SLOT_BYTES`].
    pub fn state_bytes(&self) -> usize {
        (self.measured_bytes + self.added_bytes) * MEMORY_PER_SNAPSHOT_BYTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_state_has_a_snapshot_every_hundred_events() {
        assert!(!snapshot_is_due(Tail { events: 99, bytes: 1 << 20 }, 0));
        assert!(snapshot_is_due(Tail { events: 100, bytes: 0 }, 100 * EVENT_COST_BYTES));
        assert!(!snapshot_is_due(Tail { events: 100, bytes: 0 }, 100 * EVENT_COST_BYTES + 1));
    }

    /// Holds that nobody closes: each adds 120 bytes to the state and is an event of 350.
    #[test]
    fn snapshots_write_a_bounded_number_of_bytes_per_event_while_the_state_grows() {
        let (mut size, mut state_bytes, mut written_bytes, mut longest_tail) = (Size::default(), 500, 0, 0);
        for events in 1..=1_000_000_usize {
            size.add([350].into_iter());
            state_bytes += 120;
            if size.snapshot_is_due() {
                longest_tail = longest_tail.max(size.tail.bytes * 100 / state_bytes);
                written_bytes += state_bytes;
                size.snapshot_taken(Some(state_bytes));
            }
            assert!(written_bytes <= events * 2 * (350 + EVENT_COST_BYTES), "{written_bytes} bytes after {events} events");
        }
        assert!(longest_tail <= 300, "a tail of {longest_tail} % of its state");
    }

    #[test]
    fn the_weight_follows_a_state_that_shrinks() {
        let mut size = Size::default();
        size.add(std::iter::repeat_n(1_000, 10));
        assert!(size.is_vague());
        size.measured(300);
        assert_eq!(size.state_bytes(), 300 * MEMORY_PER_SNAPSHOT_BYTE);
        size.add([1_000].into_iter());
        assert!(!size.is_vague());
        assert_eq!(size.state_bytes(), 1_300 * MEMORY_PER_SNAPSHOT_BYTE);
    }
}
