-- What the platform prepared for each organization that is set up, in the platform's tenant and in its own.
CREATE TABLE organizations_provisioning_a (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    status text NOT NULL,
    -- {step: {state, attempts, last_error, retry_at, at}}; a step that was never tried is missing.
    steps jsonb NOT NULL,
    begun_at timestamptz NOT NULL,
    -- When it was complete, or given up.
    ended_at timestamptz,
    PRIMARY KEY (organization_id, id)
);
SELECT create_read_model('organizations_provisioning');
