//! Given users, when they prove themselves, then sessions; and nothing is used twice.

use super::*;
use crate::compliance::{SubmitDeletion, VerifyDeletion};
use crate::engine::{Answer, Engine, EngineOptions, Operation, Receipt, Rejection};
use crate::privacy::{
    ClientContexts, KeyRing, client_context::MemoryClientContextTable, data_keys::MemoryDataKeyTable, key_store::MemoryKeyStore,
};
use crate::store::memory::MemoryStore;
use chrono::{TimeDelta, Utc};
use palmares_domain::{
    compliance::deletion_request::DeletionSubject,
    identity::{
        Rights, Role,
        credential::{self, Credential, CredentialAction, PassKind},
        sessions::{self, Carrier, Factor, Sessions, SignInMethod},
        user::UserCommand,
    },
    kernel::{Admitted, Code, DeletionRequestId, Digest, OrganizationId, PassId, SessionId, UserId},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

const ORGANIZATION: OrganizationId = OrganizationId(Uuid::from_u128(7));
const ADMIN: UserId = UserId(Uuid::from_u128(1));
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g";

struct World {
    engine: Arc<Engine>,
}

/// Who asks: the user, their session, what their roles are.
struct As(UserId, Option<SessionId>, Role);

impl World {
    fn new() -> Self {
        let ring = Arc::new(KeyRing::new(Arc::new(MemoryKeyStore::default()), Arc::new(MemoryDataKeyTable::default())));
        let contexts = Arc::new(ClientContexts::new(ring.clone(), Arc::new(MemoryClientContextTable::default())));
        Self { engine: Engine::new(Arc::new(MemoryStore::default()), ring, contexts, EngineOptions::default()) }
    }

    async fn execute_as<O: Operation>(&self, caller: As, operation: O) -> Result<Receipt, Rejection> {
        let As(actor, session, role) = caller;
        let request_id = Uuid::now_v7();
        let admission = Admission { session, rights: Rights::built_in([role]), ..Admission::of(ORGANIZATION, actor, "test", request_id) };
        #[expect(clippy::disallowed_methods, reason = "a test has no gate")]
        self.engine.execute(Admitted::grant(admission, operation)).await
    }

    async fn execute<O: Operation>(&self, operation: O) -> Result<Receipt, Rejection> {
        self.execute_as(As(ADMIN, None, Role::OrganizationAdmin), operation).await
    }

    async fn ask<O: Operation + DeserializeOwned>(&self, body: Value) -> Result<Receipt, Rejection> {
        self.execute(serde_json::from_value::<O>(body).unwrap()).await
    }

    async fn user(&self, body: Value) -> UserId {
        let Answer(answer) = self.ask::<CreateUser>(body).await.unwrap().answer;
        answer["id"].as_str().unwrap().parse().unwrap()
    }

    /// As the end of a grace period does.
    async fn soft_delete(&self, user: UserId) {
        struct SoftDelete(UserId);

        impl Operation for SoftDelete {
            fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
                vec![user_stream(admission, self.0)]
            }

            fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
                unit.run::<User>(self.0, &UserCommand::RequestDeletion)?;
                unit.run::<User>(self.0, &UserCommand::SoftDelete)?;
                Ok(Answer::default())
            }
        }

        self.execute(SoftDelete(user)).await.unwrap();
    }

    async fn member(&self, external_ref: &str) -> UserId {
        self.user(json!({ "external_ref": external_ref, "role": "member" })).await
    }

    async fn sessions(&self, user: UserId) -> Sessions {
        self.engine.state(ORGANIZATION, user).await.unwrap()
    }

    async fn credential(&self, user: UserId) -> Credential {
        self.engine.state(ORGANIZATION, user).await.unwrap()
    }

    async fn set_email(&self, user: UserId, email: &str) -> Result<Receipt, Rejection> {
        let before = OnRecord::of(&self.engine, ORGANIZATION, user).await?;
        self.execute(SetUserEmail { user_id: user, email: email.to_owned().into(), before }).await
    }
}

