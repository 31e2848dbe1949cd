//! What did all do together on the days whose totals stay?
//!
//! Before the data of somebody is hidden, the days that lie behind are closed: every day on which enough
//! took part, whoever they were. From then on the day counts with its closed totals, so that a figure is
//! the same before and after somebody is forgotten, and its change tells nobody's share (E-164, E-173).

mod fold;
mod open_days;

pub use fold::ClosedDays;
pub use open_days::{open_months, totals_to_close};

/// The projection's public name.
pub const PROJECTION: &str = "closed_days";

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("challenges.closed_days.close", fold::CLOSE),
    ("challenges.closed_days.closed", fold::CLOSED),
    ("challenges.closed_days.open_months", open_days::OPEN_MONTHS),
    ("challenges.closed_days.open_days", open_days::OPEN_DAYS),
];

pub(super) use fold::{Closed, closed_between};
