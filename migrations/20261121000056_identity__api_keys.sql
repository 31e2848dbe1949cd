-- The keys of programs: what each may, how often, and until when. No secret and no digest of one.
CREATE TABLE identity_api_keys_a (
    organization_id uuid NOT NULL,
    key_id uuid NOT NULL,
    name text NOT NULL,
    grants text[] NOT NULL,
    quota_requests bigint NOT NULL,
    quota_per text NOT NULL,
    status text NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    expires_at timestamptz,
    rotated_at timestamptz,
    former_until timestamptz,
    revoked_at timestamptz,
    revoked_by uuid,
    PRIMARY KEY (organization_id, key_id)
);
CREATE UNIQUE INDEX identity_api_keys_a_created ON identity_api_keys_a (organization_id, created_position);
SELECT create_read_model('identity_api_keys');