fn session_id(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(number))
}

fn sign_in(user_id: UserId, number: u128, actions: Vec<CredentialAction>) -> Enter {
    let start = sessions::StartSession {
        session_id: session_id(number),
        method: SignInMethod::Password,
        factors: [Factor::Password].into(),
        carrier: Carrier::Bearer,
        family: Digest([1; 32]),
        current: Digest([2; 32]),
        device: None,
        device_name: Some("phone".into()),
        expires_at: Utc::now() + TimeDelta::hours(1),
    };
    Enter { start: Some(start), ..Enter::change(user_id, actions) }
}

fn issue(user_id: UserId, number: u128, kind: PassKind) -> IssuePass {
    let pass_id = PassId(Uuid::from_u128(number));
    IssuePass { user_id, pass_id, kind, email: "ada@acme.example".into(), expires_at: Utc::now() + TimeDelta::minutes(15) }
}

fn pass(number: u128, kind: PassKind) -> CredentialAction {
    CredentialAction::UsePass { pass_id: PassId(Uuid::from_u128(number)), kind }
}

fn set_password() -> CredentialAction {
    CredentialAction::SetPassword(credential::SetPassword { hash: HASH.into(), temporary: false })
}

fn enrol(user_id: UserId) -> Enter {
    let begin = CredentialAction::BeginTotp { secret: "A".repeat(32) };
    Enter::change(user_id, vec![begin, CredentialAction::ConfirmTotp { step: 10 }])
}

fn rotate(user_id: UserId, presented: u8, next: u8) -> RotateRefresh {
    let (family, presented, next) = (Digest([1; 32]), Digest([presented; 32]), Digest([next; 32]));
    RotateRefresh {
        user_id,
        rotate: sessions::RotateRefresh { session_id: session_id(1), family, presented, next, device: None },
        sighting: None,
    }
}

fn refusal(outcome: Result<Receipt, Rejection>) -> (Code, String) {
    match outcome {
        Err(Rejection::Refused(refused)) => (refused.code, refused.reason.into_owned()),
        other => panic!("not refused: {other:?}"),
    }
}

fn status(outcome: Result<Receipt, Rejection>) -> String {
    outcome.unwrap().answer.0["status"].as_str().unwrap().to_owned()
}

/// covers: E-46, E-47
#[tokio::test]
async fn nobody_gives_themselves_a_role_and_the_last_officer_stays() {
    let world = World::new();
    let officer = world.user(json!({ "external_ref": "officer", "role": "compliance_officer" })).await;
    let give = |user: UserId| json!({ "user_id": user, "role": "compliance_officer" });
    let oneself = refusal(world.ask::<AssignRole>(give(ADMIN)).await);
    assert_eq!(oneself, (Code::AccessDenied, "identity.role_of_oneself".to_owned()));
    let last = (Code::Conflict, "identity.last_compliance_officer".to_owned());
    assert_eq!(refusal(world.ask::<SuspendUser>(json!({ "user_id": officer })).await), last);
    let other = world.member("other").await;
    let unassign = |others: Vec<UserId>| UnassignRole { user_id: officer, role: Role::ComplianceOfficer.into(), other_officers: others };
    // Whom a read model still takes for an officer has to be one.
    assert_eq!(refusal(world.execute(unassign(vec![other, officer])).await), last);
    world.ask::<AssignRole>(give(other)).await.unwrap();
    world.execute(unassign(vec![other])).await.unwrap();
}

/// covers: E-105
#[tokio::test]
async fn of_two_that_sign_in_by_one_link_at_once_one_gets_in() {
    let world = World::new();
    let ada = world.member("ada").await;
    world.execute(issue(ada, 1, PassKind::MagicLink)).await.unwrap();
    let by_link = |number| world.execute(sign_in(ada, number, vec![pass(1, PassKind::MagicLink)]));
    let (first, second) = tokio::join!(by_link(1), by_link(2));
    let lost = if first.is_ok() { second } else { first };
    assert_eq!(refusal(lost), (Code::AuthenticationFailed, "identity.pass_not_valid".to_owned()));
    assert_eq!(world.sessions(ada).await.all_live(Utc::now()).count(), 1);
    assert!(world.credential(ada).await.has_verified("ada@acme.example"));
}

