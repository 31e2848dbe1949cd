//! What the role `palmares_eraser` may do, and nothing beside it.

/// Everything that the eraser may do, as table, privilege and, where it is of single columns, these.
pub const MAY: &[&str] = &[
    "client_contexts DELETE",
    "client_contexts SELECT",
    "data_keys INSERT",
    "data_keys SELECT",
    "data_keys UPDATE destroyed_at",
    "data_keys UPDATE epoch",
    "data_keys UPDATE erasure_id",
    "data_keys UPDATE wrapped",
    "event_sealed DELETE",
    "event_sealed SELECT",
    "hidden_subjects DELETE",
    "hidden_subjects INSERT",
    "hidden_subjects SELECT",
    "key_changes DELETE",
    "key_changes INSERT",
    "key_changes SELECT",
    "key_epochs INSERT",
    "key_epochs SELECT",
    "key_epochs UPDATE retired_at",
    "key_epochs UPDATE retired_to",
    "key_holds DELETE",
    "key_holds INSERT",
    "key_holds SELECT",
    "snapshots DELETE",
    "snapshots SELECT",
    "streams SELECT",
];

/// One query per rule; each answers the offences against it.
pub const RULES: &[(&str, &str)] = &[
    (
        "the eraser may do what is not its own",
        "SELECT granted FROM (
             SELECT c.relname || ' ' || p.name AS granted FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES']) p(name)
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege('palmares_eraser', c.oid, p.name)
             UNION SELECT c.relname || ' ' || p.name || ' ' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0,
                 unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p(name)
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT a.attisdropped
               AND has_column_privilege('palmares_eraser', c.oid, a.attnum, p.name) AND NOT has_table_privilege('palmares_eraser', c.oid, p.name)
         ) g WHERE granted <> ALL($9)",
    ),
    (
        "the eraser sees more than one tenant at a time, or what has its key",
        "SELECT p.tablename || '.' || p.policyname FROM pg_policies p
         WHERE 'palmares_eraser' = ANY(p.roles) AND NOT (
             p.policyname = 'eraser' AND p.qual LIKE '%organization_id = ( SELECT current_organization() AS current_organization)%'
             AND (p.tablename NOT IN ('event_sealed', 'client_contexts', 'snapshots')
                  OR p.qual LIKE '%k.erasure_id = ( SELECT current_erasure() AS current_erasure)%'))",
    ),
    (
        "a tombstone may go",
        "SELECT t.name FROM unnest(ARRAY['data_keys']) t(name) WHERE NOT EXISTS (
             SELECT FROM pg_trigger g WHERE g.tgrelid = to_regclass(t.name) AND g.tgfoid = 'refuse_a_keys_return'::regproc AND g.tgenabled <> 'D')",
    ),
];
