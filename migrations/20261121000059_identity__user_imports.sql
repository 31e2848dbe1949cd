-- Imports of people and their rows. What a row says stays sealed beside the event that read it.
CREATE TABLE identity_user_imports_a (
    organization_id uuid NOT NULL,
    import_id uuid NOT NULL,
    status text NOT NULL,
    mode text NOT NULL,
    run integer NOT NULL,
    uploaded_by uuid NOT NULL,
    confirmed_by uuid,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, import_id)
);
CREATE UNIQUE INDEX identity_user_imports_a_created ON identity_user_imports_a (organization_id, created_position);
SELECT create_read_model('identity_user_imports');

CREATE TABLE identity_user_import_rows_a (
    organization_id uuid NOT NULL,
    import_id uuid NOT NULL,
    number integer NOT NULL,
    status text NOT NULL,
    -- Null where the row was rejected.
    user_id uuid,
    role text,
    invitation_id uuid,
    read_position bigint,
    read_event_id uuid,
    -- What is wrong with it: pairs of a column and a fault.
    errors jsonb NOT NULL,
    PRIMARY KEY (organization_id, import_id, number)
);
SELECT create_read_model('identity_user_import_rows');