/// covers: E-110
#[tokio::test]
async fn a_code_that_was_used_starts_no_session_and_uses_up_nothing_else() {
    let world = World::new();
    let ada = world.member("ada").await;
    world.execute(enrol(ada)).await.unwrap();
    world.execute(issue(ada, 1, PassKind::MagicLink)).await.unwrap();
    let with = |step| vec![pass(1, PassKind::MagicLink), CredentialAction::RecordTotp { step }];
    assert_eq!(refusal(world.execute(sign_in(ada, 1, with(10))).await).1, "identity.totp_step_used");
    assert!(!world.sessions(ada).await.is_live(session_id(1), Utc::now()));
    world.execute(sign_in(ada, 1, with(11))).await.unwrap();
    assert!(world.sessions(ada).await.is_live(session_id(1), Utc::now()));
}

#[tokio::test]
async fn a_recovery_code_signs_in_once() {
    let world = World::new();
    let ada = world.member("ada").await;
    world.execute(enrol(ada)).await.unwrap();
    let digests = (0..10).map(|number| Digest([number; 32])).collect();
    world.execute(Enter::change(ada, vec![CredentialAction::IssueRecoveryCodes { digests }])).await.unwrap();
    let by_code = |number| world.execute(sign_in(ada, number, vec![CredentialAction::UseRecoveryCode { digest: Digest([3; 32]) }]));
    by_code(1).await.unwrap();
    assert_eq!(refusal(by_code(2).await).1, "identity.recovery_code_not_valid");
}

#[tokio::test]
async fn only_who_may_act_signs_in_and_stays_signed_in() {
    let world = World::new();
    let ada = world.member("ada").await;
    world.execute(sign_in(ada, 1, Vec::new())).await.unwrap();
    world.ask::<SuspendUser>(json!({ "user_id": ada })).await.unwrap();
    let not_active = (Code::AuthenticationFailed, "sign_in.failed".to_owned());
    assert_eq!(refusal(world.execute(sign_in(ada, 2, Vec::new())).await), not_active);
    assert_eq!(refusal(world.execute(rotate(ada, 2, 3)).await), (Code::AuthenticationFailed, "identity.session_ended".to_owned()));
    assert_eq!(refusal(world.execute(sign_in(UserId(Uuid::from_u128(99)), 3, Vec::new())).await), not_active);
    world.ask::<ResumeUser>(json!({ "user_id": ada })).await.unwrap();
    assert_eq!(status(world.execute(rotate(ada, 2, 3)).await), "ROTATED");
}

/// covers: E-109
#[tokio::test]
async fn a_refresh_token_used_twice_is_recorded_and_ends_the_session() {
    let world = World::new();
    let ada = world.member("ada").await;
    world.execute(sign_in(ada, 1, Vec::new())).await.unwrap();
    assert_eq!(status(world.execute(rotate(ada, 2, 3)).await), "ROTATED");
    assert_eq!(status(world.execute(rotate(ada, 2, 4)).await), "REUSED");
    assert_eq!(refusal(world.execute(rotate(ada, 3, 4)).await).1, "identity.session_ended");
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let world = World::new();
    let ada = world.member("ada").await;
    for number in [1, 2] {
        world.execute(sign_in(ada, number, Vec::new())).await.unwrap();
    }
    let keep = Some(session_id(2));
    world.execute(Enter { end_others: true, keep, ..Enter::change(ada, vec![set_password()]) }).await.unwrap();
    let sessions = world.sessions(ada).await;
    assert!(!sessions.is_live(session_id(1), Utc::now()) && sessions.is_live(session_id(2), Utc::now()));
    assert_eq!(world.credential(ada).await.password().map(|password| password.hash.clone()).as_deref(), Some(HASH));
}

