-- Deletions of users and organizations. Why one was asked for stays sealed beside its event.
CREATE TABLE compliance_deletion_requests_a (
    organization_id uuid NOT NULL,
    request_id uuid NOT NULL,
    -- Null where the organization itself is to be deleted.
    user_id uuid,
    kind text NOT NULL,
    requested_by uuid NOT NULL,
    -- Of whom the reason speaks.
    concerns uuid NOT NULL,
    ground text,
    incident text,
    status text NOT NULL,
    approved_by uuid[] NOT NULL DEFAULT '{}',
    checks jsonb NOT NULL DEFAULT '[]',
    refusal_ground text,
    due_at timestamptz,
    step text,
    -- Pairs of a purpose and the time until which it is kept.
    retained jsonb NOT NULL DEFAULT '[]',
    backups_until timestamptz,
    certificate text,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    created_event_id uuid NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, request_id)
);
CREATE UNIQUE INDEX compliance_deletion_requests_a_created ON compliance_deletion_requests_a (organization_id, created_position);
SELECT create_read_model('compliance_deletion_requests');

-- Legal holds. The matter stays sealed beside its event.
CREATE TABLE compliance_legal_holds_a (
    organization_id uuid NOT NULL,
    hold_id uuid NOT NULL,
    -- Nobody named is everybody.
    subjects uuid[] NOT NULL,
    span_from timestamptz,
    span_until timestamptz,
    placed_by uuid NOT NULL,
    released_by uuid,
    released_at timestamptz,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    created_event_id uuid NOT NULL,
    PRIMARY KEY (organization_id, hold_id)
);
CREATE UNIQUE INDEX compliance_legal_holds_a_created ON compliance_legal_holds_a (organization_id, created_position);
SELECT create_read_model('compliance_legal_holds');

-- How long an organization keeps what, where it said so itself.
CREATE TABLE compliance_retention_periods_a (
    organization_id uuid NOT NULL,
    class text NOT NULL,
    days bigint NOT NULL,
    set_by uuid NOT NULL,
    set_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, class)
);
SELECT create_read_model('compliance_retention_periods');
