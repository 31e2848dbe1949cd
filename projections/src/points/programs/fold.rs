//! The fold. Programs change rarely, so each event is written as it comes.

use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use crate::points::account_events::{names, parse};
use async_trait::async_trait;
use palmares_domain::{
    kernel::Event,
    points::program::{EarningRuleAdded, ExpiryRuleChanged, ProgramEvent},
};
use serde::Serialize;
use uuid::Uuid;

const DEFINE: &str = "
    INSERT INTO {points_programs} (organization_id, program_id, name, floor, defined_at) VALUES ($1, $2, $3, $4, $5)";

const SET_FLOOR: &str = "UPDATE {points_programs} SET floor = $3 WHERE organization_id = $1 AND program_id = $2";

const ADD_RULE: &str = "
    INSERT INTO {points_earning_rules}
        (organization_id, program_id, rule_id, rule_version, kind, metric, per_units, points, daily_cap, effective_from)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// The end of a rule stands on each of its versions.
const RETIRE_RULE: &str = "
    UPDATE {points_earning_rules} SET retired_from = $4 WHERE organization_id = $1 AND program_id = $2 AND rule_id = $3";

const ADD_EXPIRY_RULE: &str = "
    INSERT INTO {points_expiry_rules} (organization_id, program_id, rule_version, expires_after_days, effective_from)
    VALUES ($1, $2, $3, $4, $5)";

pub(super) const WRITES: &[(&str, &str)] = &[
    ("points.programs.define", DEFINE),
    ("points.programs.set_floor", SET_FLOOR),
    ("points.programs.add_rule", ADD_RULE),
    ("points.programs.retire_rule", RETIRE_RULE),
    ("points.programs.add_expiry_rule", ADD_EXPIRY_RULE),
];

const PROGRAM_EVENTS: &[&str] = &names::<{ ProgramEvent::CATALOGUE.len() }>(ProgramEvent::CATALOGUE);

/// Folds programs into `points_programs`, `points_earning_rules` and `points_expiry_rules`.
pub struct Programs;

#[async_trait]
impl Projector for Programs {
    fn name(&self) -> &'static str {
        "points_programs"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["points_programs", "points_earning_rules", "points_expiry_rules"]
    }

    fn interests(&self) -> &'static [&'static str] {
        PROGRAM_EVENTS
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        for delivered in batch {
            apply_one(context, delivered).await?;
        }
        Ok(())
    }
}

async fn apply_one(context: &mut ApplyContext<'_>, delivered: &Delivered) -> Result<(), ApplyError> {
    let (organization, program) = (delivered.event.organization_id.0, delivered.event.stream.id);
    let slot = context.slot;
    match parse::<ProgramEvent>(delivered)? {
        ProgramEvent::ProgramDefined(event) => {
            let define = slot.sql(DEFINE);
            let query = sqlx::query(&define).bind(organization).bind(program).bind(event.name).bind(event.floor);
            query.bind(delivered.event.recorded_at).execute(&mut *context.tx).await?;
        }
        ProgramEvent::FloorChanged(event) => {
            let set = slot.sql(SET_FLOOR);
            sqlx::query(&set).bind(organization).bind(program).bind(event.floor).execute(&mut *context.tx).await?;
        }
        ProgramEvent::EarningRuleAdded(event) => add_rule(context, organization, &event).await?,
        ProgramEvent::EarningRuleRetired(event) => {
            let retire = slot.sql(RETIRE_RULE);
            let query = sqlx::query(&retire).bind(organization).bind(program).bind(event.rule_id.0);
            query.bind(event.effective_from).execute(&mut *context.tx).await?;
        }
        ProgramEvent::ExpiryRuleChanged(event) => add_expiry_rule(context, organization, &event).await?,
    }
    Ok(())
}

async fn add_rule(context: &mut ApplyContext<'_>, organization: Uuid, event: &EarningRuleAdded) -> Result<(), ApplyError> {
    sqlx::query(&context.slot.sql(ADD_RULE))
        .bind(organization)
        .bind(event.program_id.0)
        .bind(event.rule_id.0)
        .bind(integer(event.rule_version)?)
        .bind(stored_name(&event.kind)?)
        .bind(stored_name(&event.metric)?)
        .bind(event.per_units)
        .bind(event.points)
        .bind(event.daily_cap)
        .bind(event.effective_from)
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

async fn add_expiry_rule(context: &mut ApplyContext<'_>, organization: Uuid, event: &ExpiryRuleChanged) -> Result<(), ApplyError> {
    sqlx::query(&context.slot.sql(ADD_EXPIRY_RULE))
        .bind(organization)
        .bind(event.program_id.0)
        .bind(integer(event.rule_version)?)
        .bind(event.expires_after_days.map(integer).transpose()?)
        .bind(event.effective_from)
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

fn integer(number: u32) -> Result<i32, ApplyError> {
    i32::try_from(number).map_err(|error| ApplyError::Invalid(error.to_string()))
}

/// The name under which the event stores a value of a closed list.
pub(super) fn stored_name(value: &impl Serialize) -> Result<String, ApplyError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        other => Err(ApplyError::Invalid(format!("not a name: {other:?}"))),
    }
}
