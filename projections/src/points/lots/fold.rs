//! The fold: what an event changes on lots, as the event itself says it.

use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use crate::points::account_events::{ACCOUNT_EVENTS, Holder, parse};
use async_trait::async_trait;
use palmares_domain::points::{LotTerms, account::AccountEvent};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Lots that open, or that get points back; the latter may be gone and come with their terms.
const OPEN: &str = "
    INSERT INTO {points_lots} AS l
        (organization_id, user_id, account_id, lot_id, program_id, team_id, number, expires_at, remaining, held)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[],
        $7::integer[], $8::timestamptz[], $9::bigint[], $10::bigint[])
    ON CONFLICT (organization_id, user_id, account_id, lot_id) DO UPDATE SET
        remaining = l.remaining + excluded.remaining, held = l.held + excluded.held";

const CHANGE: &str = "
    UPDATE {points_lots} l SET remaining = l.remaining + c.remaining, held = l.held + c.held
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[])
        AS c (organization_id, user_id, account_id, lot_id, remaining, held)
    WHERE (l.organization_id, l.user_id, l.account_id, l.lot_id) = (c.organization_id, c.user_id, c.account_id, c.lot_id)";

const CLOSE: &str = "
    DELETE FROM {points_lots} l
    USING unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) AS c (organization_id, user_id, account_id, lot_id)
    WHERE (l.organization_id, l.user_id, l.account_id, l.lot_id) = (c.organization_id, c.user_id, c.account_id, c.lot_id)
      AND l.remaining = 0";

pub(super) const WRITES: &[(&str, &str)] = &[("points.lots.open", OPEN), ("points.lots.change", CHANGE), ("points.lots.close", CLOSE)];

/// What a batch changes on one lot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub remaining: i64,
    pub held: i64,
    /// Known where the batch adds points to the lot.
    pub terms: Option<LotTerms>,
    /// Whether the batch takes points: the lot may be used up.
    pub takes: bool,
}

/// What a batch changes, by lot, in the order of the key.
pub(super) fn changes(batch: &[Delivered]) -> Result<BTreeMap<(Holder, Uuid), Change>, ApplyError> {
    let mut lots: BTreeMap<(Holder, Uuid), Change> = BTreeMap::new();
    for delivered in batch {
        let event = parse::<AccountEvent>(delivered)?;
        let holder = Holder::of(delivered, &event);
        for change in event.lots() {
            let lot = lots.entry((holder, change.lot.0)).or_default();
            lot.remaining += change.amount;
            lot.held += change.held;
            lot.terms = change.terms.or(lot.terms);
            lot.takes |= change.amount < 0;
        }
    }
    Ok(lots)
}

/// Folds accounts into `points_lots`.
pub struct Lots;

#[async_trait]
impl Projector for Lots {
    fn name(&self) -> &'static str {
        "points_lots"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["points_lots"]
    }

    fn interests(&self) -> &'static [&'static str] {
        ACCOUNT_EVENTS
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let lots = changes(batch)?;
        open(context, &lots).await?;
        change(context, &lots).await?;
        close(context, &lots).await
    }
}

type Changes = BTreeMap<(Holder, Uuid), Change>;

async fn open(context: &mut ApplyContext<'_>, lots: &Changes) -> Result<(), ApplyError> {
    let rows: Vec<_> = lots.iter().filter_map(|((holder, lot), change)| Some((holder, *lot, change, change.terms?))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let numbers = rows.iter().map(|(_, _, _, terms)| i32::try_from(terms.number));
    let numbers = numbers.collect::<Result<Vec<_>, _>>().map_err(|_| ApplyError::Invalid("a lot's number is too high".to_owned()))?;
    sqlx::query(&context.slot.sql(OPEN))
        .bind(rows.iter().map(|(holder, ..)| holder.organization_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(holder, ..)| holder.user_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(holder, ..)| holder.account_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, lot, ..)| *lot).collect::<Vec<_>>())
        .bind(rows.iter().map(|(holder, ..)| holder.program_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(holder, ..)| holder.team_id).collect::<Vec<_>>())
        .bind(numbers)
        .bind(rows.iter().map(|(.., terms)| terms.expires_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, _, change, _)| change.remaining).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, _, change, _)| change.held).collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

async fn change(context: &mut ApplyContext<'_>, lots: &Changes) -> Result<(), ApplyError> {
    let rows: Vec<_> = lots.iter().filter(|(_, change)| change.terms.is_none()).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(&context.slot.sql(CHANGE))
        .bind(rows.iter().map(|((holder, _), _)| holder.organization_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|((holder, _), _)| holder.user_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|((holder, _), _)| holder.account_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|((_, lot), _)| *lot).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, change)| change.remaining).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, change)| change.held).collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}

async fn close(context: &mut ApplyContext<'_>, lots: &Changes) -> Result<(), ApplyError> {
    let rows: Vec<_> = lots.iter().filter(|(_, change)| change.takes).map(|(key, _)| key).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(&context.slot.sql(CLOSE))
        .bind(rows.iter().map(|(holder, _)| holder.organization_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(holder, _)| holder.user_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(holder, _)| holder.account_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, lot)| *lot).collect::<Vec<_>>())
        .execute(&mut *context.tx)
        .await?;
    Ok(())
}
