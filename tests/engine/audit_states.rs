//! What a page of the audit log shows as before and after is what the streams say, however far they go back
//! and whatever an earlier page left in memory.

use crate::support::servers;
use async_trait::async_trait;
use palmares_domain::kernel::{DataClass, OrganizationId, Place, Tenant};
use palmares_projections::{
    compliance::audit_trail::ListAuditLogs,
    engine::{KeyError, PersonalKeys, Query, Readers},
};
use serde_json::{Value, json};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(9));

/// Two programs whose events take turns, and the floor of each event follows from its version.
const FILL: &str = "
    INSERT INTO streams SELECT k, '00000000-0000-0000-0000-000000000009', 'points_program', ('00000000-0000-0000-0000-00000000090' || k)::uuid
        FROM generate_series(1, 2) k;
    INSERT INTO events
        SELECT n, '00000000-0000-0000-0000-000000000009', 2 - n % 2, (n + 1) / 2, gen_random_uuid(), gen_random_uuid(), now(), NULL, 1,
            'points.floor_changed', convert_to(json_build_object('program_id', ('00000000-0000-0000-0000-00000000090' || 2 - n % 2)::uuid,
                'floor', -((n + 1) / 2) - {shift})::text, 'UTF8'), '{}'
        FROM generate_series(1, 5000) n;
    INSERT INTO compliance_audit_log_a (organization_id, position, recorded_at, event_type, outcome, actor_id, stream_type, stream_id,
            event_id, number)
        SELECT organization_id, position, recorded_at, event_type, 'recorded', actor_id, 'points_program',
            ('00000000-0000-0000-0000-00000000090' || stream_key)::uuid, event_id, position
        FROM events;
    INSERT INTO checkpoints (name, slot, kind, version, active, position, status)
        SELECT name, 'a', 'projector', 1, true, 5000, 'idle' FROM unnest(ARRAY['audit_log', 'subject_index']) name;";

struct NoKeys;

#[async_trait]
impl PersonalKeys for NoKeys {
    async fn seal(&self, _: &Place, _: &[u8]) -> Result<Vec<u8>, KeyError> {
        Err(KeyError::Destroyed)
    }

    async fn open(&self, _: &Place, _: &[u8]) -> Result<Option<Vec<u8>>, KeyError> {
        Ok(None)
    }

    async fn lookup_hash(&self, _: OrganizationId, _: &str, _: &str) -> Result<[u8; 32], KeyError> {
        Ok([0; 32])
    }
}

/// The floors before and after of a page that ends before a position, with the position of each.
async fn page(readers: &Readers, before: i64) -> Vec<(i64, Value, Value)> {
    #[expect(clippy::disallowed_methods, reason = "a test of a query has no gate")]
    let mut reader = readers.open(Tenant::grant(ACME), None).await.unwrap();
    let cursor = reader.cursor::<ListAuditLogs, _>(&before).unwrap();
    let query: ListAuditLogs = serde_json::from_value(json!({ "cursor": cursor })).unwrap();
    let floor = |state: &Option<BTreeMap<String, Value>>| state.as_ref().map_or(Value::Null, |state| state["floor"].clone());
    let entries = query.run(&mut reader).await.unwrap().items;
    entries.iter().map(|entry| (entry.position, floor(&entry.before_state), floor(&entry.after_state))).collect()
}

// covers: E-233
#[tokio::test]
async fn what_an_event_changed_follows_from_its_stream_and_from_no_other_log() {
    // The second log has the same streams with other events: what the pages of the first left in memory is not its own.
    for shift in [0, 7] {
        let database = servers::database().await;
        let owner = PgPool::connect(&database.url).await.unwrap();
        sqlx::raw_sql(&FILL.replace("{shift}", &shift.to_string())).execute(&owner).await.unwrap();
        let options: sqlx::postgres::PgConnectOptions = database.url.parse().unwrap();
        let pool = PgPoolOptions::new().max_connections(1).connect_with(options.options([("role", "palmares_reader")])).await.unwrap();
        let readers = Readers::new(pool, Arc::new(NoKeys)).cleared_for(DataClass::Restricted);
        // From nothing, from what that left on the way, and where one stream has a mark at the version itself.
        for before in [4_900, 4_901, 4_100, 4_001, 4_003, 2_003, 52, 3] {
            let found = page(&readers, before).await;
            let expected = (1..before).rev().take(50).map(|position| {
                let version = (position + 1) / 2;
                let was = if version == 1 { json!(0) } else { json!(-(version - 1) - shift) };
                (position, was, json!(-version - shift))
            });
            assert_eq!(found, expected.collect::<Vec<_>>(), "before {before}, shifted by {shift}");
        }
    }
}
