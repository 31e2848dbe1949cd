//! What keeps people from the log and tenants from each other, in the database: whether it is as the migrations made it.
//!
//! Grants, row security, triggers, indexes, functions and views are data that a superuser may change like
//! any other, and nothing that the server does would fail. Each object is known here by two digests: of what
//! every PostgreSQL says alike, and of expressions, which major versions write in their own ways.

use super::Finding;
use sqlx::{Connection, PgConnection};
use std::{collections::BTreeMap, time::Duration};

const SUBJECT: &str = "walls of the database";
const PATIENCE: Duration = Duration::from_secs(30);
/// Named, at most.
const SHOWN: usize = 12;

/// Written by `tests/contracts/walls.rs` from a database that was just migrated.
pub const EXPECTED: &str = include_str!("walls.txt");
/// The PostgreSQL that wrote the expressions in it.
const EXPRESSIONS_OF: i32 = 15;

const OBJECTS: &str = include_str!("walls.sql");

/// Every object with its two digests.
pub type Walls = BTreeMap<String, (String, String)>;

/// The walls as they are, seen by the owner of the database.
///
/// # Errors
/// A database that does not answer.
pub async fn of(connection: &mut PgConnection) -> sqlx::Result<Walls> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(OBJECTS).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(object, plain, expressions)| (object, (plain, expressions))).collect())
}

/// As [`EXPECTED`] has them.
pub fn written(walls: &Walls) -> String {
    walls.iter().map(|(object, (plain, expressions))| format!("{plain} {expressions} {object}\n")).collect()
}

fn expected() -> Walls {
    let line = |line: &str| {
        let mut parts = line.splitn(3, ' ').map(str::to_owned);
        let (plain, expressions, object) = (parts.next()?, parts.next()?, parts.next()?);
        Some((object, (plain, expressions)))
    };
    EXPECTED.lines().filter_map(line).collect()
}

/// The objects that are not as the migrations made them. What somebody added beside them is theirs.
///
/// # Errors
/// A database that does not answer.
pub async fn changed(connection: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    let major: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int / 10000").fetch_one(&mut *connection).await?;
    let found = of(connection).await?;
    let differs = |object: &String, (plain, expressions): &(String, String)| {
        found.get(object).is_none_or(|now| now.0 != *plain || (major == EXPRESSIONS_OF && now.1 != *expressions))
    };
    Ok(expected().into_iter().filter(|(object, digests)| differs(object, digests)).map(|(object, _)| object).collect())
}

pub async fn check(url: &str) -> Finding {
    let looked = tokio::time::timeout(PATIENCE, async {
        let mut connection = PgConnection::connect(url).await?;
        let changed = changed(&mut connection).await;
        let _ = connection.close().await;
        changed
    });
    match looked.await {
        Ok(Ok(changed)) if changed.is_empty() => {
            Finding::good(SUBJECT, "grants, row security, triggers and functions are those of the migrations")
        }
        Ok(Ok(changed)) => {
            let more = changed.len().saturating_sub(SHOWN);
            let named = changed.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            Finding::bad(
                SUBJECT,
                format!("not as the migrations made them: {named}{more}; find out who changed them, and what was done meanwhile"),
            )
        }
        Ok(Err(error)) => Finding::bad(SUBJECT, format!("they could not be looked at: {error}")),
        Err(_) => Finding::bad(SUBJECT, format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
