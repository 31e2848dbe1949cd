//! The query: the trial balance, by program and ledger account.

use crate::engine::{Query, ReadError, TenantReader};
use palmares_domain::kernel::ProgramId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// One statement, so that all sums are of one position.
const LINES: &str = "
    SELECT program_id, account, debit, credit
    FROM points_ledger WHERE organization_id = $1 AND ($2::uuid IS NULL OR program_id = $2)
    ORDER BY program_id, account";

pub(super) const READS: &[(&str, &str)] = &[("points.ledger.lines", LINES)];

/// Do the books sum to zero? `GET points/trial-balance`
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrialBalance {
    pub program_id: Option<ProgramId>,
}

/// The trial balance.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Books {
    pub items: Vec<LedgerLine>,
    /// The sum of all amounts: zero, or the books are wrong.
    pub total: i64,
}

/// What is booked on one ledger account of a program, in points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LedgerLine {
    pub program_id: ProgramId,
    /// `member` (all members together), `pending`, `issuance`, `redemption`, `expiry` or `transfers`.
    pub account: String,
    /// What was taken from the account.
    pub debit: i64,
    /// What was added to it.
    pub credit: i64,
    /// `credit − debit`.
    pub amount: i64,
}

impl Query for TrialBalance {
    type Output = Books;
    const PROJECTIONS: &'static [&'static str] = &["points_ledger"];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Books, ReadError> {
        let organization = reader.organization().0;
        let query = sqlx::query_as::<_, (Uuid, String, i64, i64)>(LINES).bind(organization).bind(self.program_id.map(Uuid::from));
        let rows = query.fetch_all(reader.connection()).await?.into_iter();
        let items: Vec<_> = rows
            .map(|(program, account, debit, credit)| LedgerLine {
                program_id: program.into(),
                account,
                debit,
                credit,
                amount: credit - debit,
            })
            .collect();
        Ok(Books { total: items.iter().map(|line| line.amount).sum(), items })
    }
}
