//! What may be asked of closed days.

use super::ClosedDay;
use crate::kernel::{MonthId, OrganizationId};

#[derive(Clone, Debug)]
pub enum ClosedDaysCommand {
    Close(CloseDays),
}

/// Closes days of a month; those that are closed stay as they are.
#[derive(Clone, Debug)]
pub struct CloseDays {
    pub organization_id: OrganizationId,
    pub month_id: MonthId,
    pub days: Vec<ClosedDay>,
}
