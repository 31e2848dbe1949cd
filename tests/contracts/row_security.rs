//! No role sees another tenant's rows or writes what is not its own to write.
//!
//! Nothing is listed that the catalogue of PostgreSQL knows: a table that a later migration adds is
//! checked from its first day.

mod eraser;

use crate::support::servers::{self, Database};
use palmares::cli::dev::embedded::postgres::GROUP_ROLES;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

/// What an append records, and what stands beside it.
const LOG_TABLES: &[&str] = &[
    "log_head",
    "streams",
    "events",
    "event_sealed",
    "claims",
    "commands",
    "snapshots",
    "data_keys",
    "client_contexts",
    "hidden_subjects",
    "key_holds",
    "key_changes",
    "key_epochs",
];

/// Of these, what is never changed once it is there, but by who erases.
const APPEND_ONLY: &[&str] = &["streams", "events", "event_sealed", "commands", "data_keys", "client_contexts"];

/// What the sealer adds as the relay, and nobody changes.
const SEALED: &[&str] =
    &["proof_tiles", "proof_checkpoints", "proof_keys", "proof_root_tiles", "proof_root_checkpoints", "proof_cosignatures"];

/// What grows with each seal.
const EDGES: &[&str] = &["proof_log", "proof_edges", "proof_root_edges"];

/// What a reader may see of no tenant in particular: positions and slots.
const COMMON: &[&str] = &[
    "log_head",
    "checkpoints",
    "projection_slots",
    "proof_log",
    "proof_keys",
    "proof_root_tiles",
    "proof_root_edges",
    "proof_root_checkpoints",
    "proof_cosignatures",
];

const TENANT_POLICY: &str = "(organization_id = ( SELECT current_organization() AS current_organization))";

/// Tables and partitioned tables that carry a tenant's rows.
const TENANT_TABLES: &str = "
    SELECT c.relname::text FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped)
    ORDER BY c.relname";

const TABLES: &str = "
    SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname";

const VIEWS: &str = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v' ORDER BY relname";

/// One query per rule; each answers the offences against it.
const RULES: &[(&str, &str)] = &[
    (
        "row security is not enabled and forced",
        "SELECT t.name FROM unnest($1::text[]) t(name) JOIN pg_class c ON c.oid = to_regclass(quote_ident(t.name))
         WHERE NOT (c.relrowsecurity AND c.relforcerowsecurity)",
    ),
    (
        "the tenant policy is missing",
        "SELECT t.name FROM unnest($1::text[]) t(name) WHERE t.name NOT IN (
             SELECT p.tablename::text FROM pg_policies p WHERE p.schemaname = 'public' AND p.policyname = 'tenant'
               AND p.cmd = 'SELECT' AND p.roles = ARRAY['palmares_reader']::name[] AND p.qual = $2)",
    ),
    (
        "a further policy shows rows to readers or to everybody",
        "SELECT p.tablename || '.' || p.policyname FROM pg_policies p
         WHERE p.roles && ARRAY['palmares_reader', 'public']::name[] AND NOT (p.policyname = 'tenant' AND p.qual = $2)",
    ),
    (
        "a view looks with its owner's eyes",
        "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('v', 'm')
         AND NOT (c.relkind = 'v' AND COALESCE(c.reloptions @> ARRAY['security_invoker=true'], false))",
    ),
    (
        "a function runs with its owner's rights",
        "SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef",
    ),
    (
        "a role is more than a set of grants",
        "SELECT rolname::text FROM pg_roles WHERE rolname = ANY($3)
         AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolcanlogin)
         UNION ALL SELECT rolname::text FROM pg_roles WHERE rolname = 'palmares' AND (rolsuper OR rolbypassrls)
         UNION ALL SELECT pg_get_userbyid(member)::text FROM pg_auth_members WHERE pg_get_userbyid(member) = ANY($3)
         UNION ALL SELECT relname::text FROM pg_class WHERE pg_get_userbyid(relowner) = ANY($3)",
    ),
    (
        "a reader sees a table of no tenant that is not common to all",
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
         AND relname <> ALL($1) AND relname <> ALL($4) AND has_any_column_privilege('palmares_reader', oid, 'SELECT')",
    ),
    (
        "a role may write what is not its own",
        "SELECT r.name || ' on ' || c.relname FROM pg_class c, unnest($3::text[]) r(name)
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
           AND (has_any_column_privilege(r.name, c.oid, 'INSERT') OR has_any_column_privilege(r.name, c.oid, 'UPDATE')
                OR has_table_privilege(r.name, c.oid, 'DELETE, TRUNCATE, TRIGGER'))
           AND (r.name IN ('palmares_reader', 'palmares_relay') OR r.name = 'palmares_projector' AND c.relname = ANY($5))
           AND NOT (r.name = 'palmares_relay' AND c.relname = ANY($7))",
    ),
    (
        "somebody else than the sealer writes what is sealed",
        "SELECT r.name || ' on ' || c.relname FROM pg_class c, unnest($3::text[]) r(name)
         WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY($7) AND r.name <> 'palmares_relay'
           AND (has_any_column_privilege(r.name, c.oid, 'INSERT') OR has_any_column_privilege(r.name, c.oid, 'UPDATE'))",
    ),
    (
        "a role may change what is only ever added",
        "SELECT r.name || ' on ' || c.relname FROM pg_class c, unnest($3::text[]) r(name)
         WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY($6) AND r.name <> 'palmares_eraser'
           AND (has_any_column_privilege(r.name, c.oid, 'UPDATE') OR has_table_privilege(r.name, c.oid, 'DELETE, TRUNCATE, TRIGGER'))",
    ),
    (
        "an append-only table has no trigger that refuses changes",
        "SELECT t.name FROM unnest(ARRAY['events', 'streams'] || $8) t(name) WHERE NOT EXISTS (
             SELECT FROM pg_trigger g WHERE g.tgrelid = to_regclass(t.name) AND g.tgfoid = 'refuse_change'::regproc AND g.tgenabled <> 'D')",
    ),
];

