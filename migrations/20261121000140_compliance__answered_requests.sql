-- By which export a request for a copy was answered. None was before: the rows that are there are complete.
ALTER TABLE compliance_subject_requests_slots ADD COLUMN export_id uuid;
CREATE OR REPLACE VIEW compliance_subject_requests WITH (security_invoker = true) AS
SELECT organization_id, request_id, user_id, kind, status, received_at, due_at, extended, taken_by, decided_by, decided_at, ground,
       deletion_request_id, received_position, received_event_id, extended_position, extended_event_id, decided_position,
       decided_event_id, export_id
FROM compliance_subject_requests_slots
WHERE slot = (SELECT active FROM projection_slots WHERE read_model = 'compliance_subject_requests');
