//! Settles the days that a batch of activities touched, in every program that rewards them (W-28).

use super::{System, settlement::settle, tenant_of};
use anyhow::anyhow;
use async_trait::async_trait;
use chrono::NaiveDate;
use palmares_commands::engine::Engine;
use palmares_domain::{
    challenges::{Metric, activity_log::RecordedBatch},
    kernel::{RecordedEvent, Tenant, UserId},
};
use palmares_projections::{
    engine::{Cursor, Delivered, Limit, Query, ReactError, Reactor, Readers, watermarks::Watermarks},
    points::programs::{ListPrograms, ProgramDetails},
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

const SYSTEM: System = System { name: "points.settle_earnings", permission: "system.settle_earnings" };

/// How long the programs' read model may take to reach an event before it is tried again.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct SettleDays {
    pub engine: Arc<Engine>,
    pub readers: Readers,
    pub watermarks: Watermarks,
}

#[async_trait]
impl Reactor for SettleDays {
    fn name(&self) -> &'static str {
        SYSTEM.name
    }

    fn interests(&self) -> &'static [&'static str] {
        &["challenges.activities_recorded"]
    }

    fn opens_personal(&self) -> bool {
        true
    }

    async fn react(&self, delivered: &Delivered) -> Result<(), ReactError> {
        let event = &delivered.event;
        let batch: Option<RecordedBatch> = delivered.opened("records").map_err(|error| ReactError::Permanent(error.into()))?;
        // Erased: nothing is known of those days any more, and what they earned stays earned.
        let Some(batch) = batch else { return Ok(()) };
        for program in self.programs(event).await? {
            let days = rewarded_days(&program, &batch);
            settle(&self.engine, SYSTEM, event, program.id, UserId(event.stream.id), &days).await?;
        }
        Ok(())
    }
}

impl SettleDays {
    /// The programs of the organization, as of the event at the earliest.
    async fn programs(&self, event: &RecordedEvent) -> Result<Vec<ProgramDetails>, ReactError> {
        let wait = self.watermarks.wait_for(ListPrograms::PROJECTIONS, event.position, PATIENCE);
        wait.await.map_err(|error| ReactError::Transient(error.into()))?;
        self.list(tenant_of(event)).await.map_err(ReactError::Transient)
    }

    async fn list(&self, tenant: Tenant) -> anyhow::Result<Vec<ProgramDetails>> {
        let mut reader = self.readers.open(tenant, None).await?;
        let (mut programs, mut cursor) = (Vec::new(), None::<Cursor>);
        loop {
            let page = ListPrograms { cursor, limit: Limit::default() }.run(&mut reader).await?;
            programs.extend(page.items);
            let Some(next) = page.next_cursor else { return Ok(programs) };
            cursor = Some(serde_json::from_value(next.into()).map_err(|error| anyhow!("a cursor is no cursor: {error}"))?);
        }
    }
}

/// The days of the batch that a program has rules for, in the order of the batch. Which version of
/// a rule holds on a day is the command's question.
fn rewarded_days(program: &ProgramDetails, batch: &RecordedBatch) -> Vec<(Metric, NaiveDate)> {
    let metrics: BTreeSet<&str> = program.rules.iter().map(|rule| rule.metric.as_str()).collect();
    let rewarded = batch.day_totals.iter().filter(|total| metrics.contains(total.metric.name()));
    rewarded.map(|total| (total.metric, total.day)).collect()
}
