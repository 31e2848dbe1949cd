//! The database: durable, new enough, migrated, and reached as someone whom row security binds.

use super::Finding;
use crate::cli::{
    dev::embedded::{postgres::GROUP_ROLES, programs::POSTGRES_MIN},
    migrate,
};
use sqlx::{Connection, PgConnection};
use std::time::Duration;

const SUBJECT: &str = "PostgreSQL";
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn check(url: &str) -> Vec<Finding> {
    let connected = tokio::time::timeout(PATIENCE, PgConnection::connect(url)).await;
    let mut connection = match connected {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return vec![Finding::bad(SUBJECT, format!("DATABASE_URL cannot be used: {error}"))],
        Err(_) => return vec![Finding::bad(SUBJECT, format!("no answer within {} s: is DATABASE_URL right?", PATIENCE.as_secs()))],
    };
    let findings = look(&mut connection).await;
    let _ = connection.close().await;
    findings.unwrap_or_else(|error| vec![Finding::bad(SUBJECT, format!("it could not be asked: {error}"))])
}

async fn look(connection: &mut PgConnection) -> sqlx::Result<Vec<Finding>> {
    let (version, major): (String, i32) =
        sqlx::query_as("SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000")
            .fetch_one(&mut *connection)
            .await?;
    let mut findings = vec![Finding::of(
        SUBJECT,
        major >= POSTGRES_MIN as i32,
        &version,
        format!("version {version} is too old: {POSTGRES_MIN} is needed"),
    )];
    findings.extend(durability(connection).await?);
    findings.extend(login(connection).await?);
    let pending = migrate::pending(connection).await?;
    findings.push(Finding::of(
        "schema",
        pending.is_empty(),
        "up to date",
        format!("{} migrations are missing: run `palmares migrate`", pending.len()),
    ));
    let skew_seconds: f64 = sqlx::query_scalar("SELECT abs(extract(epoch FROM clock_timestamp()) - $1)::float8")
        .bind(chrono::Utc::now().timestamp_micros() as f64 / 1e6)
        .fetch_one(connection)
        .await?;
    findings.push(match skew_seconds < 5.0 {
        true => Finding::good("clock", "within 5 s of the database's"),
        false => Finding::doubtful("clock", format!("{skew_seconds:.0} s away from the database's: synchronise both")),
    });
    Ok(findings)
}

/// An acknowledged command must outlive a crash, so whatever trades that for speed is refused.
async fn durability(connection: &mut PgConnection) -> sqlx::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let value: String = sqlx::query_scalar("SELECT current_setting($1)").bind(setting).fetch_one(&mut *connection).await?;
        let advice = format!("{setting} is off, so acknowledged commands could be lost: set {setting} = on");
        findings.push(Finding::of("durability", value != "off", format!("{setting} = {value}"), advice));
    }
    Ok(findings)
}

async fn login(connection: &mut PgConnection) -> sqlx::Result<Vec<Finding>> {
    let (name, superuser, bypasses): (String, bool, bool) =
        sqlx::query_as("SELECT rolname::text, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
            .fetch_one(&mut *connection)
            .await?;
    let bound = Finding::of(
        "login",
        !superuser && !bypasses,
        format!("{name} is bound by row security"),
        format!("{name} is a superuser or bypasses row security, so nothing would separate tenants: use the owner of the database"),
    );
    let lacking: Vec<String> =
        sqlx::query_scalar("SELECT wanted FROM unnest($1::text[]) wanted WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted AND pg_has_role(current_user, oid, 'MEMBER'))")
            .bind(GROUP_ROLES.map(str::to_owned).to_vec())
            .fetch_all(connection)
            .await?;
    let lacking = lacking.join(", ");
    let roles = Finding::of(
        "roles",
        lacking.is_empty(),
        "all five may be taken",
        format!("{name} may not take {lacking}: as a superuser run `GRANT {lacking} TO {name}`"),
    );
    Ok(vec![bound, roles])
}
