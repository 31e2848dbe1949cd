//! A bounded map that forgets what was not touched lately.

use std::collections::HashMap;
use std::hash::Hash;

/// A map in two generations: what is touched moves to the young one, and when that is full the old
/// one goes. An entry survives at least `capacity` insertions of others; at most twice as many
/// entries are kept.
pub struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    capacity: usize,
}

impl<K: Hash + Eq + Clone, V> Generations<K, V> {
    pub fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), capacity }
    }

    pub fn get(&mut self, key: &K) -> Option<&V> {
        if !self.young.contains_key(key) {
            let value = self.old.remove(key)?;
            self.insert(key.clone(), value);
        }
        self.young.get(key)
    }

    pub fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.capacity && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    pub fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touched_entry_survives_and_memory_stays_bounded() {
        let mut map = Generations::new(10);
        map.insert(0, "kept");
        for other in 1..1_000 {
            map.insert(other, "other");
            assert_eq!(map.get(&0), Some(&"kept"), "after {other} others");
            assert!(map.young.len() + map.old.len() <= 21);
        }
        assert_eq!(map.get(&1), None);
    }

    #[test]
    fn an_entry_survives_as_many_insertions_as_the_capacity() {
        let mut map = Generations::new(10);
        map.insert(0, "kept");
        (1..=10).for_each(|other| map.insert(other, "other"));
        assert_eq!(map.get(&0), Some(&"kept"));
    }
}
