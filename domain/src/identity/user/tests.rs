//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::{
    identity::Role,
    kernel::{Aggregate, Code, Facts, OrganizationId, Personal, Refusal, UserId},
};
use chrono::DateTime;
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
const ALICE: UserId = UserId(Uuid::from_u128(2));

fn given(events: &[UserEvent]) -> User {
    events.iter().fold(User::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[UserEvent], command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
    given(events).decide(&command, &Facts { now: DateTime::UNIX_EPOCH, actor: ALICE })
}

fn alice() -> CreateUser {
    CreateUser {
        user_id: ALICE,
        organization_id: ACME,
        external_ref: "e-17".into(),
        display_name: Some("Alice".into()),
        role: Role::Analyst,
    }
}

fn create(command: CreateUser) -> UserCommand {
    UserCommand::Create(command)
}

fn suspend(reason: Option<&str>) -> UserCommand {
    UserCommand::Suspend(SuspendUser { reason: reason.map(Into::into) })
}

fn resume() -> UserCommand {
    UserCommand::Resume(ResumeUser)
}

fn created() -> UserEvent {
    UserCreated {
        user_id: ALICE,
        external_ref: Personal::Clear("e-17".into()),
        display_name: Some(Personal::Clear("Alice".into())),
        role: Role::Analyst,
    }
    .into()
}

fn suspended() -> UserEvent {
    UserSuspended { user_id: ALICE, reason: None }.into()
}

fn resumed() -> UserEvent {
    UserResumed { user_id: ALICE }.into()
}

#[test]
fn a_created_user_is_active_and_keeps_the_role() {
    assert_eq!(when(&[], create(alice())), Ok(vec![created()]));
    let user = given(&[created()]);
    assert!(user.is_active());
    assert_eq!(user.profile().map(|profile| profile.role), Some(Role::Analyst));
}

#[test]
fn an_active_user_is_suspended_and_a_suspended_one_resumed() {
    assert_eq!(when(&[created()], suspend(None)), Ok(vec![suspended()]));
    assert!(!given(&[created(), suspended()]).is_active());
    assert_eq!(when(&[created(), suspended()], resume()), Ok(vec![resumed()]));
    assert!(given(&[created(), suspended(), resumed()]).is_active());
    assert_eq!(when(&[created(), suspended(), resumed()], suspend(None)), Ok(vec![suspended()]));
}

#[test]
fn every_other_transition_is_refused() {
    use UserError::*;
    let absent: &[UserEvent] = &[];
    let active: &[UserEvent] = &[created()];
    let stopped: &[UserEvent] = &[created(), suspended()];
    for (state, command, error) in [
        (absent, suspend(None), NotFound),
        (absent, resume(), NotFound),
        (active, create(alice()), AlreadyExists),
        (active, resume(), NotSuspended),
        (stopped, create(alice()), AlreadyExists),
        (stopped, suspend(None), AlreadySuspended),
    ] {
        assert_eq!(when(state, command), Err(error));
    }
}

#[test]
fn the_platform_role_is_given_in_the_platforms_organization_only() {
    let admin = CreateUser { role: Role::PlatformAdmin, ..alice() };
    assert_eq!(when(&[], create(admin.clone())), Err(UserError::PlatformRoleElsewhere));
    assert!(when(&[], create(CreateUser { organization_id: OrganizationId::PLATFORM, ..admin })).is_ok());
    for role in Role::ALL.into_iter().filter(|role| *role != Role::PlatformAdmin) {
        assert!(when(&[], create(CreateUser { role, ..alice() })).is_ok(), "{role:?}");
    }
}

#[test]
fn what_names_the_person_is_bounded() {
    let long = "x".repeat(201);
    for bad in ["", " ", " a", "a ", "a\tb", long.as_str()] {
        assert_eq!(when(&[], create(CreateUser { external_ref: bad.into(), ..alice() })), Err(UserError::ExternalRefInvalid), "{bad:?}");
        let named = CreateUser { display_name: Some(bad.into()), ..alice() };
        assert_eq!(when(&[], create(named)), Err(UserError::DisplayNameInvalid), "{bad:?}");
    }
    assert!(when(&[], create(CreateUser { external_ref: "é".repeat(200), display_name: None, ..alice() })).is_ok());
}

#[test]
fn a_reason_is_sealed_optional_and_bounded() {
    let reason = Some(Personal::Clear("left".to_owned()));
    assert_eq!(when(&[created()], suspend(Some("left"))), Ok(vec![UserSuspended { user_id: ALICE, reason }.into()]));
    for bad in ["", " ", &"a".repeat(501)] {
        assert_eq!(when(&[created()], suspend(Some(bad))), Err(UserError::ReasonInvalid));
    }
}

#[test]
fn neither_state_nor_debug_output_holds_what_names_the_person() {
    let state = serde_json::to_string(&given(&[created()])).unwrap();
    let debug = format!("{:?} {:?} {:?}", alice(), suspend(Some("Alice left")), created());
    for text in ["Alice", "e-17"] {
        assert!(!state.contains(text) && !debug.contains(text), "{text}");
    }
}

#[test]
fn refusals_say_their_code_and_field() {
    assert_eq!(UserError::PlatformRoleElsewhere.code(), Code::ValidationError);
    assert_eq!(UserError::PlatformRoleElsewhere.field(), Some("role"));
    assert_eq!(UserError::NotFound.code(), Code::ResourceNotFound);
    assert_eq!(UserError::NotSuspended.code(), Code::Conflict);
}
