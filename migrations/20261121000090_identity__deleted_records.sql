-- What the records of users and organizations say of their deletion, by which they are hidden, and which second
-- factors users have. Read models are filled from the log, so the former shapes make way.
DROP VIEW identity_users;
DROP TABLE identity_users_slots;
DELETE FROM projection_slots WHERE read_model = 'identity_users';

CREATE TABLE identity_users_a (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    roles text[] NOT NULL,
    status text NOT NULL,
    -- Their own, beside codes by mail.
    second_factors text[] NOT NULL DEFAULT '{}',
    -- Null where the user came without one, and once the person was erased.
    external_ref_hash bytea,
    email_hash bytea,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    created_event_id uuid NOT NULL,
    -- The event beside which the address stands; null where there is none.
    email_position bigint,
    email_event_id uuid,
    -- The last request for it, whatever became of that; the rest is null unless it is deleted.
    deletion_request_id uuid,
    deletion_kind text,
    deletion_ground text,
    deleted_at timestamptz,
    deleted_by uuid,
    retention_expiry timestamptz,
    PRIMARY KEY (organization_id, user_id)
);
CREATE UNIQUE INDEX identity_users_a_created ON identity_users_a (organization_id, created_position);
CREATE INDEX identity_users_a_external_ref ON identity_users_a (organization_id, external_ref_hash);
CREATE INDEX identity_users_a_email ON identity_users_a (organization_id, email_hash);
CREATE INDEX identity_users_a_deletion ON identity_users_a (organization_id, deletion_request_id) WHERE deletion_request_id IS NOT NULL;
SELECT create_read_model('identity_users');

DROP VIEW organizations_directory;
DROP TABLE organizations_directory_slots;
DELETE FROM projection_slots WHERE read_model = 'organizations_directory';

CREATE TABLE organizations_directory_a (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    status text NOT NULL,
    default_locale text NOT NULL,
    -- Only what was set: the rest follows the platform.
    settings jsonb NOT NULL DEFAULT '{}',
    -- Null where there is no set-up; else the steps that are done: {step: {at, by}}.
    setup jsonb,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    -- As of users.
    deletion_request_id uuid,
    deletion_kind text,
    deletion_ground text,
    deleted_at timestamptz,
    deleted_by uuid,
    retention_expiry timestamptz,
    PRIMARY KEY (organization_id, id)
);
CREATE UNIQUE INDEX organizations_directory_a_created ON organizations_directory_a (organization_id, created_position);
SELECT create_read_model('organizations_directory');
