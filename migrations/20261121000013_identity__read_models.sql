-- Users. What names the person stays beside the event that created the user: a row knows where, and
-- keeps a keyed hash to find a user by the external reference.
CREATE TABLE identity_users_a (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    status text NOT NULL,
    -- Null once the person was erased.
    external_ref_hash bytea,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    created_event_id uuid NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);
CREATE UNIQUE INDEX identity_users_a_created ON identity_users_a (organization_id, created_position);
CREATE INDEX identity_users_a_external_ref ON identity_users_a (organization_id, external_ref_hash);
SELECT create_read_model('identity_users');
