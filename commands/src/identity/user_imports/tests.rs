use super::*;
use crate::engine::{EngineOptions, Receipt};
use crate::identity::{Email, InviteUser, RevokeInvitation};
use crate::privacy::{
    ClientContexts, KeyRing, client_context::MemoryClientContextTable, data_keys::MemoryDataKeyTable, key_store::MemoryKeyStore,
};
use crate::store::memory::MemoryStore;
use palmares_domain::{
    identity::{
        Rights, Role,
        invitation::{Invitation, InvitationStatus},
        user::{User, UserStatus},
        user_import::{invitation_of_row, user_of_row},
    },
    kernel::{Admitted, CommandId, Idempotency},
};
use serde_json::{Value, json};
use std::sync::Arc;

const ORGANIZATION: OrganizationId = OrganizationId(Uuid::from_u128(7));
const ADMIN: UserId = UserId(Uuid::from_u128(1));

struct World {
    engine: Arc<Engine>,
    role: Role,
}

impl World {
    fn new() -> Self {
        let ring = Arc::new(KeyRing::new(Arc::new(MemoryKeyStore::default()), Arc::new(MemoryDataKeyTable::default())));
        let contexts = Arc::new(ClientContexts::new(ring.clone(), Arc::new(MemoryClientContextTable::default())));
        let engine = Engine::new(Arc::new(MemoryStore::default()), ring, contexts, EngineOptions::default());
        Self { engine, role: Role::OrganizationAdmin }
    }

    /// The same world, seen by somebody with another role.
    fn as_role(&self, role: Role) -> Self {
        Self { engine: self.engine.clone(), role }
    }

    async fn execute<O: Operation>(&self, operation: O) -> Result<Receipt, Rejection> {
        self.execute_as(None, operation).await
    }

    async fn execute_as<O: Operation>(&self, command: Option<u128>, operation: O) -> Result<Receipt, Rejection> {
        let request_id = Uuid::now_v7();
        let idempotency = command.map(|id| Idempotency { command_id: CommandId(Uuid::from_u128(id)), request_hash: [0; 32] });
        let admission =
            Admission { rights: Rights::built_in([self.role]), idempotency, ..Admission::of(ORGANIZATION, ADMIN, "test", request_id) };
        #[expect(clippy::disallowed_methods, reason = "a test has no gate")]
        self.engine.execute(Admitted::grant(admission, operation)).await
    }

    async fn upload(&self, rows: &[&str]) -> Result<Value, Rejection> {
        let csv = format!("email,display_name,role\n{}", rows.join("\n"));
        let mut upload: UploadImport = serde_json::from_value(json!({ "csv": csv })).unwrap();
        upload.read(&self.engine, ORGANIZATION).await?;
        self.execute(upload).await.map(|receipt| json!(receipt.answer))
    }

    /// An import of these rows that runs.
    async fn running(&self, rows: &[&str]) -> ImportId {
        let import_id = id(&self.upload(rows).await.unwrap());
        self.execute(ConfirmImport { import_id }).await.unwrap();
        self.execute(BeginImport { import_id }).await.unwrap();
        import_id
    }

    async fn invite_row(&self, import_id: ImportId, row: u32, email: &str) -> Result<Receipt, Rejection> {
        let email = Email::from(email.to_owned());
        self.execute(InviteImportRow { import_id, row, email, display_name: None, role: Role::Member.into() }).await
    }

    async fn invite(&self, email: &str) -> Result<Receipt, Rejection> {
        let body = json!({ "organization_id": ORGANIZATION, "email": email, "role": "member" });
        self.execute(serde_json::from_value::<InviteUser>(body).unwrap()).await
    }

    async fn statuses(&self, import: ImportId, row: u32) -> (Option<InvitationStatus>, Option<UserStatus>) {
        let invitation: Invitation = self.engine.state(ORGANIZATION, invitation_of_row(import, row)).await.unwrap();
        let user: User = self.engine.state(ORGANIZATION, user_of_row(import, row)).await.unwrap();
        (invitation.terms().map(|terms| terms.status), user.profile().map(|profile| profile.status))
    }

    async fn row(&self, import: ImportId, row: u32) -> Option<RowStatus> {
        let state: UserImport = self.engine.state(ORGANIZATION, import).await.unwrap();
        state.import().and_then(|import| import.row(row))
    }
}

fn id(answer: &Value) -> ImportId {
    answer["id"].as_str().unwrap().parse().unwrap()
}

fn reason<T: std::fmt::Debug>(outcome: Result<T, Rejection>) -> String {
    match outcome {
        Err(Rejection::Refused(refused)) => refused.errors.first().map_or(refused.reason.into_owned(), |error| error.reason.clone()),
        other => panic!("not refused: {other:?}"),
    }
}

// covers: E-133
#[tokio::test]
async fn an_upload_says_what_would_happen_and_invites_nobody() {
    let world = World::new();
    world.invite("grace@acme.example").await.unwrap();
    let rows = [
        "ada@acme.example,Ada,member",
        "GRACE@acme.example,Grace,member",
        "ada@ACME.example,Ada again,member",
        "nobody,,member",
        "eve@acme.example,,platform_admin",
        "joan@acme.example,,01924f5e-7c3a-7b1c-8f2d-3a4b5c6d7e8f",
    ];
    let answer = world.upload(&rows).await.unwrap();
    let counts = json!([answer["status"], answer["rows"], answer["to_invite"], answer["existing"], answer["rejected"]]);
    assert_eq!(counts, json!(["PREVIEWED", 6, 1, 1, 4]));
    let import = id(&answer);
    assert_eq!(world.statuses(import, 1).await, (None, None));
    world.invite("ada@acme.example").await.unwrap();
}

