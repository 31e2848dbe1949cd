//! What keeps figures over people as they are when somebody of them goes.
//!
//! Every day that lies far enough behind is closed on which enough took part, not only those of whoever
//! goes: so neither what is recorded nor when tells on which days they took part. It comes before their data
//! is hidden, so a figure does not change with them, and no difference of two figures is what they did.

use super::{PATIENCE, SYSTEM, Tools, transient};
use crate::reactors::{execute, failed, tenant_of};
use chrono::{Days, NaiveDate};
use palmares_commands::challenges::CloseDays;
use palmares_domain::{
    compliance::deletion_request::DeletionSubject,
    kernel::{Admission, Idempotency, MonthId, RecordedEvent},
};
use palmares_projections::{
    challenges::closed_days::{open_months, totals_to_close},
    engine::{ReactError, reactor::command_id},
};

/// Days of the last four weeks stay open for reports that come late. Nothing is recorded of whoever asked
/// for their deletion, and the shortest grace period is longer: they are in none of those days.
const OPEN_FOR: Days = Days::new(28);

impl Tools {
    /// Closes the days in which somebody may be who is about to be hidden, and waits until figures count them
    /// as closed. Of an organization that goes nobody is left to read figures.
    pub(super) async fn close_days(&self, event: &RecordedEvent, subject: DeletionSubject) -> Result<(), ReactError> {
        let today = event.recorded_at.date_naive();
        let Some(until) = today.checked_sub_days(OPEN_FOR).filter(|_| subject.user().is_some()) else { return Ok(()) };
        self.counted(event.position).await?;
        let mut reader = self.readers.open(tenant_of(event), None).await.map_err(|error| transient(error.into()))?;
        let months = open_months(&mut reader, until).await.map_err(|error| transient(error.into()))?;
        drop(reader);
        let mut closed = event.position;
        for month in months {
            closed = self.close_month(event, month, until).await?.unwrap_or(closed);
        }
        self.counted(closed).await
    }

    /// Closes a month by itself, so that what is done of a long past is done when a crash ends it. A day that
    /// is closed twice is what it was the first time. Answers where that is recorded.
    async fn close_month(&self, event: &RecordedEvent, month: NaiveDate, until: NaiveDate) -> Result<Option<i64>, ReactError> {
        let mut reader = self.readers.open(tenant_of(event), None).await.map_err(|error| transient(error.into()))?;
        let days = totals_to_close(&mut reader, month, until).await.map_err(|error| transient(error.into()))?;
        drop(reader);
        if days.is_empty() {
            return Ok(None);
        }
        let month_id = MonthId::of(event.organization_id, month);
        // By the month, because which months are left to close may differ the next time; and without what
        // caused it, which would name whoever goes.
        let command = command_id(event.id, &format!("{}/{month_id}", SYSTEM.name), 0);
        let idempotency = Some(Idempotency { command_id: command, request_hash: [0; 32] });
        let admission = Admission { idempotency, ..SYSTEM.admission(event.organization_id) };
        let receipt = execute(&self.engine, admission, CloseDays { month_id, days }).await.map_err(failed)?;
        Ok(Some(receipt.position))
    }

    async fn counted(&self, position: i64) -> Result<(), ReactError> {
        let wait = self.watermarks.wait_for(&self.counting, position, PATIENCE);
        wait.await.map(drop).map_err(|error| transient(error.into()))
    }
}
