-- Figures by day (UTC). A row of an organization stands in its own tenant and in the platform's.
CREATE TABLE operations_analytics_a (
    organization_id uuid NOT NULL,
    -- Which organization it is about.
    id uuid NOT NULL,
    day date NOT NULL,
    measure text NOT NULL,
    -- What the day added.
    value bigint NOT NULL,
    PRIMARY KEY (organization_id, id, day, measure)
);
SELECT create_read_model('operations_analytics');

-- Where users and invitations stand: what the next change takes them from.
CREATE TABLE operations_standings_a (
    organization_id uuid NOT NULL,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    status text NOT NULL,
    PRIMARY KEY (organization_id, kind, subject_id)
);
SELECT create_read_model('operations_standings');

-- Who was there on a day, or in the week that begins with it: nobody is counted twice.
CREATE TABLE operations_presence_a (
    organization_id uuid NOT NULL,
    measure text NOT NULL,
    day date NOT NULL,
    user_id uuid NOT NULL,
    PRIMARY KEY (organization_id, measure, day, user_id)
);
SELECT create_read_model('operations_presence');
