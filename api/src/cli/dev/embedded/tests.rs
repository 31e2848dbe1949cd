//! The real servers, on a temporary folder.

use super::*;

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("the embedded database answers")
}

#[tokio::test]
async fn data_outlives_a_stop_and_a_crash() {
    let folder = EmbeddedOptions::temporary();
    let kept = EmbeddedOptions { remove_at_end: false, ..folder.clone() };

    let embedded = Embedded::start(kept).await.expect("both servers start");
    let (database, nats) = (embedded.database_url(), embedded.nats_url());
    let mut connection = connect(&database).await;
    sqlx::raw_sql("CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)").execute(&mut connection).await.expect("the owner may");
    let refused = Embedded::start(EmbeddedOptions::at(embedded.path())).await.err().expect("one at a time");
    assert!(matches!(refused, EmbeddedError::FolderLocked { .. }));
    embedded.stop().await;

    let embedded = Embedded::start(folder).await.expect("both servers start again");
    assert_eq!((embedded.database_url(), embedded.nats_url()), (database.clone(), nats), "clients find everything where it was");
    embedded.crash_postgres().await.expect("PostgreSQL recovers");
    embedded.crash_nats().await.expect("nats-server recovers");
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM kept").fetch_one(&mut connect(&database).await).await.expect("the table is there");
    assert_eq!(rows, 1);

    let path = embedded.path().to_owned();
    let pids = [embedded.postgres().pid(), embedded.nats().pid()].map(|pid| pid.expect("it runs"));
    embedded.stop().await;
    assert!(!path.exists(), "a temporary folder is removed");
    assert!(pids.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()), "both servers have ended");
}

#[tokio::test]
async fn the_login_owns_the_database_and_is_no_superuser() {
    let embedded =
        Embedded::start(EmbeddedOptions::temporary().with_postgres_setting("max_connections", "50")).await.expect("both servers start");
    let url = embedded.create_database("of_a_test", None).await.expect("a database");
    let mut connection = connect(&url).await;
    let (superuser, bypasses): (bool, bool) = sqlx::query_as("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        .fetch_one(&mut connection)
        .await
        .expect("the catalogue answers");
    assert!(!superuser && !bypasses);
    for role in postgres::GROUP_ROLES {
        sqlx::raw_sql(&format!("SET ROLE {role}; RESET ROLE")).execute(&mut connection).await.expect("the login may take each role");
    }
    for (setting, value) in [("fsync", "on"), ("synchronous_commit", "on"), ("max_connections", "50"), ("listen_addresses", "127.0.0.1")] {
        let found: String = sqlx::query_scalar(&format!("SHOW {setting}")).fetch_one(&mut connection).await.expect("a setting");
        assert_eq!(found, value, "{setting}");
    }
    embedded.stop().await;
}
