//! Searches of the audit log find what fits, all of it and in order, where it is common and where it is
//! rare or long ago: the page is then made another way than by reading the newest entries.

use crate::support::servers;
use async_trait::async_trait;
use palmares_domain::kernel::{DataClass, OrganizationId, Place, Tenant};
use palmares_projections::{
    compliance::audit_trail::ListAuditLogs,
    engine::{KeyError, PersonalKeys, Query, Readers},
};
use serde_json::{Value, json};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::sync::Arc;
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(7));

/// 30,000 entries of two organizations, a few of which are of each rare kind, and some of the first ones only.
const FILL: &str = "
    INSERT INTO streams VALUES (1, '00000000-0000-0000-0000-000000000007', 'test', gen_random_uuid());
    INSERT INTO events
        SELECT n, ('00000000-0000-0000-0000-00000000000' || CASE WHEN n % 7 = 0 THEN '8' ELSE '7' END)::uuid, 1, n, gen_random_uuid(),
            gen_random_uuid(), now(), NULL, 1, 'test.happened', '{}', '{}'
        FROM generate_series(1, 30000) n;
    INSERT INTO compliance_audit_log_a (organization_id, position, recorded_at, event_type, action, outcome, actor_id, stream_type,
            stream_id, client_context_id, event_id, subject_id, text_id, number)
        SELECT organization_id, n, '2026-01-01T00:00:00Z'::timestamptz + make_interval(secs => n), 'test.happened',
            CASE WHEN n < 2000 THEN 'system.run_imports' WHEN n % 997 = 1 THEN 'identity.role.assign' WHEN n % 991 = 1 THEN 'identity.role'
                WHEN n % 983 = 1 THEN 'identity.roles.read' WHEN n % 101 = 9 THEN 'challenges.rule.change' ELSE 'points.hold.place' END,
            'recorded', ('00000000-0000-0000-0000-0000000001' || lpad((n % 5)::text, 2, '0'))::uuid,
            CASE WHEN n % 1499 = 2 THEN 'role_catalogue' WHEN n % 1493 = 3 THEN 'user' ELSE 'test' END,
            CASE WHEN n % 1471 = 5 THEN '00000000-0000-0000-0000-000000000200' ELSE '00000000-0000-0000-0000-000000000201' END::uuid,
            CASE WHEN n < 1500 THEN '00000000-0000-0000-0000-000000000301' WHEN n % 1451 = 6 THEN '00000000-0000-0000-0000-000000000302' END::uuid,
            event_id, CASE WHEN n % 1481 = 4 THEN '00000000-0000-0000-0000-000000000200' END::uuid,
            ('00000000-0000-0000-0000-00000000040' || CASE WHEN n < 2000 THEN n % 3 WHEN n % 1453 = 7 THEN 3 ELSE 4 END)::uuid, n
        FROM events, LATERAL (SELECT position AS n) p;
    INSERT INTO compliance_subject_index_a (organization_id, subject_id, position, concerned)
        SELECT organization_id, '00000000-0000-0000-0000-000000000200', n, n % 3 > 0
        FROM events, LATERAL (SELECT position AS n) p WHERE n % 1481 = 4 OR n % 1471 = 5 OR n % 1483 = 8 OR n % 100 = 50;
    INSERT INTO compliance_audit_texts_a (organization_id, text_id, text)
        SELECT '00000000-0000-0000-0000-000000000007', ('00000000-0000-0000-0000-00000000040' || t)::uuid,
            (ARRAY['import one system.run_imports test.happened', 'import system.run_imports test.happened two',
                'import system.run_imports test.happened three', rpad('rare ', 4000, 'x'),
                'challenges.rule.change common identity.role identity.role.assign identity.roles.read points.hold.place test.happened'])[t + 1]
        FROM generate_series(0, 4) t;
    INSERT INTO client_contexts (organization_id, id, subject_id, ciphertext, ip_hash)
        SELECT '00000000-0000-0000-0000-000000000007', ('00000000-0000-0000-0000-00000000030' || c)::uuid, gen_random_uuid(), '',
            decode(repeat('00', 32), 'hex')
        FROM generate_series(1, 2) c;
    INSERT INTO checkpoints (name, slot, kind, version, active, position, status)
        SELECT name, 'a', 'projector', 1, true, 30000, 'idle' FROM unnest(ARRAY['audit_log', 'subject_index']) name;
    ANALYZE;";

/// Every address has the same hash.
struct OneAddress;

