-- The policies, templates and versions of organizations' own policy stores.
CREATE TABLE identity_policies_a (
    organization_id uuid NOT NULL,
    policy_id uuid NOT NULL,
    name text NOT NULL,
    policy_text text NOT NULL,
    -- ACTIVE in the draft, or REVOKED.
    status text NOT NULL,
    template_id uuid,
    principal jsonb,
    resource jsonb,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    PRIMARY KEY (organization_id, policy_id)
);
CREATE UNIQUE INDEX identity_policies_a_created ON identity_policies_a (organization_id, created_position);
SELECT create_read_model('identity_policies');

CREATE TABLE identity_policy_templates_a (
    organization_id uuid NOT NULL,
    template_id uuid NOT NULL,
    name text NOT NULL,
    policy_text text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    PRIMARY KEY (organization_id, template_id)
);
CREATE UNIQUE INDEX identity_policy_templates_a_created ON identity_policy_templates_a (organization_id, created_position);
SELECT create_read_model('identity_policy_templates');

CREATE TABLE identity_policy_versions_a (
    organization_id uuid NOT NULL,
    version bigint NOT NULL,
    digest text NOT NULL,
    policies uuid[] NOT NULL,
    holds boolean NOT NULL,
    activated_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, version)
);
SELECT create_read_model('identity_policy_versions');