/// Everything that is wrong with row security and grants in this database.
async fn violations(connection: &mut PgConnection) -> Vec<String> {
    let tenant_tables = names(connection, TENANT_TABLES).await;
    let mut found = Vec::new();
    for (rule, query) in RULES.iter().chain(eraser::RULES) {
        // A parameter that a rule does not use still needs a type.
        let query = format!(
            "WITH given AS (SELECT $1::text[], $2::text, $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]) {query}"
        );
        let offences: Vec<String> = sqlx::query_scalar(&query)
            .bind(&tenant_tables)
            .bind(TENANT_POLICY)
            .bind(owned(&GROUP_ROLES))
            .bind(owned(COMMON))
            .bind(owned(LOG_TABLES))
            .bind(owned(&[APPEND_ONLY, SEALED].concat()))
            .bind(owned(&[SEALED, EDGES].concat()))
            .bind(owned(SEALED))
            .bind(owned(eraser::MAY))
            .fetch_all(&mut *connection)
            .await
            .unwrap_or_else(|error| panic!("{rule}: {error}"));
        found.extend(offences.into_iter().map(|offence| format!("{rule}: {offence}")));
    }
    found
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

async fn names(connection: &mut PgConnection, query: &str) -> Vec<String> {
    sqlx::query_scalar(query).fetch_all(connection).await.unwrap()
}

async fn superuser(database: &Database) -> PgConnection {
    PgConnection::connect(&database.superuser_url).await.unwrap()
}

/// A connection as the application makes it: its own login, which takes one of the roles.
async fn as_role(database: &Database, role: &str) -> PgConnection {
    let options: PgConnectOptions = database.url.parse().unwrap();
    PgConnection::connect_with(&options.options([("role", role)])).await.unwrap()
}

// covers: P-49, E-06, E-76, E-83, H-01
#[tokio::test]
async fn every_table_view_and_role_keeps_the_rules() {
    let database = servers::database().await;
    let mut connection = superuser(&database).await;
    assert!(names(&mut connection, TENANT_TABLES).await.len() > 40, "the catalogue is read");
    assert_eq!(violations(&mut connection).await, Vec::<String>::new());
}

/// A check that cannot turn red proves nothing: each change here is seen, and then taken back.
// covers: P-49, E-77
#[tokio::test]
async fn every_weakening_is_noticed() {
    let database = servers::database().await;
    let mut connection = superuser(&database).await;
    let mut changes = vec![
        ("palmares_relay".to_owned(), "ALTER ROLE palmares_relay BYPASSRLS".to_owned()),
        ("palmares_reader".to_owned(), "GRANT palmares_committer TO palmares_reader".to_owned()),
        ("points_lots_a".to_owned(), "ALTER TABLE points_lots_a OWNER TO palmares_projector".to_owned()),
        ("commands".to_owned(), "GRANT UPDATE (answer) ON commands TO palmares_committer".to_owned()),
        ("events".to_owned(), "GRANT INSERT ON events TO palmares_projector".to_owned()),
        ("timers".to_owned(), "GRANT DELETE ON timers TO palmares_relay".to_owned()),
        ("reactor_done".to_owned(), "GRANT SELECT ON reactor_done TO palmares_reader".to_owned()),
        ("events".to_owned(), "ALTER TABLE events DISABLE TRIGGER events_are_append_only".to_owned()),
        ("events".to_owned(), "GRANT DELETE ON events TO palmares_eraser".to_owned()),
        ("claims".to_owned(), "GRANT UPDATE (owner) ON claims TO palmares_eraser".to_owned()),
        (
            "event_sealed".to_owned(),
            "ALTER POLICY eraser ON event_sealed USING (organization_id = (SELECT current_organization()))".to_owned(),
        ),
        ("data_keys".to_owned(), "ALTER POLICY eraser ON data_keys USING (true)".to_owned()),
        ("data_keys".to_owned(), "ALTER TABLE data_keys DISABLE TRIGGER tombstones_stay".to_owned()),
        ("peek".to_owned(), "CREATE FUNCTION peek() RETURNS bigint SECURITY DEFINER LANGUAGE sql RETURN 1".to_owned()),
        ("latecomer".to_owned(), "CREATE TABLE latecomer (organization_id uuid NOT NULL)".to_owned()),
    ];
    for table in names(&mut connection, TENANT_TABLES).await {
        for change in [
            "DROP POLICY tenant ON {}",
            "ALTER POLICY tenant ON {} USING (true)",
            "ALTER TABLE {} DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY",
            "CREATE POLICY everybody ON {} FOR SELECT USING (true)",
            "GRANT INSERT ON {} TO palmares_reader",
        ] {
            changes.push((table.clone(), change.replace("{}", &table)));
        }
    }
    for view in names(&mut connection, VIEWS).await {
        changes.push((view.clone(), format!("ALTER VIEW {view} RESET (security_invoker)")));
    }
    for (subject, change) in changes {
        let mut transaction = connection.begin().await.unwrap();
        transaction.execute(change.as_str()).await.unwrap_or_else(|error| panic!("{change}: {error}"));
        let found = violations(&mut transaction).await;
        assert!(found.iter().any(|violation| violation.contains(&subject)), "{change}: {found:?}");
        transaction.rollback().await.unwrap();
    }
    assert_eq!(violations(&mut connection).await, Vec::<String>::new(), "every change was taken back");
}

/// Puts one row of each tenant into every table that holds tenants' rows, past all rules.
async fn fill(database: &Database, tenants: &[Uuid]) {
    let mut superuser = superuser(database).await;
    let checks: Vec<(String, String)> = sqlx::query_as(
        "SELECT conrelid::regclass::text, conname::text FROM pg_constraint
         WHERE contype = 'c' AND conrelid <> 0 AND connamespace = 'public'::regnamespace AND conislocal",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    // What a row may say is no matter here, only whose it is.
    for (table, check) in checks {
        superuser.execute(format!("ALTER TABLE {table} DROP CONSTRAINT {check}").as_str()).await.unwrap();
    }
    for table in names(&mut superuser, TENANT_TABLES).await {
        let columns: Vec<(String, String)> = sqlx::query_as(
            "SELECT a.attname::text, format_type(a.atttypid, NULL) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
             WHERE c.oid = to_regclass(quote_ident($1)) AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
               AND (a.attnotnull AND NOT a.atthasdef) ORDER BY a.attnum",
        )
        .bind(&table)
        .fetch_all(&mut superuser)
        .await
        .unwrap();
        // A partitioned table has no rows of its own.
        if columns.is_empty() {
            continue;
        }
        for (tenant, n) in tenants.iter().zip(1..) {
            let values: Vec<String> = columns.iter().map(|(column, kind)| value(column, kind, *tenant, n)).collect();
            let names: Vec<&str> = columns.iter().map(|(column, _)| column.as_str()).collect();
            let insert = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), values.join(", "));
            superuser.execute(insert.as_str()).await.unwrap_or_else(|error| panic!("{insert}: {error}"));
        }
    }
}

