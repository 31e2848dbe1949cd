-- Entries by the type of their target, newest first; those about somebody whose data was read are about a user as well.
CREATE INDEX compliance_audit_log_slots_target_type ON compliance_audit_log_slots (organization_id, stream_type, position);
CREATE INDEX compliance_audit_log_slots_about_users ON compliance_audit_log_slots (organization_id, position)
    WHERE subject_id IS NOT NULL AND stream_type <> 'user';
