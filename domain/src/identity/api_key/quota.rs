//! How often a key may be used.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Requests of one key in one period.
const REQUESTS_MAX: u32 = 100_000_000;

/// The usage plan of a key: so many requests in each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub requests: u32,
    pub per: QuotaPeriod,
}

/// Periods follow the clock (UTC), so they begin for every key at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuotaPeriod {
    Minute,
    Hour,
    Day,
}

impl Quota {
    pub(super) fn is_sound(self) -> bool {
        (1..=REQUESTS_MAX).contains(&self.requests)
    }
}

impl QuotaPeriod {
    pub fn length(self) -> TimeDelta {
        match self {
            QuotaPeriod::Minute => TimeDelta::minutes(1),
            QuotaPeriod::Hour => TimeDelta::hours(1),
            QuotaPeriod::Day => TimeDelta::days(1),
        }
    }

    /// The name in events and requests.
    pub fn name(self) -> &'static str {
        match self {
            QuotaPeriod::Minute => "minute",
            QuotaPeriod::Hour => "hour",
            QuotaPeriod::Day => "day",
        }
    }
}
