-- Sign-ups. Who somebody is stays sealed beside the event that began it.
CREATE TABLE identity_signups_a (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    status text NOT NULL,
    steps text[] NOT NULL,
    passed integer NOT NULL,
    requested_at timestamptz NOT NULL,
    -- Null only between two events of one append.
    expires_at timestamptz,
    decided_by uuid,
    requested_position bigint NOT NULL,
    requested_event_id uuid NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);
CREATE UNIQUE INDEX identity_signups_a_requested ON identity_signups_a (organization_id, requested_position);
SELECT create_read_model('identity_signups');
