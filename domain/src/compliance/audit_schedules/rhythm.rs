//! When an export is due: at an hour on the calendar of a place.

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// More days than any rhythm leaves out.
const DAYS_LOOKED_AT: u64 = 32;

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    Day,
    /// On Mondays.
    Week,
    /// On the first.
    Month,
}

/// Why a schedule does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PauseCause {
    /// Its owner wants it so.
    Asked,
    /// Its owner may not take out the audit log any more.
    RightLost,
    /// What it looks for, or the key that it is sealed to, can be read no more.
    Erased,
}

/// How often, and at which hour of which time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rhythm {
    pub every: Every,
    /// 0 to 23.
    pub hour: u32,
    /// IANA name.
    pub time_zone: String,
}

impl Rhythm {
    /// The time zone, where there is one of this name.
    pub fn zone(&self) -> Option<Tz> {
        self.time_zone.parse().ok()
    }

    /// The first time after `now`. An hour that the clocks leave out is the next one; of one that comes twice
    /// it is the first. `None` where there is no such zone or hour.
    pub fn next_after(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let zone = self.zone()?;
        let today = now.with_timezone(&zone).date_naive();
        let days = (0..=DAYS_LOOKED_AT).filter_map(|ahead| today.checked_add_days(Days::new(ahead)));
        days.filter(|day| self.falls_on(*day)).filter_map(|day| self.at(zone, day)).find(|at| *at > now)
    }

    fn falls_on(&self, day: NaiveDate) -> bool {
        match self.every {
            Every::Day => true,
            Every::Week => day.weekday() == Weekday::Mon,
            Every::Month => day.day() == 1,
        }
    }

    fn at(&self, zone: Tz, day: NaiveDate) -> Option<DateTime<Utc>> {
        let local = |hour: u32| day.and_hms_opt(hour, 0, 0).map(|at| zone.from_local_datetime(&at));
        let found = match local(self.hour)? {
            LocalResult::None => local(self.hour + 1)?,
            found => found,
        };
        found.earliest().map(|at| at.to_utc())
    }
}
