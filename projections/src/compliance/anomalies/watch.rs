//! What one actor was seen doing, as far as one rule counts it: in memory while a batch is folded, so
//! that an event costs the same however much was seen before it.

use super::rules::{threshold, window};
use chrono::{DateTime, Utc};
use palmares_domain::{compliance::access_anomaly::AnomalyRule, kernel::AnomalyId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// An anomaly that nobody looked at yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub id: AnomalyId,
    pub sightings: i64,
    pub raised_at: DateTime<Utc>,
    pub raised_position: i64,
    pub last_seen_at: DateTime<Utc>,
    /// When the first of it was seen.
    pub first_seen_at: DateTime<Utc>,
    /// Positions of what was counted, the first [`ENTRIES_MAX`].
    pub entries: BTreeSet<i64>,
}

/// As many entries of an anomaly are named; the others are found by who did it and when.
const ENTRIES_MAX: usize = 100;

/// An event, as far as it counts.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub at: DateTime<Utc>,
    pub position: i64,
    /// The id of the anomaly that it raises, where it does.
    pub raising: AnomalyId,
}

/// What was seen within the rule's window, each thing once and when it was seen last.
pub(super) struct Watch {
    rule: AnomalyRule,
    last: HashMap<Uuid, (i64, DateTime<Utc>)>,
    oldest_first: BTreeSet<(DateTime<Utc>, Uuid)>,
    /// What this batch saw last of each, to be stored.
    pub fresh: BTreeMap<Uuid, (i64, DateTime<Utc>)>,
    /// The one that may grow, last; before it those that this batch has to store too.
    pub open: Vec<Open>,
}

impl Watch {
    pub fn new(rule: AnomalyRule, seen: Vec<(Uuid, i64, DateTime<Utc>)>, open: Option<Open>) -> Self {
        let oldest_first = seen.iter().map(|(counted, _, at)| (*at, *counted)).collect();
        Self {
            rule,
            last: seen.into_iter().map(|(counted, position, at)| (counted, (position, at))).collect(),
            oldest_first,
            fresh: BTreeMap::new(),
            open: open.into_iter().collect(),
        }
    }

    /// Counts what an event shows, and raises what looks wrong with it or lets it grow.
    pub fn see(&mut self, counted: &BTreeSet<Uuid>, seen: Seen) {
        let begin = seen.at - window(self.rule);
        for &counted in counted {
            if let Some((_, before)) = self.last.insert(counted, (seen.position, seen.at)) {
                self.oldest_first.remove(&(before, counted));
            }
            self.oldest_first.insert((seen.at, counted));
            self.fresh.insert(counted, (seen.position, seen.at));
        }
        while let Some((at, counted)) = self.oldest_first.first().copied().filter(|(at, _)| *at <= begin) {
            self.oldest_first.remove(&(at, counted));
            self.last.remove(&counted);
        }
        let count = i64::try_from(self.last.len()).unwrap_or(i64::MAX);
        if count < threshold(self.rule) {
            return;
        }
        // What is going on already is not raised again, but grows.
        match self.open.last_mut().filter(|open| open.raised_at > begin) {
            Some(open) => {
                (open.sightings, open.last_seen_at) = (open.sightings.max(count), seen.at);
                if open.entries.len() < ENTRIES_MAX {
                    open.entries.extend(self.last.values().map(|(position, _)| *position));
                    open.entries = std::mem::take(&mut open.entries).into_iter().take(ENTRIES_MAX).collect();
                }
            }
            None => {
                let entries: BTreeSet<i64> = self.last.values().map(|(position, _)| *position).collect();
                self.open.push(Open {
                    id: seen.raising,
                    sightings: count,
                    raised_at: seen.at,
                    raised_position: seen.position,
                    last_seen_at: seen.at,
                    first_seen_at: self.oldest_first.first().map_or(seen.at, |(at, _)| *at),
                    entries: entries.into_iter().take(ENTRIES_MAX).collect(),
                });
            }
        }
    }

