//! Given an organization's policy, when people sign up, then users, or nobody.

use super::*;
use crate::engine::Operation;
use crate::engine::{Engine, EngineOptions, Receipt, Rejection};
use crate::identity::{ConfigureSignup, HooksOffered};
use crate::organizations::{ClaimDomain, SetAutoJoin, VerifyDomain};
use crate::privacy::{
    ClientContexts, KeyRing, client_context::MemoryClientContextTable, data_keys::MemoryDataKeyTable, key_store::MemoryKeyStore,
};
use crate::store::memory::MemoryStore;
use palmares_domain::{
    identity::{Rights, credential::Credential, signup_policy::SignupHook},
    kernel::{Admitted, OrganizationId},
    organizations::{
        Locale,
        domain::{AutoJoin, Challenge},
        organization::{self, Organization, OrganizationCommand},
    },
};
use std::sync::Arc;
use uuid::Uuid;

const ADMIN: UserId = UserId(Uuid::from_u128(1));
const ACME: OrganizationId = OrganizationId(Uuid::from_u128(7));
const ADA: &str = "ada@acme.example";
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g";

struct FoundAcme;

impl Operation for FoundAcme {
    fn streams(&self, _: &Admission) -> Vec<StreamRef> {
        vec![StreamRef::of::<Organization>(ACME, ACME)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let create = organization::CreateOrganization {
            organization_id: ACME,
            name: "Acme".into(),
            slug: "acme".into(),
            default_locale: Locale::En,
            with_setup: false,
        };
        unit.run::<Organization>(ACME, &OrganizationCommand::Create(create))?;
        Ok(Answer::default())
    }
}

struct World {
    engine: Arc<Engine>,
}

impl World {
    /// An active organization in which people sign up by these hooks.
    async fn with(hooks: &[SignupHook]) -> Self {
        let ring = Arc::new(KeyRing::new(Arc::new(MemoryKeyStore::default()), Arc::new(MemoryDataKeyTable::default())));
        let contexts = Arc::new(ClientContexts::new(ring.clone(), Arc::new(MemoryClientContextTable::default())));
        let world = Self { engine: Engine::new(Arc::new(MemoryStore::default()), ring, contexts, EngineOptions::default()) };
        world.execute(FoundAcme).await.unwrap();
        world.configure(true, hooks).await.unwrap();
        world
    }

    async fn execute<O: Operation>(&self, operation: O) -> Result<Receipt, Rejection> {
        let request_id = Uuid::now_v7();
        let admission = Admission { rights: Rights::built_in([Role::OrganizationAdmin]), ..Admission::of(ACME, ADMIN, "test", request_id) };
        #[expect(clippy::disallowed_methods, reason = "a test has no gate")]
        self.engine.execute(Admitted::grant(admission, operation)).await
    }

    async fn configure(&self, open: bool, hooks: &[SignupHook]) -> Result<Receipt, Rejection> {
        let offered = HooksOffered { captcha: true, phone_verification: false };
        self.execute(ConfigureSignup { organization_id: ACME, open, hooks: hooks.to_vec(), offered }).await
    }

    async fn ask(&self, email: &str) -> Result<UserId, Rejection> {
        let user = UserId(Uuid::now_v7());
        self.execute(AskSignup::by_form(user, email.to_owned().into(), None, false)).await.map(|_| user)
    }

    async fn signup(&self, user: UserId) -> Signup {
        self.engine.state(ACME, user).await.unwrap()
    }

    async fn person(&self, user: UserId) -> NewUser {
        NewUser::of(user, self.signup(user).await.person().unwrap())
    }

    async fn email(&self, user: UserId) -> Option<Email> {
        self.signup(user).await.person().map(|person| person.email.clone().into())
    }

    async fn prove(&self, user: UserId) -> Result<Receipt, Rejection> {
        let by_link = Some((self.signup(user).await.terms().unwrap().generation, HASH.to_owned()));
        self.execute(ProveSignupEmail { user_id: user, person: self.person(user).await, by_link }).await
    }

    async fn approve(&self, user: UserId) -> Result<Receipt, Rejection> {
        self.execute(ApproveSignup { user_id: user, person: Some(self.person(user).await) }).await
    }

    async fn refuse(&self, user: UserId) {
        self.execute(RefuseSignup { user_id: user, reason: None, email: self.email(user).await }).await.unwrap();
    }

    async fn status(&self, user: UserId) -> SignupStatus {
        self.signup(user).await.terms().unwrap().status
    }

    async fn is_active(&self, user: UserId) -> bool {
        self.engine.look(ACME, user, User::is_active).await.unwrap()
    }

