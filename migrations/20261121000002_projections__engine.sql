-- The engine of the read side: where everything stands, what is parked, and how a read model is made.

-- One row per projection and slot, and one per reactor (slot a). `position` is moved by
-- compare-and-set on (position, owner_epoch) in the transaction of the rows it stands for, so a
-- process that lost its lease cannot write; the lease only says when another one may take over.
CREATE TABLE checkpoints (
    name text NOT NULL,
    slot char(1) NOT NULL CHECK (slot IN ('a', 'b')),
    kind text NOT NULL CHECK (kind IN ('projector', 'reactor')),
    version integer NOT NULL,
    active boolean NOT NULL,
    position bigint NOT NULL CHECK (position >= 0),
    owner uuid,
    owner_epoch bigint NOT NULL DEFAULT 0,
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    status text NOT NULL CHECK (status IN ('idle', 'running', 'stopped', 'rebuilding')),
    error text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, slot)
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX checkpoints_active ON checkpoints (name) WHERE active;

-- Events that a projector or reactor could not take, and those that depend on them.
CREATE TABLE parked_events (
    name text NOT NULL,
    slot char(1) NOT NULL CHECK (slot IN ('a', 'b')),
    position bigint NOT NULL,
    organization_id uuid NOT NULL,
    sequence_key uuid NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    error text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, slot, position)
);
CREATE INDEX parked_events_key ON parked_events (name, slot, sequence_key);

-- Events above a reactor's checkpoint whose effects are done: not repeated after a restart.
CREATE TABLE reactor_done (
    name text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (name, position)
);

-- What is to be done at a time. Holds ids only, never personal data.
CREATE TABLE timers (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    stream_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    payload jsonb NOT NULL,
    -- Later than due_at only after a failed attempt.
    try_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    error text,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX timers_due ON timers (try_at);

-- Which slot of a read model serves.
CREATE TABLE projection_slots (
    read_model text PRIMARY KEY,
    active char(1) NOT NULL DEFAULT 'a' CHECK (active IN ('a', 'b'))
);

GRANT SELECT, INSERT, UPDATE, DELETE ON checkpoints, parked_events, reactor_done, timers TO palmares_projector;
GRANT SELECT, UPDATE ON projection_slots TO palmares_projector;
GRANT SELECT ON checkpoints, parked_events, projection_slots TO palmares_reader;
GRANT SELECT ON checkpoints, parked_events TO palmares_relay;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['parked_events', 'timers'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY projector ON %I TO palmares_projector USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY relay ON %I FOR SELECT TO palmares_relay USING (true)', name);
        EXECUTE format('CREATE POLICY tenant ON %I FOR SELECT TO palmares_reader USING (organization_id = (SELECT current_organization()))', name);
    END LOOP;
END
$$;

-- Makes a read model out of the table `<name>_a`: its twin `<name>_b`, both as partitions of
-- `<name>_slots`, and the view `<name>` of the slot that serves.
--
-- Partitions and not a UNION ALL of two gated branches: the planner keeps the order and the limit
-- of an index scan through a partitioned table, and leaves the idle partition out when it runs.
-- Readers may see the parent and the view only. Call it after the indexes of `<name>_a` exist.
CREATE FUNCTION create_read_model(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    slot text;
    part text;
    options text;
    columns text;
BEGIN
    SELECT array_to_string(c.reloptions, ', '), string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
    INTO STRICT options, columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.oid = to_regclass(quote_ident(name || '_a'))
    GROUP BY c.oid, c.reloptions;

    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', name || '_b', name || '_a');
    IF options IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %I SET (%s)', name || '_b', options);
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING GENERATED, slot char(1) NOT NULL) PARTITION BY LIST (slot)', name || '_slots', name || '_a');
    FOREACH slot IN ARRAY ARRAY['a', 'b'] LOOP
        part := name || '_' || slot;
        EXECUTE format('ALTER TABLE %I ADD COLUMN slot char(1) NOT NULL DEFAULT %L', part, slot);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%L)', name || '_slots', part, slot);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON %I TO palmares_projector', part);
    END LOOP;
    FOREACH part IN ARRAY ARRAY[name || '_a', name || '_b', name || '_slots'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);
        EXECUTE format('CREATE POLICY projector ON %I TO palmares_projector USING (true) WITH CHECK (true)', part);
        EXECUTE format('CREATE POLICY tenant ON %I FOR SELECT TO palmares_reader USING (organization_id = (SELECT current_organization()))', part);
    END LOOP;

    EXECUTE format('INSERT INTO projection_slots (read_model) VALUES (%L)', name);
    EXECUTE format('CREATE VIEW %I WITH (security_invoker = true) AS SELECT %s FROM %I'
        ' WHERE slot = (SELECT active FROM projection_slots WHERE read_model = %L)', name, columns, name || '_slots', name);
    EXECUTE format('GRANT SELECT ON %I, %I TO palmares_reader, palmares_projector', name, name || '_slots');
END
$$;
REVOKE ALL ON FUNCTION create_read_model(text) FROM PUBLIC;
