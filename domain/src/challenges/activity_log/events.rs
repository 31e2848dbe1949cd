//! What happens to an activity log.

use super::RecordedBatch;
use crate::{
    events,
    kernel::{Personal, UserId},
};

events! {
    /// What happens to an activity log.
    pub enum ActivityLogEvent {
        /// A batch of reports changed the log; reports that changed nothing are not in it.
        ActivitiesRecorded = "challenges.activities_recorded" v 1 {
            user_id: UserId = internal,
            records: Personal<RecordedBatch> = restricted of user_id for Health,
            /// How many reports were accepted, corrections and retractions included.
            accepted: u32 = internal,
            corrected: u32 = internal,
            retracted: u32 = internal,
        }
    }
}
