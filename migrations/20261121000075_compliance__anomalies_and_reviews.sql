-- What looks wrong in the audit log, and what the rules count to find it.
CREATE TABLE compliance_anomalies_a (
    organization_id uuid NOT NULL,
    anomaly_id uuid NOT NULL,
    rule text NOT NULL,
    actor_id uuid NOT NULL,
    sightings bigint NOT NULL,
    raised_at timestamptz NOT NULL,
    raised_position bigint NOT NULL,
    last_seen_at timestamptz NOT NULL,
    status text NOT NULL,
    verdict text,
    acknowledged_by uuid,
    acknowledged_at timestamptz,
    PRIMARY KEY (organization_id, anomaly_id)
);
CREATE UNIQUE INDEX compliance_anomalies_a_raised ON compliance_anomalies_a (organization_id, raised_position);
CREATE INDEX compliance_anomalies_a_actor ON compliance_anomalies_a (organization_id, rule, actor_id, raised_at);
SELECT create_read_model('compliance_anomalies');

-- Sightings of the last hour at most; older ones are deleted by the next of their actor.
CREATE TABLE compliance_anomaly_sightings_a (
    organization_id uuid NOT NULL,
    rule text NOT NULL,
    actor_id uuid NOT NULL,
    position bigint NOT NULL,
    seen_at timestamptz NOT NULL,
    -- Counted once, however often it is seen.
    counted uuid NOT NULL,
    PRIMARY KEY (organization_id, rule, actor_id, position)
);
SELECT create_read_model('compliance_anomaly_sightings');

-- How far reviews of who has which role are; what was decided about each stands in the review's stream.
CREATE TABLE compliance_access_reviews_a (
    organization_id uuid NOT NULL,
    review_id uuid NOT NULL,
    status text NOT NULL,
    items bigint NOT NULL,
    attested bigint NOT NULL DEFAULT 0,
    revoked bigint NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    opened_by uuid NOT NULL,
    opened_at timestamptz NOT NULL,
    opened_position bigint NOT NULL,
    closed_at timestamptz,
    PRIMARY KEY (organization_id, review_id)
);
CREATE UNIQUE INDEX compliance_access_reviews_a_opened ON compliance_access_reviews_a (organization_id, opened_position);
SELECT create_read_model('compliance_access_reviews');
