//! The time at which commands are decided, which tests and development may put ahead.

use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// The clock of an engine. It shows the system's time unless somebody put it ahead.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_micros: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that shows a later time, to see what periods of weeks lead to.
    pub fn ahead_by(ahead: TimeDelta) -> Self {
        let clock = Self::default();
        clock.advance(ahead);
        clock
    }

    /// Puts it further ahead.
    pub fn advance(&self, by: TimeDelta) {
        self.ahead_micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::Relaxed);
    }

    /// How far it is ahead of the system's time.
    pub fn ahead(&self) -> TimeDelta {
        TimeDelta::microseconds(self.ahead_micros.load(Ordering::Relaxed))
    }

    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.ahead()
    }
}
