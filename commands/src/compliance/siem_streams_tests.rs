//! Who may open streams, and how many are active.

use super::*;
use crate::{
    engine::{Engine, EngineOptions, Receipt, Rejection},
    privacy::{
        ClientContexts, KeyRing, client_context::MemoryClientContextTable, data_keys::MemoryDataKeyTable, key_store::MemoryKeyStore,
    },
    store::memory::MemoryStore,
};
use palmares_domain::{
    identity::{Rights, Role},
    kernel::{Admitted, OrganizationId, UserId},
};
use std::sync::Arc;
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
const OTHER: OrganizationId = OrganizationId(Uuid::from_u128(2));

struct World(Arc<Engine>);

impl World {
    fn new() -> Self {
        let ring = Arc::new(KeyRing::new(Arc::new(MemoryKeyStore::default()), Arc::new(MemoryDataKeyTable::default())));
        let contexts = Arc::new(ClientContexts::new(ring.clone(), Arc::new(MemoryClientContextTable::default())));
        Self(Engine::new(Arc::new(MemoryStore::default()), ring, contexts, EngineOptions::default()))
    }

    async fn run(&self, organization: OrganizationId, role: Role, operation: impl Operation) -> Result<Receipt, Rejection> {
        let admission = Admission {
            rights: Rights::built_in([role]),
            ..Admission::of(organization, UserId(Uuid::from_u128(3)), "test", Uuid::now_v7())
        };
        #[expect(clippy::disallowed_methods, reason = "a test has no gate")]
        self.0.execute(Admitted::grant(admission, operation)).await
    }

    async fn open(&self, organization: OrganizationId, role: Role) -> Result<SiemStreamId, Rejection> {
        let opened = self.run(organization, role, open()).await?;
        Ok(opened.answer.0["id"].as_str().unwrap().parse().unwrap())
    }
}

fn open() -> OpenSiemStream {
    serde_json::from_value(serde_json::json!({ "url": "https://siem.acme.example/in", "format": "ocsf" })).unwrap()
}

fn reason<T: std::fmt::Debug>(result: Result<T, Rejection>) -> String {
    match result {
        Err(Rejection::Refused(refused)) => refused.reason.into_owned(),
        other => panic!("{other:?}"),
    }
}

// covers: P-54
#[tokio::test]
async fn whoever_may_not_read_what_is_confidential_sends_it_nowhere() {
    let world = World::new();
    for role in Role::ALL {
        let opened = world.open(ACME, role).await;
        match Rights::built_in([role]).clearance() < DataClass::Confidential {
            true => assert_eq!(reason(opened), "compliance.siem_stream_above_clearance", "{role:?}"),
            false => assert!(opened.is_ok(), "{role:?}: {opened:?}"),
        }
    }
}

#[tokio::test]
async fn so_many_streams_of_an_organization_are_active() {
    let (world, officer) = (World::new(), Role::ComplianceOfficer);
    let mut streams = Vec::new();
    for _ in 0..STREAMS_MAX {
        streams.push(world.open(ACME, officer).await.unwrap());
    }
    assert_eq!(reason(world.open(ACME, officer).await), "compliance.too_many_siem_streams");
    assert!(world.open(OTHER, officer).await.is_ok(), "another organization has places of its own");
    let (paused, failed) = (streams[3], streams[7]);
    world.run(ACME, officer, PauseSiemStream { stream_id: paused }).await.unwrap();
    world.run(ACME, officer, FailSiemStream { stream_id: failed, reason: SiemFailure::RefusedBySink }).await.unwrap();
    for _ in 0..2 {
        world.open(ACME, officer).await.unwrap();
    }
    for stream_id in [paused, failed] {
        let resumed = world.run(ACME, officer, ResumeSiemStream { stream_id }).await;
        assert_eq!(reason(resumed), "compliance.too_many_siem_streams");
    }
    world.run(ACME, officer, PauseSiemStream { stream_id: streams[0] }).await.unwrap();
    world.run(ACME, officer, ResumeSiemStream { stream_id: paused }).await.unwrap();
    assert_eq!(reason(world.open(ACME, officer).await), "compliance.too_many_siem_streams");
}

#[tokio::test]
async fn a_topic_that_nothing_answers_to_is_named_and_opens_no_stream() {
    let world = World::new();
    let of = |topics: &[&str]| OpenSiemStream { topics: topics.iter().map(|topic| topic.parse().unwrap()).collect(), ..open() };
    let refused = world.run(ACME, Role::ComplianceOfficer, of(&["identity", "nonsense"])).await;
    let Err(Rejection::Refused(refused)) = refused else { panic!("{refused:?}") };
    assert_eq!((refused.errors[0].field.as_str(), refused.errors[0].reason.as_str()), ("topics[1]", "compliance.topic_unknown"));
    for known in ["identity", "identity.role_assigned", "points.hold_placed"] {
        assert!(world.run(ACME, Role::ComplianceOfficer, of(&[known])).await.is_ok(), "{known}");
    }
}

#[tokio::test]
async fn a_stream_that_is_closed_leaves_its_place_and_is_closed_for_good() {
    let (world, officer) = (World::new(), Role::ComplianceOfficer);
    let mut streams = Vec::new();
    for _ in 0..STREAMS_MAX {
        streams.push(world.open(ACME, officer).await.unwrap());
    }
    let stream_id = streams[0];
    let closed = world.run(ACME, officer, CloseSiemStream { stream_id }).await.unwrap();
    assert_eq!(closed.answer.0["status"], "CLOSED");
    world.open(ACME, officer).await.unwrap();
    assert_eq!(reason(world.run(ACME, officer, ResumeSiemStream { stream_id }).await), "compliance.siem_stream_closed");
    assert_eq!(reason(world.run(ACME, officer, CloseSiemStream { stream_id }).await), "compliance.siem_stream_closed");
}
