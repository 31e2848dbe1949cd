//! Compares the read model that served with the one that was made from the log in its place, row by row.
//!
//! Folds ask the log and nothing else, so a rebuild gives the rows that were there. Where it does not,
//! somebody changed the table, or moved its checkpoint.

use super::projector::{Projector, Slot};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

/// Organizations that a difference names, at most.
const NAMED: i32 = 10;

/// What a rebuild found where it took over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// Where the log says something else than what served; empty where they agree.
    pub differences: Vec<Difference>,
    /// Organizations that were left out: data of somebody in them is hidden, and cannot be folded again for now.
    pub left_out: i64,
}

/// A table that was not what the log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    pub table: String,
    /// Rows that the log gives and that were not there.
    pub missing: i64,
    /// Rows that were there and that the log does not give. A row that was changed is one of these and one that is missing.
    pub surplus: i64,
    /// Whose rows these are, up to ten.
    pub organizations: Vec<Uuid>,
}

impl Comparison {
    pub fn rows(&self) -> i64 {
        self.differences.iter().map(|difference| difference.missing + difference.surplus).sum()
    }
}

const LEFT_OUT: &str = "SELECT count(DISTINCT organization_id) FROM hidden_subjects WHERE $1";

/// Tables of which readers are shown the other slot than the one that is kept.
const MISDIRECTED: &str = "SELECT read_model FROM projection_slots WHERE read_model = ANY($1) AND active <> $2";

/// Every statement of this file that names no slot.
pub(super) const STATEMENTS: &[(&str, &str)] = &[("engine.comparison.left_out", LEFT_OUT), ("engine.comparison.misdirected", MISDIRECTED)];

/// Without what is new with each fold: the nonces of ciphertexts, and revisions. A ciphertext that was changed or moved does not open.
fn differing(table: &str, served: Slot, made: Slot) -> String {
    let rows = |slot: Slot, count: i8| {
        format!(
            "SELECT organization_id, sha256(convert_to((to_jsonb(t) - '{{slot,revision,sealed}}'::text[])::text, 'UTF8')) AS row,
                    {count} AS count
             FROM {table}_{slot} t
             WHERE NOT $1 OR NOT EXISTS (SELECT FROM hidden_subjects h WHERE h.organization_id = t.organization_id)"
        )
    };
    format!(
        "SELECT coalesce(sum(-count) FILTER (WHERE count < 0), 0)::bigint, coalesce(sum(count) FILTER (WHERE count > 0), 0)::bigint,
                coalesce((array_agg(DISTINCT organization_id))[1:$2], '{{}}')
         FROM (SELECT organization_id, sum(count) AS count FROM ({} UNION ALL {}) rows GROUP BY organization_id, row HAVING sum(count) <> 0) d",
        rows(served, 1),
        rows(made, -1)
    )
}

/// Where the two slots of a projection differ, which stand at one position.
pub(super) async fn compare(
    connection: &mut PgConnection,
    projector: &dyn Projector,
    served: Slot,
    made: Slot,
) -> Result<Comparison, sqlx::Error> {
    let leaves_out = projector.opens_personal();
    let left_out = sqlx::query_scalar(LEFT_OUT).bind(leaves_out).fetch_one(&mut *connection).await?;
    let misdirected: Vec<String> =
        sqlx::query_scalar(MISDIRECTED).bind(projector.tables()).bind(served.name()).fetch_all(&mut *connection).await?;
    let mut differences = Vec::new();
    for table in projector.tables() {
        if misdirected.iter().any(|other| other == table) {
            // Readers saw an empty slot, or one on its way: nothing that they saw was kept up.
            let missing = sqlx::query_scalar(&format!("SELECT count(*) FROM {table}_{made}")).fetch_one(&mut *connection).await?;
            differences.push(Difference { table: (*table).to_owned(), missing, surplus: 0, organizations: Vec::new() });
            continue;
        }
        let differing = differing(table, served, made);
        let query = sqlx::query_as(&differing).bind(leaves_out).bind(NAMED);
        let (missing, surplus, organizations): (i64, i64, Vec<Uuid>) = query.fetch_one(&mut *connection).await?;
        if missing + surplus > 0 {
            differences.push(Difference { table: (*table).to_owned(), missing, surplus, organizations });
        }
    }
    Ok(Comparison { differences, left_out })
}
