-- What people write about a breach, and why an organization was suspended, stands sealed beside the events. Rows say
-- where it stands, and hold no text. They are made anew.
DROP VIEW compliance_breaches;
TRUNCATE compliance_breaches_slots;
ALTER TABLE compliance_breaches_slots
    DROP COLUMN summary, DROP COLUMN reference, DROP COLUMN delay_reason, DROP COLUMN waiver_reason,
    DROP COLUMN reassessment_reason,
    ADD COLUMN opened_event_id uuid NOT NULL,
    ADD COLUMN notified_position bigint, ADD COLUMN notified_event_id uuid,
    ADD COLUMN waived_position bigint, ADD COLUMN waived_event_id uuid,
    ADD COLUMN reassessed_position bigint, ADD COLUMN reassessed_event_id uuid;
CREATE VIEW compliance_breaches WITH (security_invoker = true) AS
SELECT organization_id, breach_id, nature, status, aware_at, due_at, risk, subjects, notified_at, informed_at, closed_at, not_informed,
       opened_by, opened_position, opened_event_id, notified_position, notified_event_id, waived_position, waived_event_id,
       reassessed_position, reassessed_event_id
FROM compliance_breaches_slots
WHERE slot = (SELECT active FROM projection_slots WHERE read_model = 'compliance_breaches');
GRANT SELECT ON compliance_breaches TO palmares_reader, palmares_projector;

ALTER TABLE organizations_directory_slots ADD COLUMN suspended_position bigint, ADD COLUMN suspended_event_id uuid;
CREATE OR REPLACE VIEW organizations_directory WITH (security_invoker = true) AS
SELECT organization_id, id, name, slug, status, default_locale, settings, setup, created_at, created_position, deletion_request_id,
       deletion_kind, deletion_ground, deleted_at, deleted_by, retention_expiry, suspended_position, suspended_event_id
FROM organizations_directory_slots
WHERE slot = (SELECT active FROM projection_slots WHERE read_model = 'organizations_directory');
