-- What the authority is told of a breach stands sealed beside the event that says so. Nothing was recorded of it before:
-- the rows that are there are complete.
ALTER TABLE compliance_breaches_slots
    ADD COLUMN records bigint, ADD COLUMN described_position bigint, ADD COLUMN described_event_id uuid;
CREATE OR REPLACE VIEW compliance_breaches WITH (security_invoker = true) AS
SELECT organization_id, breach_id, nature, status, aware_at, due_at, risk, subjects, notified_at, informed_at, closed_at, not_informed,
       opened_by, opened_position, opened_event_id, notified_position, notified_event_id, waived_position, waived_event_id,
       reassessed_position, reassessed_event_id, records, described_position, described_event_id
FROM compliance_breaches_slots
WHERE slot = (SELECT active FROM projection_slots WHERE read_model = 'compliance_breaches');
