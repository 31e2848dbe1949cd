//! The SQL of the store, in one place; a test prepares every statement against the migrated schema.
//!
//! Keys are looked up from `unnest` by a `LATERAL` query with `OFFSET 0`, which the planner cannot turn
//! round. A plan that was made while a table was empty would start from the table, read all of it
//! while it grows, and stay until the statistics change: claims by the thousand cost four fifths of
//! the append rate.

/// One batch in one statement, so in one transaction and one round trip. The first part is the
/// fence: where another node has appended since `$3`, it finds no row and nothing is inserted.
///
/// The columns of a table are arrays of one length, taken side by side in the list of what is selected.
/// As a function in `FROM` each would be written down as a table of its own first, which costs a fifth
/// of the insertion of events and a fourth of that of ciphertexts.
pub const COMMIT_BATCH: &str = "
WITH head AS (
    UPDATE log_head
    SET position = position + $1, stream_key = stream_key + $2,
        recorded_at = greatest(clock_timestamp(), recorded_at + interval '1 microsecond')
    WHERE position = $3
    RETURNING recorded_at
), new_streams AS (
    INSERT INTO streams (key, organization_id, type, id)
    SELECT unnest($4::bigint[]), unnest($5::uuid[]), unnest($6::text[]), unnest($7::uuid[]) FROM head
), new_events AS (
    INSERT INTO events (position, organization_id, stream_key, version, event_id, actor_id, recorded_at,
                        effective_at, schema_version, event_type, payload, metadata, voucher)
    SELECT generate_series($3 + 1, $3 + $1), unnest($8::uuid[]), unnest($9::bigint[]), unnest($10::bigint[]), unnest($11::uuid[]),
           unnest($12::uuid[]), head.recorded_at, unnest($13::timestamptz[]), unnest($14::smallint[]), unnest($15::text[]),
           unnest($16::bytea[]), unnest($17::bytea[]), unnest($18::bytea[])
    FROM head
), new_sealed AS (
    INSERT INTO event_sealed (position, field, organization_id, subject_id, purpose, ciphertext)
    SELECT unnest($19::bigint[]), unnest($20::text[]), unnest($21::uuid[]), unnest($22::uuid[]), unnest($23::text[]), unnest($24::bytea[])
    FROM head
), gone_claims AS (
    DELETE FROM claims USING head, unnest($25::uuid[], $26::uuid[]) u(organization_id, key),
        LATERAL (SELECT c.ctid FROM claims c WHERE c.organization_id = u.organization_id AND c.key = u.key OFFSET 0) c
    WHERE claims.ctid = c.ctid
), new_claims AS (
    INSERT INTO claims (organization_id, key, owner, salt, position)
    SELECT unnest($27::uuid[]), unnest($28::uuid[]), unnest($29::uuid[]), unnest($30::uuid[]), unnest($31::bigint[]) FROM head
), new_commands AS (
    INSERT INTO commands (id, organization_id, request_hash, answer, position, version, recorded_at)
    SELECT unnest($32::uuid[]), unnest($33::uuid[]), unnest($34::bytea[]), unnest($35::bytea[]), unnest($36::bigint[]),
           unnest($37::bigint[]), head.recorded_at
    FROM head
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
SELECT c.organization_id, c.key, c.owner, c.salt
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

pub const ADMIT: &str = "INSERT INTO log_admissions (first, last, voucher, reason) VALUES ($1, $2, $3, $4)";

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
    ("ADMIT", ADMIT),
    ("NOTIFY", NOTIFY),
];
