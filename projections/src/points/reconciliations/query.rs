//! The query: runs the comparison now.

use crate::engine::{Query, ReadError, TenantReader};
use crate::points::{balances::Change, past::each_event};
use palmares_domain::{
    kernel::{AccountId, Aggregate, ProgramId, TeamId, UserId},
    points::{Account, AccountKey, account::AccountEvent},
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// How many mismatches a report lists; it counts all of them.
pub const MISMATCHES_SHOWN: usize = 1_000;

/// Where the two read models stand; 0 before their projectors ever ran.
const POSITIONS: &str = "
    SELECT COALESCE(max(position) FILTER (WHERE name = 'points_balances'), 0),
        COALESCE(max(position) FILTER (WHERE name = 'points_ledger'), 0)
    FROM checkpoints WHERE active AND name IN ('points_balances', 'points_ledger')";

/// Every account that any of the three knows, with the checkpoints of the same snapshot.
const OPEN: &str = "
    DECLARE points_reconciliation NO SCROLL CURSOR FOR
    SELECT (SELECT COALESCE(max(position), 0) FROM checkpoints WHERE active AND name = 'points_balances') AS balances_position,
        (SELECT COALESCE(max(position), 0) FROM checkpoints WHERE active AND name = 'points_ledger') AS ledger_position,
        account_id, s.key AS stream_key, b.program_id, b.user_id, b.team_id,
        COALESCE(b.posted, 0) AS posted, COALESCE(b.held, 0) AS held, COALESCE(b.pending, 0) AS pending,
        COALESCE(l.credit - l.debit, 0) AS ledger, b.account_id IS NOT NULL OR l.account_id IS NOT NULL AS is_known
    FROM (SELECT key, id AS account_id FROM streams WHERE organization_id = $1 AND type = $2) s
    FULL JOIN (SELECT * FROM points_balances WHERE organization_id = $1) b USING (account_id)
    FULL JOIN (SELECT * FROM points_ledger_members WHERE organization_id = $1) l USING (account_id)
    ORDER BY account_id";

const FETCH: &str = "FETCH FORWARD 500 FROM points_reconciliation";

const CLOSE: &str = "CLOSE points_reconciliation";

pub(super) const READS: &[(&str, &str)] = &[("points.reconciliations.positions", POSITIONS)];

/// Do streams, balances and ledger agree? `GET points/reconciliations` runs the comparison now.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReconcilePoints {}

/// The outcome of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reconciliation {
    /// The position of which all three were compared.
    pub position: i64,
    /// Accounts that any of the three knows.
    pub accounts: i64,
    pub matching: i64,
    pub mismatching: i64,
    /// The first of them, by account.
    pub mismatches: Vec<Mismatch>,
}

/// An account of which the three say different things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Mismatch {
    pub account_id: AccountId,
    /// None of the three says whose account it is where only the ledger knows it.
    pub program_id: Option<ProgramId>,
    pub user_id: Option<UserId>,
    pub team_id: Option<TeamId>,
    /// The position of which these are the amounts.
    pub position: i64,
    /// What the account's stream folds to: the truth.
    pub fold: Amounts,
    /// What the balances say.
    pub balance: Amounts,
    /// What the postings of the member's ledger account add up to: the posted points.
    pub ledger: i64,
}

/// The points of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Amounts {
    pub posted: i64,
    pub held: i64,
    pub pending: i64,
}

/// An account as the two read models have it.
#[derive(sqlx::FromRow)]
struct Row {
    balances_position: i64,
    ledger_position: i64,
    account_id: Uuid,
    stream_key: Option<i64>,
    program_id: Option<Uuid>,
    user_id: Option<Uuid>,
    team_id: Option<Uuid>,
    posted: i64,
    held: i64,
    pending: i64,
    ledger: i64,
    is_known: bool,
}

/// Where the two read models stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Positions {
    pub balances: i64,
    pub ledger: i64,
}

impl Positions {
    /// The position of the report.
    pub fn common(self) -> i64 {
        self.balances.min(self.ledger)
    }
}

/// What an account's stream says, seen from the read models' positions.
#[derive(Default)]
pub(super) struct Folded {
    key: Option<AccountKey>,
    /// At the common position.
    amounts: Amounts,
    /// What the balances have added since the common position.
    balances_since: Change,
    /// What the ledger has added since.
    ledger_since: i64,
}

impl Folded {
    /// The three at the common position, from what the read models say at theirs.
    pub fn compare(&self, balance: Amounts, ledger: i64) -> Compared {
        let since = self.balances_since;
        let (posted, held, pending) = (balance.posted - since.posted, balance.held - since.held, balance.pending - since.pending);
        Compared { fold: self.amounts, balance: Amounts { posted, held, pending }, ledger: ledger - self.ledger_since }
    }
}

