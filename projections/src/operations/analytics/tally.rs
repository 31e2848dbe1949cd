//! What a batch of events adds to the figures.

use super::measures::{ACTIVE_USERS, INVITATIONS, PARTICIPANTS, POINTS_ISSUED, POINTS_SPENT, SIGN_INS, USERS, WEEKLY_USERS};
use crate::engine::{ApplyError, Delivered};
use chrono::{Datelike, Days, NaiveDate};
use palmares_domain::{
    identity::{invitation::InvitationEvent, sessions::SessionsEvent, user::UserEvent},
    kernel::{Aggregate, Event},
    points::{Account, account::AccountEvent, ledger::LedgerAccount},
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Somebody was there, in the sense of a measure, on a day or in the week that begins with it.
pub(super) type Presence = (Uuid, &'static str, NaiveDate, Uuid);

/// A figure of a day: organization, day, measure.
pub(super) type Key = (Uuid, NaiveDate, String);

/// A change of where a user or an invitation stands.
pub(super) struct Step {
    pub organization: Uuid,
    pub day: NaiveDate,
    pub subject: Uuid,
    /// Such as `users.`.
    pub of: &'static str,
    pub status: &'static str,
}

/// What a batch adds.
#[derive(Default)]
pub(super) struct Tally {
    pub steps: Vec<Step>,
    pub presences: BTreeSet<Presence>,
    pub counts: BTreeMap<Key, i64>,
}

impl Tally {
    pub fn of(batch: &[Delivered]) -> Result<Self, ApplyError> {
        let mut tally = Self::default();
        batch.iter().try_for_each(|delivered| tally.add(delivered))?;
        Ok(tally)
    }

    /// Adds to a figure.
    pub fn count(&mut self, key: Key, by: i64) {
        if by != 0 {
            *self.counts.entry(key).or_default() += by;
        }
    }

    fn add(&mut self, Delivered { event, .. }: &Delivered) -> Result<(), ApplyError> {
        let (organization, day) = (event.organization_id.0, event.recorded_at.date_naive());
        let payload = event.payload.get().as_bytes();
        let (name, version) = (event.event_type.as_str(), event.schema_version);
        match event.stream.stream_type.as_str() {
            "user" => {
                let happened = UserEvent::from_payload(name, version, payload)?;
                let subject = happened.user_id().0;
                let status = happened.status().map(|status| status.name());
                self.steps.extend(status.map(|status| Step { organization, day, subject, of: USERS, status }));
            }
            "invitation" => {
                let happened = InvitationEvent::from_payload(name, version, payload)?;
                let (subject, status) = (happened.invitation_id().0, happened.status().name());
                self.steps.push(Step { organization, day, subject, of: INVITATIONS, status });
            }
            "sessions" => match SessionsEvent::from_payload(name, version, payload)? {
                SessionsEvent::SessionStarted(started) => {
                    self.count((organization, day, SIGN_INS.to_owned()), 1);
                    self.present(organization, day, started.user_id.0);
                }
                SessionsEvent::RefreshRotated(rotated) => self.present(organization, day, rotated.user_id.0),
                _ => {}
            },
            // Only the log of a user's activities is left, and its stream is named by the user.
            "activity_log" => _ = self.presences.insert((organization, PARTICIPANTS, day, event.stream.id)),
            Account::TYPE => {
                let happened = AccountEvent::from_payload(name, version, payload)?;
                let moved = |wanted: LedgerAccount| -> i64 {
                    happened.postings().iter().filter(|posting| posting.account == wanted).map(|posting| posting.amount).sum()
                };
                let (issued, spent) = (-moved(LedgerAccount::Issuance), moved(LedgerAccount::Redemption));
                self.count((organization, day, POINTS_ISSUED.to_owned()), issued);
                self.count((organization, day, POINTS_SPENT.to_owned()), spent);
            }
            _ => {}
        }
        Ok(())
    }

    fn present(&mut self, organization: Uuid, day: NaiveDate, user: Uuid) {
        self.presences.insert((organization, ACTIVE_USERS, day, user));
        self.presences.insert((organization, WEEKLY_USERS, monday(day), user));
    }
}

/// The first day of the week of a day (ISO 8601).
pub(super) fn monday(day: NaiveDate) -> NaiveDate {
    day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_its_monday() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for of_the_week in ["2026-11-16", "2026-11-19", "2026-11-22"] {
            assert_eq!(monday(day(of_the_week)), day("2026-11-16"));
        }
        assert_eq!(monday(day("2026-11-23")), day("2026-11-23"));
    }
}
