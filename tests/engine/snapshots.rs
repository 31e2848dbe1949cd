//! What is stored of a state beside its events is believed only where this system made it.

use super::*;
use sqlx::{PgPool, postgres::PgPoolOptions};

struct Bank {
    database: Database,
    keys: Arc<dyn KeyStore>,
    organization: OrganizationId,
    superuser: PgPool,
    poor: AccountKey,
    rich: AccountKey,
}

impl Bank {
    /// Two accounts with snapshots: one where nothing is left, and one with a lot.
    async fn open() -> Self {
        let database = servers::database().await;
        let keys: Arc<dyn KeyStore> = Arc::new(MemoryKeyStore::default());
        let organization = OrganizationId(Uuid::now_v7());
        let node = Node::open(&database, keys.clone(), organization).await;
        let program_id = ProgramId(node.made::<DefineProgram>(json!({ "name": "wellness" }), "id").await);
        let account = async |name: &str| AccountKey { program_id, user_id: node.user(name).await, team_id: None };
        let (poor, rich) = (account("poor").await, account("rich").await);
        for (account, amount) in [(poor, 150), (rich, 5_000)] {
            node.credited(account, amount).await;
            for _ in 0..150 {
                node.ask::<CreateDebit>(spend(account)).await.unwrap();
            }
        }
        let superuser = PgPoolOptions::new().max_connections(1).connect(&database.superuser_url).await.unwrap();
        let bank = Self { database, keys, organization, superuser, poor, rich };
        // Snapshots are written behind the answers.
        let kept = async {
            while bank
                .count("SELECT count(*) FROM snapshots s JOIN streams t ON t.key = s.stream_key WHERE t.type = 'points_account'")
                .await
                < 2
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), kept).await.expect("snapshots are kept in time");
        bank
    }

    async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.superuser).await.unwrap()
    }

    /// Does what no role may, with every trigger off; `POOR` and `RICH` are the keys of the streams.
    async fn tamper(&self, sql: &str) {
        let key = |account: AccountKey| format!("(SELECT key FROM streams WHERE id = '{}')", account.id().0);
        let sql = sql.replace("POOR", &key(self.poor)).replace("RICH", &key(self.rich));
        sqlx::raw_sql(&format!("BEGIN; SET LOCAL session_replication_role = replica; {sql}; COMMIT"))
            .execute(&self.superuser)
            .await
            .unwrap();
    }

    /// One that has nothing in memory.
    async fn fresh_node(&self) -> Node {
        Node::open(&self.database, self.keys.clone(), self.organization).await
    }
}

fn spend(account: AccountKey) -> Value {
    json!({ "program_id": account.program_id, "user_id": account.user_id, "amount": 1 })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_was_forged_or_moved_gives_nobody_a_point() {
    let bank = Bank::open().await;
    bank.tamper("CREATE TABLE kept AS TABLE snapshots").await;
    let forgeries = [
        "UPDATE snapshots SET state = substr(state, 1, 32) || convert_to(replace(convert_from(substr(state, 33), 'UTF8'), '\"posted\":', '\"posted\":9'), 'UTF8')
         WHERE stream_key = POOR",
        "UPDATE snapshots SET state = substr(state, 33) WHERE stream_key = POOR",
        "UPDATE snapshots SET state = '' WHERE stream_key = POOR",
        "UPDATE snapshots s SET (version, shape, state) = (SELECT version, shape, state FROM snapshots WHERE stream_key = RICH) WHERE stream_key = POOR",
        // What it spent once more is not in it any more.
        "UPDATE snapshots SET version = version + 40 WHERE stream_key = POOR",
    ];
    for forgery in forgeries {
        bank.tamper(forgery).await;
        let node = bank.fresh_node().await;
        let refused = node.ask::<CreateDebit>(spend(bank.poor)).await;
        assert!(matches!(&refused, Err(Rejection::Refused(refused)) if refused.code == Code::InsufficientPoints), "{forgery}: {refused:?}");
        assert_eq!(node.account(bank.poor).await.balance().posted, 0, "{forgery}");
        bank.tamper("DELETE FROM snapshots; INSERT INTO snapshots SELECT * FROM kept").await;
    }
}

/// Otherwise the test above would show nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_of_this_system_stands_for_the_events_before_it() {
    let bank = Bank::open().await;
    bank.tamper(
        "DELETE FROM events e USING snapshots s WHERE s.stream_key = RICH AND e.stream_key = s.stream_key AND e.version <= s.version",
    )
    .await;
    assert_eq!(bank.fresh_node().await.account(bank.rich).await.balance().posted, 4_850);
}
