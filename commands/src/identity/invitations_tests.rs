use super::*;
use crate::engine::{Engine, EngineOptions, Receipt, Rejection};
use crate::identity::{Enter, Entrant, SetUserEmail};
use crate::privacy::{
    ClientContexts, KeyRing, client_context::MemoryClientContextTable, data_keys::MemoryDataKeyTable, key_store::MemoryKeyStore,
};
use crate::store::memory::MemoryStore;
use palmares_domain::{
    identity::Rights,
    kernel::Admitted,
    organizations::{Locale, organization},
};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

const ADMIN: UserId = UserId(Uuid::from_u128(1));

/// An organization that waits for its first administrator.
struct FoundAcme(OrganizationId);

impl Operation for FoundAcme {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![StreamRef::of::<Organization>(self.0, self.0)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let create = organization::CreateOrganization {
            organization_id: self.0,
            name: "Acme".into(),
            slug: "acme".into(),
            default_locale: Locale::En,
            with_setup: true,
        };
        unit.run::<Organization>(self.0, &OrganizationCommand::Create(create))?;
        Ok(Answer::default())
    }
}

struct World {
    engine: Arc<Engine>,
    organization: OrganizationId,
}

impl World {
    fn new() -> Self {
        let ring = Arc::new(KeyRing::new(Arc::new(MemoryKeyStore::default()), Arc::new(MemoryDataKeyTable::default())));
        let contexts = Arc::new(ClientContexts::new(ring.clone(), Arc::new(MemoryClientContextTable::default())));
        let engine = Engine::new(Arc::new(MemoryStore::default()), ring, contexts, EngineOptions::default());
        Self { engine, organization: OrganizationId(Uuid::from_u128(7)) }
    }

    async fn execute<O: Operation>(&self, operation: O) -> Result<Receipt, Rejection> {
        let request_id = Uuid::now_v7();
        let admission = Admission {
            rights: Rights::built_in([Role::OrganizationAdmin]),
            ..Admission::of(self.organization, ADMIN, "test", request_id)
        };
        #[expect(clippy::disallowed_methods, reason = "a test has no gate")]
        self.engine.execute(Admitted::grant(admission, operation)).await
    }

    async fn ask(&self, email: &str, role: &str) -> Result<Receipt, Rejection> {
        let body = json!({ "organization_id": self.organization, "email": email, "role": role });
        self.execute(serde_json::from_value::<InviteUser>(body).unwrap()).await
    }

    async fn invited(&self, email: &str, role: &str) -> (InvitationId, UserId) {
        let answer = self.ask(email, role).await.unwrap().answer.0;
        let id = |field: &str| answer[field].as_str().unwrap().parse::<Uuid>().unwrap();
        assert_eq!(answer["status"], "PENDING");
        (InvitationId(id("id")), UserId(id("user_id")))
    }

    async fn statuses(&self, (invitation, user): (InvitationId, UserId)) -> (Value, Value) {
        let invitation: Invitation = self.engine.state(self.organization, invitation).await.unwrap();
        let user: User = self.engine.state(self.organization, user).await.unwrap();
        (json!(invitation.terms().map(|terms| terms.status)), json!(user.profile().map(|profile| profile.status)))
    }

    async fn revoke(&self, invitation_id: InvitationId, email: &str) -> Result<Receipt, Rejection> {
        self.execute(RevokeInvitation { invitation_id, email: Some(Email::from(email.to_owned())) }).await
    }
}

fn reason(outcome: Result<Receipt, Rejection>) -> String {
    match outcome {
        Err(Rejection::Refused(refused)) => refused.reason.into_owned(),
        other => panic!("not refused: {other:?}"),
    }
}

// covers: E-128, E-131
#[tokio::test]
async fn invitation_and_user_move_together() {
    let world = World::new();
    let (invitation_id, user_id) = world.invited("ada@acme.example", "member").await;
    let both = (invitation_id, user_id);
    assert_eq!(world.statuses(both).await, (json!("PENDING"), json!("INVITED")));
    let complete = || Enter { entrant: Entrant::Completing(invitation_id), ..Enter::change(user_id, Vec::new()) };
    let not_yet = || Enter { entrant: Entrant::Newcomer(invitation_id), ..Enter::change(user_id, Vec::new()) };
    assert_eq!(reason(world.execute(not_yet()).await), "identity.invitation_not_found");
    assert_eq!(reason(world.execute(complete()).await), "identity.invitation_transition_forbidden");
    let accept = |generation| AcceptInvitation { invitation_id, user_id, generation };
    assert_eq!(reason(world.execute(accept(2)).await), "identity.invitation_superseded");
    world.execute(accept(1)).await.unwrap();
    assert_eq!(world.statuses(both).await, (json!("ACCEPTED"), json!("PENDING_ACTIVATION")));
    assert_eq!(reason(world.execute(accept(1)).await), "identity.invitation_transition_forbidden");
    assert_eq!(reason(world.execute(Enter::change(user_id, Vec::new())).await), "sign_in.failed");
    world.execute(not_yet()).await.unwrap();
    assert_eq!(world.statuses(both).await, (json!("ACCEPTED"), json!("PENDING_ACTIVATION")));
    world.execute(complete()).await.unwrap();
    assert_eq!(world.statuses(both).await, (json!("ACTIVE"), json!("ACTIVE")));
    assert_eq!(reason(world.execute(not_yet()).await), "identity.invitation_not_found");
    assert_eq!(reason(world.execute(complete()).await), "identity.invitation_transition_forbidden");
}

