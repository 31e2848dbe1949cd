//! The query: what a program owes its members, and when it would expire.

use crate::engine::{Query, ReadError, TenantReader};
use crate::points::past;
use palmares_domain::{kernel::ProgramId, points::account::Account};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Calendar months in UTC, so that the same log gives the same buckets whenever it is asked.
const MONTHS: &str = "
    SELECT program_id, to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM'), sum(remaining)::bigint, sum(held)::bigint
    FROM points_lots WHERE organization_id = $1 AND ($2::uuid IS NULL OR program_id = $2)
    GROUP BY 1, 2";

pub(super) const READS: &[(&str, &str)] = &[("points.liability.months", MONTHS)];

/// What is owed to members? `GET points/liability`
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Liability {
    pub program_id: Option<ProgramId>,
    /// A position or an RFC 3339 time; the reader carries it as a position.
    pub as_of: Option<String>,
}

/// What the programs of an organization owe.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PointsLiability {
    pub items: Vec<ProgramLiability>,
    /// Points of all open lots, in all programs that were asked for.
    pub total: i64,
}

/// What one program owes, in points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProgramLiability {
    pub program_id: ProgramId,
    /// What is left in open lots.
    pub outstanding: i64,
    /// What open holds reserve of it.
    pub held: i64,
    /// By month of expiry, earliest first.
    pub buckets: Vec<ExpiryMonth>,
}

/// Points that expire within one month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExpiryMonth {
    /// The month in UTC, such as `2027-03`; none for points that never expire, which come last.
    pub month: Option<String>,
    pub points: i64,
}

/// Remaining and held points of a program's lots of one month; `None` is never.
pub(super) type Months = BTreeMap<(Uuid, Option<String>), (i64, i64)>;

impl Query for Liability {
    type Output = PointsLiability;
    const PROJECTIONS: &'static [&'static str] = &["points_lots"];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<PointsLiability, ReadError> {
        let program = self.program_id.map(Uuid::from);
        let mut months = Months::new();
        match reader.as_of {
            None => {
                let query = sqlx::query_as::<_, (Uuid, Option<String>, i64, i64)>(MONTHS).bind(reader.organization().0).bind(program);
                let rows = query.fetch_all(reader.connection()).await?;
                months.extend(rows.into_iter().map(|(program, month, remaining, held)| ((program, month), (remaining, held))));
            }
            Some(position) => {
                past::each_account(reader, position, |account| {
                    if account.key().is_some_and(|key| program.is_none_or(|program| program == key.program_id.0)) {
                        add_lots(&mut months, account);
                    }
                })
                .await?;
            }
        }
        let items = liabilities(months);
        Ok(PointsLiability { total: items.iter().map(|item| item.outstanding).sum(), items })
    }
}

pub(super) fn add_lots(months: &mut Months, account: &Account) {
    let Some(key) = account.key() else { return };
    for lot in account.lots() {
        let month = lot.terms.expires_at.map(|expires_at| expires_at.format("%Y-%m").to_string());
        let (remaining, held) = months.entry((key.program_id.0, month)).or_default();
        *remaining += lot.remaining;
        *held += lot.held;
    }
}

pub(super) fn liabilities(months: Months) -> Vec<ProgramLiability> {
    let mut programs: BTreeMap<Uuid, ProgramLiability> = BTreeMap::new();
    for ((program, month), (remaining, reserved)) in months {
        let empty = ProgramLiability { program_id: program.into(), outstanding: 0, held: 0, buckets: Vec::new() };
        let liability = programs.entry(program).or_insert(empty);
        liability.outstanding += remaining;
        liability.held += reserved;
        liability.buckets.push(ExpiryMonth { month, points: remaining });
    }
    let mut liabilities: Vec<_> = programs.into_values().collect();
    for liability in &mut liabilities {
        liability.buckets.sort_by_key(|bucket| (bucket.month.is_none(), bucket.month.clone()));
    }
    liabilities
}
