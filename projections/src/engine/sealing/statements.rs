//! What the sealer asks of PostgreSQL, as role `palmares_relay`.

/// Held by the sealer that signs.
pub(super) const TRY_LEAD: &str = "SELECT pg_try_advisory_lock(7081, 2)";

/// Held by who reads the whole log again.
pub(super) const TRY_ROUND: &str = "SELECT pg_try_advisory_lock(7081, 3)";

/// Whether it is time to, and how much was wrong the last time.
pub(super) const ROUND: &str = "
    SELECT coalesce(verified_at < clock_timestamp() - make_interval(secs => $1), true), coalesce(findings, 0) FROM proof_log";

pub(super) const ROUND_DONE: &str = "UPDATE proof_log SET verified_at = clock_timestamp(), findings = $1";

/// What follows sees the database at one moment, whatever is sealed meanwhile.
pub(super) const ONE_MOMENT: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";

pub(super) const LOG: &str = "SELECT l.id, l.position, l.root_size, h.position FROM proof_log l CROSS JOIN log_head h";

pub(super) const EVENTS: &str = "
    SELECT position, organization_id, stream_key, version, event_id, event_type, schema_version, actor_id, recorded_at, effective_at,
           metadata, payload, voucher
    FROM events WHERE position > $1 AND position <= $2 ORDER BY position";

pub(super) const ADMISSIONS: &str = "SELECT first, last, voucher FROM log_admissions WHERE first >= $1";

/// From the keys, whatever the statistics say.
pub(super) const STREAMS: &str = "
    SELECT s.key, s.type, s.id
    FROM unnest($1::bigint[]) u(key), LATERAL (SELECT * FROM streams s WHERE s.key = u.key OFFSET 0) s";

/// Events with their streams, for whoever looks at what was sealed. The hashes are of the stored bytes.
pub(super) const READ: &str = "
    SELECT position, organization_id, stream_type, stream_id, version, event_id, event_type, schema_version, actor_id,
           recorded_at, effective_at, sha256(metadata), sha256(payload)
    FROM log WHERE position > $1 AND position <= $2 ORDER BY position";

pub(super) const EDGES: &str = "
    SELECT organization_id, level, index, hashes, positions FROM proof_edges WHERE organization_id = ANY($1) ORDER BY organization_id, level";

/// How many leaves all trees have together: whole tiles of 256, and what grows behind them.
pub(super) const LEAVES: &str = "
    SELECT coalesce(sum(index * 256 + octet_length(hashes) / 32), 0)::bigint FROM proof_edges WHERE level = 0";

pub(super) const LAST_CHECKPOINTS: &str = "
    SELECT o.id, c.note FROM unnest($1::uuid[]) o(id) CROSS JOIN LATERAL (
        SELECT note FROM proof_checkpoints WHERE organization_id = o.id ORDER BY size DESC LIMIT 1) c";

pub(super) const ROOT_EDGES: &str = "SELECT level, index, hashes FROM proof_root_edges ORDER BY level";

pub(super) const ROOT_TILES: &str = "
    SELECT level, index, hashes FROM proof_root_tiles WHERE (level, index) IN (SELECT * FROM unnest($1::smallint[], $2::bigint[]))
    UNION ALL SELECT level, index, hashes FROM proof_root_edges";

pub(super) const LAST_ROOT: &str = "SELECT note FROM proof_root_checkpoints ORDER BY size DESC LIMIT 1";

pub(super) const KEYS: &str = "SELECT public, introduction FROM proof_keys ORDER BY number";

pub(super) const ADVANCE: &str = "
    UPDATE proof_log SET position = $1, root_size = $2, sealed_at = clock_timestamp(), refusal = NULL
    WHERE position = $3 AND root_size = $4";

pub(super) const INSERT_TILES: &str = "
    INSERT INTO proof_tiles (organization_id, level, index, hashes, first_position, positions)
    SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bytea[])";

pub(super) const UPSERT_EDGES: &str = "
    INSERT INTO proof_edges (organization_id, level, index, hashes, positions)
    SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::bytea[], $5::bytea[])
    ON CONFLICT (organization_id, level) DO UPDATE
    SET index = excluded.index, hashes = excluded.hashes, positions = excluded.positions";

pub(super) const INSERT_CHECKPOINTS: &str = "
    INSERT INTO proof_checkpoints (root_index, organization_id, size, note)
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::text[])";

pub(super) const INSERT_ROOT_TILES: &str = "
    INSERT INTO proof_root_tiles (level, index, hashes) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])";

pub(super) const UPSERT_ROOT_EDGES: &str = "
    INSERT INTO proof_root_edges (level, index, hashes) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
    ON CONFLICT (level) DO UPDATE SET index = excluded.index, hashes = excluded.hashes";

