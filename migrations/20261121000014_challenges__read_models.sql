-- What people did: one row per record that stands. Source, ids, value and zone are sealed together.
CREATE TABLE challenges_activities_a (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    -- Derived from user, source and source record id.
    record_id uuid NOT NULL,
    metric text NOT NULL,
    local_day date NOT NULL,
    recorded_at timestamptz NOT NULL,
    corrected boolean NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (organization_id, user_id, record_id)
);
CREATE INDEX challenges_activities_a_day ON challenges_activities_a (organization_id, user_id, local_day, record_id);
SELECT create_read_model('challenges_activities');

-- The total of a metric over a day, for every day that was ever reported.
CREATE TABLE challenges_activity_days_a (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    local_day date NOT NULL,
    metric text NOT NULL,
    recorded_at timestamptz NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (organization_id, user_id, local_day, metric)
);
SELECT create_read_model('challenges_activity_days');

-- Scores, each valid for the positions [from_position, to_position), so that a board can be shown
-- as of any position. The score of a metric is health data and sealed; points stand in clear.
CREATE TABLE challenges_leaderboards_a (
    organization_id uuid NOT NULL,
    metric text NOT NULL,
    window_key text NOT NULL,
    user_id uuid NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint,
    reached_at timestamptz NOT NULL,
    sealed bytea,
    points bigint,
    PRIMARY KEY (organization_id, metric, window_key, user_id, from_position),
    CHECK (to_position > from_position),
    CHECK ((metric = 'points') = (points IS NOT NULL) AND (points IS NULL) = (sealed IS NOT NULL))
);
CREATE UNIQUE INDEX challenges_leaderboards_a_current ON challenges_leaderboards_a (organization_id, metric, window_key, user_id)
    WHERE to_position IS NULL;
SELECT create_read_model('challenges_leaderboards');

-- When each board changed last. `revision` is new with every change and equal nowhere else, so
-- that a board opened in memory can be known as the one that stands.
CREATE TABLE challenges_leaderboard_changes_a (
    organization_id uuid NOT NULL,
    metric text NOT NULL,
    window_key text NOT NULL,
    position bigint NOT NULL,
    revision uuid NOT NULL,
    PRIMARY KEY (organization_id, metric, window_key)
) WITH (fillfactor = 80);
SELECT create_read_model('challenges_leaderboard_changes');

-- The day on which a credit counts, to take its points back from that day when it is reversed.
CREATE TABLE challenges_credit_days_a (
    organization_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (organization_id, transaction_id)
);
SELECT create_read_model('challenges_credit_days');
