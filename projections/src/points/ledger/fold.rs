//! The fold: adds up postings, and knows nothing of what the events mean.

use crate::engine::{ApplyContext, ApplyError, Delivered, Projector};
use crate::points::account_events::{ACCOUNT_EVENTS, parse};
use async_trait::async_trait;
use palmares_domain::points::{LedgerAccount, Posting, account::AccountEvent};
use std::collections::BTreeMap;
use uuid::Uuid;

const ADD: &str = "
    INSERT INTO {points_ledger} AS l (organization_id, program_id, account, debit, credit)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[])
    ON CONFLICT (organization_id, program_id, account) DO UPDATE SET
        debit = l.debit + excluded.debit, credit = l.credit + excluded.credit";

const ADD_MEMBERS: &str = "
    INSERT INTO {points_ledger_members} AS l (organization_id, account_id, debit, credit)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
    ON CONFLICT (organization_id, account_id) DO UPDATE SET
        debit = l.debit + excluded.debit, credit = l.credit + excluded.credit";

pub(super) const WRITES: &[(&str, &str)] = &[("points.ledger.add", ADD), ("points.ledger.add_members", ADD_MEMBERS)];

/// Both sides of an account in the books. Points are owed to members, so what adds to an account
/// is its credit side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sides {
    pub debit: i64,
    pub credit: i64,
}

impl Sides {
    fn add(&mut self, posting: &Posting) {
        match posting.amount {
            amount if amount < 0 => self.debit -= amount,
            amount => self.credit += amount,
        }
    }
}

/// What a batch books: by ledger account of each program, and by member account.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entries {
    pub accounts: BTreeMap<(Uuid, Uuid, &'static str), Sides>,
    pub members: BTreeMap<(Uuid, Uuid), Sides>,
}

pub(super) fn entries(batch: &[Delivered]) -> Result<Entries, ApplyError> {
    let mut entries = Entries::default();
    for delivered in batch {
        let event = parse::<AccountEvent>(delivered)?;
        let (organization, program) = (delivered.event.organization_id.0, event.account().program_id.0);
        for posting in event.postings() {
            entries.accounts.entry((organization, program, posting.account.kind())).or_default().add(posting);
            if let LedgerAccount::Member(account) = posting.account {
                entries.members.entry((organization, account.0)).or_default().add(posting);
            }
        }
    }
    Ok(entries)
}

/// Folds postings into `points_ledger` and `points_ledger_members`.
pub struct Ledger;

#[async_trait]
impl Projector for Ledger {
    fn name(&self) -> &'static str {
        "points_ledger"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["points_ledger", "points_ledger_members"]
    }

    fn interests(&self) -> &'static [&'static str] {
        ACCOUNT_EVENTS
    }

    async fn apply(&self, context: &mut ApplyContext<'_>, batch: &[Delivered]) -> Result<(), ApplyError> {
        let Entries { accounts, members } = entries(batch)?;
        if accounts.is_empty() {
            return Ok(());
        }
        sqlx::query(&context.slot.sql(ADD))
            .bind(accounts.keys().map(|(organization, ..)| *organization).collect::<Vec<_>>())
            .bind(accounts.keys().map(|(_, program, _)| *program).collect::<Vec<_>>())
            .bind(accounts.keys().map(|(.., account)| *account).collect::<Vec<_>>())
            .bind(accounts.values().map(|sides| sides.debit).collect::<Vec<_>>())
            .bind(accounts.values().map(|sides| sides.credit).collect::<Vec<_>>())
            .execute(&mut *context.tx)
            .await?;
        if members.is_empty() {
            return Ok(());
        }
        sqlx::query(&context.slot.sql(ADD_MEMBERS))
            .bind(members.keys().map(|(organization, _)| *organization).collect::<Vec<_>>())
            .bind(members.keys().map(|(_, account)| *account).collect::<Vec<_>>())
            .bind(members.values().map(|sides| sides.debit).collect::<Vec<_>>())
            .bind(members.values().map(|sides| sides.credit).collect::<Vec<_>>())
            .execute(&mut *context.tx)
            .await?;
        Ok(())
    }
}
