//! Given events, when a command comes, then events or a refusal.

use super::*;
use crate::kernel::{Aggregate, Code, Facts, Refusal, TeamId, UserId};
use chrono::DateTime;
use uuid::Uuid;

const TEAM: TeamId = TeamId(Uuid::from_u128(7));
const ANN: UserId = UserId(Uuid::from_u128(1));
const BOB: UserId = UserId(Uuid::from_u128(2));
const EVE: UserId = UserId(Uuid::from_u128(3));

const SIZE_MAX: u16 = 50;

fn given(events: &[TeamEvent]) -> Team {
    events.iter().fold(Team::default(), |mut state, event| {
        state.evolve(event);
        state
    })
}

fn when(events: &[TeamEvent], command: TeamCommand) -> Result<Vec<TeamEvent>, TeamError> {
    given(events).decide(&command, &Facts { now: DateTime::UNIX_EPOCH, actor: EVE })
}

fn create(name: &str) -> TeamCommand {
    TeamCommand::Create(CreateTeam { team_id: TEAM, name: name.into(), owner_id: ANN })
}

fn add(user_id: UserId, role: TeamRole) -> TeamCommand {
    TeamCommand::AddMember(AddMember { user_id, role, size_max: SIZE_MAX })
}

fn added(user_id: UserId, role: TeamRole) -> TeamEvent {
    MemberAdded { team_id: TEAM, user_id, role }.into()
}

fn changed(user_id: UserId, role: TeamRole) -> TeamEvent {
    MemberRoleChanged { team_id: TEAM, user_id, role }.into()
}

fn removed(user_id: UserId) -> TeamEvent {
    MemberRemoved { team_id: TEAM, user_id }.into()
}

fn renamed(name: &str) -> TeamEvent {
    TeamRenamed { team_id: TEAM, name: name.into() }.into()
}

fn archived() -> TeamEvent {
    TeamArchived { team_id: TEAM }.into()
}

/// A team that Ann owns, and what came after.
fn team(more: &[TeamEvent]) -> Vec<TeamEvent> {
    let created = TeamCreated { team_id: TEAM, name: "Sales".into() }.into();
    [vec![created, added(ANN, TeamRole::Owner)], more.to_vec()].concat()
}

/// Each command in each state of a team: before it is created, open, and archived.
///
/// covers: P-83
#[test]
fn what_may_be_asked_of_a_team_in_each_state() {
    use TeamError::{AlreadyExists, Archived, NotFound};
    let open = team(&[added(BOB, TeamRole::Member)]);
    let closed = team(&[added(BOB, TeamRole::Member), archived()]);
    let created = vec![TeamCreated { team_id: TEAM, name: "Sales".into() }.into(), added(ANN, TeamRole::Owner)];
    let cells = [
        (create("Sales"), Ok(created), Err(AlreadyExists), Err(AlreadyExists)),
        (TeamCommand::Rename("Support".into()), Err(NotFound), Ok(vec![renamed("Support")]), Err(Archived)),
        (TeamCommand::Archive, Err(NotFound), Ok(vec![archived()]), Err(Archived)),
        (add(EVE, TeamRole::Coach), Err(NotFound), Ok(vec![added(EVE, TeamRole::Coach)]), Err(Archived)),
        (TeamCommand::ChangeMemberRole(BOB, TeamRole::Coach), Err(NotFound), Ok(vec![changed(BOB, TeamRole::Coach)]), Err(Archived)),
        (TeamCommand::RemoveMember(BOB), Err(NotFound), Ok(vec![removed(BOB)]), Err(Archived)),
        (TeamCommand::ForgetMember(BOB), Err(NotFound), Ok(vec![removed(BOB)]), Ok(vec![removed(BOB)])),
    ];
    for (command, before, within, after) in cells {
        assert_eq!(when(&[], command.clone()), before, "{command:?} before there is a team");
        assert_eq!(when(&open, command.clone()), within, "{command:?} in an open team");
        assert_eq!(when(&closed, command.clone()), after, "{command:?} in an archived team");
    }
    assert_eq!((given(&[]).is_open(), given(&open).is_open(), given(&closed).is_open()), (false, true, false));
}

/// Each change of a role, for a second one of the team and for its only owner.
///
/// covers: T-07
#[test]
fn each_role_becomes_each_other_and_the_last_owner_stays_one() {
    for from in TeamRole::ALL {
        for to in TeamRole::ALL {
            let events = team(&[added(BOB, from)]);
            let expected = if from == to { vec![] } else { vec![changed(BOB, to)] };
            assert_eq!(when(&events, TeamCommand::ChangeMemberRole(BOB, to)), Ok(expected), "{from:?} to {to:?}");
            let after = [events, vec![changed(BOB, to)]].concat();
            assert_eq!(given(&after).role_of(BOB), Some(to));
        }
    }
    for to in [TeamRole::Member, TeamRole::Coach] {
        for other in [TeamRole::Member, TeamRole::Coach] {
            let events = team(&[added(BOB, other)]);
            assert_eq!(when(&events, TeamCommand::ChangeMemberRole(ANN, to)), Err(TeamError::LastOwner));
        }
        let owned_by_two = team(&[added(BOB, TeamRole::Owner)]);
        assert_eq!(when(&owned_by_two, TeamCommand::ChangeMemberRole(ANN, to)), Ok(vec![changed(ANN, to)]));
    }
    assert_eq!(when(&team(&[]), TeamCommand::ChangeMemberRole(ANN, TeamRole::Owner)), Ok(vec![]));
    assert_eq!(when(&team(&[]), TeamCommand::ChangeMemberRole(BOB, TeamRole::Owner)), Err(TeamError::MemberNotFound));
}