    /// When the window of what was seen last begins: what is older is not counted any more.
    pub fn begin(&self) -> Option<DateTime<Utc>> {
        self.oldest_first.last().map(|(at, _)| *at - window(self.rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn see_all(watch: &mut Watch, number: i64, counted: impl IntoIterator<Item = u128>, minute: i64) {
        let at = DateTime::UNIX_EPOCH + TimeDelta::minutes(minute);
        let raising = AnomalyId(Uuid::from_u128(u128::try_from(number).unwrap()));
        watch.see(&counted.into_iter().map(Uuid::from_u128).collect(), Seen { at, position: number, raising });
    }

    fn see(watch: &mut Watch, number: i64, counted: u128, minute: i64) {
        see_all(watch, number, [counted], minute);
    }

    /// Which anomalies were raised by which event, and how much was seen of each.
    fn raised(watch: &Watch) -> Vec<(i64, i64)> {
        watch.open.iter().map(|open| (open.raised_position, open.sightings)).collect()
    }

    // covers: E-87
    #[test]
    fn sightings_are_different_people_however_often_each_is_seen() {
        let mut watch = Watch::new(AnomalyRule::MassReads, Vec::new(), None);
        (1..=50).for_each(|person| see(&mut watch, person, u128::try_from(person).unwrap(), 0));
        assert_eq!(raised(&watch), []);
        see(&mut watch, 51, 51, 1);
        (52..152).for_each(|number| see(&mut watch, number, 7, 2));
        assert_eq!(raised(&watch), [(51, 51)]);
        see(&mut watch, 152, 52, 3);
        assert_eq!(raised(&watch), [(51, 52)]);
        assert_eq!((watch.fresh.len(), watch.fresh[&Uuid::from_u128(7)].0), (52, 151));
    }

    // covers: E-87
    #[test]
    fn the_same_page_again_and_again_is_as_many_people_as_it_shows() {
        let mut watch = Watch::new(AnomalyRule::MassReads, Vec::new(), None);
        (1..=100).for_each(|number| see_all(&mut watch, number, 1..=50, 0));
        assert_eq!(raised(&watch), []);
        see_all(&mut watch, 101, 40..=90, 1);
        assert_eq!(raised(&watch), [(101, 90)]);
    }

    #[test]
    fn what_is_older_than_the_window_counts_no_more_and_what_is_raised_grows_for_as_long() {
        let mut watch = Watch::new(AnomalyRule::EscalationAttempts, Vec::new(), None);
        for (number, minute) in [(1, 0), (2, 50), (3, 60)] {
            see(&mut watch, number, u128::try_from(number).unwrap(), minute);
        }
        assert_eq!(raised(&watch), [], "the first is an hour ago");
        for (number, minute) in [(4, 70), (5, 125), (6, 129), (7, 131)] {
            see(&mut watch, number, u128::try_from(number).unwrap(), minute);
        }
        assert_eq!(raised(&watch), [(4, 3), (7, 3)]);
        let named: Vec<_> = watch.open.iter().map(|open| (open.entries.iter().copied().collect::<Vec<_>>(), open.first_seen_at)).collect();
        let minute = |minute| DateTime::UNIX_EPOCH + TimeDelta::minutes(minute);
        assert_eq!(named, [(vec![2, 3, 4, 5, 6], minute(50)), (vec![5, 6, 7], minute(125))], "what was counted of each, and from when on");
        assert_eq!(watch.begin(), Some(DateTime::UNIX_EPOCH + TimeDelta::minutes(71)));
    }

    #[test]
    fn a_bounded_number_of_entries_is_named() {
        let mut watch = Watch::new(AnomalyRule::EscalationAttempts, Vec::new(), None);
        (1..=150).for_each(|number| see(&mut watch, number, u128::try_from(number).unwrap(), 0));
        let entries = &watch.open[0].entries;
        assert_eq!((watch.open[0].sightings, entries.first(), entries.last()), (150, Some(&1), Some(&100)));
    }

    #[test]
    fn what_somebody_looked_at_does_not_swallow_what_comes_after_it() {
        let before = (1..=3).map(|number| (Uuid::from_u128(number), i64::try_from(number).unwrap(), DateTime::UNIX_EPOCH)).collect();
        let mut watch = Watch::new(AnomalyRule::EscalationAttempts, before, None);
        see(&mut watch, 4, 4, 1);
        assert_eq!(raised(&watch), [(4, 4)]);
    }
}
