-- What all did together on the days whose totals stay, whoever is forgotten later.
CREATE TABLE challenges_closed_days_a (
    organization_id uuid NOT NULL,
    day date NOT NULL,
    metric text NOT NULL,
    participants bigint NOT NULL,
    total bigint NOT NULL,
    PRIMARY KEY (organization_id, metric, day)
);
SELECT create_read_model('challenges_closed_days');
