-- Organizations with their settings and the steps of their set-up. Read models are filled from the
-- log, so the former shape makes way.
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
    PRIMARY KEY (organization_id, id)
);
CREATE UNIQUE INDEX organizations_directory_a_created ON organizations_directory_a (organization_id, created_position);
SELECT create_read_model('organizations_directory');