    async fn proven_domain(&self, mode: AutoJoin) {
        let domain: palmares_domain::organizations::domain::DomainName = "acme.example".parse().unwrap();
        self.execute(ClaimDomain { organization_id: ACME, domain: domain.clone() }).await.unwrap();
        let records = vec![Challenge::of(ACME, &domain).value];
        self.execute(VerifyDomain { organization_id: ACME, domain: domain.clone(), records }).await.unwrap();
        self.execute(SetAutoJoin { organization_id: ACME, domain, mode }).await.unwrap();
    }
}

#[track_caller]
fn reason<T: std::fmt::Debug>(rejected: Result<T, Rejection>) -> String {
    match rejected {
        Err(Rejection::Refused(refused)) => refused.errors.first().map_or(refused.reason.to_string(), |field| field.reason.clone()),
        other => panic!("not refused: {other:?}"),
    }
}

// covers: T-44, T-46
#[tokio::test]
async fn a_hook_that_the_deployment_cannot_ask_for_is_not_switched_on() {
    let world = World::with(&[]).await;
    let phone = world.configure(true, &[SignupHook::PhoneVerification, SignupHook::AdminApproval]).await;
    assert_eq!(reason(phone), "identity.phone_verification_not_enabled");
    let hooks = vec![SignupHook::Captcha];
    let none = HooksOffered::default();
    let captcha = world.execute(ConfigureSignup { organization_id: ACME, open: true, hooks: hooks.clone(), offered: none }).await;
    assert_eq!(reason(captcha), "identity.captcha_not_enabled");
    world.configure(true, &hooks).await.unwrap();
    let with_phones = HooksOffered { captcha: false, phone_verification: true };
    let hooks = vec![SignupHook::PhoneVerification, SignupHook::AdminApproval];
    world.execute(ConfigureSignup { organization_id: ACME, open: true, hooks, offered: with_phones }).await.unwrap();
    // Whoever gives no number does not slip through.
    assert_eq!(reason(world.ask(ADA).await), "identity.phone_invalid");
}

// covers: T-46
#[tokio::test]
async fn whose_telephone_comes_last_is_a_user_with_it() {
    let world = World::with(&[]).await;
    let hooks = vec![SignupHook::EmailVerification, SignupHook::PhoneVerification];
    let offered = HooksOffered { captcha: false, phone_verification: true };
    world.execute(ConfigureSignup { organization_id: ACME, open: true, hooks, offered }).await.unwrap();
    let ada = UserId(Uuid::now_v7());
    let ask = AskSignup::by_form(ada, ADA.to_owned().into(), None, false).with_phone(Some("+33612345678".to_owned()));
    world.execute(ask).await.unwrap();
    let prove = async |generation| {
        let person = world.person(ada).await;
        world.execute(ProveSignupPhone { user_id: ada, person, generation }).await
    };
    assert_eq!(reason(prove(1).await), "identity.signup_hook_not_its_turn");
    world.prove(ada).await.unwrap();
    assert_eq!((world.status(ada).await, world.is_active(ada).await), (SignupStatus::Pending, false));
    for _ in 0..5 {
        world.execute(FailSignupCode { user_id: ada, generation: 1 }).await.unwrap();
    }
    assert_eq!(reason(prove(1).await), "identity.signup_code_void");
    assert_eq!(reason(world.execute(SendSignupAgain { user_id: ada }).await), "identity.signup_code_too_soon");
    let bob = UserId(Uuid::now_v7());
    let ask = AskSignup::by_form(bob, "bob@acme.example".to_owned().into(), None, false).with_phone(Some("+33612345679".to_owned()));
    world.execute(ask).await.unwrap();
    world.prove(bob).await.unwrap();
    let person = world.person(bob).await;
    world.execute(ProveSignupPhone { user_id: bob, person, generation: 1 }).await.unwrap();
    assert_eq!((world.status(bob).await, world.is_active(bob).await), (SignupStatus::Active, true));
}

// covers: T-45
#[tokio::test]
async fn the_last_hook_makes_a_user_and_nothing_before_it_does() {
    let world = World::with(&[SignupHook::EmailVerification, SignupHook::AdminApproval]).await;
    let ada = world.ask(ADA).await.unwrap();
    assert_eq!(reason(world.approve(ada).await), "identity.signup_hook_not_its_turn");
    world.prove(ada).await.unwrap();
    assert_eq!((world.status(ada).await, world.is_active(ada).await), (SignupStatus::AwaitingApproval, false));
    assert_eq!(reason(world.prove(ada).await), "identity.signup_hook_not_its_turn");
    world.approve(ada).await.unwrap();
    assert_eq!((world.status(ada).await, world.is_active(ada).await), (SignupStatus::Active, true));
    let credential: Credential = world.engine.state(ACME, ada).await.unwrap();
    assert!(credential.password().is_some_and(|password| password.hash == HASH) && credential.has_verified(ADA));
    assert_eq!(reason(world.ask("ADA@acme.example").await), "identity.email_taken");
}

#[tokio::test]
async fn a_mailbox_signs_up_once_at_a_time() {
    let world = World::with(&[]).await;
    let ada = world.ask(ADA).await.unwrap();
    assert_eq!(reason(world.ask("Ada@Acme.example").await), "identity.signup_under_way");
    // Nobody is kept from being invited by somebody who types their address.
    let invite = serde_json::json!({ "organization_id": ACME, "email": ADA, "role": "member" });
    world.execute(serde_json::from_value::<crate::identity::InviteUser>(invite).unwrap()).await.unwrap();
    assert_eq!(reason(world.prove(ada).await), "identity.email_taken");
    assert_eq!((world.status(ada).await, world.is_active(ada).await), (SignupStatus::Pending, false), "and nothing was recorded");
}

#[tokio::test]
async fn who_was_refused_may_ask_again_unless_it_was_their_own_mailbox() {
    let world = World::with(&[SignupHook::EmailVerification, SignupHook::AdminApproval]).await;
    let typed = world.ask(ADA).await.unwrap();
    world.refuse(typed).await;
    let proven = world.ask(ADA).await.unwrap();
    world.prove(proven).await.unwrap();
    world.refuse(proven).await;
    assert_eq!(reason(world.ask(ADA).await), "identity.signup_under_way");
    assert_eq!(reason(world.approve(proven).await), "identity.signup_transition_forbidden");
}

// covers: T-47
#[tokio::test]
async fn a_sign_up_keeps_its_hooks_and_ends_where_the_door_is_closed() {
    let world = World::with(&[]).await;
    let ada = world.ask(ADA).await.unwrap();
    world.configure(true, &[SignupHook::EmailVerification, SignupHook::AdminApproval]).await.unwrap();
    let bob = world.ask("bob@acme.example").await.unwrap();
    world.prove(ada).await.unwrap();
    world.prove(bob).await.unwrap();
    assert_eq!((world.status(ada).await, world.status(bob).await), (SignupStatus::Active, SignupStatus::AwaitingApproval));
    let eve = world.ask("eve@acme.example").await.unwrap();
    world.configure(false, &[]).await.unwrap();
    assert_eq!(reason(world.prove(eve).await), "identity.signup_closed");
    assert_eq!(reason(world.execute(SendSignupAgain { user_id: eve }).await), "identity.signup_closed");
    assert_eq!(reason(world.ask("zoe@acme.example").await), "identity.signup_closed");
    // Who proved the address waits for nobody but the one who decides.
    world.approve(bob).await.unwrap();
}

// covers: T-44
#[tokio::test]
async fn only_people_of_an_open_domain_pass_where_the_domain_decides() {
    let world = World::with(&[SignupHook::DomainAutoJoin]).await;
    assert_eq!(reason(world.ask(ADA).await), "identity.signup_domain_not_open");
    world.proven_domain(AutoJoin::Off).await;
    assert_eq!(reason(world.ask(ADA).await), "identity.signup_domain_not_open");
    let domain = || "acme.example".parse().unwrap();
    world.execute(SetAutoJoin { organization_id: ACME, domain: domain(), mode: AutoJoin::Automatic }).await.unwrap();
    let ada = world.ask(ADA).await.unwrap();
    assert_eq!(world.signup(ada).await.terms().unwrap().steps, [SignupHook::DomainAutoJoin, SignupHook::EmailVerification]);
    assert_eq!(reason(world.ask("ada@elsewhere.example").await), "identity.signup_domain_not_open");
    world.execute(SetAutoJoin { organization_id: ACME, domain: domain(), mode: AutoJoin::Approval }).await.unwrap();
    let bob = world.ask("bob@acme.example").await.unwrap();
    assert_eq!(world.signup(bob).await.terms().unwrap().steps.last(), Some(&SignupHook::AdminApproval), "the domain asks for it");
}

// covers: E-103
#[tokio::test]
async fn whom_the_provider_vouches_for_waits_for_approval_where_the_domain_says_so() {
    let world = World::with(&[]).await;
    let user = UserId(Uuid::now_v7());
    let ask = || AskSignup::by_provider(user, ADA.to_owned().into(), Some("Ada".into()));
    assert_eq!(reason(world.execute(ask()).await), "sign_in.failed");
    world.proven_domain(AutoJoin::Automatic).await;
    assert_eq!(reason(world.execute(ask()).await), "sign_in.failed");
    let domain = "acme.example".parse().unwrap();
    world.execute(SetAutoJoin { organization_id: ACME, domain, mode: AutoJoin::Approval }).await.unwrap();
    world.execute(ask()).await.unwrap();
    assert_eq!(world.status(user).await, SignupStatus::AwaitingApproval);
    world.approve(user).await.unwrap();
    assert!(world.is_active(user).await);
}

#[tokio::test]
async fn a_sign_up_that_is_not_due_goes_on_and_one_that_is_not_there_is_not_found() {
    let world = World::with(&[]).await;
    let ada = world.ask(ADA).await.unwrap();
    world.execute(ExpireSignup { user_id: ada, email: world.email(ada).await }).await.unwrap();
    assert_eq!(world.status(ada).await, SignupStatus::Pending);
    let nobody = UserId(Uuid::now_v7());
    world.execute(ExpireSignup { user_id: nobody, email: None }).await.unwrap();
    assert_eq!(reason(world.execute(RefuseSignup { user_id: nobody, reason: None, email: None }).await), "identity.signup_not_found");
    assert_eq!(reason(world.execute(ApproveSignup { user_id: nobody, person: None }).await), "identity.signup_not_found");
}
