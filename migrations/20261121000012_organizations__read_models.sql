-- Organizations, each seen twice: by the platform, which sees all of them, and by itself. Row
-- security needs no exception that way.
CREATE TABLE organizations_directory_a (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    status text NOT NULL,
    default_locale text NOT NULL,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    PRIMARY KEY (organization_id, id)
);
CREATE UNIQUE INDEX organizations_directory_a_created ON organizations_directory_a (organization_id, created_position);
SELECT create_read_model('organizations_directory');
