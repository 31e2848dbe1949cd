//! The rules of a program, as versions.

use crate::challenges::Metric;
use crate::kernel::RuleId;
use crate::points::AMOUNT_MAX_POINTS;
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// What a rule rewards. What is earned once, by a challenge (W-27) or an article (W-29), is a credit
/// with a source instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EarningKind {
    /// A day's total of a tracked metric (W-28).
    Activity,
}

/// One version of an earning rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarningRule {
    pub rule_id: RuleId,
    /// From 1.
    pub version: u32,
    pub kind: EarningKind,
    pub metric: Metric,
    /// How many units of the metric earn `points`; at least 1.
    pub per_units: i64,
    pub points: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_cap: Option<i64>,
    pub effective_from: NaiveDate,
}

impl EarningRule {
    /// The points that a day's total is worth: `min(daily_cap, floor(total / per_units) × points)`.
    ///
    /// Without a cap, a transaction's own limit is the cap. A total below zero, as a correction may
    /// leave for a moment, is worth nothing.
    pub fn target(&self, total: i64) -> i64 {
        let cap = self.daily_cap.unwrap_or(AMOUNT_MAX_POINTS).clamp(0, AMOUNT_MAX_POINTS);
        let whole_units = total.max(0).checked_div(self.per_units).unwrap_or(0);
        whole_units.saturating_mul(self.points).clamp(0, cap)
    }
}

/// One version of the expiry rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiryRule {
    /// From 1.
    pub version: u32,
    /// None: never.
    pub expires_after_days: Option<u32>,
    pub effective_from: NaiveDate,
}

impl ExpiryRule {
    /// When points that were credited at `credited_at` expire; none also where that is past the
    /// calendar's end.
    pub fn expires_at(&self, credited_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        credited_at.checked_add_days(Days::new(self.expires_after_days?.into()))
    }
}
