-- What was asked before of somebody who is to be deleted: a subject has one request, and each of them counts. The
-- projection is made anew from the log.
ALTER TABLE compliance_deletion_requests_slots ADD COLUMN earlier jsonb NOT NULL DEFAULT '[]';
CREATE OR REPLACE VIEW compliance_deletion_requests WITH (security_invoker = true) AS
SELECT organization_id, request_id, user_id, kind, requested_by, concerns, ground, incident, status, approved_by, checks,
       refusal_ground, due_at, step, retained, backups_until, certificate, created_at, created_position, created_event_id, changed_at,
       earlier
FROM compliance_deletion_requests_slots
WHERE slot = (SELECT active FROM projection_slots WHERE read_model = 'compliance_deletion_requests');
