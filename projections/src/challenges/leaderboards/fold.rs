//! The pure part: from events to changes of scores, and from those to versions of rows.

use super::POINTS;
use crate::{
    challenges::{ACTIVITIES_RECORDED, reports},
    compliance::ERASED,
    engine::{ApplyError, Delivered},
};
use chrono::{DateTime, NaiveDate, Utc};
use palmares_domain::{
    challenges::window::Window,
    kernel::{Event, OrganizationId, TransactionId, UserId},
    points::account::AccountEvent,
};
use std::collections::BTreeMap;

/// One person on one board.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub organization: OrganizationId,
    pub metric: &'static str,
    pub window: String,
    pub user: UserId,
}

/// By how much an event changes what someone did or earned on one day.
struct Score {
    organization: OrganizationId,
    user: UserId,
    metric: &'static str,
    day: Day,
    difference: i64,
    position: i64,
    at: DateTime<Utc>,
}

enum Day {
    Known(NaiveDate),
    /// That of the credit; the other one where the credit is not known.
    OfCredit(TransactionId, NaiveDate),
}

/// What a batch says of scores.
#[derive(Default)]
pub(super) struct Earned {
    scores: Vec<Score>,
    /// The days of credits that a reversal cannot name itself.
    pub credit_days: BTreeMap<(OrganizationId, TransactionId), NaiveDate>,
}

impl Earned {
    pub fn of(batch: &[Delivered]) -> Result<Self, ApplyError> {
        let mut earned = Self::default();
        for delivered in batch {
            match delivered.event.event_type.as_str() {
                ACTIVITIES_RECORDED => earned.add_reports(delivered)?,
                ERASED => {}
                _ => earned.add_points(delivered)?,
            }
        }
        Ok(earned)
    }

    fn add_reports(&mut self, delivered: &Delivered) -> Result<(), ApplyError> {
        let event = &delivered.event;
        let (user, Some(reports)) = reports(delivered)? else { return Ok(()) };
        self.scores.extend(reports.day_totals.iter().map(|day| Score {
            organization: event.organization_id,
            user,
            metric: day.metric.name(),
            day: Day::Known(day.day),
            difference: day.total - day.total_before,
            position: event.position,
            at: event.recorded_at,
        }));
        Ok(())
    }

    fn add_points(&mut self, delivered: &Delivered) -> Result<(), ApplyError> {
        let recorded = &delivered.event;
        let (organization, on) = (recorded.organization_id, recorded.recorded_at.date_naive());
        let event = AccountEvent::from_payload(&recorded.event_type, recorded.schema_version, recorded.payload.get().as_bytes())?;
        let day = match &event {
            AccountEvent::CreditResolved(credit) => {
                let day = credit.earned_on.unwrap_or(on);
                if credit.rule_id.is_none() || credit.earned_on.is_none() {
                    self.credit_days.insert((organization, credit.transaction_id), day);
                }
                Day::Known(day)
            }
            AccountEvent::CreditReversed(reversal) => match (reversal.earned_on, reversal.original_id) {
                (Some(day), _) => Day::Known(day),
                (None, Some(credit)) => Day::OfCredit(credit, on),
                (None, None) => Day::Known(on),
            },
            _ => return Ok(()),
        };
        let (user, difference) = (event.account().user_id, event.posted_change());
        let Delivered { event, .. } = delivered;
        self.scores.push(Score { organization, user, metric: POINTS, day, difference, position: event.position, at: event.recorded_at });
        Ok(())
    }

    /// The credits whose day has to be looked up.
    pub fn unknown_credits(&self) -> Vec<(OrganizationId, TransactionId)> {
        let credits = self.scores.iter().filter_map(|score| match score.day {
            Day::OfCredit(credit, _) => Some((score.organization, credit)),
            Day::Known(_) => None,
        });
        credits.filter(|credit| !self.credit_days.contains_key(credit)).collect()
    }

    /// The change of every score by every event, in the order of positions; `credit_days` are those
    /// that were looked up.
    pub fn steps(&self, credit_days: &BTreeMap<(OrganizationId, TransactionId), NaiveDate>) -> Steps {
        let mut steps: Steps = BTreeMap::new();
        for score in &self.scores {
            let day = match score.day {
                Day::Known(day) => day,
                Day::OfCredit(credit, otherwise) => {
                    let credit = (score.organization, credit);
                    self.credit_days.get(&credit).or_else(|| credit_days.get(&credit)).copied().unwrap_or(otherwise)
                }
            };
            for window in Window::containing(day) {
                let key = Key { organization: score.organization, metric: score.metric, window: window.key(), user: score.user };
                let step = steps.entry(key).or_default().entry(score.position).or_insert(Step { difference: 0, at: score.at });
                step.difference += score.difference;
            }
        }
        steps
    }
}

/// Changes of scores, by position.
pub(super) type Steps = BTreeMap<Key, BTreeMap<i64, Step>>;

pub(super) struct Step {
    difference: i64,
    at: DateTime<Utc>,
}

/// A score and the positions for which it is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub key: Key,
    pub from: i64,
    pub to: Option<i64>,
    pub reached_at: DateTime<Utc>,
    pub score: i64,
}

/// The row that stands before a batch.
pub(super) struct Standing {
    pub from: i64,
    pub score: i64,
}

/// What to write: the rows that end, as (key, from, to), and those that begin.
#[derive(Default)]
pub(super) struct Rows {
    pub ended: Vec<(Key, i64, i64)>,
    pub begun: Vec<Version>,
}

/// Applies `steps` to the rows that stand. An event that leaves a score as it was is no change: who
/// reached it first stays first.
pub(super) fn rows(standing: &BTreeMap<Key, Standing>, steps: Steps) -> Rows {
    let mut rows = Rows::default();
    for (key, steps) in steps {
        let stored = standing.get(&key);
        let mut last: Option<Version> = None;
        for (position, Step { difference, at }) in steps {
            let before = last.as_ref().map(|version| version.score).or(stored.map(|row| row.score));
            let score = before.unwrap_or(0) + difference;
            if before.unwrap_or(0) == score {
                continue;
            }
            let next = Version { key: key.clone(), from: position, to: None, reached_at: at, score };
            match (last.replace(next), stored) {
                (Some(ended), _) => rows.begun.push(Version { to: Some(position), ..ended }),
                (None, Some(row)) => rows.ended.push((key.clone(), row.from, position)),
                (None, None) => {}
            }
        }
        rows.begun.extend(last);
    }
    rows
}

#[cfg(test)]
mod tests;
