-- Every decision that left a trace in the log, by the first event that tells of it: the searchable
-- part. Which policies decided, and on which roles, is read from that event.
CREATE TABLE identity_decisions_a (
    organization_id uuid NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor_id uuid NOT NULL,
    permission text NOT NULL,
    outcome text NOT NULL,
    request_id uuid NOT NULL,
    PRIMARY KEY (organization_id, position)
);
-- A command that records several events was decided once.
CREATE UNIQUE INDEX identity_decisions_a_request ON identity_decisions_a (organization_id, request_id, permission, outcome);
CREATE INDEX identity_decisions_a_time ON identity_decisions_a (organization_id, recorded_at, position);
CREATE INDEX identity_decisions_a_actor ON identity_decisions_a (organization_id, actor_id, position);
CREATE INDEX identity_decisions_a_permission ON identity_decisions_a (organization_id, permission, position);
CREATE INDEX identity_decisions_a_denied ON identity_decisions_a (organization_id, position) WHERE outcome = 'DENY';
SELECT create_read_model('identity_decisions');
