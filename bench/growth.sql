-- How the append rate holds while the log grows: one table with a unique (stream_key, version),
-- against range partitions by position whose unique index holds within a partition only.
--
--   psql "$DATABASE_URL" -f bench/growth.sql        (an empty database; rows: psql -v rows=4000000)
--
-- Prints rows/s over the first and over the last tenth, and the size of the indexes.
\if :{?rows}
\else
\set rows 2000000
\endif
\set ON_ERROR_STOP on
\pset footer off
SET client_min_messages = warning;
DROP TABLE IF EXISTS growth_one, growth_parts, growth_figures;
CREATE TABLE growth_one (
    position bigint PRIMARY KEY, organization_id uuid NOT NULL, stream_key bigint NOT NULL, version bigint NOT NULL,
    event_id uuid NOT NULL, actor_id uuid NOT NULL, recorded_at timestamptz NOT NULL, effective_at timestamptz,
    schema_version smallint NOT NULL, event_type text NOT NULL, payload bytea NOT NULL, metadata bytea NOT NULL,
    UNIQUE (stream_key, version));
CREATE TABLE growth_parts (
    position bigint, organization_id uuid NOT NULL, stream_key bigint NOT NULL, version bigint NOT NULL,
    event_id uuid NOT NULL, actor_id uuid NOT NULL, recorded_at timestamptz NOT NULL, effective_at timestamptz,
    schema_version smallint NOT NULL, event_type text NOT NULL, payload bytea NOT NULL, metadata bytea NOT NULL,
    PRIMARY KEY (position)) PARTITION BY RANGE (position);
CREATE TABLE growth_figures (variant text, tenth int, seconds double precision);

CREATE OR REPLACE PROCEDURE growth_run(variant text, rows bigint, streams bigint) LANGUAGE plpgsql AS $$
DECLARE
    batch constant bigint := 2000;
    started timestamptz;
    tenth int;
BEGIN
    FOR tenth IN 1..10 LOOP
        IF variant = 'growth_parts' THEN
            EXECUTE format('CREATE TABLE growth_parts_%s PARTITION OF growth_parts FOR VALUES FROM (%s) TO (%s)',
                           tenth, (tenth - 1) * rows / 10 + 1, tenth * rows / 10 + 1);
            EXECUTE format('CREATE UNIQUE INDEX ON growth_parts_%s (stream_key, version)', tenth);
        END IF;
        started := clock_timestamp();
        FOR round IN 0..(rows / 10 / batch - 1) LOOP
            -- Streams are touched in a scattered order, as accounts are; versions grow with the rounds.
            EXECUTE format(
                'INSERT INTO %I SELECT p, %L, (p * 7919) %% $3, p / $3, gen_random_uuid(), %L, now(), NULL, 1, ''points.hold_placed'',
                        decode(repeat(''7b'', 330), ''hex''), decode(repeat(''7b'', 260), ''hex'')
                 FROM generate_series($1 + 1, $1 + $2) p',
                variant, gen_random_uuid(), gen_random_uuid())
            USING (tenth - 1) * rows / 10 + round * batch, batch, streams;
            COMMIT;
        END LOOP;
        INSERT INTO growth_figures VALUES (variant, tenth, extract(epoch FROM clock_timestamp() - started));
    END LOOP;
END
$$;

CALL growth_run('growth_one', :rows, 99991);
CHECKPOINT;
CALL growth_run('growth_parts', :rows, 99991);

SELECT CASE variant WHEN 'growth_one' THEN 'one table' ELSE 'ten partitions' END AS variant, :rows AS rows,
       round((:rows / 10 / max(seconds) FILTER (WHERE tenth = 1))::numeric) AS first_tenth_rows_per_s,
       round((:rows / 10 / max(seconds) FILTER (WHERE tenth = 10))::numeric) AS last_tenth_rows_per_s,
       CASE variant
           WHEN 'growth_one' THEN pg_size_pretty(pg_indexes_size('growth_one'))
           ELSE pg_size_pretty((SELECT sum(pg_indexes_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'growth_parts'::regclass))
       END AS indexes
FROM growth_figures GROUP BY variant ORDER BY variant;
DROP TABLE growth_one, growth_parts, growth_figures;
DROP PROCEDURE growth_run;
