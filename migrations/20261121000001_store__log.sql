-- The log: one row that gives out positions, the streams, the events, and what an append may carry.

-- Four roles, none of which owns a table or bypasses row security. A connection takes one of them.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['palmares_reader', 'palmares_committer', 'palmares_projector', 'palmares_relay'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA public TO palmares_reader, palmares_committer, palmares_projector, palmares_relay;

-- The head moves under its row lock, so positions are contiguous and in commit order. `incarnation`
-- is renewed after a restore or a promotion, when positions may be given out again.
CREATE TABLE log_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL,
    stream_key bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    incarnation uuid NOT NULL
) WITH (fillfactor = 10);
INSERT INTO log_head VALUES (true, 0, 0, now(), gen_random_uuid());

CREATE TABLE streams (
    key bigint PRIMARY KEY,
    organization_id uuid NOT NULL,
    type text NOT NULL,
    id uuid NOT NULL,
    UNIQUE (organization_id, type, id)
);

-- Two indexes and no more: each further one costs about a third of the append rate.
CREATE TABLE events (
    position bigint PRIMARY KEY,
    organization_id uuid NOT NULL,
    stream_key bigint NOT NULL,
    version bigint NOT NULL,
    event_id uuid NOT NULL,
    actor_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    effective_at timestamptz,
    schema_version smallint NOT NULL,
    event_type text NOT NULL,
    payload bytea NOT NULL,
    metadata bytea NOT NULL,
    UNIQUE (stream_key, version)
);

-- Ciphertexts of personal fields stand beside the event, which keeps their digests.
CREATE TABLE event_sealed (
    position bigint NOT NULL,
    field text NOT NULL,
    organization_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    purpose text NOT NULL,
    ciphertext bytea NOT NULL,
    PRIMARY KEY (position, field)
);

-- Keys reserved in the transaction of the append that needs them.
CREATE TABLE claims (
    organization_id uuid NOT NULL,
    key uuid NOT NULL,
    owner uuid NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (organization_id, key)
);

-- The first answer of every command that may be repeated: ids and status, never a body.
CREATE TABLE commands (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    answer bytea NOT NULL,
    position bigint NOT NULL,
    version bigint NOT NULL,
    recorded_at timestamptz NOT NULL
);

-- Disposable: a snapshot of another shape is ignored, a missing one costs a longer replay.
CREATE TABLE snapshots (
    stream_key bigint PRIMARY KEY,
    organization_id uuid NOT NULL,
    version bigint NOT NULL,
    shape smallint NOT NULL,
    state bytea NOT NULL
);

CREATE TABLE data_keys (
    organization_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    purpose text NOT NULL,
    epoch integer NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, subject_id, purpose)
);

CREATE TABLE client_contexts (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    subject_id uuid NOT NULL,
    ciphertext bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id)
);

-- Append-only twice over: no role is granted UPDATE or DELETE, and the owner meets this trigger.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER streams_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON streams
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT ON log_head TO palmares_reader, palmares_committer, palmares_projector, palmares_relay;
GRANT UPDATE ON log_head TO palmares_committer;
GRANT SELECT, INSERT ON streams, events, event_sealed, claims, commands, data_keys, client_contexts TO palmares_committer;
GRANT SELECT, INSERT, UPDATE, DELETE ON snapshots TO palmares_committer;
GRANT DELETE ON claims TO palmares_committer;
GRANT SELECT ON streams, events, event_sealed, data_keys, client_contexts TO palmares_relay;
GRANT SELECT ON streams, events, event_sealed, client_contexts TO palmares_reader;

-- The second wall: a reader sees the tenant it named in this transaction, and nothing when it named none.
CREATE FUNCTION current_organization() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.current_org_id', true), '')::uuid;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['streams', 'events', 'event_sealed', 'claims', 'commands', 'snapshots', 'data_keys', 'client_contexts'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY committer ON %I TO palmares_committer USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY relay ON %I FOR SELECT TO palmares_relay USING (true)', name);
        EXECUTE format('CREATE POLICY tenant ON %I FOR SELECT TO palmares_reader USING (organization_id = (SELECT current_organization()))', name);
    END LOOP;
END
$$;

-- The log as readers know it.
CREATE VIEW log WITH (security_invoker = true) AS
SELECT e.position, e.event_id, e.event_type, e.schema_version, s.type AS stream_type, s.id AS stream_id, e.version,
       e.organization_id, e.actor_id, e.recorded_at, e.effective_at, e.metadata, e.payload, e.stream_key
FROM events e JOIN streams s ON s.key = e.stream_key;
GRANT SELECT ON log TO palmares_reader, palmares_committer, palmares_relay;

-- The log with the column names of postgres-es, so that its repository reads every stream.
CREATE VIEW postgres_es_events WITH (security_invoker = true) AS
SELECT s.type AS aggregate_type, s.id::text AS aggregate_id, e.version AS sequence, e.event_type,
       e.schema_version::text AS event_version, convert_from(e.payload, 'UTF8')::json AS payload,
       convert_from(e.metadata, 'UTF8')::json AS metadata
FROM events e JOIN streams s ON s.key = e.stream_key;
GRANT SELECT ON postgres_es_events TO palmares_committer, palmares_relay;
