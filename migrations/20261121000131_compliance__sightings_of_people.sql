-- One event may show many people: a sighting is known by what is counted, which was one row each before too.
DO $$
DECLARE
    part text;
    key text;
BEGIN
    FOREACH part IN ARRAY ARRAY['compliance_anomaly_sightings_a', 'compliance_anomaly_sightings_b'] LOOP
        SELECT conname INTO STRICT key FROM pg_constraint WHERE conrelid = part::regclass AND contype = 'p';
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', part, key);
        EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (organization_id, rule, actor_id, counted)', part);
    END LOOP;
END
$$;