#[async_trait]
impl PersonalKeys for OneAddress {
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

/// The positions of a page before a position, and what follows from reading every row.
async fn both(readers: &Readers, owner: &PgPool, mut asked: Value, means: &str, before: i64) -> (Vec<i64>, Vec<i64>) {
    #[expect(clippy::disallowed_methods, reason = "a test of a query has no gate")]
    let mut reader = readers.open(Tenant::grant(ACME), None).await.unwrap();
    asked["cursor"] = json!(reader.cursor::<ListAuditLogs, _>(&before).unwrap());
    let query: ListAuditLogs = serde_json::from_value(asked).unwrap();
    let page = query.run(&mut reader).await.unwrap();
    let all = format!(
        "SELECT position FROM compliance_audit_log_a WHERE organization_id = $1 AND position < $2 AND ({means}) ORDER BY position DESC LIMIT 50"
    );
    let expected = sqlx::query_scalar(&all).bind(ACME.0).bind(before).fetch_all(owner).await.unwrap();
    (page.items.iter().map(|entry| entry.position).collect(), expected)
}

// covers: E-195
#[tokio::test]
async fn every_search_finds_what_reading_every_row_finds() {
    let database = servers::database().await;
    let owner = PgPool::connect(&database.url).await.unwrap();
    sqlx::raw_sql(FILL).execute(&owner).await.unwrap();
    let options: sqlx::postgres::PgConnectOptions = database.url.parse().unwrap();
    let pool = PgPoolOptions::new().max_connections(2).connect_with(options.options([("role", "palmares_reader")])).await.unwrap();
    let readers = Readers::new(pool, Arc::new(OneAddress)).cleared_for(DataClass::Confidential);
    let user = Uuid::from_u128(0x200);
    let busy = Uuid::from_u128(0x103);
    let imported = "text_id IN ('00000000-0000-0000-0000-000000000400', '00000000-0000-0000-0000-000000000401', '00000000-0000-0000-0000-000000000402')";
    let role = "action IN ('identity.role', 'identity.role.assign')";
    let concerns = format!("position IN (SELECT position FROM compliance_subject_index_a WHERE subject_id = '{user}' AND concerned)");
    let about = format!("stream_id = '{user}' OR {concerns}");
    let since = "recorded_at >= '2026-01-01T00:10:00Z' AND recorded_at < '2026-01-01T03:00:00Z'";
    let searches = [
        (json!({}), "true".to_owned()),
        (json!({ "action": "points" }), "action = 'points.hold.place'".to_owned()),
        (json!({ "action": "identity.role" }), role.to_owned()),
        (json!({ "action": "system" }), "action = 'system.run_imports'".to_owned()),
        (json!({ "action": "nothing" }), "false".to_owned()),
        (json!({ "text": "import" }), imported.to_owned()),
        (json!({ "text": "rare" }), "text_id = '00000000-0000-0000-0000-000000000403'".to_owned()),
        (json!({ "text": "import", "action": "system" }), imported.to_owned()),
        (json!({ "text": "import two", "event_type": "test.happened" }), "text_id = '00000000-0000-0000-0000-000000000401'".to_owned()),
        (json!({ "text": "import", "event_type": "test.other" }), "false".to_owned()),
        // A text that was cut lacks the names that it would have had.
        (json!({ "text": "rare", "event_type": "test.happened" }), "text_id = '00000000-0000-0000-0000-000000000403'".to_owned()),
        (json!({ "action": "identity.role", "event_type": "test.happened" }), role.to_owned()),
        (json!({ "action": "points", "event_type": "test.other" }), "false".to_owned()),
        (json!({ "text": "nothing" }), "false".to_owned()),
        // Neither near nor rare.
        (json!({ "action": "challenges" }), "action = 'challenges.rule.change'".to_owned()),
        (json!({ "ip": "192.0.2.1" }), "client_context_id IS NOT NULL".to_owned()),
        (json!({ "ip": "192.0.2.1", "action": "points" }), "client_context_id IS NOT NULL AND action = 'points.hold.place'".to_owned()),
        (json!({ "target_id": user }), about.clone()),
        (json!({ "target_id": user, "actor_id": busy }), format!("actor_id = '{busy}' AND ({about})")),
        (json!({ "target_id": user, "action": "identity.role" }), format!("{role} AND ({about})")),
        (json!({ "target_id": user, "session_id": user }), "false".to_owned()),
        (json!({ "target_type": "role_catalogue" }), "stream_type = 'role_catalogue'".to_owned()),
        (json!({ "target_type": "user" }), "stream_type = 'user' OR subject_id IS NOT NULL".to_owned()),
        (json!({ "target_type": "user", "target_id": user }), format!("(stream_type = 'user' OR subject_id IS NOT NULL) AND ({about})")),
        (json!({ "actor_id": busy, "action": "identity.role" }), format!("actor_id = '{busy}' AND {role}")),
        (json!({ "from": "2026-01-01T00:10:00Z", "to": "2026-01-01T03:00:00Z" }), since.to_owned()),
        (
            json!({ "from": "2026-01-01T00:10:00Z", "to": "2026-01-01T03:00:00Z", "action": "system" }),
            format!("{since} AND action = 'system.run_imports'"),
        ),
        (json!({ "from": "2027-01-01T00:00:00Z" }), "false".to_owned()),
        (json!({ "to": "2025-01-01T00:00:00Z", "action": "points" }), "false".to_owned()),
    ];
    let mut rare = 0;
    for (asked, means) in searches {
        for before in [i64::MAX, 20_000, 1_000, 2] {
            let (found, expected) = both(&readers, &owner, asked.clone(), &means, before).await;
            assert_eq!(found, expected, "{asked} before {before}");
            rare += usize::from(found.last().is_some_and(|last| before > 30_000 && *last < 20_000));
        }
    }
    assert!(rare > 8, "rare pages reach far behind: {rare}");
}

/// Every entry that a search finds page by page, newest first.
async fn walked(readers: &Readers, asked: &Value) -> Vec<i64> {
    let (mut found, mut cursor) = (Vec::new(), Value::Null);
    loop {
        #[expect(clippy::disallowed_methods, reason = "a test of a query has no gate")]
        let mut reader = readers.open(Tenant::grant(ACME), None).await.unwrap();
        let mut asked = asked.clone();
        (asked["cursor"], asked["limit"]) = (cursor, json!(7));
        let query: ListAuditLogs = serde_json::from_value(asked).unwrap();
        let page = query.run(&mut reader).await.unwrap();
        found.extend(page.items.iter().map(|entry| entry.position));
        match page.next_cursor {
            Some(next) => cursor = json!(next),
            None => return found,
        }
    }
}

/// Whose data a read showed stands in the index alone, which knows it a moment later than the log has the entry.
// covers: E-195
#[tokio::test]
async fn nothing_is_shown_beyond_what_every_projection_of_the_search_knows() {
    let database = servers::database().await;
    let owner = PgPool::connect(&database.url).await.unwrap();
    sqlx::raw_sql(FILL).execute(&owner).await.unwrap();
    let options: sqlx::postgres::PgConnectOptions = database.url.parse().unwrap();
    let pool = PgPoolOptions::new().max_connections(2).connect_with(options.options([("role", "palmares_reader")])).await.unwrap();
    let readers = Readers::new(pool, Arc::new(OneAddress)).cleared_for(DataClass::Confidential);
    let (of_target, all) = (json!({ "target_id": Uuid::from_u128(0x200) }), json!({ "from": "2026-01-01T08:10:00Z" }));
    let (whole, newest) = (walked(&readers, &of_target).await, walked(&readers, &all).await);
    assert!(whole.iter().filter(|position| **position > 28_000).count() > 5, "{whole:?}");

    // The index stands behind: the rows that it has not made yet are not there.
    sqlx::raw_sql(
        "CREATE TABLE later AS SELECT * FROM compliance_subject_index_a WHERE position > 28000;
         DELETE FROM compliance_subject_index_a WHERE position > 28000;
         UPDATE checkpoints SET position = 28000 WHERE name = 'subject_index'",
    )
    .execute(&owner)
    .await
    .unwrap();
    let known: Vec<i64> = whole.iter().copied().filter(|position| *position <= 28_000).collect();
    assert_eq!(walked(&readers, &of_target).await, known, "what was done to the target itself waits for the rest");
    assert_eq!(walked(&readers, &all).await, newest, "and what does not ask for it waits for nothing");

    // Once it caught up the walk is whole.
    sqlx::raw_sql(
        "INSERT INTO compliance_subject_index_a SELECT * FROM later;
         UPDATE checkpoints SET position = 30000 WHERE name = 'subject_index'",
    )
    .execute(&owner)
    .await
    .unwrap();
    assert_eq!(walked(&readers, &of_target).await, whole);

    // Texts and permissions are looked up before the entries that have them.
    sqlx::query("UPDATE checkpoints SET position = 29500 WHERE name = 'audit_log'").execute(&owner).await.unwrap();
    for asked in [all, json!({ "action": "identity.role" }), json!({ "text": "common", "from": "2026-01-01T08:10:00Z" })] {
        let found = walked(&readers, &asked).await;
        assert!(!found.is_empty() && found.iter().all(|position| *position <= 29_500), "{asked}: {found:?}");
    }
}
