//! What a superuser does to what commands leave beside the log: claims, first answers, where requests came from.

use super::{Site, organization};
use crate::{
    engine::{Node, id, key},
    support::streams,
};
use palmares_commands::compliance::{CloseSiemStream, OpenSiemStream};
use palmares_commands::engine::{Operation, Receipt};
use palmares_commands::identity::CreateUser;
use palmares_commands::privacy::{KeyStore, key_store::MemoryKeyStore};
use palmares_commands::store::{self, Append, StreamName, StreamWrite, postgres::VoucherKey};
use palmares_domain::identity::{Rights, Role};
use palmares_domain::kernel::{Admission, Admitted, ClientContext, UserId};
use palmares_projections::engine::sealing::Unfit;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// A sealed log with a node of its own, and who gives it commands.
struct Office {
    site: Site,
    node: Node,
    officer: UserId,
}

impl Office {
    async fn open() -> Self {
        let keys: Arc<dyn KeyStore> = Arc::new(MemoryKeyStore::default());
        let site = Site::of(VoucherKey::of(keys.as_ref()).await.unwrap()).await;
        let node = Node::of(site.another_node().await, keys, organization());
        Self { site, node, officer: UserId(Uuid::now_v7()) }
    }

    /// As somebody who sits somewhere.
    async fn does<O: Operation + DeserializeOwned>(&self, body: Value) -> Receipt {
        let admission = Admission {
            rights: Rights::built_in([Role::OrganizationAdmin, Role::ComplianceOfficer]),
            idempotency: Some(key()),
            client: Some(ClientContext { ip: "203.0.113.7".into(), user_agent: None }),
            ..Admission::of(self.node.organization, self.officer, "test", Uuid::now_v7())
        };
        #[expect(clippy::disallowed_methods, reason = "a test of the engine has no gate")]
        self.node.engine.execute(Admitted::grant(admission, serde_json::from_value::<O>(body).unwrap())).await.unwrap()
    }

    /// Seals what there is, of which everything fits.
    async fn sealed(self) -> Self {
        self.site.seal().await.unwrap();
        assert_eq!(self.site.beside().await, []);
        self
    }
}

fn user(name: &str) -> Value {
    json!({ "external_ref": name, "role": "member" })
}

// covers: E-184
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_was_removed_changed_forged_or_brought_back_is_found_with_its_event() {
    let office = Office::open().await;
    for name in ["ada", "grace"] {
        office.does::<CreateUser>(user(name)).await;
    }
    office.does::<OpenSiemStream>(json!({ "url": "https://siem.example/in", "format": "json_lines" })).await;
    let Office { site, .. } = &office.sealed().await;
    let (gone, added) = (|at| (Unfit::ClaimGone, Some(at), None), |at| (Unfit::ClaimAdded, Some(at), None));
    let after = async |sql: &str| site.after(&["claims"], sql).await;

    assert_eq!(after("DELETE FROM claims WHERE position = 1").await, [gone(1)]);
    assert_eq!(after("UPDATE claims SET owner = gen_random_uuid() WHERE position = 2").await, [added(2), gone(2)]);
    assert_eq!(after("UPDATE claims SET key = gen_random_uuid() WHERE position = 2").await, [added(2), gone(2)]);
    assert_eq!(after("UPDATE claims SET salt = NULL WHERE position = 1").await, [added(1), gone(1)]);
    assert_eq!(after(&format!("UPDATE claims SET organization_id = '{}' WHERE position = 3", Uuid::now_v7())).await, [added(3), gone(3)]);
    // Wherever it is said to have been made.
    for (at, found) in [("1", 1), ("0", 0), ("1000", 1000)] {
        for salt in ["gen_random_uuid()", "NULL"] {
            let forged = format!(
                "INSERT INTO claims (organization_id, key, owner, position, salt)
                 SELECT organization_id, gen_random_uuid(), gen_random_uuid(), {at}, {salt} FROM claims LIMIT 1"
            );
            assert_eq!(after(&forged).await, [added(found)], "{forged}");
        }
    }
}

// covers: E-184
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_let_go_may_be_gone_and_may_not_come_back() {
    let office = Office::open().await;
    let sink = json!({ "url": "https://siem.example/in", "format": "json_lines" });
    let stream = id(&office.does::<OpenSiemStream>(sink.clone()).await, "id");
    let office = office.sealed().await;
    office.site.tamper("CREATE TABLE once AS TABLE claims").await;
    // The claim goes with its append, before that is sealed.
    office.does::<CloseSiemStream>(json!({ "stream_id": stream })).await;
    assert_eq!(office.site.beside().await, []);
    let office = office.sealed().await;
    let back = office.site.after(&["claims"], "INSERT INTO claims SELECT * FROM once").await;
    assert_eq!(back, [(Unfit::ClaimAdded, Some(1), None)]);
    // The same key, claimed anew, is another claim.
    office.does::<OpenSiemStream>(sink).await;
    let office = office.sealed().await;
    let older = "UPDATE claims SET (owner, position, salt) = (SELECT owner, position, salt FROM once)";
    let older = office.site.after(&["claims"], older).await;
    assert_eq!(older, [(Unfit::ClaimAdded, Some(1), None), (Unfit::ClaimGone, Some(3), None)]);
}

// covers: E-184
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_or_an_origin_that_was_removed_is_found_with_its_event() {
    let office = Office::open().await;
    office.does::<CreateUser>(user("ada")).await;
    let Office { site, officer, .. } = &office.sealed().await;
    assert_eq!(site.after(&["commands"], "DELETE FROM commands").await, [(Unfit::AnswerGone, Some(1), None)]);
    let removed = "DELETE FROM client_contexts";
    assert_eq!(site.after(&["client_contexts"], removed).await, [(Unfit::OriginGone, Some(1), None)]);
    // Of somebody who is being erased they go with the key.
    let ended = format!(
        "UPDATE data_keys SET epoch = NULL, wrapped = NULL, erasure_id = gen_random_uuid(), destroyed_at = now()
         WHERE subject_id = '{}'; {removed}",
        officer.0
    );
    assert_eq!(site.after(&["client_contexts", "data_keys"], &ended).await, []);
}

/// A log that goes on after there are commitments: what was claimed before is no finding.
// covers: E-184
#[tokio::test]
async fn a_claim_of_before_there_were_commitments_is_known_by_its_append() {
    let (site, organization) = (Site::open().await, organization());
    let [owner, other] = std::array::from_fn(|_| StreamName { organization, ..streams::stream() });
    let write = |stream| StreamWrite { stream, expected_version: 0, handle: None, events: vec![streams::event("")] };
    let claims = vec![streams::claim(organization, "slug", owner.id)];
    store::append(&site.store, Append { claims, ..streams::appends(vec![write(owner), write(other)]) }).await.unwrap();
    site.tamper("UPDATE claims SET salt = NULL").await;
    site.seal().await.unwrap();
    assert_eq!(site.beside().await, []);
    let forged = site.after(&["claims"], "UPDATE claims SET owner = gen_random_uuid()").await;
    assert_eq!(forged, [(Unfit::ClaimAdded, Some(2), None)]);
}
