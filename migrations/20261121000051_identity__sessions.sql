-- The devices on which users are or were signed in, and where the e-mail address of a user stands
-- that was set after the user was there. Read models are filled from the log, so the former shape of
-- users makes way.
CREATE TABLE identity_sessions_a (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    session_id uuid NOT NULL,
    method text NOT NULL,
    factors text[] NOT NULL,
    carrier text NOT NULL,
    started_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    refreshed_at timestamptz,
    -- Before its time: when, and why.
    ended_at timestamptz,
    end_reason text,
    client_context_id uuid,
    started_position bigint NOT NULL,
    started_event_id uuid NOT NULL,
    PRIMARY KEY (organization_id, user_id, session_id),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX identity_sessions_a_started ON identity_sessions_a (organization_id, user_id, started_position);
SELECT create_read_model('identity_sessions');

DROP VIEW identity_users;
DROP TABLE identity_users_slots;
DELETE FROM projection_slots WHERE read_model = 'identity_users';

CREATE TABLE identity_users_a (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    roles text[] NOT NULL,
    status text NOT NULL,
    -- Null where the user came without one, and once the person was erased.
    external_ref_hash bytea,
    email_hash bytea,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    created_event_id uuid NOT NULL,
    -- The event beside which the address stands; null where there is none.
    email_position bigint,
    email_event_id uuid,
    PRIMARY KEY (organization_id, user_id)
);
CREATE UNIQUE INDEX identity_users_a_created ON identity_users_a (organization_id, created_position);
CREATE INDEX identity_users_a_external_ref ON identity_users_a (organization_id, external_ref_hash);
CREATE INDEX identity_users_a_email ON identity_users_a (organization_id, email_hash);
SELECT create_read_model('identity_users');