#[test]
fn everyone_is_removed_but_the_last_owner() {
    for role in TeamRole::ALL {
        let events = team(&[added(BOB, role)]);
        assert_eq!(when(&events, TeamCommand::RemoveMember(BOB)), Ok(vec![removed(BOB)]), "{role:?}");
        let expected = if role == TeamRole::Owner { Ok(vec![removed(ANN)]) } else { Err(TeamError::LastOwner) };
        assert_eq!(when(&events, TeamCommand::RemoveMember(ANN)), expected, "beside a {role:?}");
    }
    let gone = team(&[added(BOB, TeamRole::Coach), removed(BOB)]);
    assert_eq!(given(&gone).role_of(BOB), None);
    assert_eq!(when(&gone, TeamCommand::RemoveMember(BOB)), Err(TeamError::MemberNotFound));
    assert_eq!(when(&gone, add(BOB, TeamRole::Member)), Ok(vec![added(BOB, TeamRole::Member)]));
}

#[test]
fn nobody_is_in_a_team_twice() {
    for role in TeamRole::ALL {
        for again in TeamRole::ALL {
            assert_eq!(when(&team(&[added(BOB, role)]), add(BOB, again)), Err(TeamError::AlreadyMember));
        }
    }
}

/// covers: P-113
#[test]
fn a_team_takes_as_many_as_the_organization_lets_it_have() {
    let people = |count: u128| team(&(0..count).map(|n| added(UserId(Uuid::from_u128(100 + n)), TeamRole::Member)).collect::<Vec<_>>());
    let ask =
        |events: &[TeamEvent], size_max| when(events, TeamCommand::AddMember(AddMember { user_id: EVE, role: TeamRole::Coach, size_max }));
    assert!(ask(&people(48), 50).is_ok(), "the fiftieth");
    assert_eq!(ask(&people(49), 50), Err(TeamError::Full), "the one after");
    assert_eq!(ask(&team(&[]), 1), Err(TeamError::Full));
    // A limit that sank below the team keeps everyone in it, and nobody else comes until there is room.
    assert_eq!(ask(&people(49), 10), Err(TeamError::Full));
    let smaller = [people(2), vec![removed(UserId(Uuid::from_u128(100)))]].concat();
    assert!(ask(&people(2), 3).is_err() && ask(&smaller, 3).is_ok());
    // Who is there already is told so, whether or not there is room.
    let there = TeamCommand::AddMember(AddMember { user_id: ANN, role: TeamRole::Member, size_max: 1 });
    assert_eq!(when(&team(&[]), there), Err(TeamError::AlreadyMember));
}

#[test]
fn a_team_without_an_owner_gets_one() {
    let left = team(&[added(BOB, TeamRole::Coach), removed(ANN)]);
    assert_eq!(when(&team(&[]), TeamCommand::ForgetMember(ANN)), Ok(vec![removed(ANN)]), "whoever is erased goes in any case");
    assert_eq!(when(&left, TeamCommand::ForgetMember(ANN)), Ok(vec![]));
    assert_eq!(when(&left, add(EVE, TeamRole::Owner)), Ok(vec![added(EVE, TeamRole::Owner)]));
    assert_eq!(when(&left, TeamCommand::ChangeMemberRole(BOB, TeamRole::Owner)), Ok(vec![changed(BOB, TeamRole::Owner)]));
    assert_eq!(when(&left, TeamCommand::RemoveMember(BOB)), Ok(vec![removed(BOB)]));
}

#[test]
fn a_name_is_a_label() {
    for bad in ["", " Sales", "Sales\n", &"x".repeat(NAME_MAX_CHARS + 1)] {
        assert_eq!(when(&[], create(bad)), Err(TeamError::NameInvalid));
        assert_eq!(when(&team(&[]), TeamCommand::Rename(bad.into())), Err(TeamError::NameInvalid));
    }
    assert_eq!(when(&team(&[]), TeamCommand::Rename("Sales".into())), Ok(vec![]));
    assert_eq!(when(&team(&[renamed("Support")]), TeamCommand::Rename("Sales".into())), Ok(vec![renamed("Sales")]));
}

#[test]
fn refusals_have_their_codes() {
    use TeamError::*;
    let cells = [
        (NotFound, Code::ResourceNotFound, None),
        (MemberNotFound, Code::ResourceNotFound, None),
        (NameInvalid, Code::ValidationError, Some("name")),
        (AlreadyExists, Code::Conflict, None),
        (Archived, Code::Conflict, None),
        (AlreadyMember, Code::Conflict, Some("user_id")),
        (Full, Code::Conflict, None),
        (LastOwner, Code::Conflict, None),
    ];
    for (error, code, field) in cells {
        assert_eq!((error.code(), error.field()), (code, field), "{error:?}");
    }
}