#[tokio::test]
async fn a_link_sets_a_password_once() {
    let world = World::new();
    let ada = world.member("ada").await;
    world.execute(issue(ada, 1, PassKind::PasswordReset)).await.unwrap();
    let by_link = || world.execute(Enter::change(ada, vec![pass(1, PassKind::PasswordReset), set_password()]));
    by_link().await.unwrap();
    assert_eq!(refusal(by_link().await).1, "identity.pass_not_valid");
}

#[tokio::test]
async fn nobody_proves_themselves_who_is_not_there_or_was_deleted() {
    let world = World::new();
    let nobody = UserId(Uuid::from_u128(99));
    let set = |user_id| world.execute(Enter::change(user_id, vec![set_password()]));
    assert_eq!(refusal(set(nobody).await).1, "sign_in.failed");
    assert_eq!(refusal(world.execute(issue(nobody, 1, PassKind::MagicLink)).await).1, "identity.user_not_found");
    let ada = world.member("ada").await;
    let request_id = DeletionRequestId::of(ada);
    let submit: SubmitDeletion = serde_json::from_value(json!({ "user_id": ada })).unwrap();
    world.execute(submit).await.unwrap();
    let proof = CredentialAction::BeginTotp { secret: "A".repeat(32) };
    world
        .execute(VerifyDeletion { request_id, subject: DeletionSubject::User(ada), home: ORGANIZATION, proof, other_officers: vec![] })
        .await
        .unwrap();
    // Who is to be deleted comes in, to export and to cancel.
    world.execute(issue(ada, 1, PassKind::MagicLink)).await.unwrap();
    set(ada).await.unwrap();
    let deleted = world.member("bea").await;
    world.soft_delete(deleted).await;
    assert_eq!(refusal(set(deleted).await).1, "sign_in.failed");
    assert_eq!(refusal(world.execute(issue(deleted, 1, PassKind::MagicLink)).await).1, "identity.user_deleted");
}

/// covers: E-111
#[tokio::test]
async fn a_code_that_is_typed_wrong_five_times_is_void() {
    let world = World::new();
    let ada = world.member("ada").await;
    world.execute(issue(ada, 1, PassKind::EmailCode)).await.unwrap();
    let fail = || FailPass { user_id: ada, pass_id: PassId(Uuid::from_u128(1)), kind: PassKind::EmailCode };
    for _ in 0..5 {
        world.execute(fail()).await.unwrap();
    }
    assert_eq!(refusal(world.execute(fail()).await).1, "identity.pass_not_valid");
    assert_eq!(refusal(world.execute(sign_in(ada, 1, vec![pass(1, PassKind::EmailCode)])).await).1, "identity.pass_not_valid");
}

#[tokio::test]
async fn an_account_elsewhere_signs_one_user_in() {
    let world = World::new();
    let (ada, bob) = (world.member("ada").await, world.member("bob").await);
    let link = |user, subject: &str| world.execute(LinkExternalIdentity::new(user, Digest([7; 32]), subject.into()));
    link(ada, "248289761001").await.unwrap();
    assert_eq!(refusal(link(bob, "248289761001").await), (Code::Conflict, "identity.external_identity_taken".to_owned()));
    link(bob, "another").await.unwrap();
    assert_eq!(refusal(link(bob, "a third").await).1, "identity.external_identity_linked_already");
}

