//! The events that a reactor has in progress: which may start, and how far everything is done.

use palmares_domain::kernel::RecordedEvent;
use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};
use uuid::Uuid;

/// Admits events in log order, starts them in order within a key, and knows the contiguous prefix
/// that is done.
pub(super) struct Window {
    /// Everything up to here is admitted.
    reach: i64,
    /// Admitted and not done.
    open: BTreeSet<i64>,
    /// Done although an earlier one is open.
    done: BTreeSet<i64>,
    /// Done before a restart, above the checkpoint.
    known: HashSet<i64>,
    /// The keys with an event in progress, and what waits behind it.
    waiting: HashMap<Uuid, VecDeque<Arc<RecordedEvent>>>,
    ready: VecDeque<Arc<RecordedEvent>>,
    keys: HashMap<i64, Uuid>,
}

impl Window {
    pub fn new(position: i64, known: Vec<i64>) -> Self {
        Self {
            reach: position,
            open: BTreeSet::new(),
            done: BTreeSet::new(),
            known: known.into_iter().collect(),
            waiting: HashMap::new(),
            ready: VecDeque::new(),
            keys: HashMap::new(),
        }
    }

    /// An event to handle, unless it was handled before a restart.
    pub fn admit(&mut self, event: Arc<RecordedEvent>, key: Uuid) {
        let position = event.position;
        self.reach = position;
        if self.known.remove(&position) {
            self.mark_done(position);
            return;
        }
        self.open.insert(position);
        self.keys.insert(position, key);
        match self.waiting.get_mut(&key) {
            Some(queue) => queue.push_back(event),
            None => {
                self.waiting.insert(key, VecDeque::new());
                self.ready.push_back(event);
            }
        }
    }

    /// An event of no interest.
    pub fn pass(&mut self, position: i64) {
        self.reach = position;
    }

    /// The next event that may start.
    pub fn next(&mut self) -> Option<Arc<RecordedEvent>> {
        self.ready.pop_front()
    }

    /// An event is done, or parked.
    pub fn finish(&mut self, position: i64) {
        self.open.remove(&position);
        self.mark_done(position);
        if let Some(key) = self.keys.remove(&position)
            && let Some(queue) = self.waiting.get_mut(&key)
        {
            match queue.pop_front() {
                Some(event) => self.ready.push_back(event),
                None => {
                    self.waiting.remove(&key);
                }
            }
        }
    }

    fn mark_done(&mut self, position: i64) {
        self.done.insert(position);
        self.done = self.done.split_off(&(self.floor() + 1));
    }

    /// Everything up to here is done.
    pub fn floor(&self) -> i64 {
        self.open.first().map_or(self.reach, |first| first - 1)
    }

    pub fn reach(&self) -> i64 {
        self.reach
    }

    /// What is done above the floor.
    pub fn done(&self) -> Vec<i64> {
        self.done.range(self.floor() + 1..).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use palmares_domain::kernel::{EventId, OrganizationId, StreamVersion};

    fn event(position: i64) -> Arc<RecordedEvent> {
        let null = || serde_json::value::to_raw_value(&()).unwrap();
        Arc::new(RecordedEvent {
            position,
            id: EventId(Uuid::nil()),
            event_type: "t".to_owned(),
            schema_version: 1,
            stream: StreamVersion { stream_type: "s".to_owned(), id: Uuid::nil(), version: position },
            organization_id: OrganizationId::PLATFORM,
            actor_id: Uuid::nil(),
            recorded_at: Default::default(),
            effective_at: None,
            metadata: null(),
            payload: null(),
        })
    }

    fn started(window: &mut Window) -> Vec<i64> {
        std::iter::from_fn(|| window.next()).map(|event| event.position).collect()
    }

    #[test]
    fn events_of_one_key_start_one_after_the_other() {
        let mut window = Window::new(0, Vec::new());
        let (left, right) = (Uuid::from_u128(1), Uuid::from_u128(2));
        window.admit(event(1), left);
        window.admit(event(2), left);
        window.admit(event(3), right);
        assert_eq!(started(&mut window), [1, 3]);
        window.finish(3);
        assert_eq!(started(&mut window), Vec::<i64>::new());
        window.finish(1);
        assert_eq!(started(&mut window), [2]);
    }

    #[test]
    fn the_floor_is_the_contiguous_prefix_that_is_done() {
        let mut window = Window::new(10, Vec::new());
        for position in 11..=13 {
            window.admit(event(position), Uuid::from_u128(position as u128));
        }
        window.pass(14);
        assert_eq!((window.floor(), window.done()), (10, vec![]));
        window.finish(12);
        assert_eq!((window.floor(), window.done()), (10, vec![12]));
        window.finish(11);
        assert_eq!((window.floor(), window.done()), (12, vec![]));
        window.finish(13);
        assert_eq!((window.floor(), window.done()), (14, vec![]));
    }

    #[test]
    fn what_was_done_before_a_restart_is_not_repeated() {
        let mut window = Window::new(0, vec![2]);
        window.admit(event(1), Uuid::from_u128(1));
        window.admit(event(2), Uuid::from_u128(2));
        assert_eq!(started(&mut window), [1]);
        assert_eq!(window.done(), [2]);
        window.finish(1);
        assert_eq!(window.floor(), 2);
    }
}
