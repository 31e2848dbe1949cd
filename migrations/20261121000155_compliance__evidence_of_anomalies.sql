-- From when on was counted, which entries were, and where what was said of it stands. The projection is made anew, so
-- that the rows that are there get it too.
ALTER TABLE compliance_anomalies_slots
    ADD COLUMN first_seen_at timestamptz, ADD COLUMN entries bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN acknowledged_position bigint, ADD COLUMN acknowledged_event_id uuid;
CREATE OR REPLACE VIEW compliance_anomalies WITH (security_invoker = true) AS
SELECT organization_id, anomaly_id, rule, actor_id, sightings, raised_at, raised_position, last_seen_at, status, verdict,
       acknowledged_by, acknowledged_at, first_seen_at, entries, acknowledged_position, acknowledged_event_id
FROM compliance_anomalies_slots
WHERE slot = (SELECT active FROM projection_slots WHERE read_model = 'compliance_anomalies');
