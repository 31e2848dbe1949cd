//! Which database errors pass by themselves.

/// Whether the statement may succeed when it is tried again: the connection, the server or a
/// concurrent transaction failed, not the data.
pub fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| {
            // Connection, transaction rollback, resources, operator intervention, system error;
            // lock not available; a server that is read-only during a promotion.
            ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class)) || code == "55P03" || code == "25006"
        }),
        _ => false,
    }
}
