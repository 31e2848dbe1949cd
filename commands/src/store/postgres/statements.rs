//! The SQL of the store, in one place; a test prepares every statement against the migrated schema.
//!
//! Keys are looked up from `unnest` by a `LATERAL` query with `OFFSET 0`, which the planner cannot turn
//! round. A plan that was made while a table was empty would start from the table, read all of it
//! while it grows, and stay until the statistics change: claims by the thousand cost four fifths of
//! the append rate.

/// One batch in one statement, so in one transaction and one round trip. The first part is the
/// fence: where another node has appended since `$3`, it finds no row and nothing is inserted.
pub const COMMIT_BATCH: &str = "
WITH head AS (
    UPDATE log_head
    SET position = position + $1, stream_key = stream_key + $2,
        recorded_at = greatest(clock_timestamp(), recorded_at + interval '1 microsecond')
    WHERE position = $3
    RETURNING recorded_at
), new_streams AS (
    INSERT INTO streams (key, organization_id, type, id)
    SELECT u.* FROM head, unnest($4::bigint[], $5::uuid[], $6::text[], $7::uuid[]) u
), new_events AS (
    INSERT INTO events (position, organization_id, stream_key, version, event_id, actor_id, recorded_at,
                        effective_at, schema_version, event_type, payload, metadata)
    SELECT $3 + u.n, u.organization_id, u.stream_key, u.version, u.event_id, u.actor_id, head.recorded_at,
           u.effective_at, u.schema_version, u.event_type, u.payload, u.metadata
    FROM head, unnest($8::uuid[], $9::bigint[], $10::bigint[], $11::uuid[], $12::uuid[], $13::timestamptz[],
                      $14::smallint[], $15::text[], $16::bytea[], $17::bytea[])
        WITH ORDINALITY u(organization_id, stream_key, version, event_id, actor_id, effective_at,
                          schema_version, event_type, payload, metadata, n)
), new_sealed AS (
    INSERT INTO event_sealed (position, field, organization_id, subject_id, purpose, ciphertext)
    SELECT u.* FROM head, unnest($18::bigint[], $19::text[], $20::uuid[], $21::uuid[], $22::text[], $23::bytea[]) u
), gone_claims AS (
    DELETE FROM claims USING head, unnest($24::uuid[], $25::uuid[]) u(organization_id, key),
        LATERAL (SELECT c.ctid FROM claims c WHERE c.organization_id = u.organization_id AND c.key = u.key OFFSET 0) c
    WHERE claims.ctid = c.ctid
), new_claims AS (
    INSERT INTO claims (organization_id, key, owner, position)
    SELECT u.* FROM head, unnest($26::uuid[], $27::uuid[], $28::uuid[], $29::bigint[]) u
), new_commands AS (
    INSERT INTO commands (id, organization_id, request_hash, answer, position, version, recorded_at)
    SELECT u.*, head.recorded_at
    FROM head, unnest($30::uuid[], $31::uuid[], $32::bytea[], $33::bytea[], $34::bigint[], $35::bigint[]) u
)
SELECT recorded_at FROM head";

pub const HEAD: &str = "SELECT position, stream_key, recorded_at, incarnation FROM log_head";

/// Waits for whoever appends now; later statements of the transaction see what it committed.
pub const LOCK_HEAD: &str = "SELECT position, stream_key, recorded_at FROM log_head FOR UPDATE";

/// Keys and versions of streams by name.
pub const STREAM_HEADS: &str = "
SELECT u.n, s.key, (SELECT max(version) FROM events e WHERE e.stream_key = s.key) AS version
FROM unnest($1::uuid[], $2::text[], $3::uuid[]) WITH ORDINALITY u(organization_id, type, id, n),
    LATERAL (SELECT key FROM streams s WHERE s.organization_id = u.organization_id AND s.type = u.type AND s.id = u.id OFFSET 0) s";

/// What was appended above a position, one row per stream.
pub const HEADS_AFTER: &str = "
SELECT s.organization_id, s.type, s.id, s.key, max(e.version) AS version
FROM events e JOIN streams s ON s.key = e.stream_key
WHERE e.position > $1 GROUP BY s.key";

pub const CLAIMS: &str = "
SELECT c.organization_id, c.key, c.owner
FROM unnest($1::uuid[], $2::uuid[]) u(organization_id, key),
    LATERAL (SELECT * FROM claims c WHERE c.organization_id = u.organization_id AND c.key = u.key OFFSET 0) c";

pub const COMMANDS: &str = "SELECT id, request_hash, answer, position, version FROM commands WHERE id = ANY($1)";

pub const EVENT_ID_AT: &str = "SELECT event_id FROM events WHERE position = $1";

/// Snapshots of many streams in one round trip.
pub const LOAD_SNAPSHOTS: &str = "
SELECT u.n, s.key, sn.version, sn.shape, sn.state
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::smallint[]) WITH ORDINALITY u(organization_id, type, id, shape, n)
CROSS JOIN LATERAL (SELECT key FROM streams s WHERE s.organization_id = u.organization_id AND s.type = u.type AND s.id = u.id OFFSET 0) s
LEFT JOIN LATERAL (SELECT * FROM snapshots sn WHERE sn.stream_key = s.key AND sn.shape = u.shape OFFSET 0) sn ON true";

/// The events of many streams, each after a version of its own.
pub const LOAD_EVENTS: &str = "
SELECT e.stream_key, e.position, e.version, e.event_id, e.event_type, e.schema_version, e.payload
FROM unnest($1::bigint[], $2::bigint[]) u(stream_key, version),
    LATERAL (SELECT * FROM events e WHERE e.stream_key = u.stream_key AND e.version > u.version OFFSET 0) e
ORDER BY e.stream_key, e.version";

pub const LOAD_SEALED: &str = "SELECT position, field, ciphertext FROM event_sealed WHERE position = ANY($1)";

pub const READ_AFTER: &str = "SELECT * FROM log WHERE position > $1 ORDER BY position LIMIT $2";

pub const KEEP_SNAPSHOTS: &str = "
INSERT INTO snapshots (stream_key, organization_id, version, shape, state)
SELECT s.key, u.organization_id, u.version, u.shape, u.state
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::smallint[], $6::bytea[]) u(organization_id, type, id, version, shape, state),
    LATERAL (SELECT key FROM streams s WHERE s.organization_id = u.organization_id AND s.type = u.type AND s.id = u.id OFFSET 0) s
ORDER BY s.key
ON CONFLICT (stream_key) DO UPDATE SET version = excluded.version, shape = excluded.shape, state = excluded.state
WHERE snapshots.version < excluded.version OR snapshots.shape <> excluded.shape";

pub const NOTIFY: &str = "SELECT pg_notify('palmares_log', $1)";

/// Every statement above, by name, for the test that prepares them.
pub const ALL: &[(&str, &str)] = &[
    ("COMMIT_BATCH", COMMIT_BATCH),
    ("HEAD", HEAD),
    ("LOCK_HEAD", LOCK_HEAD),
    ("STREAM_HEADS", STREAM_HEADS),
    ("HEADS_AFTER", HEADS_AFTER),
    ("CLAIMS", CLAIMS),
    ("COMMANDS", COMMANDS),
    ("EVENT_ID_AT", EVENT_ID_AT),
    ("LOAD_SNAPSHOTS", LOAD_SNAPSHOTS),
    ("LOAD_EVENTS", LOAD_EVENTS),
    ("LOAD_SEALED", LOAD_SEALED),
    ("READ_AFTER", READ_AFTER),
    ("KEEP_SNAPSHOTS", KEEP_SNAPSHOTS),
    ("NOTIFY", NOTIFY),
];
