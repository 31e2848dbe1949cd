-- The life of a data key: hidden, held, destroyed. What is destroyed leaves its row as a tombstone.

-- The role that erases, and wraps keys anew. It is one tenant's at a time, and nothing else.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'palmares_eraser') THEN
        CREATE ROLE palmares_eraser NOLOGIN;
    END IF;
    IF NOT pg_has_role(current_user, 'palmares_eraser', 'MEMBER') THEN
        EXECUTE format('GRANT palmares_eraser TO %I', current_user);
    END IF;
END
$$;
GRANT USAGE ON SCHEMA public TO palmares_eraser;

-- A tombstone keeps the name of its key, so the primary key itself refuses the key's return: whoever
-- makes it anew at the same moment loses to the tombstone as to any other first writer.
ALTER TABLE data_keys
    ALTER COLUMN epoch DROP NOT NULL,
    ALTER COLUMN wrapped DROP NOT NULL,
    ADD COLUMN erasure_id uuid,
    ADD COLUMN destroyed_at timestamptz,
    ADD CHECK ((wrapped IS NULL) = (erasure_id IS NOT NULL)),
    ADD CHECK ((epoch IS NULL) = (wrapped IS NULL)),
    ADD CHECK ((destroyed_at IS NULL) = (erasure_id IS NULL));
-- Which keys an epoch still wraps.
CREATE INDEX data_keys_by_epoch ON data_keys (organization_id, epoch) WHERE erasure_id IS NULL;

CREATE FUNCTION refuse_a_keys_return() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.erasure_id IS NOT NULL OR TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a tombstone stays, and a key becomes one instead of going: % is refused', TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER tombstones_stay BEFORE UPDATE OR DELETE ON data_keys FOR EACH ROW EXECUTE FUNCTION refuse_a_keys_return();

-- Up to which epoch an organization's keys may not be wrapped any more.
CREATE TABLE key_epochs (
    organization_id uuid PRIMARY KEY,
    retired_to integer NOT NULL,
    retired_at timestamptz NOT NULL DEFAULT now()
);

-- A key that is on its way under an epoch holds this lock until it is there, and who retires the
-- epoch takes it alone: afterwards every key under that epoch can be seen, and none is added.
CREATE FUNCTION epoch_lock(organization_id uuid) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN hashtextextended('palmares/epoch/' || organization_id, 0);

CREATE FUNCTION refuse_a_retired_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.epoch IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock_shared(epoch_lock(NEW.organization_id));
        IF EXISTS (SELECT FROM key_epochs e WHERE e.organization_id = NEW.organization_id AND e.retired_to >= NEW.epoch) THEN
            RAISE EXCEPTION 'epoch % is retired', NEW.epoch USING ERRCODE = 'PM001';
        END IF;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER epochs_retire BEFORE INSERT ON data_keys FOR EACH ROW EXECUTE FUNCTION refuse_a_retired_epoch();

-- Whose data reads as absent though the keys are there.
CREATE TABLE hidden_subjects (
    organization_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    hidden_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, subject_id)
);

-- Whose keys a legal hold keeps from destruction.
CREATE TABLE key_holds (
    organization_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    hold_id uuid NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, subject_id, hold_id)
);

-- What every node has to forget. Its writers hold a lock until they commit, so that a node which has
-- read up to a number has missed nothing below it.
CREATE TABLE key_changes (
    seq bigserial PRIMARY KEY,
    organization_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION current_erasure() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.current_erasure_id', true), '')::uuid;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['hidden_subjects', 'key_holds', 'key_changes', 'key_epochs'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY committer ON %I FOR SELECT TO palmares_committer USING (true)', name);
        EXECUTE format('CREATE POLICY relay ON %I FOR SELECT TO palmares_relay USING (true)', name);
        EXECUTE format('CREATE POLICY tenant ON %I FOR SELECT TO palmares_reader USING (organization_id = (SELECT current_organization()))', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['data_keys', 'hidden_subjects', 'key_holds', 'key_changes', 'key_epochs'] LOOP
        EXECUTE format('CREATE POLICY eraser ON %I TO palmares_eraser USING (organization_id = (SELECT current_organization())) '
                       'WITH CHECK (organization_id = (SELECT current_organization()))', name);
    END LOOP;
END
$$;
CREATE POLICY eraser ON streams FOR SELECT TO palmares_eraser USING (organization_id = (SELECT current_organization()));

-- It sees and deletes only what was sealed under a key that this erasure destroyed.
CREATE POLICY eraser ON event_sealed TO palmares_eraser USING (
    organization_id = (SELECT current_organization()) AND EXISTS (
        SELECT FROM data_keys k
        WHERE k.organization_id = event_sealed.organization_id AND k.subject_id = event_sealed.subject_id
          AND k.purpose = event_sealed.purpose AND k.erasure_id = (SELECT current_erasure())));
CREATE POLICY eraser ON client_contexts TO palmares_eraser USING (
    organization_id = (SELECT current_organization()) AND EXISTS (
        SELECT FROM data_keys k
        WHERE k.organization_id = client_contexts.organization_id AND k.subject_id = client_contexts.subject_id
          AND k.purpose = 'security' AND k.erasure_id = (SELECT current_erasure())));
CREATE POLICY eraser ON snapshots TO palmares_eraser USING (
    organization_id = (SELECT current_organization()) AND EXISTS (
        SELECT FROM streams s JOIN data_keys k ON k.organization_id = s.organization_id AND k.subject_id = s.id
        WHERE s.key = snapshots.stream_key AND k.erasure_id = (SELECT current_erasure())));

GRANT SELECT ON hidden_subjects, key_holds, key_changes, key_epochs TO palmares_committer, palmares_relay;
GRANT SELECT, INSERT, UPDATE (epoch, wrapped, erasure_id, destroyed_at) ON data_keys TO palmares_eraser;
GRANT SELECT, INSERT, DELETE ON hidden_subjects, key_holds, key_changes TO palmares_eraser;
GRANT USAGE ON SEQUENCE key_changes_seq_seq TO palmares_eraser;
GRANT SELECT, INSERT, UPDATE (retired_to, retired_at) ON key_epochs TO palmares_eraser;
GRANT SELECT ON streams TO palmares_eraser;
GRANT SELECT, DELETE ON event_sealed, client_contexts, snapshots TO palmares_eraser;
