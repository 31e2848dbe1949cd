//! The table of postgres-es that is read: page by page, in the order of its primary key.

use super::ImportError;
use futures::StreamExt;
use futures::stream::BoxStream;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{ConnectOptions, Connection, PgConnection, Row};

/// The name of the table as SQL takes it, or null.
pub const FIND_TABLE: &str = "SELECT to_regclass($1)::text";

pub const COUNT_EVENTS: &str = "SELECT count(*) FROM {table}";

/// Aggregates from one on, or behind it, with their size in bytes.
pub const AGGREGATES_AFTER: &str = "
SELECT aggregate_type, aggregate_id, sum(octet_length(payload::text) + octet_length(metadata::text))::bigint AS bytes
FROM {table} WHERE (aggregate_type, aggregate_id) {after} ($1, $2)
GROUP BY aggregate_type, aggregate_id ORDER BY aggregate_type, aggregate_id LIMIT $3";

/// The events of all aggregates from one to another.
pub const EVENTS_BETWEEN: &str = "
SELECT aggregate_type, aggregate_id, sequence, event_type, event_version, payload::text AS payload, metadata::text AS metadata
FROM {table} WHERE (aggregate_type, aggregate_id) BETWEEN ($1, $2) AND ($3, $4)
ORDER BY aggregate_type, aggregate_id, sequence";

/// Every statement above, by name. `{table}` stands for the table and `{after}` for `>` or `>=`.
pub const STATEMENTS: &[(&str, &str)] = &[
    ("FIND_TABLE", FIND_TABLE),
    ("COUNT_EVENTS", COUNT_EVENTS),
    ("AGGREGATES_AFTER", AGGREGATES_AFTER),
    ("EVENTS_BETWEEN", EVENTS_BETWEEN),
];

/// One snapshot for what is looked at together; a page is short, so none is held for long.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// How the source names an aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AggregateName {
    pub aggregate_type: String,
    pub aggregate_id: String,
}

/// A row of the table, its JSON as text.
pub(super) struct SourceEvent {
    pub aggregate: AggregateName,
    pub sequence: i64,
    pub event_type: String,
    pub event_version: String,
    pub payload: String,
    pub metadata: String,
}

impl SourceEvent {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            aggregate: AggregateName { aggregate_type: row.try_get(0)?, aggregate_id: row.try_get(1)? },
            sequence: row.try_get(2)?,
            event_type: row.try_get(3)?,
            event_version: row.try_get(4)?,
            payload: row.try_get(5)?,
            metadata: row.try_get(6)?,
        })
    }
}

/// A table, or a view, with the columns of postgres-es.
pub struct Source {
    connection: PgConnection,
    table: String,
}

impl Source {
    /// # Errors
    /// A database that does not answer, or has no such table.
    pub async fn open(url: &str, table: &str) -> Result<Self, ImportError> {
        // A statement is as slow as what is done with its rows on their way: that is no news.
        let options = url.parse::<PgConnectOptions>()?.disable_statement_logging();
        let mut connection = options.connect().await?;
        let found: Option<String> = sqlx::query_scalar(FIND_TABLE).bind(table).fetch_one(&mut connection).await?;
        let table = found.ok_or_else(|| ImportError::NoTable(table.to_owned()))?;
        Ok(Self { connection, table })
    }

    /// How many events there are, for a progress bar.
    pub async fn count_events(&mut self) -> Result<u64, ImportError> {
        let count: i64 = sqlx::query_scalar(&COUNT_EVENTS.replace("{table}", &self.table)).fetch_one(&mut self.connection).await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Begins to look at a page.
    pub(super) async fn page(&mut self) -> Result<Page<'_>, ImportError> {
        Ok(Page { transaction: self.connection.begin_with(BEGIN).await?, table: &self.table })
    }
}

/// The table as it is at one moment.
pub(super) struct Page<'a> {
    transaction: sqlx::Transaction<'a, sqlx::Postgres>,
    table: &'a str,
}

impl Page<'_> {
    /// The aggregates behind `last`, or the first ones, with their bytes.
    pub async fn aggregates(&mut self, last: Option<&AggregateName>, limit: i64) -> Result<Vec<(AggregateName, i64)>, ImportError> {
        let after = if last.is_some() { ">" } else { ">=" };
        let sql = AGGREGATES_AFTER.replace("{table}", self.table).replace("{after}", after);
        let (last_type, last_id) = last.map_or(("", ""), |last| (last.aggregate_type.as_str(), last.aggregate_id.as_str()));
        let rows = sqlx::query(&sql).bind(last_type).bind(last_id).bind(limit).fetch_all(&mut *self.transaction).await?;
        let aggregate = |row: &PgRow| -> Result<_, sqlx::Error> {
            Ok((AggregateName { aggregate_type: row.try_get(0)?, aggregate_id: row.try_get(1)? }, row.try_get(2)?))
        };
        Ok(rows.iter().map(aggregate).collect::<Result<_, _>>()?)
    }

    /// Their events, row by row as the socket gives them.
    pub fn events<'s>(
        &'s mut self,
        sql: &'s str,
        from: &'s AggregateName,
        to: &'s AggregateName,
    ) -> BoxStream<'s, Result<SourceEvent, sqlx::Error>> {
        let query = sqlx::query(sql).bind(&from.aggregate_type).bind(&from.aggregate_id).bind(&to.aggregate_type).bind(&to.aggregate_id);
        query.fetch(&mut *self.transaction).map(|row| SourceEvent::from_row(&row?)).boxed()
    }

    pub fn events_sql(&self) -> String {
        EVENTS_BETWEEN.replace("{table}", self.table)
    }

    pub async fn close(self) -> Result<(), ImportError> {
        Ok(self.transaction.commit().await?)
    }
}