// covers: E-46
#[tokio::test]
async fn nobody_imports_people_into_more_than_they_may_themselves() {
    let world = World::new();
    let recruiter = world.as_role(Role::Analyst);
    let rows = ["ada@acme.example,,organization_admin", "grace@acme.example,,member"];
    let answer = recruiter.upload(&rows).await.unwrap();
    assert_eq!((&answer["to_invite"], &answer["rejected"]), (&json!(1), &json!(1)));
    // What somebody with more rights uploaded is theirs to let run.
    let import_id = id(&world.upload(&rows).await.unwrap());
    assert_eq!(reason(recruiter.execute(ConfirmImport { import_id }).await), "identity.permission_escalation_attempt");
    world.execute(ConfirmImport { import_id }).await.unwrap();
}

// covers: E-133
#[tokio::test]
async fn a_row_makes_a_user_and_an_invitation_once() {
    let world = World::new();
    let import = world.running(&["ada@acme.example,,member"]).await;
    for _ in 0..2 {
        let answer = world.invite_row(import, 1, "ada@acme.example").await.unwrap().answer;
        assert_eq!(answer.0["status"], "INVITED");
    }
    assert_eq!(world.statuses(import, 1).await, (Some(InvitationStatus::Pending), Some(UserStatus::Invited)));
    assert_eq!(reason(world.invite("ada@acme.example").await), "identity.email_taken");
    assert_eq!(reason(world.invite_row(import, 2, "eve@acme.example").await), "identity.import_row_not_open");
}

// covers: E-134
#[tokio::test]
async fn a_row_that_is_refused_leaves_nothing_and_may_be_run_again() {
    let world = World::new();
    let import_id = world.running(&["ada@acme.example,,member", "grace@acme.example,,member"]).await;
    // Somebody was quicker.
    let other = world.invite("ada@acme.example").await.unwrap().answer;
    assert_eq!(reason(world.invite_row(import_id, 1, "ada@acme.example").await), "identity.email_taken");
    assert_eq!((world.row(import_id, 1).await, world.statuses(import_id, 1).await), (Some(RowStatus::Ready), (None, None)));
    world.execute(FailImportRow { import_id, row: 1, fault: RowFault::EmailTaken }).await.unwrap();
    world.invite_row(import_id, 2, "grace@acme.example").await.unwrap();
    let finished = world.execute(FinishImport { import_id }).await.unwrap();
    assert_eq!(finished.answer.0["status"], "PARTIAL");

    let invitation_id = other.0["id"].as_str().unwrap().parse().unwrap();
    let email = Some(Email::from("ada@acme.example".to_owned()));
    world.execute(RevokeInvitation { invitation_id, email }).await.unwrap();
    world.execute(RetryImport { import_id }).await.unwrap();
    world.invite_row(import_id, 1, "ada@acme.example").await.unwrap();
    assert_eq!(world.execute(FinishImport { import_id }).await.unwrap().answer.0["status"], "DONE");
}

// covers: E-134
#[tokio::test]
async fn what_is_rolled_back_is_revoked_unless_somebody_acted_on_it() {
    let world = World::new();
    let rows = ["ada@acme.example,,member", "grace@acme.example,,member", "joan@acme.example,,member"];
    let import_id = world.running(&rows).await;
    world.invite_row(import_id, 1, "ada@acme.example").await.unwrap();
    world.invite_row(import_id, 2, "grace@acme.example").await.unwrap();
    world.execute(FailImportRow { import_id, row: 3, fault: RowFault::Refused }).await.unwrap();
    world.execute(FinishImport { import_id }).await.unwrap();
    let accept = crate::identity::AcceptInvitation {
        invitation_id: invitation_of_row(import_id, 2),
        user_id: user_of_row(import_id, 2),
        generation: 1,
    };
    world.execute(accept).await.unwrap();
    world.execute(RollBackImport { import_id }).await.unwrap();
    for _ in 0..2 {
        for (row, email, status) in [(1, "ada@acme.example", "REVOKED"), (2, "grace@acme.example", "KEPT")] {
            let email = Some(Email::from(email.to_owned()));
            let answer = world.execute(RevokeImportRow { import_id, row, email }).await.unwrap().answer;
            assert_eq!(answer.0["status"], status);
        }
    }
    assert_eq!(world.statuses(import_id, 1).await.0, Some(InvitationStatus::Revoked));
    assert_eq!(world.statuses(import_id, 2).await.0, Some(InvitationStatus::Accepted));
    // The address of the one is free again, that of the other is not.
    world.invite("ada@acme.example").await.unwrap();
    assert_eq!(reason(world.invite("grace@acme.example").await), "identity.email_taken");
}

#[tokio::test]
async fn the_same_upload_sent_again_is_the_same_import() {
    let world = World::new();
    let upload = async || {
        let mut upload: UploadImport = serde_json::from_value(json!({ "csv": "email,role\nada@acme.example,member" })).unwrap();
        upload.read(&world.engine, ORGANIZATION).await.unwrap();
        world.execute_as(Some(5), upload).await.unwrap()
    };
    let (first, second) = (upload().await, upload().await);
    assert_eq!((first.answer, second.replayed), (second.answer, true));
}

#[test]
fn debug_output_holds_nothing_of_the_table() {
    let upload: UploadImport = serde_json::from_value(json!({ "csv": "email,role\nada@acme.example,member" })).unwrap();
    assert!(!format!("{upload:?}").contains("acme.example"));
}
