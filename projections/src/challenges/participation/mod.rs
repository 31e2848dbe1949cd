//! How many take part, and how much do they do together?
//!
//! What one person does is theirs and their experts'; those who run a program see figures over
//! [`SUBJECTS_MIN`] people at least, and nothing of fewer (E-69). A day on which fewer took part is left
//! out of every figure, so that the difference between two stretches is no person's day either. A day that is [closed](super::closed_days) counts with what was closed.

mod figures;
mod query;
mod report;

pub use palmares_domain::challenges::closed_days::SUBJECTS_MIN;
pub(super) use query::totals;
pub use query::{ShowParticipation, WellnessParticipation};
pub use report::{ReportParticipation, report_participation};

pub(super) const STATEMENTS: &[(&str, &str)] = &[("challenges.participation.day", query::DAY)];
