//! A map of bounded weight that forgets what was not touched lately.

use std::collections::HashMap;
use std::hash::Hash;

/// What an entry counts against the capacity of its map.
pub trait Weigh {
    /// One, so that the capacity is a number of entries, unless it says more.
    fn weight(&self) -> usize {
        1
    }
}

/// A map in two generations: what is touched moves to the young one, and when that is full the old
/// one goes. An entry survives until others of the whole capacity are touched; at most twice the
/// capacity is kept, and one entry in any case.
pub struct Generations<K, V> {
    young: HashMap<K, Entry<V>>,
    old: HashMap<K, Entry<V>>,
    young_weight: usize,
    old_weight: usize,
    capacity: usize,
}

struct Entry<V> {
    value: V,
    /// What it counts; its value may have grown since it was last touched.
    weight: usize,
}

impl<K: Hash + Eq + Clone, V: Weigh + Clone> Generations<K, V> {
    pub fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), young_weight: 0, old_weight: 0, capacity }
    }

    /// The value, weighed anew.
    pub fn get(&mut self, key: &K) -> Option<V> {
        if let Some(entry) = self.young.get_mut(key) {
            let (value, weight) = (entry.value.clone(), entry.value.weight());
            self.young_weight = self.young_weight - entry.weight + weight;
            entry.weight = weight;
            if self.young_weight <= self.capacity || self.young.len() == 1 {
                return Some(value);
            }
            self.age();
        }
        let entry = self.old.remove(key)?;
        self.old_weight -= entry.weight;
        self.insert(key.clone(), entry.value.clone());
        Some(entry.value)
    }

    pub fn insert(&mut self, key: K, value: V) {
        let weight = value.weight();
        if let Some(replaced) = self.young.remove(&key) {
            self.young_weight -= replaced.weight;
        }
        if self.young_weight + weight > self.capacity && !self.young.is_empty() {
            self.age();
        }
        self.young_weight += weight;
        self.young.insert(key, Entry { value, weight });
    }

    pub fn remove(&mut self, key: &K) {
        self.young_weight -= self.young.remove(key).map_or(0, |entry| entry.weight);
        self.old_weight -= self.old.remove(key).map_or(0, |entry| entry.weight);
    }

    /// Removes every entry but those whose value is to stay.
    pub fn retain(&mut self, mut stays: impl FnMut(&V) -> bool) {
        for (entries, weight) in [(&mut self.young, &mut self.young_weight), (&mut self.old, &mut self.old_weight)] {
            entries.retain(|_, entry| {
                let stays = stays(&entry.value);
                *weight -= if stays { 0 } else { entry.weight };
                stays
            });
        }
    }

    pub fn clear(&mut self) {
        *self = Self::new(self.capacity);
    }

    /// What all entries weighed when they were last touched.
    pub fn weight(&self) -> usize {
        self.young_weight + self.old_weight
    }

    fn age(&mut self) {
        self.old = std::mem::take(&mut self.young);
        self.old_weight = std::mem::take(&mut self.young_weight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;

    impl Weigh for &str {}

    impl Weigh for Rc<Cell<usize>> {
        fn weight(&self) -> usize {
            self.get()
        }
    }

    fn of_weight(weight: usize) -> Rc<Cell<usize>> {
        Rc::new(Cell::new(weight))
    }

    #[test]
    fn a_touched_entry_survives_and_memory_stays_bounded() {
        let mut map = Generations::new(10);
        map.insert(0, "kept");
        for other in 1..1_000 {
            map.insert(other, "other");
            assert_eq!(map.get(&0), Some("kept"), "after {other} others");
            assert!(map.young.len() + map.old.len() <= 21);
        }
        assert_eq!(map.get(&1), None);
    }

    #[test]
    fn an_entry_survives_as_many_insertions_as_the_capacity() {
        let mut map = Generations::new(10);
        map.insert(0, "kept");
        (1..=10).for_each(|other| map.insert(other, "other"));
        assert_eq!(map.get(&0), Some("kept"));
    }

    #[test]
    fn heavy_entries_are_fewer_than_light_ones() {
        let mut map = Generations::new(100);
        for key in 0..1_000 {
            map.insert(key, of_weight(1 + key % 40));
            assert!(map.weight() <= 200, "{} after {key}", map.weight());
            assert_eq!(map.weight(), map.young.values().chain(map.old.values()).map(|entry| entry.weight).sum::<usize>());
        }
    }

    #[test]
    fn an_entry_that_grows_pushes_others_out_and_stays() {
        let mut map = Generations::new(100);
        let grows = of_weight(1);
        map.insert(0, grows.clone());
        (1..=80).for_each(|key| map.insert(key, of_weight(1)));
        for weight in 1..300 {
            grows.set(weight);
            assert!(map.get(&0).is_some(), "at {weight}");
            map.insert(1_000 + weight, of_weight(1));
            assert!(map.weight() <= 200 + weight, "{} at {weight}", map.weight());
        }
        assert!((1..=80).all(|key| map.get(&key).is_none()));
    }

    #[test]
    fn what_does_not_stay_weighs_nothing() {
        let mut map = Generations::new(100);
        (0..5).for_each(|key| map.insert(key, of_weight(30 + key)));
        map.retain(|value| value.get() % 2 == 0);
        assert_eq!(map.weight(), 30 + 32 + 34);
        assert!(map.get(&1).is_none() && map.get(&2).is_some());
    }

    #[test]
    fn what_is_removed_weighs_nothing() {
        let mut map = Generations::new(100);
        (0..5).for_each(|key| map.insert(key, of_weight(30)));
        (0..5).for_each(|key| map.remove(&key));
        assert_eq!(map.weight(), 0);
    }
}
