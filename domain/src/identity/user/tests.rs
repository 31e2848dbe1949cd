//! Given events, when a command comes, then events or a refusal.

use super::{status::TRANSITIONS, *};
use crate::{
    identity::{Role, RoleRef},
    kernel::{Aggregate, Code, Facts, OrganizationId, Personal, Refusal, RoleId, UserId},
};
use chrono::DateTime;
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
const ALICE: UserId = UserId(Uuid::from_u128(2));
const ADMIN: UserId = UserId(Uuid::from_u128(3));
const OTHER_ADMIN: UserId = UserId(Uuid::from_u128(4));
const COACH: RoleRef = RoleRef::Custom(RoleId(Uuid::from_u128(5)));

fn given(events: &[UserEvent]) -> User {
    events.iter().fold(User::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when_by(actor: UserId, events: &[UserEvent], command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
    given(events).decide(&command, &Facts { now: DateTime::UNIX_EPOCH, actor })
}

fn when(events: &[UserEvent], command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
    when_by(ADMIN, events, command)
}

fn alice() -> CreateUser {
    CreateUser {
        user_id: ALICE,
        organization_id: ACME,
        external_ref: "e-17".into(),
        display_name: Some("Alice".into()),
        role: Role::Analyst.into(),
    }
}

fn invitee() -> InviteUser {
    InviteUser {
        user_id: ALICE,
        organization_id: ACME,
        email: "alice@acme.example".into(),
        display_name: Some("Alice".into()),
        role: Role::Analyst.into(),
    }
}

fn create(command: CreateUser) -> UserCommand {
    UserCommand::Create(command)
}

fn suspend(reason: Option<&str>) -> UserCommand {
    UserCommand::Suspend(SuspendUser { reason: reason.map(Into::into) })
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

fn invited() -> UserEvent {
    UserInvited {
        user_id: ALICE,
        email: Personal::Clear("alice@acme.example".into()),
        display_name: Some(Personal::Clear("Alice".into())),
        role: Role::Analyst.into(),
    }
    .into()
}

fn deactivated() -> UserEvent {
    UserDeactivated { user_id: ALICE, reason: None }.into()
}

fn approved() -> UserEvent {
    UserReactivationApproved { user_id: ALICE, approved_by: OTHER_ADMIN }.into()
}

/// A history that leads to a state. A deactivated user's return is approved in it, so that only
/// the state can be what refuses.
fn history(status: UserStatus) -> Vec<UserEvent> {
    let user_id = ALICE;
    match status {
        UserStatus::Invited => vec![invited()],
        UserStatus::PendingActivation => vec![invited(), UserActivationBegun { user_id }.into()],
        UserStatus::Active => vec![invited(), UserActivationBegun { user_id }.into(), UserActivated { user_id }.into()],
        UserStatus::Suspended => vec![created(), UserSuspended { user_id, reason: None }.into()],
        UserStatus::Deactivated => vec![created(), deactivated(), approved()],
        UserStatus::DeletionRequested => vec![created(), UserDeletionRequested { user_id }.into()],
        UserStatus::SoftDeleted => vec![created(), UserDeletionRequested { user_id }.into(), UserSoftDeleted { user_id }.into()],
        UserStatus::Purged => {
            vec![created(), UserDeletionRequested { user_id }.into(), UserSoftDeleted { user_id }.into(), UserPurged { user_id }.into()]
        }
    }
}

/// Every command that changes the state, with the state it leads to.
fn moves() -> [(UserCommand, UserStatus); 12] {
    [
        (UserCommand::Invite(invitee()), UserStatus::Invited),
        (UserCommand::BeginActivation, UserStatus::PendingActivation),
        (UserCommand::Activate, UserStatus::Active),
        (suspend(None), UserStatus::Suspended),
        (UserCommand::Resume, UserStatus::Active),
        (UserCommand::Deactivate(DeactivateUser { reason: None }), UserStatus::Deactivated),
        (UserCommand::Reactivate, UserStatus::Active),
        (UserCommand::RequestDeletion, UserStatus::DeletionRequested),
        (UserCommand::CancelDeletion, UserStatus::Active),
        (UserCommand::SoftDelete, UserStatus::SoftDeleted),
        (UserCommand::Restore, UserStatus::Active),
        (UserCommand::Purge, UserStatus::Purged),
    ]
}

/// Asking for a deletion, and taking it back, is no way around whoever lets somebody return.
#[test]
fn who_comes_back_from_a_deletion_is_what_they_were_before() {
    let requested = || UserEvent::from(UserDeletionRequested { user_id: ALICE });
    for before in [UserStatus::Active, UserStatus::Suspended, UserStatus::Deactivated] {
        let asked = [history(before), vec![requested()]].concat();
        let hidden = [asked.clone(), vec![UserSoftDeleted { user_id: ALICE }.into()]].concat();
        for (history, command) in [(asked, UserCommand::CancelDeletion), (hidden, UserCommand::Restore)] {
            let events = when(&history, command.clone()).unwrap();
            let after = given(&[history, events].concat());
            assert_eq!(after.profile().map(|profile| profile.status), Some(before), "{command:?}");
            assert_eq!(after.profile().and_then(|profile| profile.before_deletion), None, "{command:?}");
        }
    }
}

/// B.1 as it is written there: a row is where the user stands, a column where they would go.
const MATRIX: [(UserStatus, &str); 8] = [
    (UserStatus::Invited, ".A......"),
    (UserStatus::PendingActivation, "..A....."),
    (UserStatus::Active, "...AAA.."),
    (UserStatus::Suspended, "..A.AA.."),
    (UserStatus::Deactivated, "..A..A.."),
    (UserStatus::DeletionRequested, "..A...A."),
    (UserStatus::SoftDeleted, "..A....A"),
    (UserStatus::Purged, "........"),
];

/// covers: E-143, E-144, E-145, E-146, E-147, E-148, E-149, E-150, E-151, E-152, E-154
#[test]
fn all_64_cells_of_the_matrix_are_as_b_1_has_them() {
    let mut cells = 0;
    for (from, row) in MATRIX {
        for (to, cell) in UserStatus::ALL.into_iter().zip(row.chars()) {
            let reaching: Vec<_> = moves()
                .into_iter()
                .filter(|(_, leads_to)| *leads_to == to)
                .filter(|(command, _)| {
                    let events = when(&history(from), command.clone());
                    match &events {
                        Ok(events) => {
                            let after = given(&[history(from), events.clone()].concat());
                            assert_eq!(after.profile().map(|profile| profile.status), Some(to), "{from:?} by {command:?}");
                        }
                        Err(UserError::TransitionForbidden { from: stated, to: wanted }) => assert_eq!((*stated, *wanted), (from, to)),
                        Err(error) => {
                            assert!(to == UserStatus::Invited && *error == UserError::AlreadyExists, "{from:?} to {to:?}: {error}")
                        }
                    }
                    events.is_ok()
                })
                .collect();
            let allowed = usize::from(cell == 'A');
            assert_eq!(reaching.len(), allowed, "from {from:?} to {to:?}: {reaching:?}");
            let ways = TRANSITIONS.iter().filter(|way| way.to == to && way.leads_from(from)).count();
            assert_eq!(ways, allowed, "from {from:?} to {to:?}");
            cells += 1;
        }
    }
    assert_eq!(cells, 64);
}

#[test]
fn nothing_happens_to_a_user_who_is_not_there() {
    for (command, _) in moves().into_iter().skip(1) {
        assert_eq!(when(&[], command), Err(UserError::NotFound));
    }
    for command in
        [UserCommand::ApproveReactivation, UserCommand::AssignRole { role: COACH, organization_id: ACME }, UserCommand::UnassignRole(COACH)]
    {
        assert_eq!(when(&[], command), Err(UserError::NotFound));
    }
}

#[test]
fn only_an_active_user_may_act() {
    for status in UserStatus::ALL {
        assert_eq!(given(&history(status)).is_active(), status == UserStatus::Active, "{status:?}");
    }
}

#[test]
fn a_created_user_is_active_and_keeps_the_role() {
    assert_eq!(when(&[], create(alice())), Ok(vec![created()]));
    let user = given(&[created()]);
    assert!(user.is_active());
    assert!(user.profile().unwrap().roles.contains(&Role::Analyst.into()));
    assert_eq!(when(&[created()], create(alice())), Err(UserError::AlreadyExists));
}

#[test]
fn an_invited_user_has_the_role_and_may_not_act_yet() {
    assert_eq!(when(&[], UserCommand::Invite(invitee())), Ok(vec![invited()]));
    let user = given(&[invited()]);
    assert!(!user.is_active() && user.profile().unwrap().roles.contains(&Role::Analyst.into()));
}

/// covers: E-153
#[test]
fn a_deactivated_user_returns_after_someone_else_approved() {
    let gone = [created(), deactivated()];
    assert_eq!(when(&gone, UserCommand::Reactivate), Err(UserError::ApprovalMissing));
    assert_eq!(when_by(ALICE, &gone, UserCommand::ApproveReactivation), Err(UserError::NothingToApprove));
    assert_eq!(when_by(OTHER_ADMIN, &gone, UserCommand::ApproveReactivation), Ok(vec![approved()]));

    let cleared = [created(), deactivated(), approved()];
    assert_eq!(when(&cleared, UserCommand::ApproveReactivation), Err(UserError::NothingToApprove));
    assert_eq!(when_by(OTHER_ADMIN, &cleared, UserCommand::Reactivate), Err(UserError::ApprovalMissing));
    let back: UserEvent = UserReactivated { user_id: ALICE, approved_by: OTHER_ADMIN }.into();
    assert_eq!(when(&cleared, UserCommand::Reactivate), Ok(vec![back.clone()]));

    // An approval is good for one return.
    let again = [created(), deactivated(), approved(), back, deactivated()];
    assert_eq!(when(&again, UserCommand::Reactivate), Err(UserError::ApprovalMissing));
    assert_eq!(when(&[created()], UserCommand::ApproveReactivation), Err(UserError::NothingToApprove));
}

#[test]
fn roles_are_assigned_once_and_taken_back() {
    let assign = UserCommand::AssignRole { role: COACH, organization_id: ACME };
    let assigned: UserEvent = RoleAssigned { user_id: ALICE, role: COACH }.into();
    let unassigned: UserEvent = RoleUnassigned { user_id: ALICE, role: COACH }.into();
    assert_eq!(when(&[created()], assign.clone()), Ok(vec![assigned.clone()]));
    assert_eq!(when(&[created(), assigned.clone()], assign.clone()), Err(UserError::RoleAlreadyAssigned));
    assert_eq!(when(&[created(), assigned.clone()], UserCommand::UnassignRole(COACH)), Ok(vec![unassigned.clone()]));
    assert_eq!(when(&[created(), assigned, unassigned], UserCommand::UnassignRole(COACH)), Err(UserError::RoleNotAssigned));
    for status in [UserStatus::DeletionRequested, UserStatus::SoftDeleted, UserStatus::Purged] {
        assert_eq!(when(&history(status), assign.clone()), Err(UserError::Deleted), "{status:?}");
    }
}

#[test]
fn a_user_created_with_a_custom_role_takes_part_and_has_it() {
    let events = when(&[], create(CreateUser { role: COACH, ..alice() })).unwrap();
    let roles = given(&events).profile().unwrap().roles.clone();
    assert_eq!(roles, [Role::Member.into(), COACH].into());
}

#[test]
fn platform_roles_are_given_in_the_platforms_organization_only() {
    for role in Role::ALL {
        let elsewhere = when(&[], create(CreateUser { role: role.into(), ..alice() }));
        assert_eq!(elsewhere == Err(UserError::PlatformRoleElsewhere), role.is_platform(), "{role:?}");
        let invited = when(&[], UserCommand::Invite(InviteUser { role: role.into(), ..invitee() }));
        assert_eq!(invited == Err(UserError::PlatformRoleElsewhere), role.is_platform(), "{role:?}");
        let at_home = CreateUser { organization_id: OrganizationId::PLATFORM, role: role.into(), ..alice() };
        assert!(when(&[], create(at_home)).is_ok(), "{role:?}");
    }
    let assign = |organization_id| UserCommand::AssignRole { role: Role::PlatformAdmin.into(), organization_id };
    assert_eq!(when(&[created()], assign(ACME)), Err(UserError::PlatformRoleElsewhere));
    assert!(when(&[created()], assign(OrganizationId::PLATFORM)).is_ok());
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
fn an_invitation_needs_the_address_of_a_mailbox() {
    let long = format!("{}@acme.example", "x".repeat(65));
    for bad in
        ["", "alice", "@acme.example", "alice@", "alice@acme", "a b@acme.example", "a@b@acme.example", "a@-.example", "a@x..y", &long]
    {
        assert_eq!(when(&[], UserCommand::Invite(InviteUser { email: bad.into(), ..invitee() })), Err(UserError::EmailInvalid), "{bad:?}");
    }
    for good in ["a@b.co", "alice+sport@mail.acme.example", "élodie@exämple.fr"] {
        assert!(when(&[], UserCommand::Invite(InviteUser { email: good.into(), ..invitee() })).is_ok(), "{good}");
    }
}

#[test]
fn a_reason_is_sealed_optional_and_bounded() {
    let reason = Some(Personal::Clear("left".to_owned()));
    assert_eq!(when(&[created()], suspend(Some("left"))), Ok(vec![UserSuspended { user_id: ALICE, reason }.into()]));
    for bad in ["", " ", &"a".repeat(501)] {
        assert_eq!(when(&[created()], suspend(Some(bad))), Err(UserError::ReasonInvalid));
        let deactivate = UserCommand::Deactivate(DeactivateUser { reason: Some(bad.into()) });
        assert_eq!(when(&[created()], deactivate), Err(UserError::ReasonInvalid));
    }
}

#[test]
fn neither_state_nor_debug_output_holds_what_names_the_person() {
    let state = serde_json::to_string(&given(&[created()])).unwrap();
    let debug = format!("{:?} {:?} {:?} {:?} {:?}", alice(), invitee(), suspend(Some("Alice left")), created(), invited());
    for text in ["Alice", "e-17", "acme.example"] {
        assert!(!state.contains(text) && !debug.contains(text), "{text}");
    }
}

#[test]
fn refusals_say_their_code_and_field() {
    assert_eq!(UserError::PlatformRoleElsewhere.code(), Code::ValidationError);
    assert_eq!(UserError::PlatformRoleElsewhere.field(), Some("role"));
    assert_eq!(UserError::NotFound.code(), Code::ResourceNotFound);
    let forbidden = UserError::TransitionForbidden { from: UserStatus::Purged, to: UserStatus::Active };
    assert_eq!((forbidden.code(), forbidden.field(), forbidden.is_attempt()), (Code::ValidationError, Some("status"), true));
    assert_eq!(forbidden.to_string(), "a user who is PURGED cannot become ACTIVE");
}

fn set_email(email: &str) -> UserCommand {
    UserCommand::SetEmail(SetEmail { email: email.into() })
}

#[test]
fn email_addresses_are_set_and_counted() {
    let set = |email: &str| UserEvent::from(EmailSet { user_id: ALICE, email: Personal::Clear(email.into()) });
    assert_eq!(when(&[created()], set_email("alice@acme.example")), Ok(vec![set("alice@acme.example")]));
    let addresses = |events: &[UserEvent]| given(events).profile().map(|profile| profile.addresses);
    assert_eq!(addresses(&[created()]), Some(0));
    assert_eq!(addresses(&[created(), set("alice@acme.example")]), Some(1));
    assert_eq!(addresses(&[created(), set("alice@acme.example"), set("a@acme.example")]), Some(2));
    assert!(!given(&[created()]).has_address() && given(&[created(), set("alice@acme.example")]).has_address());
}

/// What is erased of them must not be told by what stays: a keyed hash of an address is that of whoever has it next.
#[test]
fn a_user_remembers_nothing_that_depends_on_their_address() {
    let with = |email: &str| given(&[created(), EmailSet { user_id: ALICE, email: Personal::Clear(email.into()) }.into()]);
    assert_eq!(with("alice@acme.example"), with("bob@acme.example"));
}

#[test]
fn only_a_user_who_is_there_has_an_email_address_and_a_sound_one() {
    assert_eq!(when(&[], set_email("alice@acme.example")), Err(UserError::NotFound));
    assert_eq!(when(&[created()], set_email("alice")), Err(UserError::EmailInvalid));
    for status in [UserStatus::DeletionRequested, UserStatus::SoftDeleted, UserStatus::Purged] {
        assert_eq!(when(&history(status), set_email("alice@acme.example")), Err(UserError::Deleted), "{status:?}");
    }
}
