-- Where the names of users stand, each beside the event that set it last: people change theirs one by one.
CREATE TABLE identity_user_names_a (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    -- The field of the event that holds it, such as `display_name`.
    field text NOT NULL,
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    PRIMARY KEY (organization_id, user_id, field)
);
SELECT create_read_model('identity_user_names');
