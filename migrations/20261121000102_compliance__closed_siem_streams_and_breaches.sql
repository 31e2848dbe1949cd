-- How far a stream came that was closed for good is forgotten.
GRANT DELETE ON compliance_siem_cursors TO palmares_projector;

-- Why a breach was assessed anew, and why those whom it concerns were not told. Nothing was recorded of either
-- before: the rows that are there are complete.
ALTER TABLE compliance_breaches_slots ADD COLUMN reassessment_reason text, ADD COLUMN not_informed text;
CREATE OR REPLACE VIEW compliance_breaches WITH (security_invoker = true) AS
SELECT organization_id, breach_id, nature, status, summary, aware_at, due_at, risk, subjects, notified_at, reference, delay_reason,
       waiver_reason, informed_at, closed_at, opened_by, opened_position, reassessment_reason, not_informed
FROM compliance_breaches_slots
WHERE slot = (SELECT active FROM projection_slots WHERE read_model = 'compliance_breaches');
