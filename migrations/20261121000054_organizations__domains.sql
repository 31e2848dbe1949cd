-- The domains that organizations claimed, and what came of it.
CREATE TABLE organizations_domains_a (
    organization_id uuid NOT NULL,
    domain text NOT NULL,
    status text NOT NULL,
    auto_join text NOT NULL,
    claimed_at timestamptz NOT NULL,
    verified_at timestamptz,
    created_position bigint NOT NULL,
    PRIMARY KEY (organization_id, domain)
);
CREATE UNIQUE INDEX organizations_domains_a_created ON organizations_domains_a (organization_id, created_position);
SELECT create_read_model('organizations_domains');
