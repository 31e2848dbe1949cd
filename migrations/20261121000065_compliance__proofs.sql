-- What the log proves of itself: a Merkle tree per organization, the root log of their checkpoints, and what was signed.
-- The sealer writes as palmares_relay. What is whole is only ever added; the edges of trees grow.

-- Which log this is, and how far it is sealed. The row moves by compare-and-set in the transaction of what it stands for.
CREATE TABLE proof_log (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    id uuid NOT NULL,
    position bigint NOT NULL,
    root_size bigint NOT NULL,
    sealed_at timestamptz,
    -- Why nothing is signed any more.
    refusal text
) WITH (fillfactor = 10);
INSERT INTO proof_log VALUES (true, gen_random_uuid(), 0, 0);

-- 256 hashes each (c2sp.org/tlog-tiles). Those of leaves know the positions of their events, 8 bytes each.
CREATE TABLE proof_tiles (
    organization_id uuid NOT NULL,
    level smallint NOT NULL,
    index bigint NOT NULL,
    hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192),
    first_position bigint,
    positions bytea CHECK (octet_length(positions) = 2048),
    PRIMARY KEY (organization_id, level, index),
    CHECK ((level = 0) = (positions IS NOT NULL)),
    CHECK ((level = 0) = (first_position IS NOT NULL))
);
CREATE INDEX proof_tiles_position ON proof_tiles (organization_id, first_position) WHERE level = 0;

-- The tiles that still grow.
CREATE TABLE proof_edges (
    organization_id uuid NOT NULL,
    level smallint NOT NULL,
    index bigint NOT NULL,
    hashes bytea NOT NULL,
    positions bytea NOT NULL,
    PRIMARY KEY (organization_id, level)
) WITH (fillfactor = 50);

-- The leaves of the root log that are checkpoints: the signed notes.
CREATE TABLE proof_checkpoints (
    root_index bigint PRIMARY KEY,
    organization_id uuid NOT NULL,
    size bigint NOT NULL,
    note text NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (organization_id, size)
);

-- The keys that signed, in their order. Each but the first was introduced by the one before it, in a leaf of the root log.
CREATE TABLE proof_keys (
    number integer PRIMARY KEY,
    public bytea NOT NULL UNIQUE CHECK (octet_length(public) = 32),
    introduction text,
    root_index bigint UNIQUE,
    introduced_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((number = 0) = (introduction IS NULL)),
    CHECK ((introduction IS NULL) = (root_index IS NULL))
);

-- The tree of the root log, which belongs to no organization, and its checkpoints.
CREATE TABLE proof_root_tiles (
    level smallint NOT NULL,
    index bigint NOT NULL,
    hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192),
    PRIMARY KEY (level, index)
);
CREATE TABLE proof_root_edges (
    level smallint PRIMARY KEY,
    index bigint NOT NULL,
    hashes bytea NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE proof_root_checkpoints (
    size bigint PRIMARY KEY,
    note text NOT NULL,
    -- The log is sealed up to here.
    position bigint NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What witnesses said of it.
CREATE TABLE proof_cosignatures (
    size bigint NOT NULL,
    witness text NOT NULL,
    line text NOT NULL,
    cosigned_at timestamptz NOT NULL,
    PRIMARY KEY (witness, size)
);

GRANT SELECT ON proof_log, proof_tiles, proof_edges, proof_checkpoints, proof_keys, proof_root_tiles, proof_root_edges,
    proof_root_checkpoints, proof_cosignatures TO palmares_reader, palmares_relay;
GRANT INSERT ON proof_tiles, proof_edges, proof_checkpoints, proof_keys, proof_root_tiles, proof_root_edges, proof_root_checkpoints,
    proof_cosignatures TO palmares_relay;
GRANT UPDATE (index, hashes, positions) ON proof_edges TO palmares_relay;
GRANT UPDATE (index, hashes) ON proof_root_edges TO palmares_relay;
GRANT UPDATE (position, root_size, sealed_at, refusal) ON proof_log TO palmares_relay;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['proof_tiles', 'proof_checkpoints', 'proof_keys', 'proof_root_tiles', 'proof_root_checkpoints',
                                'proof_cosignatures'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
            name || '_are_append_only', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['proof_tiles', 'proof_edges', 'proof_checkpoints'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY relay ON %I TO palmares_relay USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY tenant ON %I FOR SELECT TO palmares_reader USING (organization_id = (SELECT current_organization()))', name);
    END LOOP;
END
$$;
