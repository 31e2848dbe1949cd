//! Challenges: what people did, day by day, and the windows over which it is compared.
//!
//! Words: a *record* is one measure from one source (a watch, a feed, a form), known by (source,
//! source record id); it is *ingested* once, *corrected* when the same id comes with other content
//! and *retracted* when its source takes it back. A *day total* is the sum of a metric over the
//! records of one local day. A *window* is the stretch of calendar that a leaderboard covers.
//!
//! A day is *closed* when its totals over all who took part stay as they are, whoever is forgotten later.
//!
//! Invariants: the same record counts once, however often it comes; the newest content of an id
//! wins; a day total is always the sum of its records; what someone did is health data of that
//! person and never stands in clear, and once it was erased the log takes no more (design 7); no
//! figure is over fewer than five people, and a day is closed once.
//!
//! Others see the [`Metric`], the [`window::Window`] and the [`activity_log::ActivityLog`] with
//! the batch it records, and [`closed_days::ClosedDays`].

pub mod activity_log;
pub mod closed_days;
mod metric;
pub mod window;

pub use metric::Metric;
