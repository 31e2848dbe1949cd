-- Rights for a while, and the mark of their use on every entry of the audit log.
CREATE TABLE identity_elevations_a (
    organization_id uuid NOT NULL,
    elevation_id uuid NOT NULL,
    requested_by uuid NOT NULL,
    -- One of the two.
    role text,
    act_as uuid,
    duration_seconds bigint NOT NULL,
    status text NOT NULL,
    decided_by uuid,
    due_at timestamptz,
    ended_by uuid,
    reviewed_by uuid,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    created_event_id uuid NOT NULL,
    PRIMARY KEY (organization_id, elevation_id)
);
CREATE UNIQUE INDEX identity_elevations_a_created ON identity_elevations_a (organization_id, created_position);
CREATE INDEX identity_elevations_a_requester ON identity_elevations_a (organization_id, requested_by, created_position);
SELECT create_read_model('identity_elevations');

-- Nothing was done under an elevation before there were any: the entries that are there are complete.
ALTER TABLE compliance_audit_log_slots ADD COLUMN elevation_id uuid;
CREATE INDEX compliance_audit_log_slots_elevation ON compliance_audit_log_slots (organization_id, elevation_id, position)
    WHERE elevation_id IS NOT NULL;
CREATE INDEX compliance_audit_log_slots_on_behalf_of ON compliance_audit_log_slots (organization_id, on_behalf_of, position)
    WHERE on_behalf_of IS NOT NULL;
CREATE OR REPLACE VIEW compliance_audit_log WITH (security_invoker = true) AS
SELECT organization_id, position, recorded_at, event_type, action, outcome, actor_id, on_behalf_of, stream_type, stream_id,
       correlation_id, causation_id, request_id, client_context_id, elevation_id
FROM compliance_audit_log_slots
WHERE slot = (SELECT active FROM projection_slots WHERE read_model = 'compliance_audit_log');
