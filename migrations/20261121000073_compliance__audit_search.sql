-- What the audit log is searched by beside what its events carry: the name that document 004 gives an
-- event, its id, its session, whose data it is about, and the words that describe it. The projection
-- fills all of it anew.

-- Words that describe entries, each set of them once per organization: there are far fewer sets than
-- entries, so that looking through them all takes no index on texts, and an entry is found by an id.
CREATE TABLE compliance_audit_texts_a (
    organization_id uuid NOT NULL,
    text_id uuid NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (organization_id, text_id)
);
SELECT create_read_model('compliance_audit_texts');

ALTER TABLE compliance_audit_log_slots
    ADD COLUMN event_id uuid,
    ADD COLUMN audit_name text,
    ADD COLUMN session_id uuid,
    ADD COLUMN subject_id uuid,
    ADD COLUMN text_id uuid,
    -- How many entries of the organization there are up to this one: no number is left out.
    ADD COLUMN number bigint;
CREATE INDEX compliance_audit_log_slots_event ON compliance_audit_log_slots (organization_id, event_id);
CREATE INDEX compliance_audit_log_slots_name ON compliance_audit_log_slots (organization_id, audit_name, position)
    WHERE audit_name IS NOT NULL;
CREATE INDEX compliance_audit_log_slots_session ON compliance_audit_log_slots (organization_id, session_id, position)
    WHERE session_id IS NOT NULL;
CREATE INDEX compliance_audit_log_slots_subject ON compliance_audit_log_slots (organization_id, subject_id, position)
    WHERE subject_id IS NOT NULL;
CREATE INDEX compliance_audit_log_slots_text ON compliance_audit_log_slots (organization_id, text_id, position);
CREATE INDEX compliance_audit_log_slots_client ON compliance_audit_log_slots (organization_id, client_context_id, position)
    WHERE client_context_id IS NOT NULL;
CREATE INDEX compliance_audit_log_slots_causation ON compliance_audit_log_slots (organization_id, causation_id, position)
    WHERE causation_id IS NOT NULL;
CREATE INDEX compliance_audit_log_slots_request ON compliance_audit_log_slots (organization_id, request_id, position);
-- A permission and those below it stand beside each other only where texts are ordered by their bytes.
DROP INDEX compliance_audit_log_a_action;
DO $$
DECLARE
    name text;
BEGIN
    -- The twin's index was named by PostgreSQL.
    FOR name IN SELECT indexname FROM pg_indexes WHERE tablename = 'compliance_audit_log_b' AND indexdef LIKE '%(organization_id, action, "position")' LOOP
        EXECUTE format('DROP INDEX %I', name);
    END LOOP;
END
$$;
CREATE INDEX compliance_audit_log_slots_action ON compliance_audit_log_slots (organization_id, action COLLATE "C", position);
CREATE INDEX compliance_audit_log_slots_number ON compliance_audit_log_slots (organization_id, number);

DO $$
DECLARE
    columns text;
BEGIN
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO STRICT columns FROM pg_attribute
    WHERE attrelid = 'compliance_audit_log_slots'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'slot';
    EXECUTE format('CREATE OR REPLACE VIEW compliance_audit_log WITH (security_invoker = true) AS SELECT %s FROM compliance_audit_log_slots'
        ' WHERE slot = (SELECT active FROM projection_slots WHERE read_model = %L)', columns, 'compliance_audit_log');
END
$$;

-- Where requests came from is sealed; a keyed hash of the address alone finds it.
ALTER TABLE client_contexts ADD COLUMN ip_hash bytea;
CREATE INDEX client_contexts_ip ON client_contexts (organization_id, ip_hash);
