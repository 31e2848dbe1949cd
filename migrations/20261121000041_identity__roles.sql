-- Users with all their roles and a keyed hash of their e-mail address, and the roles that
-- organizations compose. Read models are filled from the log, so the former shape makes way.
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
    PRIMARY KEY (organization_id, user_id)
);
CREATE UNIQUE INDEX identity_users_a_created ON identity_users_a (organization_id, created_position);
CREATE INDEX identity_users_a_external_ref ON identity_users_a (organization_id, external_ref_hash);
CREATE INDEX identity_users_a_email ON identity_users_a (organization_id, email_hash);
SELECT create_read_model('identity_users');

CREATE TABLE identity_roles_a (
    organization_id uuid NOT NULL,
    role_id uuid NOT NULL,
    name text NOT NULL,
    grants text[] NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    PRIMARY KEY (organization_id, role_id)
);
CREATE UNIQUE INDEX identity_roles_a_created ON identity_roles_a (organization_id, created_position);
SELECT create_read_model('identity_roles');
