//! Settles the days that were recorded before the rule that rewards them was published (W-28).
//!
//! A day that is recorded behind the rule is settled because of its activity. Whatever falls between
//! is settled by both: a settlement brings a day to what it is worth now, so the later one finds
//! nothing to do, in whichever order they come.

use super::{System, parse, settlement::settle, tenant_of};
use async_trait::async_trait;
use chrono::NaiveDate;
use futures::{StreamExt, stream};
use palmares_commands::engine::Engine;
use palmares_domain::{
    challenges::Metric,
    kernel::RecordedEvent,
    points::program::{EarningRuleAdded, ProgramEvent},
};
use palmares_projections::{
    engine::{Delivered, ReactError, Reactor, Readers, watermarks::Watermarks},
    points::recorded_days::{PROJECTIONS, RecordedDay, recorded_days},
};
use std::{sync::Arc, time::Duration};

const SYSTEM: System = System { name: "points.settle_recorded_days", permission: "system.settle_recorded_days" };

/// How long the read model of activities may take to reach a rule before it is tried again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Days that are looked up at once: what is held in memory, however many there are.
const DAYS_PER_PAGE: i64 = 1_000;

/// Members who are settled at the same time: their commands share appends.
const MEMBERS_AT_ONCE: usize = 16;

pub(super) struct SettleRecordedDays {
    pub engine: Arc<Engine>,
    pub readers: Readers,
    pub watermarks: Watermarks,
}

#[async_trait]
impl Reactor for SettleRecordedDays {
    fn name(&self) -> &'static str {
        SYSTEM.name
    }

    fn interests(&self) -> &'static [&'static str] {
        &["points.earning_rule_added"]
    }

    /// Starts from the first page each time: what was settled before is known by its id.
    async fn react(&self, delivered: &Delivered) -> Result<(), ReactError> {
        let event = &delivered.event;
        let ProgramEvent::EarningRuleAdded(rule) = parse(event)? else { return Ok(()) };
        let wait = self.watermarks.wait_for(PROJECTIONS, event.position, PATIENCE);
        wait.await.map_err(|error| ReactError::Transient(error.into()))?;
        let mut refused = None;
        let mut last = None;
        loop {
            let page = self.page(event, &rule, last).await?;
            last = page.last().copied();
            if last.is_none() {
                return refused.map_or(Ok(()), Err);
            }
            let members: Vec<_> = page.chunk_by(|one, other| one.0 == other.0).map(<[_]>::to_vec).collect();
            let settled = stream::iter(members).map(|days| self.settle(event, &rule, days));
            let mut settled = settled.buffer_unordered(MEMBERS_AT_ONCE);
            while let Some(outcome) = settled.next().await {
                match outcome {
                    // What one member is refused keeps nobody else from what they earned.
                    Err(error @ ReactError::Permanent(_)) => refused = refused.or(Some(error)),
                    outcome => outcome?,
                }
            }
        }
    }
}

impl SettleRecordedDays {
    async fn page(
        &self,
        event: &RecordedEvent,
        rule: &EarningRuleAdded,
        behind: Option<RecordedDay>,
    ) -> Result<Vec<RecordedDay>, ReactError> {
        let read = async {
            let mut reader = self.readers.open(tenant_of(event), None).await?;
            recorded_days(&mut reader, rule.metric, rule.effective_from, behind, DAYS_PER_PAGE).await
        };
        read.await.map_err(|error| ReactError::Transient(error.into()))
    }

    /// Days of one member. Which version of the rule holds on them is the command's question.
    async fn settle(&self, event: &RecordedEvent, rule: &EarningRuleAdded, days: Vec<RecordedDay>) -> Result<(), ReactError> {
        let Some((user, _)) = days.first().copied() else { return Ok(()) };
        let days: Vec<(Metric, NaiveDate)> = days.into_iter().map(|(_, day)| (rule.metric, day)).collect();
        settle(&self.engine, SYSTEM, event, rule.program_id, user, &days).await
    }
}