/// Some value of a type. Numbers are the tenant's, so that an event finds its stream.
fn value(column: &str, kind: &str, tenant: Uuid, n: u32) -> String {
    match kind {
        _ if column == "organization_id" => format!("'{tenant}'"),
        "uuid" => "gen_random_uuid()".to_owned(),
        "bigint" | "integer" | "smallint" => n.to_string(),
        "text" => format!("'text {n}'"),
        "uuid[]" => "ARRAY[gen_random_uuid()]".to_owned(),
        "text[]" => format!("ARRAY['text {n}']"),
        "character" => "'a'".to_owned(),
        "boolean" => "true".to_owned(),
        "bytea" => r"'\x7b7d'".to_owned(),
        "jsonb" => "'{}'".to_owned(),
        "timestamp with time zone" | "date" => "now()".to_owned(),
        other => panic!("no value for a column of type {other}"),
    }
}

/// Every relation with a tenant in it that the role may read, tables and views.
async fn readable(connection: &mut PgConnection, role: &str) -> Vec<String> {
    let query = "
        SELECT c.relname::text FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege($1, c.oid, 'SELECT')
          AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped)
        ORDER BY c.relname";
    sqlx::query_scalar(query).bind(role).fetch_all(connection).await.unwrap()
}

async fn tenants_in(connection: &mut PgConnection, relation: &str) -> Vec<Uuid> {
    let query = format!("SELECT organization_id FROM {relation} ORDER BY organization_id");
    sqlx::query_scalar(&query).fetch_all(connection).await.unwrap_or_else(|error| panic!("{relation}: {error}"))
}

