//! What happens to closed days.

use super::ClosedDay;
use crate::{
    events,
    kernel::{MonthId, OrganizationId},
};

events! {
    /// What happens to closed days. Nobody is named, and nobody can be told from it: every day is closed
    /// on which enough took part, whoever they are.
    pub enum ClosedDaysEvent {
        DaysClosed = "challenges.days_closed" v 1 {
            organization_id: OrganizationId = internal,
            month_id: MonthId = internal,
            days: Vec<ClosedDay> = confidential,
        }
    }
}