pub(super) const INSERT_ROOT: &str = "INSERT INTO proof_root_checkpoints (size, note, position) VALUES ($1, $2, $3)";

pub(super) const INSERT_KEY: &str = "
    INSERT INTO proof_keys (number, public, introduction, root_index)
    SELECT coalesce(max(number) + 1, 0), $1, $2, $3 FROM proof_keys";

pub(super) const REFUSE: &str = "UPDATE proof_log SET refusal = $1 WHERE refusal IS DISTINCT FROM $1";

/// The tile of leaves with this index.
pub(super) const AUDIT_TILE: &str = "
    SELECT hashes, positions FROM proof_tiles WHERE organization_id = $1 AND level = 0 AND index = $2
    UNION ALL SELECT hashes, positions FROM proof_edges WHERE organization_id = $1 AND level = 0 AND index = $2";

pub(super) const AUDIT_CHECKPOINTS: &str = "
    SELECT note FROM proof_checkpoints WHERE organization_id = $1 AND size > $2 AND size <= $3 ORDER BY size";

pub(super) const SIZES: &str = "SELECT organization_id, max(size) FROM proof_checkpoints GROUP BY organization_id";

/// Ciphertexts that the event at their position does not name.
pub(super) const BESIDE_SEALED_ALTERED: &str = "
    SELECT s.organization_id, s.position
    FROM event_sealed s LEFT JOIN events e ON e.position = s.position AND e.organization_id = s.organization_id
    WHERE s.position <= $1 AND (e.position IS NULL
        OR position(convert_to('\"sealed\":\"' || encode(sha256(s.ciphertext), 'hex') || '\"', 'UTF8') IN e.payload) = 0)
    ORDER BY s.position LIMIT $2";

/// Events that name more ciphertexts than there are, of nobody who was erased.
pub(super) const BESIDE_SEALED_GONE: &str = "
    SELECT e.organization_id, e.position
    FROM events e JOIN streams t ON t.key = e.stream_key
    WHERE e.position <= $1 AND position('\"sealed\":\"'::bytea IN e.payload) > 0
      AND regexp_count(encode(e.payload, 'escape'), '\"sealed\":\"[0-9a-f]{64}\"') > (SELECT count(*) FROM event_sealed s WHERE s.position = e.position)
      AND NOT EXISTS (
          SELECT FROM data_keys k WHERE k.organization_id = e.organization_id AND k.erasure_id IS NOT NULL
            AND (k.subject_id = t.id OR position(convert_to(k.subject_id::text, 'UTF8') IN e.payload) > 0))
    ORDER BY e.position LIMIT $2";

pub(super) const BESIDE_KEYS_GONE: &str = "
    SELECT DISTINCT s.organization_id, s.subject_id FROM event_sealed s
    WHERE NOT EXISTS (
        SELECT FROM data_keys k WHERE k.organization_id = s.organization_id AND k.subject_id = s.subject_id AND k.purpose = s.purpose)
    ORDER BY 1, 2 LIMIT $1";

