//! The servers that all tests share, and a database of its own for each test.

use palmares::cli::dev::embedded::{Embedded, EmbeddedOptions};
use palmares::cli::migrate;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::runtime::Runtime;

struct Shared {
    embedded: Embedded,
    /// Keeps what the servers' own tasks run on, beyond the runtime of any one test.
    runtime: Runtime,
}

const TEMPLATE: &str = "palmares_template";

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        // A runtime cannot be blocked on from inside another one.
        let started = std::thread::spawn(|| {
            let runtime = Runtime::new().expect("a runtime starts");
            let embedded = runtime.block_on(async {
                let options = EmbeddedOptions::temporary().with_postgres_setting("max_connections", "400");
                let embedded = Embedded::start(options).await.unwrap_or_else(|error| panic!("the servers start: {error}"));
                let url = embedded.create_database(TEMPLATE, None).await.expect("the template database is created");
                migrate::apply(&url).await.expect("the template database is migrated");
                embedded
            });
            Shared { embedded, runtime }
        });
        started.join().expect("the servers start")
    })
}

/// The shared PostgreSQL and nats-server. Nobody kills these: fault tests start their own.
pub fn embedded() -> &'static Embedded {
    &shared().embedded
}

/// A migrated database that only the caller knows.
pub struct Database {
    /// As the application's own login, which owns the database and is no superuser.
    pub url: String,
    /// As a superuser, for what nobody may do.
    pub superuser_url: String,
}

/// Clones the template.
pub async fn database() -> Database {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let clone = name.clone();
    let created = tokio::task::spawn_blocking(move || {
        let shared = shared();
        shared.runtime.block_on(shared.embedded.create_database(&clone, Some(TEMPLATE)))
    });
    let url = created.await.expect("the clone is not cancelled").expect("the template is cloned");
    let superuser_url = embedded().superuser_url_of(&name);
    Database { url, superuser_url }
}
