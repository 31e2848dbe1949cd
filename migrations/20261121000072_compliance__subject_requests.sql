-- What people ask under data protection law; what was written stands sealed beside the events.
CREATE TABLE compliance_subject_requests_a (
    organization_id uuid NOT NULL,
    request_id uuid NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    received_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    extended boolean NOT NULL DEFAULT false,
    taken_by uuid,
    -- Who fulfilled or refused it, and when.
    decided_by uuid,
    decided_at timestamptz,
    ground text,
    deletion_request_id uuid,
    received_position bigint NOT NULL,
    received_event_id uuid NOT NULL,
    -- The events beside which the reason of the extension and the note of the decision stand.
    extended_position bigint,
    extended_event_id uuid,
    decided_position bigint,
    decided_event_id uuid,
    PRIMARY KEY (organization_id, request_id)
);
CREATE INDEX compliance_subject_requests_a_due ON compliance_subject_requests_a (organization_id, due_at, request_id);
CREATE INDEX compliance_subject_requests_a_user ON compliance_subject_requests_a (organization_id, user_id);
SELECT create_read_model('compliance_subject_requests');

-- What people take out of what is recorded of them.
CREATE TABLE compliance_subject_exports_a (
    organization_id uuid NOT NULL,
    export_id uuid NOT NULL,
    user_id uuid NOT NULL,
    format text NOT NULL,
    status text NOT NULL,
    requested_at timestamptz NOT NULL,
    events bigint,
    size_bytes bigint,
    digest text,
    fault text,
    expires_at timestamptz,
    downloads bigint NOT NULL DEFAULT 0,
    requested_position bigint NOT NULL,
    PRIMARY KEY (organization_id, export_id)
);
CREATE INDEX compliance_subject_exports_a_user ON compliance_subject_exports_a (organization_id, user_id, requested_position);
SELECT create_read_model('compliance_subject_exports');

-- Who is named by which event: in a field, as the subject of a sealed one, as its actor.
CREATE TABLE compliance_subject_index_a (
    organization_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (organization_id, subject_id, position)
);
SELECT create_read_model('compliance_subject_index');

-- What was built, sealed to a key that its owner alone has, until it expires. It is no read model and
-- stands outside of the log: the log tells its digest, and deleting a row leaves nothing of it.
CREATE TABLE compliance_export_files (
    organization_id uuid NOT NULL,
    export_id uuid NOT NULL,
    content bytea NOT NULL,
    built_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, export_id)
);
GRANT SELECT, INSERT, DELETE ON compliance_export_files TO palmares_projector;
GRANT SELECT ON compliance_export_files TO palmares_reader;
ALTER TABLE compliance_export_files ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON compliance_export_files TO palmares_projector USING (true) WITH CHECK (true);
CREATE POLICY tenant ON compliance_export_files FOR SELECT TO palmares_reader USING (organization_id = (SELECT current_organization()));

-- Breaches of personal data, with the clock of the authority.
CREATE TABLE compliance_breaches_a (
    organization_id uuid NOT NULL,
    breach_id uuid NOT NULL,
    nature text NOT NULL,
    status text NOT NULL,
    summary text NOT NULL,
    aware_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    risk text,
    subjects bigint,
    notified_at timestamptz,
    reference text,
    delay_reason text,
    waiver_reason text,
    informed_at timestamptz,
    closed_at timestamptz,
    opened_by uuid NOT NULL,
    opened_position bigint NOT NULL,
    PRIMARY KEY (organization_id, breach_id)
);
CREATE UNIQUE INDEX compliance_breaches_a_opened ON compliance_breaches_a (organization_id, opened_position);
SELECT create_read_model('compliance_breaches');