#[tokio::test]
async fn an_invitation_moves_nobody_but_whom_it_names() {
    let world = World::new();
    let (invitation_id, _) = world.invited("ada@acme.example", "member").await;
    let (_, user_id) = world.invited("grace@acme.example", "member").await;
    assert_eq!(reason(world.execute(AcceptInvitation { invitation_id, user_id, generation: 1 }).await), "identity.invitation_not_found");
    for entrant in [Entrant::Newcomer(invitation_id), Entrant::Completing(invitation_id)] {
        let enter = Enter { entrant, ..Enter::change(user_id, Vec::new()) };
        assert_eq!(reason(world.execute(enter).await), "identity.invitation_not_found");
    }
}

#[tokio::test]
async fn only_an_address_that_the_organization_allows_is_invited_and_for_as_long_as_it_says() {
    let world = World::new();
    world.execute(FoundAcme(world.organization)).await.unwrap();
    let body = json!({ "organization_id": world.organization, "allowed_email_domains": ["acme.example"], "invitation_valid_hours": 48 });
    world.execute(serde_json::from_value::<crate::organizations::ChangeSettings>(body).unwrap()).await.unwrap();
    for role in ["member", "organization_admin"] {
        match world.ask("ada@elsewhere.example", role).await {
            Err(Rejection::Refused(refused)) => {
                assert_eq!((&*refused.errors[0].field, &*refused.errors[0].reason), ("email", "identity.email_domain_not_allowed"));
            }
            other => panic!("not refused: {other:?}"),
        }
    }
    let (invitation, _) = world.invited("ada@ACME.example", "member").await;
    let invitation: Invitation = world.engine.state(world.organization, invitation).await.unwrap();
    let terms = invitation.terms().unwrap();
    // Its token names whole seconds.
    assert_eq!(terms.expires_at.timestamp(), terms.issued_at.timestamp() + 48 * 3600);
}

// covers: E-132
#[tokio::test]
async fn an_address_is_invited_once_and_again_after_it_was_revoked() {
    let world = World::new();
    let (invitation, _) = world.invited("ada@acme.example", "member").await;
    assert_eq!(reason(world.ask("ADA@acme.example", "member").await), "identity.email_taken");
    // Revoking one lets go what is its own.
    let (other, _) = world.invited("grace@acme.example", "member").await;
    world.revoke(other, "ada@acme.example").await.unwrap();
    assert_eq!(reason(world.ask("ada@acme.example", "member").await), "identity.email_taken");
    world.revoke(invitation, "ada@acme.example").await.unwrap();
    world.invited("ada@acme.example", "member").await;
}

/// Or whoever was invited at that address since would lose it.
#[tokio::test]
async fn the_address_of_an_invited_user_does_not_change() {
    let world = World::new();
    let (invitation, user_id) = world.invited("ada@acme.example", "member").await;
    let set = || SetUserEmail { user_id, email: Email::from("other@acme.example".to_owned()), before: None };
    assert_eq!(reason(world.execute(set()).await), "identity.user_is_invited");
    world.revoke(invitation, "ada@acme.example").await.unwrap();
    world.invited("ada@acme.example", "member").await;
    assert_eq!(reason(world.execute(set()).await), "identity.user_is_invited");
    assert_eq!(reason(world.ask("ada@acme.example", "member").await), "identity.email_taken");
}

#[tokio::test]
async fn nothing_is_due_before_its_time() {
    let world = World::new();
    let (invitation_id, user_id) = world.invited("ada@acme.example", "member").await;
    let before = world.execute(ExpireInvitation { invitation_id }).await.unwrap();
    assert_eq!(before.version, 1);
    assert_eq!(world.statuses((invitation_id, user_id)).await, (json!("PENDING"), json!("INVITED")));
}

// covers: E-123, E-127
#[tokio::test]
async fn the_first_administrators_invitation_is_a_step_of_the_set_up() {
    let world = World::new();
    world.execute(FoundAcme(world.organization)).await.unwrap();
    let steps = async || {
        let organization: Organization = world.engine.state(world.organization, world.organization).await.unwrap();
        organization.profile().unwrap().setup_steps.clone()
    };
    world.invited("ada@acme.example", "member").await;
    assert!(steps().await.is_empty());
    world.invited("grace@acme.example", "organization_admin").await;
    assert_eq!(steps().await, [SetupStep::AdministratorInvited].into());
    world.invited("linus@acme.example", "organization_admin").await;
}
