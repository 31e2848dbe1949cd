//! How many there are, and how much they do: figures of an organization (E-41) and of the whole platform
//! (E-26), by days of UTC and never about one person.
//!
//! A figure is the sum of what its days added, so what it was on an earlier day is the sum up to that day.
//! Every organization's rows stand in its own tenant and in the platform's.

mod fold;
mod measures;
mod query;
mod report;
mod tally;

pub use fold::Analytics;
pub use query::{OrganizationAnalytics, PlatformAnalytics, ShowAnalytics, ShowPlatformAnalytics, UsageDay, UsageFigures, UsageWeek};
pub use report::{ReportUsage, report_usage};

/// The projection's public name.
pub const PROJECTION: &str = "operations_analytics";

/// Every statement, by name.
pub(super) fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    fold::STATEMENTS.iter().chain(query::STATEMENTS).copied()
}
