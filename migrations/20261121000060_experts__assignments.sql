-- Who looks after whom, since when and until when. A second assignment of the same two is a row of its own.
CREATE TABLE experts_assignments_a (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    expert_id uuid NOT NULL,
    assigned_by uuid NOT NULL,
    assigned_at timestamptz NOT NULL,
    assigned_position bigint NOT NULL,
    -- When it is over by time alone.
    until timestamptz,
    ended_at timestamptz,
    ended_by uuid,
    PRIMARY KEY (organization_id, user_id, assigned_position),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
SELECT create_read_model('experts_assignments');

-- What everyone did on one day, to be summed up.
CREATE INDEX challenges_activity_days_slots_day ON challenges_activity_days_slots (organization_id, local_day, metric);
