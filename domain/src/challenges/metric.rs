//! What can be measured: each metric with its unit and the most that one record of a day may say.

use serde::{Deserialize, Serialize};

macro_rules! metrics {
    ($($(#[$doc:meta])* $metric:ident = $name:literal up to $max:literal),* $(,)?) => {
        /// A measure of activity, its unit last in its name where it has one. Add-only: records of
        /// a removed metric could not be read any more.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        pub enum Metric {
            $($(#[$doc])* #[serde(rename = $name)] $metric),*
        }

        impl Metric {
            pub const ALL: &'static [Metric] = &[$(Metric::$metric),*];

            /// The name in requests, events and addresses.
            pub fn name(self) -> &'static str {
                match self { $(Metric::$metric => $name),* }
            }

            /// The most that a record of one day may say: above it a source is in error, since no
            /// person did more.
            pub fn record_max(self) -> i64 {
                match self { $(Metric::$metric => $max),* }
            }
        }
    };
}

metrics! {
    Steps = "steps" up to 300_000,
    DistanceM = "distance_m" up to 1_000_000,
    Floors = "floors" up to 10_000,
    ActiveMinutes = "active_minutes" up to 1_440,
    SedentaryMinutes = "sedentary_minutes" up to 1_440,
    SleepMinutes = "sleep_minutes" up to 1_440,
    MindfulMinutes = "mindful_minutes" up to 1_440,
    /// Kilocalories, which everyday speech and every feed call calories.
    Calories = "calories" up to 50_000,
}

impl Metric {
    /// The metric of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.name() == name)
    }
}
