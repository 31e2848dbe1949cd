//! Figures over people, withheld where they are over too few.

use crate::challenges::closed_days::Closed;
use palmares_domain::{challenges::closed_days::SUBJECTS_MIN, kernel::UserId};
use std::collections::BTreeSet;

/// What is summed up, day by day.
#[derive(Debug, Default)]
pub(super) struct Figures {
    people: BTreeSet<UserId>,
    /// The most of a closed day who are not there any more. Whoever is gone is known on no day, so that of
    /// different days they may be the same.
    gone: i64,
    days: i64,
    /// One for each person and day.
    person_days: i64,
    total: i64,
}

/// What may be shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub participants: i64,
    pub days: i64,
    pub total: i64,
    /// Per person and day, rounded down.
    pub average: i64,
}

impl Figures {
    /// Adds a day, with what each person did on it. Too few people make it no day at all, unless it was
    /// closed when they were enough: then it counts as it did.
    pub fn add(&mut self, totals: &[(UserId, i64)], closed: Option<Closed>) {
        let taking_part = || totals.iter().filter(|(_, total)| *total > 0);
        if let Some(closed) = closed {
            self.people.extend(taking_part().map(|(user, _)| *user));
            let there = i64::try_from(taking_part().count()).unwrap_or(i64::MAX);
            self.gone = self.gone.max(closed.participants - there);
            self.days += 1;
            self.person_days += closed.participants;
            self.total = self.total.saturating_add(closed.total);
            return;
        }
        if taking_part().map(|(user, _)| user).collect::<BTreeSet<_>>().len() < SUBJECTS_MIN {
            return;
        }
        self.days += 1;
        for (user, total) in taking_part() {
            self.people.insert(*user);
            self.person_days += 1;
            self.total = self.total.saturating_add(*total);
        }
    }

    /// `None` where there is nothing to show. Every day that counts has enough people.
    pub fn shown(&self) -> Option<Shown> {
        let average = self.total.checked_div(self.person_days)?;
        let participants = i64::try_from(self.people.len()).unwrap_or(i64::MAX).saturating_add(self.gone);
        Some(Shown { participants, days: self.days, total: self.total, average })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn day(people: std::ops::Range<u128>, total: i64) -> Vec<(UserId, i64)> {
        people.map(|id| (UserId(Uuid::from_u128(id)), total)).collect()
    }

    fn shown(days: &[Vec<(UserId, i64)>]) -> Option<Shown> {
        let mut figures = Figures::default();
        days.iter().for_each(|day| figures.add(day, None));
        figures.shown()
    }

    /// covers: E-69
    #[test]
    fn a_figure_is_over_five_people_at_least() {
        assert_eq!(shown(&[]), None);
        assert_eq!(shown(&[day(0..4, 100)]), None);
        assert_eq!(shown(&[day(0..5, 100)]), Some(Shown { participants: 5, days: 1, total: 500, average: 100 }));
    }

    #[test]
    fn whoever_did_nothing_does_not_take_part() {
        assert_eq!(shown(&[[day(0..4, 100), day(4..5, 0)].concat()]), None);
    }

    /// covers: E-164, E-173
    #[test]
    fn a_closed_day_counts_as_it_did_when_people_of_it_are_gone() {
        let closed = Closed { participants: 6, total: 60 };
        let before = shown(&[day(0..6, 10), day(0..5, 10)]);
        for there in [day(0..6, 10), day(1..6, 10), day(3..6, 10)] {
            let mut figures = Figures::default();
            figures.add(&there, Some(closed));
            figures.add(&day(0..5, 10), Some(Closed { participants: 5, total: 50 }));
            assert_eq!(figures.shown().map(|shown| (shown.days, shown.total, shown.average)), Some((2, 110, 10)));
        }
        let mut figures = Figures::default();
        figures.add(&day(1..6, 10), Some(closed));
        figures.add(&day(1..5, 10), Some(Closed { participants: 5, total: 50 }));
        assert_eq!(figures.shown(), before, "one of them is gone");
    }

    /// What came after a day was closed is in no figure of it.
    #[test]
    fn a_closed_day_takes_no_more() {
        let mut figures = Figures::default();
        figures.add(&day(0..9, 99), Some(Closed { participants: 5, total: 50 }));
        assert_eq!(figures.shown().map(|shown| (shown.total, shown.average)), Some((50, 10)));
    }

    /// The difference between one stretch and a shorter one would be one person's day.
    #[test]
    fn a_day_of_too_few_is_in_no_figure() {
        let (many, few) = (day(0..6, 10), day(0..1, 7));
        assert_eq!(shown(&[many.clone(), few]), shown(&[many]));
        assert_eq!(shown(&[day(0..3, 10), day(3..6, 10)]), None);
    }

    #[test]
    fn the_average_is_per_person_and_day() {
        assert_eq!(shown(&[day(0..5, 10), day(2..8, 21)]), Some(Shown { participants: 8, days: 2, total: 176, average: 16 }));
    }
}
