//! Searches of an audit log of ten million entries, each as it is answered to whoever asks.

mod fill;
mod searches;

use crate::load::{Measured, measured};
use crate::results;
use crate::server::Server;
use anyhow::Context;
use async_trait::async_trait;
use palmares_domain::kernel::{DataClass, OrganizationId, Place, Tenant, derive_uuid};
use palmares_projections::{
    compliance::audit_trail::ListAuditLogs,
    engine::{KeyError, PersonalKeys, Query, Readers},
};
use palmares_proofs::entry::BytesHash;
use searches::{SEARCHES, Search};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How often each search is asked, with other values each time.
const TIMES: u64 = 200;
/// What an administrator does not notice; a miss asks for an index or another statement.
const P99_MAX_MS: f64 = 50.0;

/// Contexts stay closed; an address is found by its hash.
struct AddressHashes;

#[async_trait]
impl PersonalKeys for AddressHashes {
    async fn seal(&self, _: &Place, _: &[u8]) -> Result<Vec<u8>, KeyError> {
        Err(KeyError::Destroyed)
    }

    async fn open(&self, _: &Place, _: &[u8]) -> Result<Option<Vec<u8>>, KeyError> {
        Ok(None)
    }

    async fn lookup_hash(&self, _: OrganizationId, _: &str, address: &str) -> Result<[u8; 32], KeyError> {
        Ok(BytesHash::of(address.as_bytes()).0)
    }
}

/// What was measured.
#[derive(Serialize, Deserialize)]
pub struct Audit {
    entries: u64,
    searches: Vec<Searched>,
}

#[derive(Serialize, Deserialize)]
struct Searched {
    what: String,
    /// Entries of a page, in the mean.
    found: f64,
    p50_ms: f64,
    p99_ms: f64,
}

pub async fn measure(server: &Server, entries: u64) -> anyhow::Result<()> {
    let organization = OrganizationId(derive_uuid("bench-audited", &[]));
    let start = Instant::now();
    fill::fill(server, organization, entries).await?;
    println!("{entries} entries after {:.0} s", start.elapsed().as_secs_f64());
    let pool = server.pool(server.options_as("palmares_reader"), 1).await?;
    let readers = Readers::new(pool, Arc::new(AddressHashes)).cleared_for(DataClass::Restricted);
    let mut ids = PgConnection::connect_with(&server.options()).await?;
    let mut searches = Vec::new();
    for search in SEARCHES {
        searches.push(searched((&readers, &mut ids), (organization, entries), search).await?);
    }
    ids.close().await?;
    results::write("audit", &Audit { entries, searches })
}

/// Puts the ids in the place of what they are made from.
async fn resolve(ids: &mut PgConnection, fields: &mut Value) -> anyhow::Result<()> {
    for value in fields.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()) {
        if let Value::Array(made_from) = value {
            let (kind, number) = (made_from[0].as_str(), made_from[1].as_i64());
            let id: Uuid = sqlx::query_scalar("SELECT bench_audit.id($1, $2)").bind(kind).bind(number).fetch_one(&mut *ids).await?;
            *value = json!(id);
        }
    }
    Ok(())
}

async fn searched(
    (readers, ids): (&Readers, &mut PgConnection),
    (organization, entries): (OrganizationId, u64),
    search: &Search,
) -> anyhow::Result<Searched> {
    let (mut took, mut found) = (Vec::new(), 0);
    for number in 0..TIMES {
        let mut asked = (search.asked)(number, entries);
        resolve(ids, &mut asked.fields).await?;
        #[expect(clippy::disallowed_methods, reason = "a benchmark of what stands behind the gate names its own tenant")]
        let tenant = Tenant::grant(organization);
        let start = Instant::now();
        let mut reader = readers.open(tenant, None).await?;
        let cursor = asked.before.map(|before| reader.cursor::<ListAuditLogs, _>(&before)).transpose()?;
        asked.fields["cursor"] = json!(cursor);
        let query: ListAuditLogs = serde_json::from_value(asked.fields).context(search.what)?;
        let page = query.run(&mut reader).await?;
        drop(reader);
        took.push(start.elapsed());
        found += page.items.len();
    }
    let Measured { p50_ms, p99_ms, .. } = measured(took, Duration::from_secs(1));
    let found = found as f64 / TIMES as f64;
    println!("{:<60} found={found:>5.1} p50={p50_ms:.1}ms p99={p99_ms:.1}ms", search.what);
    Ok(Searched { what: search.what.to_owned(), found, p50_ms, p99_ms })
}

/// The table of the page.
pub fn report(measured: Option<&Audit>) -> String {
    let Some(Audit { entries, searches }) = measured else { return "Not measured in this run.\n".to_owned() };
    let mut page = format!("| Search among {entries} entries | Entries found, of 50 at most | p50 ms | p99 ms |\n|---|--:|--:|--:|\n");
    for Searched { what, found, p50_ms, p99_ms } in searches {
        let _ = writeln!(page, "| {what} | {found:.1} | {p50_ms:.1} | {p99_ms:.1} |");
    }
    let missed: Vec<&str> = searches.iter().filter(|search| search.p99_ms >= P99_MAX_MS).map(|search| search.what.as_str()).collect();
    let word = if missed.is_empty() { "holds".to_owned() } else { format!("**missed** by {}", missed.join("; ")) };
    let _ = writeln!(page, "\n- Each at p99 in less than {P99_MAX_MS} ms: {word}.");
    page
}