#[tokio::test]
async fn an_address_has_one_user_however_it_is_spelled_and_is_free_again_once_changed() {
    let world = World::new();
    let ada = world.user(json!({ "external_ref": "ada", "role": "member", "email": "Ada@acme.example" })).await;
    let bob = world.member("bob").await;
    let taken = (Code::Conflict, "identity.email_taken".to_owned());
    assert_eq!(refusal(world.set_email(bob, "ada@ACME.example").await), taken);
    let twin = json!({ "external_ref": "twin", "role": "member", "email": "ADA@acme.example" });
    assert_eq!(refusal(world.ask::<CreateUser>(twin).await), taken);
    world.set_email(ada, "ada@acme.example").await.expect("one's own address in another spelling");
    world.set_email(ada, "lovelace@acme.example").await.unwrap();
    world.set_email(bob, "ada@acme.example").await.expect("the address is free again");
    assert_eq!(refusal(world.set_email(ada, "Ada@acme.example").await), taken);
    assert_eq!(refusal(world.set_email(ada, "nowhere").await), (Code::ValidationError, "identity.email_invalid".to_owned()));
}

/// Or the one before would stay claimed for ever: nothing in the log says what it was claimed under.
#[tokio::test]
async fn no_address_is_set_over_one_that_is_not_known() {
    let world = World::new();
    let ada = world.user(json!({ "external_ref": "ada", "role": "member", "email": "ada@acme.example" })).await;
    let set = |email: &str, before| world.execute(SetUserEmail { user_id: ada, email: email.to_owned().into(), before });
    let not_known = (Code::Conflict, "identity.email_not_known".to_owned());
    assert_eq!(refusal(set("lovelace@acme.example", None).await), not_known);
    let first = OnRecord::of(&world.engine, ORGANIZATION, ada).await.unwrap();
    set("lovelace@acme.example", first).await.unwrap();
    assert_eq!(refusal(set("byron@acme.example", first).await), not_known, "it was set since");
    set("ADA@acme.example", OnRecord::of(&world.engine, ORGANIZATION, ada).await.unwrap()).await.expect("it was let go");
}

/// covers: E-46
#[tokio::test]
async fn nobody_sets_the_address_of_who_may_more_than_they() {
    let world = World::new();
    let boss = world.user(json!({ "external_ref": "boss", "role": "organization_admin" })).await;
    let ada = world.member("ada").await;
    let set = |user_id| SetUserEmail { user_id, email: Email::from("x@acme.example".to_owned()), before: None };
    let by_analyst = |user_id| world.execute_as(As(UserId(Uuid::from_u128(50)), None, Role::Analyst), set(user_id));
    assert_eq!(refusal(by_analyst(boss).await), (Code::AccessDenied, "identity.permission_escalation_attempt".to_owned()));
    by_analyst(ada).await.unwrap();
    world
        .execute_as(As(boss, None, Role::Member), SetUserEmail { email: Email::from("b@acme.example".to_owned()), ..set(boss) })
        .await
        .unwrap();
}

/// covers: E-114, E-115, E-116
#[tokio::test]
async fn sessions_end_one_by_one_and_all_at_once() {
    let world = World::new();
    let ada = world.member("ada").await;
    for number in 1..=4 {
        world.execute(sign_in(ada, number, Vec::new())).await.unwrap();
    }
    let caller = || As(ada, Some(session_id(2)), Role::Member);
    let one = |number| RevokeSession { user_id: ada, session_id: session_id(number) };
    world.execute_as(caller(), one(1)).await.unwrap();
    assert_eq!(refusal(world.execute_as(caller(), one(1)).await), (Code::ResourceNotFound, "identity.session_not_found".to_owned()));
    world.execute_as(caller(), RevokeUserSessions { user_id: ada, keep_current: true }).await.unwrap();
    let live = |sessions: Sessions| sessions.all_live(Utc::now()).map(|(session_id, _)| session_id).collect::<Vec<_>>();
    assert_eq!(live(world.sessions(ada).await), [session_id(2)]);
    world.execute(RevokeUserSessions { user_id: ada, keep_current: false }).await.unwrap();
    assert!(live(world.sessions(ada).await).is_empty());
    let nobody = RevokeUserSessions { user_id: UserId(Uuid::from_u128(99)), keep_current: false };
    assert_eq!(refusal(world.execute(nobody).await).1, "identity.user_not_found");
}