/// Whether a deletion of a subject, or of the organization that it is in, came so far.
macro_rules! on_record {
    ($of:literal, $event:literal) => {
        concat!(
            "EXISTS (
        SELECT FROM streams t JOIN events e ON e.stream_key = t.key
        WHERE t.type = 'deletion_request' AND e.event_type = '",
            $event,
            "' AND t.organization_id = ",
            $of,
            ".organization_id AND (position(convert_to(",
            $of,
            ".subject_id::text, 'UTF8') IN e.payload) > 0
               OR position(convert_to(",
            $of,
            ".organization_id::text, 'UTF8') IN e.payload) > 0))"
        )
    };
}

/// What is being erased at this moment is on record a little later.
pub(super) const BESIDE_KEYS_ENDED: &str = concat!(
    "
    SELECT DISTINCT k.organization_id, k.subject_id FROM data_keys k
    WHERE k.erasure_id IS NOT NULL AND k.destroyed_at < now() - interval '1 hour' AND NOT ",
    on_record!("k", "compliance.subject_erased"),
    "
    ORDER BY 1, 2 LIMIT $1"
);

/// Events whose metadata names something, as `said.id`.
///
/// Metadata is split, which takes a tenth of what a regular expression takes, and not read as JSON or as ids: what
/// somebody made of it must not end the verification.
macro_rules! naming {
    ($field:literal) => {
        concat!(
            "
    SELECT e.organization_id, e.position
    FROM events e,
        LATERAL (SELECT split_part(split_part(encode(e.metadata, 'escape'), '\"",
            $field,
            "\":\"', 2), '\"', 1) AS id OFFSET 0) said
    WHERE e.position <= $1 AND position('\"",
            $field,
            "\":\"'::bytea IN e.metadata) > 0"
        )
    };
}

/// Events that name where their request came from, which is not there, of somebody who was not erased. It is kept
/// where who asked belongs, which for an operator is another organization than that of the event.
pub(super) const BESIDE_ORIGINS_GONE: &str = concat!(
    naming!("client_context_id"),
    "
      AND NOT EXISTS (SELECT FROM client_contexts c WHERE c.id::text = said.id)
      AND NOT EXISTS (SELECT FROM data_keys k WHERE k.subject_id = e.actor_id AND k.erasure_id IS NOT NULL)
    ORDER BY e.position LIMIT $2"
);

/// Events that name the command that recorded them, whose first answer is not there.
pub(super) const BESIDE_ANSWERS_GONE: &str = concat!(
    naming!("command_id"),
    "
      AND NOT EXISTS (SELECT FROM commands c WHERE c.id::text = said.id)
    ORDER BY e.position LIMIT $2"
);

/// Claims that were made, were not let go and are not there; and claims that are there and were never made, or were
/// let go. What was claimed before there were commitments is known by its append, one of whose events
/// names its owner.
pub(super) const BESIDE_CLAIMS: &str = "
    WITH said AS MATERIALIZED (
        SELECT organization_id, position, encode(metadata, 'escape') AS metadata FROM events
        WHERE position('\"claims\":['::bytea IN metadata) > 0 OR position('\"releases'::bytea IN metadata) > 0
    ), made AS MATERIALIZED (
        SELECT organization_id, claim, min(position) AS position
        FROM said, unnest(string_to_array(split_part(split_part(metadata, '\"claims\":[', 2), ']', 1), ',')) claim
        GROUP BY organization_id, claim
    ), let_go AS MATERIALIZED (
        SELECT unnest(string_to_array(split_part(split_part(metadata, '\"releases\":[', 2), ']', 1), ',')) AS claim FROM said
    ), all_let_go AS MATERIALIZED (
        SELECT split_part(split_part(metadata, '\"releases_all_of\":\"', 2), '\"', 1) AS organization, position FROM said
        WHERE position('\"releases_all_of' IN metadata) > 0
    ), standing AS (
        SELECT * FROM made WHERE NOT EXISTS (SELECT FROM let_go WHERE let_go.claim = made.claim)
    ), held AS (
        SELECT organization_id, position, '\"' || encode(sha256('palmares/claim'::bytea
            || uuid_send(salt) || uuid_send(organization_id) || uuid_send(key) || uuid_send(owner)), 'hex') || '\"' AS claim
        FROM claims WHERE salt IS NOT NULL
    ), reach AS (SELECT $1::bigint AS sealed, position AS head FROM log_head)
    SELECT held.claim IS NULL AS gone, coalesce(standing.organization_id, held.organization_id), coalesce(standing.position, held.position) AS at
    FROM standing FULL JOIN held USING (claim) CROSS JOIN reach
    WHERE (held.claim IS NULL AND standing.position <= sealed AND NOT EXISTS (
              SELECT FROM all_let_go a WHERE a.organization = standing.organization_id::text AND a.position > standing.position))
       OR (standing.claim IS NULL AND (held.position <= sealed OR held.position > head))
    UNION ALL
    SELECT false, c.organization_id, c.position FROM claims c CROSS JOIN reach
    WHERE c.salt IS NULL AND (c.position <= sealed OR c.position > head)
      AND (c.position >= (SELECT min(position) FROM made) OR NOT EXISTS (
          SELECT FROM events last JOIN events e ON e.position BETWEEN last.position - 99 AND last.position AND e.metadata = last.metadata
              JOIN streams t ON t.key = e.stream_key
          WHERE last.position = c.position AND (t.id = c.owner OR position(convert_to(c.owner::text, 'UTF8') IN e.payload) > 0)))
    ORDER BY at, gone LIMIT $2";

/// Who is hidden, and no deletion that would hide them is on record. An organization's hides everybody in it.
pub(super) const BESIDE_HIDDEN: &str = concat!(
    "
    SELECT h.organization_id, h.subject_id FROM hidden_subjects h
    WHERE NOT ",
    on_record!("h", "compliance.subject_soft_deleted"),
    "
    ORDER BY 1, 2 LIMIT $1"
);

/// Users whose last word is that they are deleted, and who are shown. Who was deleted or restored a moment ago is
/// hidden or shown a little later.
pub(super) const BESIDE_SHOWN: &str = "
    SELECT last.organization_id, last.subject_id
    FROM (
        SELECT DISTINCT ON (e.organization_id, said.subject_id) e.organization_id, said.subject_id, e.event_type, e.recorded_at
        FROM streams t JOIN events e ON e.stream_key = t.key,
            LATERAL (SELECT substring(encode(e.payload, 'escape') FROM
                '\"user\":\"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\"')::uuid AS subject_id OFFSET 0) said
        WHERE t.type = 'deletion_request' AND said.subject_id IS NOT NULL
          AND e.event_type IN ('compliance.subject_soft_deleted', 'compliance.subject_restored', 'compliance.erasure_begun')
        ORDER BY e.organization_id, said.subject_id, e.position DESC
    ) last
    WHERE last.event_type = 'compliance.subject_soft_deleted' AND last.recorded_at < now() - interval '1 hour'
      AND NOT EXISTS (
          SELECT FROM hidden_subjects h WHERE h.organization_id = last.organization_id AND h.subject_id = last.subject_id)
    ORDER BY 1, 2 LIMIT $1";

/// The leaves of the root log.
pub(super) const BESIDE_ENTRIES: &str = "
    SELECT root_index, note FROM proof_checkpoints
    UNION ALL SELECT root_index, introduction FROM proof_keys WHERE root_index IS NOT NULL ORDER BY 1";

pub(super) const BESIDE_ROOT_TILES: &str = "SELECT level, index, hashes FROM proof_root_tiles ORDER BY level, index";

pub(super) const NEWEST_ROOT: &str = "SELECT size, note FROM proof_root_checkpoints ORDER BY size DESC LIMIT 1";

pub(super) const COSIGNED: &str = "SELECT coalesce(max(size), 0) FROM proof_cosignatures WHERE witness = $1";

pub(super) const KEEP_COSIGNATURE: &str = "
    INSERT INTO proof_cosignatures (size, witness, line, cosigned_at) VALUES ($1, $2, $3, to_timestamp($4::float8)) ON CONFLICT DO NOTHING";

/// Every statement of this file, by name.
pub(in crate::engine) const STATEMENTS: &[(&str, &str)] = &[
    ("engine.sealing.try_lead", TRY_LEAD),
    ("engine.sealing.try_round", TRY_ROUND),
    ("engine.sealing.round", ROUND),
    ("engine.sealing.round_done", ROUND_DONE),
    ("engine.sealing.log", LOG),
    ("engine.sealing.events", EVENTS),
    ("engine.sealing.admissions", ADMISSIONS),
    ("engine.sealing.streams", STREAMS),
    ("engine.sealing.read", READ),
    ("engine.sealing.edges", EDGES),
    ("engine.sealing.leaves", LEAVES),
    ("engine.sealing.last_checkpoints", LAST_CHECKPOINTS),
    ("engine.sealing.root_edges", ROOT_EDGES),
    ("engine.sealing.root_tiles", ROOT_TILES),
    ("engine.sealing.last_root", LAST_ROOT),
    ("engine.sealing.keys", KEYS),
    ("engine.sealing.advance", ADVANCE),
    ("engine.sealing.insert_tiles", INSERT_TILES),
    ("engine.sealing.upsert_edges", UPSERT_EDGES),
    ("engine.sealing.insert_checkpoints", INSERT_CHECKPOINTS),
    ("engine.sealing.insert_root_tiles", INSERT_ROOT_TILES),
    ("engine.sealing.upsert_root_edges", UPSERT_ROOT_EDGES),
    ("engine.sealing.insert_root", INSERT_ROOT),
    ("engine.sealing.insert_key", INSERT_KEY),
    ("engine.sealing.refuse", REFUSE),
    ("engine.sealing.audit_tile", AUDIT_TILE),
    ("engine.sealing.audit_checkpoints", AUDIT_CHECKPOINTS),
    ("engine.sealing.sizes", SIZES),
    ("engine.sealing.beside_sealed_altered", BESIDE_SEALED_ALTERED),
    ("engine.sealing.beside_sealed_gone", BESIDE_SEALED_GONE),
    ("engine.sealing.beside_keys_gone", BESIDE_KEYS_GONE),
    ("engine.sealing.beside_keys_ended", BESIDE_KEYS_ENDED),
    ("engine.sealing.beside_origins_gone", BESIDE_ORIGINS_GONE),
    ("engine.sealing.beside_answers_gone", BESIDE_ANSWERS_GONE),
    ("engine.sealing.beside_claims", BESIDE_CLAIMS),
    ("engine.sealing.beside_hidden", BESIDE_HIDDEN),
    ("engine.sealing.beside_shown", BESIDE_SHOWN),
    ("engine.sealing.beside_entries", BESIDE_ENTRIES),
    ("engine.sealing.beside_root_tiles", BESIDE_ROOT_TILES),
    ("engine.sealing.newest_root", NEWEST_ROOT),
    ("engine.sealing.cosigned", COSIGNED),
    ("engine.sealing.keep_cosignature", KEEP_COSIGNATURE),
    ("engine.sealing.status", super::status::STATUS),
];
