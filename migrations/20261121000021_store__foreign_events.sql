-- Events of aggregates that are not of the domain have schema version 0, and their payload is an
-- envelope with version and metadata as cqrs-es handed them over. The view opens it; and a reader,
-- who sees one tenant only, may use the view too.
CREATE OR REPLACE VIEW postgres_es_events WITH (security_invoker = true) AS
SELECT s.type AS aggregate_type, s.id::text AS aggregate_id, e.version AS sequence, e.event_type,
       CASE WHEN e.schema_version = 0 THEN p.json ->> 'event_version' ELSE e.schema_version::text END AS event_version,
       CASE WHEN e.schema_version = 0 THEN p.json -> 'payload' ELSE p.json END AS payload,
       CASE WHEN e.schema_version = 0 THEN p.json -> 'metadata' ELSE convert_from(e.metadata, 'UTF8')::json END AS metadata
FROM events e JOIN streams s ON s.key = e.stream_key CROSS JOIN LATERAL (SELECT convert_from(e.payload, 'UTF8')::json) p(json);
GRANT SELECT ON postgres_es_events TO palmares_reader;