// covers: P-49, P-50, E-75, E-80, H-01, H-10, H-17, H-70, W-01, H-19, E-81
#[tokio::test]
async fn a_reader_sees_the_rows_of_the_tenant_it_named_and_no_others() {
    let database = servers::database().await;
    let tenants = [Uuid::now_v7(), Uuid::now_v7()];
    fill(&database, &tenants).await;
    let mut reader = as_role(&database, "palmares_reader").await;
    let relations = readable(&mut reader, "palmares_reader").await;
    // Files that people take out stand in a table as well, under the same rules as everything else.
    for needed in ["log", "compliance_export_files"] {
        assert!(relations.len() > 30 && relations.iter().any(|name| name == needed), "{needed} of {relations:?}");
    }
    for relation in &relations {
        assert!(tenants_in(&mut reader, relation).await.is_empty(), "{relation} without a tenant");
        for tenant in tenants {
            let mut transaction = reader.begin().await.unwrap();
            sqlx::query("SELECT set_config('app.current_org_id', $1, true)")
                .bind(tenant.to_string())
                .execute(&mut *transaction)
                .await
                .unwrap();
            let seen = tenants_in(&mut transaction, relation).await;
            assert!(!seen.is_empty() && seen.iter().all(|seen| *seen == tenant), "{relation}: {seen:?}");
            transaction.commit().await.unwrap();
        }
        // The setting ends with its transaction, and a stranger's tenant has nothing.
        assert!(tenants_in(&mut reader, relation).await.is_empty(), "{relation} after the transaction");
        let mut transaction = reader.begin().await.unwrap();
        sqlx::query("SELECT set_config('app.current_org_id', $1, true)")
            .bind(Uuid::now_v7().to_string())
            .execute(&mut *transaction)
            .await
            .unwrap();
        assert!(tenants_in(&mut transaction, relation).await.is_empty(), "{relation} as a stranger");
    }
    // Row security cannot be switched off by who is under it: PostgreSQL refuses instead of showing more.
    reader.execute("SET row_security = off").await.unwrap();
    let refused = reader.execute("SELECT FROM events").await.unwrap_err().to_string();
    assert!(refused.contains("row-level security"), "{refused}");
}

// covers: E-35
#[tokio::test]
async fn no_role_writes_what_is_not_its_own() {
    let database = servers::database().await;
    let mut superuser = superuser(&database).await;
    let all = names(&mut superuser, TABLES).await;
    let read_models: Vec<String> =
        names(&mut superuser, TENANT_TABLES).await.into_iter().filter(|table| !LOG_TABLES.contains(&table.as_str())).collect();
    let sealing = |table: &str| SEALED.contains(&table) || EDGES.contains(&table);
    let (insert, update, delete, truncate) =
        ("INSERT INTO {} DEFAULT VALUES", "UPDATE {} SET {column} = NULL", "DELETE FROM {}", "TRUNCATE {}");
    let every = vec![insert, update, delete, truncate];
    let cases = [
        ("palmares_reader", all.clone(), every.clone()),
        ("palmares_relay", all.into_iter().filter(|table| !table.starts_with('_') && !sealing(table)).collect(), every.clone()),
        ("palmares_relay", owned(SEALED), vec![update, delete, truncate]),
        ("palmares_relay", owned(EDGES), vec![delete, truncate]),
        ("palmares_projector", owned(LOG_TABLES), every.clone()),
        ("palmares_committer", owned(APPEND_ONLY), vec![update, delete, truncate]),
        ("palmares_committer", read_models, every),
    ];
    for (role, tables, statements) in cases {
        let mut connection = as_role(&database, role).await;
        for table in tables {
            let column: String =
                sqlx::query_scalar("SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum = 1")
                    .bind(&table)
                    .fetch_one(&mut superuser)
                    .await
                    .unwrap();
            for statement in &statements {
                let statement = statement.replace("{}", &table).replace("{column}", &column);
                let refused = connection.execute(statement.as_str()).await.err().map(|error| error.to_string());
                assert!(refused.as_ref().is_some_and(|text| text.contains("permission denied")), "{role}: {statement}: {refused:?}");
            }
        }
    }
}
