-- Where organizations have their audit log sent, and how far each sink took it.
CREATE TABLE compliance_siem_streams_a (
    organization_id uuid NOT NULL,
    stream_id uuid NOT NULL,
    url text NOT NULL,
    format text NOT NULL,
    secret_ref text,
    topics text[] NOT NULL,
    from_beginning boolean NOT NULL,
    status text NOT NULL,
    failure text,
    opened_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    PRIMARY KEY (organization_id, stream_id)
);
SELECT create_read_model('compliance_siem_streams');

-- How far the sending came is in no event: the cursors belong to no slot and outlive every rebuild. The
-- forwarder holds a row while it sends, so that records go out in order and by one process at a time.
CREATE TABLE compliance_siem_cursors (
    organization_id uuid NOT NULL,
    stream_id uuid NOT NULL,
    -- Everything up to here was taken, or is of no topic of the stream.
    position bigint NOT NULL,
    -- The same place among the entries of the organization.
    number bigint NOT NULL,
    -- How many records the sink took.
    records bigint NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    -- How often in a row the sink said that it does not want them.
    refusals integer NOT NULL DEFAULT 0,
    error text,
    try_at timestamptz NOT NULL DEFAULT '-infinity',
    sent_at timestamptz,
    PRIMARY KEY (organization_id, stream_id)
);
GRANT SELECT, INSERT, UPDATE ON compliance_siem_cursors TO palmares_projector;
GRANT SELECT ON compliance_siem_cursors TO palmares_reader;
ALTER TABLE compliance_siem_cursors ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY projector ON compliance_siem_cursors TO palmares_projector USING (true) WITH CHECK (true);
CREATE POLICY tenant ON compliance_siem_cursors FOR SELECT TO palmares_reader USING (organization_id = (SELECT current_organization()));
