//! The fold: what an event adds to the balance of its account.

use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use crate::points::account_events::{ACCOUNT_EVENTS, Holder, parse};
use async_trait::async_trait;
use palmares_domain::points::account::AccountEvent;
use std::{collections::HashMap, ops::AddAssign};

/// One addition for each account of a batch. The fold only adds, so it reads nothing, and the rows
/// come in the order of their key, so that two writers never wait for each other in a circle.
const ADD: &str = "
    INSERT INTO {points_balances} AS b
        (organization_id, user_id, account_id, program_id, team_id, posted, held, pending, freezes, position)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[],
        $6::bigint[], $7::bigint[], $8::bigint[], $9::integer[], $10::bigint[])
    ON CONFLICT (organization_id, user_id, account_id) DO UPDATE SET
        posted = b.posted + excluded.posted, held = b.held + excluded.held, pending = b.pending + excluded.pending,
        freezes = b.freezes + excluded.freezes, position = excluded.position";

pub(super) const WRITES: &[(&str, &str)] = &[("points.balances.add", ADD)];

/// What changes on the balance of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::points) struct Change {
    pub posted: i64,
    pub held: i64,
    pub pending: i64,
    pub freezes: i32,
}

impl Change {
    pub fn of(event: &AccountEvent) -> Self {
        let freezes = match event {
            AccountEvent::AccountFrozen(_) => 1,
            AccountEvent::AccountUnfrozen(_) => -1,
            _ => 0,
        };
        let (posted, held, pending) = (event.posted_change(), event.held_change(), event.pending_change());
        Self { posted, held, pending, freezes }
    }
}

impl AddAssign for Change {
    fn add_assign(&mut self, other: Self) {
        self.posted += other.posted;
        self.held += other.held;
        self.pending += other.pending;
        self.freezes += other.freezes;
    }
}

/// What a batch adds, one row for each account, in the order of the key; with the last position.
pub(super) fn changes(batch: &[Delivered]) -> Result<Vec<(Holder, Change, i64)>, ApplyError> {
    let mut accounts: HashMap<Holder, (Change, i64)> = HashMap::with_capacity(batch.len());
    for delivered in batch {
        let event = parse::<AccountEvent>(delivered)?;
        let (change, position) = accounts.entry(Holder::of(delivered, &event)).or_default();
        *change += Change::of(&event);
        *position = delivered.event.position;
    }
    let mut rows: Vec<_> = accounts.into_iter().map(|(holder, (change, position))| (holder, change, position)).collect();
    rows.sort_unstable_by_key(|(holder, ..)| *holder);
    Ok(rows)
}

/// Folds accounts into `points_balances`.
pub struct Balances;

#[async_trait]
impl Projector for Balances {
    fn name(&self) -> &'static str {
        "points_balances"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["points_balances"]
    }

    fn interests(&self) -> &'static [&'static str] {
        ACCOUNT_EVENTS
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let rows = changes(batch)?;
        sqlx::query(&context.slot.sql(ADD))
            .bind(rows.iter().map(|(holder, ..)| holder.organization_id).collect::<Vec<_>>())
            .bind(rows.iter().map(|(holder, ..)| holder.user_id).collect::<Vec<_>>())
            .bind(rows.iter().map(|(holder, ..)| holder.account_id).collect::<Vec<_>>())
            .bind(rows.iter().map(|(holder, ..)| holder.program_id).collect::<Vec<_>>())
            .bind(rows.iter().map(|(holder, ..)| holder.team_id).collect::<Vec<_>>())
            .bind(rows.iter().map(|(_, change, _)| change.posted).collect::<Vec<_>>())
            .bind(rows.iter().map(|(_, change, _)| change.held).collect::<Vec<_>>())
            .bind(rows.iter().map(|(_, change, _)| change.pending).collect::<Vec<_>>())
            .bind(rows.iter().map(|(_, change, _)| change.freezes).collect::<Vec<_>>())
            .bind(rows.iter().map(|(.., position)| *position).collect::<Vec<_>>())
            .execute(&mut *context.tx)
            .await?;
        Ok(())
    }
}
