//! The rows of `fill.sql`, on as many connections as there are cores.

use crate::server::Server;
use anyhow::Context;
use palmares_domain::kernel::{OrganizationId, derive_uuid};
use sqlx::{Connection, PgConnection};

const FILL: &str = include_str!("fill.sql");
/// The small organizations beside it have one entry in a hundred.
const OTHERS: u64 = 99;
/// Entries of a stream, and streams at least: the numbers in `fill.sql` go round with 200.
const PER_STREAM: u64 = 100;
const STREAMS_MULTIPLE: u64 = 200;
/// What no search of a list reads: causes, siblings, single entries and the count.
const UNUSED: [&str; 4] = ["_causation_", "_request_", "_event_id_", "_number_"];

const INDEXES: &str = "SELECT indexname::text, indexdef FROM pg_indexes WHERE tablename = 'compliance_audit_log_a' ORDER BY indexname";

const FINISH: &str = "
ALTER TABLE compliance_audit_log_slots ATTACH PARTITION compliance_audit_log_a FOR VALUES IN ('a');
INSERT INTO checkpoints (name, slot, kind, version, active, position, status)
    SELECT name, 'a', 'projector', 1, true, (SELECT max(position) FROM events), 'idle' FROM unnest(ARRAY['audit_log', 'subject_index']) name;
ANALYZE compliance_audit_log_slots, compliance_subject_index_slots, streams";

const TABLES: [&str; 5] = ["events", "compliance_audit_log_a", "compliance_audit_texts_a", "compliance_subject_index_a", "client_contexts"];

/// Fills the log of an organization, and makes the indexes behind it.
pub async fn fill(server: &Server, organization: OrganizationId, entries: u64) -> anyhow::Result<()> {
    let streams = entries.div_ceil(PER_STREAM).next_multiple_of(STREAMS_MULTIPLE);
    let total = entries * (OTHERS + 1) / OTHERS;
    let other = |name| derive_uuid("bench-audited", &[name]).to_string();
    let sql = FILL
        .replace("{organization}", &organization.0.to_string())
        .replace("{second}", &other(b"second"))
        .replace("{third}", &other(b"third"))
        .replace("{rows}", &entries.to_string())
        .replace("{total}", &total.to_string())
        .replace("{streams}", &streams.to_string());
    let mut parts = sql.split("-- split");
    let mut next = || parts.next().context("a part of fill.sql");
    let (around, events, rows) = (next()?, next()?, next()?);
    let mut connection = PgConnection::connect_with(&server.options()).await?;
    let indexes: Vec<(String, String)> = sqlx::query_as(INDEXES).fetch_all(&mut connection).await?;
    connection.close().await?;
    // What is written here once is not written again in gigabytes of its log.
    server.run("ALTER SYSTEM SET max_wal_size = '1GB'").await?;
    server.run("SELECT pg_reload_conf()").await?;
    server.run(around).await?;
    for (name, _) in &indexes {
        let dropped = match name.ends_with("_pkey") {
            true => format!("ALTER TABLE compliance_audit_log_a DROP CONSTRAINT {name}"),
            false => format!("DROP INDEX {name}"),
        };
        server.run(&dropped).await?;
    }
    server.run("ALTER TABLE events DROP CONSTRAINT events_stream_key_version_key").await?;
    // An event costs a third of an entry: the halves take about as long.
    let quarter = total / 4;
    let of = |from: u64, to: u64| rows.replace(&format!("(1::bigint, {total})"), &format!("({from}::bigint, {to})"));
    let first = async { in_turn(server, [events.to_owned(), of(1, quarter)]).await };
    let second = async { in_turn(server, [of(quarter + 1, total)]).await };
    tokio::try_join!(first, second)?;
    println!("the rows are there");
    let mut made: Vec<String> =
        indexes.into_iter().filter(|(name, _)| !UNUSED.iter().any(|part| name.contains(part))).map(|(_, definition)| definition).collect();
    made.push("ALTER TABLE events ADD CONSTRAINT events_stream_key_version_key UNIQUE (stream_key, version)".to_owned());
    let half = made.split_off(made.len() / 2);
    tokio::try_join!(in_turn(server, made), in_turn(server, half))?;
    server.run(FINISH).await?;
    in_turn(server, TABLES.map(|table| format!("VACUUM ANALYZE {table}"))).await?;
    server.run("ALTER SYSTEM RESET max_wal_size").await?;
    server.run("SELECT pg_reload_conf()").await?;
    server.run("CHECKPOINT").await
}

async fn in_turn(server: &Server, statements: impl IntoIterator<Item = String>) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect_with(&server.options()).await?;
    sqlx::raw_sql("SET maintenance_work_mem = '1GB'").execute(&mut connection).await?;
    for statement in statements {
        sqlx::raw_sql(&statement).execute(&mut connection).await?;
    }
    Ok(connection.close().await?)
}
