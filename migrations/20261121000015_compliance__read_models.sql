-- Every event as an entry of the audit log, and the index of the tenant's history. `action` is the
-- permission under which it was done; what was done, and before and after, stand in the log.
CREATE TABLE compliance_audit_log_a (
    organization_id uuid NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    event_type text NOT NULL,
    action text,
    outcome text NOT NULL,
    actor_id uuid NOT NULL,
    on_behalf_of uuid,
    stream_type text NOT NULL,
    stream_id uuid NOT NULL,
    correlation_id uuid,
    causation_id uuid,
    request_id uuid,
    client_context_id uuid,
    PRIMARY KEY (organization_id, position)
);
CREATE INDEX compliance_audit_log_a_time ON compliance_audit_log_a (organization_id, recorded_at, position);
CREATE INDEX compliance_audit_log_a_type ON compliance_audit_log_a (organization_id, event_type, position);
CREATE INDEX compliance_audit_log_a_action ON compliance_audit_log_a (organization_id, action, position);
CREATE INDEX compliance_audit_log_a_actor ON compliance_audit_log_a (organization_id, actor_id, position);
CREATE INDEX compliance_audit_log_a_stream ON compliance_audit_log_a (organization_id, stream_id, position);
CREATE INDEX compliance_audit_log_a_correlation ON compliance_audit_log_a (organization_id, correlation_id, position);
CREATE INDEX compliance_audit_log_a_refused ON compliance_audit_log_a (organization_id, position) WHERE outcome = 'refused';
SELECT create_read_model('compliance_audit_log');
