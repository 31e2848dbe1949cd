//! Given an organization, when people and time move a deletion, then what it is about moves with it.

mod asked;
mod holds;
mod kinds;

use super::*;
use crate::engine::{Clock, Engine, EngineOptions, Operation, Receipt, Rejection};
use crate::identity::{AssignRole, CreateUser, Enter, SuspendUser};
use crate::organizations::CreateOrganization;
use crate::privacy::{
    ClientContexts, KeyRing, client_context::MemoryClientContextTable, data_keys::MemoryDataKeyTable, key_store::MemoryKeyStore,
};
use crate::store::memory::MemoryStore;
use chrono::TimeDelta;
use palmares_domain::{
    compliance::{
        deletion_request::{Check, CheckOutcome, Checked, DeletionKind, DeletionStatus, ErasureStep},
        legal_holds::Span,
        retention_schedule::RecordClass,
    },
    identity::{Rights, Role, credential::CredentialAction, user::UserStatus},
    kernel::{Admitted, Code, LegalHoldId, OrganizationId, Purpose, UserId},
    organizations::organization::OrganizationStatus,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// Who asks, and with which role.
#[derive(Clone, Copy)]
struct As(UserId, Role);

const OFFICER: As = As(UserId(Uuid::from_u128(3)), Role::ComplianceOfficer);
const PLATFORM: As = As(UserId(Uuid::from_u128(4)), Role::PlatformAdmin);
const SECOND: As = As(UserId(Uuid::from_u128(5)), Role::PlatformAdmin);
const THIRD: As = As(UserId(Uuid::from_u128(6)), Role::PlatformAdmin);
const SYSTEM: As = As(UserId(Uuid::from_u128(9)), Role::Member);

struct World {
    engine: Arc<Engine>,
    clock: Clock,
    organization: OrganizationId,
    admin: As,
}

impl World {
    async fn new() -> Self {
        let ring = Arc::new(KeyRing::new(Arc::new(MemoryKeyStore::default()), Arc::new(MemoryDataKeyTable::default())));
        let contexts = Arc::new(ClientContexts::new(ring.clone(), Arc::new(MemoryClientContextTable::default())));
        let clock = Clock::default();
        let options = EngineOptions { clock: clock.clone(), ..EngineOptions::default() };
        let engine = Engine::new(Arc::new(MemoryStore::default()), ring, contexts, options);
        let mut world =
            Self { engine, clock, organization: OrganizationId::PLATFORM, admin: As(UserId(Uuid::from_u128(2)), Role::OrganizationAdmin) };
        let created = world.ask::<CreateOrganization>(PLATFORM, json!({ "name": "Acme", "slug": "acme" })).await.unwrap();
        world.organization = created.answer.0["id"].as_str().unwrap().parse().unwrap();
        world.admin = As(world.user("admin", Role::OrganizationAdmin).await, Role::OrganizationAdmin);
        world
    }

    async fn execute<O: Operation>(&self, caller: As, operation: O) -> Result<Receipt, Rejection> {
        let request_id = Uuid::now_v7();
        let admission =
            Admission { rights: Rights::built_in([caller.1]), ..Admission::of(self.organization, caller.0, "test", request_id) };
        #[expect(clippy::disallowed_methods, reason = "a test has no gate")]
        self.engine.execute(Admitted::grant(admission, operation)).await
    }

    async fn ask<O: Operation + DeserializeOwned>(&self, caller: As, body: Value) -> Result<Receipt, Rejection> {
        self.execute(caller, serde_json::from_value::<O>(body).unwrap()).await
    }

    async fn user(&self, external_ref: &str, role: Role) -> UserId {
        let body = json!({ "external_ref": external_ref, "role": role.name() });
        self.ask::<CreateUser>(self.admin, body).await.unwrap().answer.0["id"].as_str().unwrap().parse().unwrap()
    }

    async fn status(&self, user: UserId) -> UserStatus {
        self.engine.look(self.organization, user, |user: &User| user.profile().unwrap().status).await.unwrap()
    }

    async fn of_organization(&self) -> OrganizationStatus {
        let status = |organization: &Organization| organization.profile().unwrap().status;
        self.engine.look(self.organization, self.organization, status).await.unwrap()
    }

    async fn request(&self, subject: DeletionSubject) -> palmares_domain::compliance::deletion_request::Dossier {
        let request = DeletionRequestId::of(subject.id());
        self.engine.look(self.organization, request, |request: &DeletionRequest| request.dossier().cloned()).await.unwrap().unwrap()
    }

    /// Shows the second factor of whoever asked.
    async fn verify(&self, caller: As, subject: DeletionSubject) -> Result<Receipt, Rejection> {
        let enrol = vec![CredentialAction::BeginTotp { secret: "A".repeat(32) }, CredentialAction::ConfirmTotp { step: 10 }];
        // Whoever is of the platform has no account here, and whoever has one enrols once.
        let _ = self.execute(caller, Enter::change(caller.0, enrol)).await;
        let request_id = DeletionRequestId::of(subject.id());
        self.execute(
            caller,
            VerifyDeletion {
                request_id,
                subject,
                home: self.organization,
                proof: CredentialAction::RecordTotp { step: 20 },
                other_officers: Vec::new(),
            },
        )
        .await
    }

    async fn on_request<O: Operation + DeserializeOwned + ConcernsRequest>(
        &self,
        caller: As,
        subject: DeletionSubject,
    ) -> Result<Receipt, Rejection> {
        self.on_request_with::<O>(caller, subject, json!({})).await
    }

    async fn on_request_with<O: Operation + DeserializeOwned + ConcernsRequest>(
        &self,
        caller: As,
        subject: DeletionSubject,
        mut body: Value,
    ) -> Result<Receipt, Rejection> {
        body["request_id"] = json!(DeletionRequestId::of(subject.id()));
        let mut operation: O = serde_json::from_value(body).unwrap();
        operation.about(subject);
        self.execute(caller, operation).await
    }

    async fn approve(&self, caller: As, subject: DeletionSubject) -> Result<Receipt, Rejection> {
        self.on_request::<ApproveDeletion>(caller, subject).await
    }

    /// Asked for, proven and approved.
    async fn in_grace(&self, user: UserId) -> DeletionSubject {
        let (subject, own) = (DeletionSubject::User(user), As(user, Role::Member));
        self.ask::<SubmitDeletion>(own, json!({ "user_id": user })).await.unwrap();
        self.verify(own, subject).await.unwrap();
        self.approve(OFFICER, subject).await.unwrap();
        subject
    }

    async fn end_grace(&self, subject: DeletionSubject) -> Receipt {
        let request_id = DeletionRequestId::of(subject.id());
        self.execute(SYSTEM, EndGrace { request_id, subject, footprint: Some(Span::default()) }).await.unwrap()
    }

    async fn begin_erasure(&self, subject: DeletionSubject) -> Receipt {
        let request_id = DeletionRequestId::of(subject.id());
        self.execute(SYSTEM, BeginErasure { request_id, subject, footprint: Some(Span::default()) }).await.unwrap()
    }

    async fn erase(&self, subject: DeletionSubject) -> Receipt {
        let request_id = DeletionRequestId::of(subject.id());
        self.begin_erasure(subject).await;
        for step in ErasureStep::ALL {
            self.execute(SYSTEM, RecordErasureStep { request_id, step, count: 0, claims: Vec::new() }).await.unwrap();
        }
        self.execute(SYSTEM, CertifyErasure { request_id, subject, certificate: "signed".into() }).await.unwrap()
    }

    fn days(&self, days: i64) {
        self.clock.advance(TimeDelta::days(days));
    }
}

#[track_caller]
fn refusal(outcome: Result<Receipt, Rejection>) -> (Code, String) {
    match outcome.unwrap_err() {
        Rejection::Refused(refused) => (refused.code, refused.reason.into_owned()),
        other => panic!("{other}"),
    }
}

#[track_caller]
fn became(receipt: &Receipt) -> &str {
    receipt.answer.0["status"].as_str().unwrap()
}

/// covers: E-166, E-165, E-292
#[tokio::test]
async fn a_user_goes_from_the_wish_to_the_purge_and_nothing_is_early() {
    let world = World::new().await;
    let ada = world.user("ada", Role::Member).await;
    let (subject, own) = (DeletionSubject::User(ada), As(ada, Role::Member));
    let submitted = world.ask::<SubmitDeletion>(own, json!({ "user_id": ada, "reason": "leaving" })).await.unwrap();
    assert_eq!((became(&submitted), world.status(ada).await), ("SUBMITTED", UserStatus::Active));
    assert_eq!(world.request(subject).await.kind, DeletionKind::OwnAccount);
    assert_eq!(refusal(world.approve(OFFICER, subject).await).1, "compliance.deletion_transition_forbidden");

    assert_eq!(became(&world.verify(own, subject).await.unwrap()), "IN_REVIEW");
    assert_eq!(world.status(ada).await, UserStatus::DeletionRequested);
    assert_eq!(became(&world.approve(OFFICER, subject).await.unwrap()), "GRACE");
    world.days(29);
    assert_eq!(became(&world.end_grace(subject).await), "GRACE");
    world.days(1);
    assert_eq!(became(&world.end_grace(subject).await), "SOFT_DELETED");
    assert_eq!(world.status(ada).await, UserStatus::SoftDeleted);
    world.days(29);
    assert_eq!(became(&world.begin_erasure(subject).await), "SOFT_DELETED");
    assert!(world.request(subject).await.erasure.is_none());
    world.days(1);
    assert_eq!(became(&world.erase(subject).await), "RETENTION_COUNTDOWN");

    // What tax and employment law keep has its date, and only that is left.
    let kept: Vec<_> = world.request(subject).await.retained.iter().map(|kept| kept.purpose).collect();
    assert_eq!(kept, [Purpose::Reward, Purpose::Hr]);
    assert_eq!(world.status(ada).await, UserStatus::SoftDeleted);
    world.days(3652);
    assert_eq!((became(&world.begin_erasure(subject).await), world.request(subject).await.rounds), ("RETENTION_COUNTDOWN", 1));
    world.days(2);
    assert_eq!(became(&world.erase(subject).await), "PURGED");
    assert_eq!(world.status(ada).await, UserStatus::Purged);
}

/// covers: E-161, E-155
#[tokio::test]
async fn a_deletion_is_cancelled_in_grace_and_undone_within_the_recovery_window() {
    let world = World::new().await;
    let ada = world.user("ada", Role::Member).await;
    let subject = world.in_grace(ada).await;
    world.on_request::<CancelDeletion>(As(ada, Role::Member), subject).await.unwrap();
    assert_eq!(world.status(ada).await, UserStatus::Active);

    let bea = world.user("bea", Role::Member).await;
    let subject = world.in_grace(bea).await;
    world.days(30);
    world.end_grace(subject).await;
    assert_eq!(refusal(world.on_request::<CancelDeletion>(OFFICER, subject).await).1, "compliance.deletion_transition_forbidden");
    world.days(29);
    // What she asked for herself nobody undoes for her without a word.
    assert_eq!(refusal(world.on_request::<RestoreDeletion>(world.admin, subject).await).1, "compliance.deletion_reason_missing");
    let why = json!({ "reason": "She called, and asked us to." });
    assert_eq!(became(&world.on_request_with::<RestoreDeletion>(world.admin, subject, why.clone()).await.unwrap()), "RESTORED");
    assert_eq!(world.status(bea).await, UserStatus::Active);

    let cleo = world.user("cleo", Role::Member).await;
    let subject = world.in_grace(cleo).await;
    world.days(30);
    world.end_grace(subject).await;
    world.days(30);
    let late = world.on_request_with::<RestoreDeletion>(world.admin, subject, why).await;
    assert_eq!(refusal(late).1, "compliance.deletion_recovery_over");
}

#[tokio::test]
async fn nobody_takes_back_what_an_administrator_asked_about_them() {
    let world = World::new().await;
    let ada = world.user("ada", Role::Member).await;
    let subject = DeletionSubject::User(ada);
    world.ask::<SuspendUser>(world.admin, json!({ "user_id": ada })).await.unwrap();
    world.ask::<SubmitDeletion>(world.admin, json!({ "user_id": ada })).await.unwrap();
    assert_eq!(world.request(subject).await.kind, DeletionKind::ByAdmin);
    world.verify(world.admin, subject).await.unwrap();
    let own = As(ada, Role::Member);
    assert_eq!(
        refusal(world.ask::<CancelUserDeletion>(own, json!({ "user_id": ada })).await),
        (Code::AccessDenied, "compliance.deletion_not_yours".into())
    );
    assert_eq!(refusal(world.approve(world.admin, subject).await).1, "compliance.deletion_own_request");
    world.on_request_with::<RefuseDeletion>(OFFICER, subject, json!({ "ground": "legal_claims" })).await.unwrap();
    // As it was before.
    assert_eq!((world.status(ada).await, world.request(subject).await.status), (UserStatus::Suspended, DeletionStatus::Refused));
}

/// covers: E-46
#[tokio::test]
async fn nobody_deletes_whoever_may_more_than_they_do() {
    let world = World::new().await;
    let officer = As(world.user("officer", Role::ComplianceOfficer).await, Role::ComplianceOfficer);
    let refused = refusal(world.ask::<SubmitDeletion>(officer, json!({ "user_id": world.admin.0 })).await);
    assert_eq!(refused, (Code::AccessDenied, "identity.permission_escalation_attempt".into()));
    let nobody = json!({ "user_id": Uuid::from_u128(77) });
    assert_eq!(refusal(world.ask::<SubmitDeletion>(world.admin, nobody).await).1, "identity.user_not_found");
}

/// covers: E-180, E-47
#[tokio::test]
async fn another_schedule_moves_the_date_of_what_is_kept() {
    let world = World::new().await;
    let ada = world.user("ada", Role::Member).await;
    let subject = world.in_grace(ada).await;
    world.days(30);
    world.end_grace(subject).await;
    world.days(30);
    world.erase(subject).await;
    let before = world.request(subject).await;
    for class in [RecordClass::Billing, RecordClass::Employment] {
        world.ask::<SetRetentionPeriod>(OFFICER, json!({ "class": class.name(), "days": 2000 })).await.unwrap();
    }
    world.execute(SYSTEM, RescheduleRetention { request_id: DeletionRequestId::of(ada) }).await.unwrap();
    let after = world.request(subject).await;
    assert_eq!(before.due_at.unwrap() - after.due_at.unwrap(), TimeDelta::days(1653));

    // Who administers an organization keeps what it has to keep no shorter, and longer as they like.
    let set = |days: u32| world.ask::<SetRetentionPeriod>(world.admin, json!({ "class": "BILLING", "days": days }));
    let refused = (Code::AccessDenied, "compliance.retention_not_yours_to_shorten".to_owned());
    assert_eq!(refusal(set(1999).await), refused);
    set(4000).await.unwrap();
    assert_eq!(refusal(set(3653).await), refused, "not by taking back what they set either");
    assert_eq!(refusal(set(100).await).1, "compliance.retention_period_out_of_range");
    world.ask::<SetRetentionPeriod>(PLATFORM, json!({ "class": "BILLING", "days": 2000 })).await.unwrap();
    let short = json!({ "class": "AUDIT", "days": 365 });
    assert_eq!(refusal(world.ask::<SetRetentionPeriod>(OFFICER, short).await).1, "compliance.retention_period_out_of_range");
}
