-- Invitations. Where one was sent stays sealed beside the event that named it last.
CREATE TABLE identity_invitations_a (
    organization_id uuid NOT NULL,
    invitation_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    status text NOT NULL,
    generation integer NOT NULL,
    expires_at timestamptz NOT NULL,
    invited_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    issued_position bigint NOT NULL,
    issued_event_id uuid NOT NULL,
    PRIMARY KEY (organization_id, invitation_id)
);
CREATE UNIQUE INDEX identity_invitations_a_created ON identity_invitations_a (organization_id, created_position);
SELECT create_read_model('identity_invitations');