/// What the three say of an account, at one position.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compared {
    pub fold: Amounts,
    pub balance: Amounts,
    pub ledger: i64,
}

impl Compared {
    pub fn is_match(&self) -> bool {
        self.fold == self.balance && self.fold.posted == self.ledger
    }
}

impl Query for ReconcilePoints {
    type Output = Reconciliation;
    const PROJECTIONS: &'static [&'static str] = &["points_balances", "points_ledger"];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Reconciliation, ReadError> {
        let (balances, ledger) = sqlx::query_as(POSITIONS).fetch_one(reader.connection()).await?;
        let mut report = Report::new(Positions { balances, ledger });
        let organization = reader.organization().0;
        sqlx::query(OPEN).bind(organization).bind(Account::TYPE).execute(reader.connection()).await?;
        loop {
            let rows: Vec<Row> = sqlx::query_as(FETCH).fetch_all(reader.connection()).await?;
            let Some(first) = rows.first() else { break };
            // From here on the cursor's snapshot counts; the answer above is for a tenant without accounts.
            report.positions = Positions { balances: first.balances_position, ledger: first.ledger_position };
            let streams: Vec<i64> = rows.iter().filter_map(|row| row.stream_key).collect();
            let mut folded = fold(reader, &streams, report.positions).await?;
            for row in rows {
                let of_stream = row.stream_key.and_then(|key| folded.remove(&key));
                report.add(row, of_stream);
            }
        }
        sqlx::query(CLOSE).execute(reader.connection()).await?;
        Ok(report.finish())
    }
}

/// Folds the streams up to the common position, and what lies between it and the higher one.
async fn fold(reader: &mut TenantReader<'_>, streams: &[i64], positions: Positions) -> Result<HashMap<i64, Folded>, ReadError> {
    let mut folded: HashMap<i64, Folded> = HashMap::with_capacity(streams.len());
    let mut current: Option<(i64, Folding)> = None;
    let until = positions.balances.max(positions.ledger);
    each_event::<AccountEvent>(reader.connection(), streams, until, |stream, position, event| {
        if current.as_ref().is_none_or(|(of, _)| *of != stream)
            && let Some((done, folding)) = current.replace((stream, Folding::default()))
        {
            folded.insert(done, folding.finish());
        }
        if let Some((_, folding)) = &mut current {
            folding.follow(positions, position, &event);
        }
    })
    .await?;
    if let Some((done, folding)) = current {
        folded.insert(done, folding.finish());
    }
    Ok(folded)
}

/// One stream on its way through the fold.
#[derive(Default)]
pub(super) struct Folding {
    account: Account,
    since: Folded,
}

impl Folding {
    pub fn follow(&mut self, positions: Positions, position: i64, event: &AccountEvent) {
        if position <= positions.common() {
            self.account.evolve(event);
            return;
        }
        if position <= positions.balances {
            self.since.balances_since += Change::of(event);
        }
        if position <= positions.ledger {
            self.since.ledger_since += event.posted_change();
        }
    }

    pub fn finish(self) -> Folded {
        let balance = self.account.balance();
        let amounts = Amounts { posted: balance.posted, held: balance.held, pending: balance.pending };
        Folded { key: self.account.key(), amounts, ..self.since }
    }
}

struct Report {
    positions: Positions,
    accounts: i64,
    mismatching: i64,
    mismatches: Vec<Mismatch>,
}

impl Report {
    fn new(positions: Positions) -> Self {
        Self { positions, accounts: 0, mismatching: 0, mismatches: Vec::new() }
    }

    fn add(&mut self, row: Row, folded: Option<Folded>) {
        let folded = folded.unwrap_or_default();
        // An account that began behind the common position: nothing is known of it there.
        if folded.key.is_none() && !row.is_known {
            return;
        }
        let compared = folded.compare(Amounts { posted: row.posted, held: row.held, pending: row.pending }, row.ledger);
        self.accounts += 1;
        if compared.is_match() {
            return;
        }
        self.mismatching += 1;
        if self.mismatches.len() < MISMATCHES_SHOWN {
            self.mismatches.push(Mismatch {
                account_id: row.account_id.into(),
                program_id: row.program_id.map(ProgramId).or(folded.key.map(|key| key.program_id)),
                user_id: row.user_id.map(UserId).or(folded.key.map(|key| key.user_id)),
                team_id: row.team_id.map(TeamId).or(folded.key.and_then(|key| key.team_id)),
                position: self.positions.common(),
                fold: compared.fold,
                balance: compared.balance,
                ledger: compared.ledger,
            });
        }
    }

    fn finish(self) -> Reconciliation {
        Reconciliation {
            position: self.positions.common(),
            accounts: self.accounts,
            matching: self.accounts - self.mismatching,
            mismatching: self.mismatching,
            mismatches: self.mismatches,
        }
    }
}
