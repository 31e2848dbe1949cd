-- Teams, and who is what in them now.
CREATE TABLE recognition_teams_a (
    organization_id uuid NOT NULL,
    team_id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    archived_at timestamptz,
    PRIMARY KEY (organization_id, team_id)
);
SELECT create_read_model('recognition_teams');

-- Teams in the order in which they came.
CREATE INDEX recognition_teams_slots_created ON recognition_teams_slots (organization_id, created_position);

CREATE TABLE recognition_team_members_a (
    organization_id uuid NOT NULL,
    team_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    joined_at timestamptz NOT NULL,
    joined_position bigint NOT NULL,
    PRIMARY KEY (organization_id, team_id, user_id)
);
SELECT create_read_model('recognition_team_members');

-- The teams of one person.
CREATE INDEX recognition_team_members_slots_user ON recognition_team_members_slots (organization_id, user_id, joined_position);
