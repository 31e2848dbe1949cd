-- Whether an event concerns somebody whom it names, or names them as who did it alone: entries of the audit
-- log are found by whom they concern.
ALTER TABLE compliance_subject_index_slots ADD COLUMN concerned boolean NOT NULL DEFAULT false;
CREATE INDEX compliance_subject_index_slots_concerned ON compliance_subject_index_slots (organization_id, subject_id, position)
    WHERE concerned;
CREATE OR REPLACE VIEW compliance_subject_index WITH (security_invoker = true) AS
    SELECT organization_id, subject_id, position, concerned FROM compliance_subject_index_slots
    WHERE slot = (SELECT active FROM projection_slots WHERE read_model = 'compliance_subject_index');
