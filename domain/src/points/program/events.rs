//! What happens to a program. A rule once added is never edited: a newer version follows it.

use super::EarningKind;
use crate::challenges::Metric;
use crate::events;
use crate::kernel::{ProgramId, RuleId};
use chrono::NaiveDate;

events! {
    /// The events of [`Program`](super::Program).
    pub enum ProgramEvent {
        ProgramDefined = "points.program_defined" v 1 {
            program_id: ProgramId = internal,
            name: String = internal,
            /// How far an account may go below zero, in points; at most 0.
            floor: i64 = internal,
        },
        /// A new rule, or a new version of the rule for the same kind and metric.
        EarningRuleAdded = "points.earning_rule_added" v 1 {
            program_id: ProgramId = internal,
            rule_id: RuleId = internal,
            /// From 1; grows by one with every version of the rule.
            rule_version: u32 = internal,
            kind: EarningKind = internal,
            metric: Metric = internal,
            per_units: i64 = internal,
            points: i64 = internal,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            daily_cap: Option<i64> = internal,
            /// The first day that the version applies to.
            effective_from: NaiveDate = internal,
        },
        EarningRuleRetired = "points.earning_rule_retired" v 1 {
            program_id: ProgramId = internal,
            rule_id: RuleId = internal,
            /// The first day on which nothing is earned any more.
            effective_from: NaiveDate = internal,
        },
        ExpiryRuleChanged = "points.expiry_rule_changed" v 1 {
            program_id: ProgramId = internal,
            /// From 1; grows by one with every change.
            rule_version: u32 = internal,
            /// None: points credited under this rule never expire.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            expires_after_days: Option<u32> = internal,
            /// The first day of crediting that the rule applies to.
            effective_from: NaiveDate = internal,
        },
        FloorChanged = "points.floor_changed" v 1 {
            program_id: ProgramId = internal,
            floor: i64 = internal,
        },
    }
}
