//! What protects the log in the database is known, and a change to any of it is found.

use crate::support::servers;
use palmares::cli::checks::walls;
use sqlx::{Connection, PgConnection};

/// Grants, policies and all the rest, as the migrations make them. `INSTA_UPDATE=always` writes them anew.
#[tokio::test]
async fn the_walls_that_are_expected_are_those_that_the_migrations_make() {
    let database = servers::database().await;
    let mut owner = PgConnection::connect(&database.url).await.unwrap();
    let found = walls::written(&walls::of(&mut owner).await.unwrap());
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/checks/walls.txt"), &found).unwrap();
    } else {
        assert!(
            found == walls::EXPECTED,
            "api/src/cli/checks/walls.txt is not what the migrations make; INSTA_UPDATE=always writes it anew"
        );
    }
}

/// Each as a superuser would, to see or do what nobody may; and undone.
// covers: E-183
#[tokio::test]
async fn a_wall_that_was_taken_down_is_named() {
    let database = servers::database().await;
    let mut owner = PgConnection::connect(&database.url).await.unwrap();
    let mut superuser = PgConnection::connect(&database.superuser_url).await.unwrap();
    assert_eq!(walls::changed(&mut owner).await.unwrap(), Vec::<String>::new());
    let attacks = [
        (
            "table events",
            "ALTER TABLE events DISABLE TRIGGER events_are_append_only",
            "ALTER TABLE events ENABLE TRIGGER events_are_append_only",
        ),
        ("table events", "ALTER TABLE events NO FORCE ROW LEVEL SECURITY", "ALTER TABLE events FORCE ROW LEVEL SECURITY"),
        (
            "table points_balances_a",
            "ALTER TABLE points_balances_a DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE points_balances_a ENABLE ROW LEVEL SECURITY",
        ),
        (
            "table events",
            "ALTER POLICY tenant ON events USING (true)",
            "ALTER POLICY tenant ON events USING (organization_id = (SELECT current_organization()))",
        ),
        ("table streams", "CREATE POLICY more ON streams FOR SELECT TO palmares_reader USING (true)", "DROP POLICY more ON streams"),
        ("table events", "GRANT UPDATE, DELETE ON events TO palmares_committer", "REVOKE UPDATE, DELETE ON events FROM palmares_committer"),
        ("table events", "GRANT INSERT ON events TO PUBLIC", "REVOKE INSERT ON events FROM PUBLIC"),
        (
            "table proof_tiles",
            "GRANT UPDATE (hashes) ON proof_tiles TO palmares_relay",
            "REVOKE UPDATE (hashes) ON proof_tiles FROM palmares_relay",
        ),
        ("table message_key", "ALTER TABLE message_key OWNER TO postgres", "ALTER TABLE message_key OWNER TO palmares"),
        ("table claims", "CREATE RULE nothing AS ON DELETE TO claims DO INSTEAD NOTHING", "DROP RULE nothing ON claims"),
        (
            "table events",
            "CREATE TRIGGER more BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            "DROP TRIGGER more ON events",
        ),
        (
            "index events_stream_key_version_key",
            "ALTER TABLE events DROP CONSTRAINT events_stream_key_version_key",
            "ALTER TABLE events ADD CONSTRAINT events_stream_key_version_key UNIQUE (stream_key, version)",
        ),
        (
            "function current_organization",
            "CREATE OR REPLACE FUNCTION current_organization() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE RETURN NULL::uuid",
            "CREATE OR REPLACE FUNCTION current_organization() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
                RETURN NULLIF(current_setting('app.current_org_id', true), '')::uuid",
        ),
        ("view log", "ALTER VIEW log SET (security_invoker = false)", "ALTER VIEW log SET (security_invoker = true)"),
        ("table data_keys", "ALTER TABLE data_keys ALTER COLUMN created_at DROP NOT NULL", ""),
    ];
    for (object, attack, undo) in attacks {
        sqlx::raw_sql(attack).execute(&mut superuser).await.unwrap_or_else(|error| panic!("{attack}: {error}"));
        assert_eq!(walls::changed(&mut owner).await.unwrap(), [object], "{attack}");
        if !undo.is_empty() {
            sqlx::raw_sql(undo).execute(&mut superuser).await.unwrap();
            assert_eq!(walls::changed(&mut owner).await.unwrap(), Vec::<String>::new(), "{undo}");
        }
    }
}
