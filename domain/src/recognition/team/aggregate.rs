//! The rules of one team.

use super::{
    AddMember, CreateTeam, MemberAdded, MemberRemoved, MemberRoleChanged, TeamArchived, TeamCommand, TeamCreated, TeamError, TeamEvent,
    TeamRenamed,
};
use crate::kernel::{Aggregate, Facts, TeamId, UserId, text::is_label};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const NAME_MAX_CHARS: usize = 100;

/// What somebody is in one team (T-07).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TeamRole {
    Member,
    Coach,
    /// Manages who is in the team.
    Owner,
}

impl TeamRole {
    pub const ALL: [TeamRole; 3] = [TeamRole::Member, TeamRole::Coach, TeamRole::Owner];

    pub fn name(self) -> &'static str {
        match self {
            TeamRole::Member => "member",
            TeamRole::Coach => "coach",
            TeamRole::Owner => "owner",
        }
    }
}

/// A team that was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Created {
    team_id: TeamId,
    name: String,
    archived: bool,
    people: BTreeMap<UserId, TeamRole>,
}

/// A team: nothing, until created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Team(Option<Created>);

impl Created {
    fn role(&self, user: UserId) -> Result<TeamRole, TeamError> {
        self.people.get(&user).copied().ok_or(TeamError::MemberNotFound)
    }

    /// A team is not left to itself by whoever manages it.
    fn check_keeps_owner(&self, leaving: UserId) -> Result<(), TeamError> {
        let owns = |user: &UserId| self.people.get(user) == Some(&TeamRole::Owner);
        let left = self.people.keys().filter(|user| **user != leaving);
        if owns(&leaving) && !left.into_iter().any(owns) { Err(TeamError::LastOwner) } else { Ok(()) }
    }

    fn rename(&self, name: &str) -> Result<Vec<TeamEvent>, TeamError> {
        check_name(name)?;
        let renamed = (self.name != name).then(|| TeamRenamed { team_id: self.team_id, name: name.to_owned() }.into());
        Ok(renamed.into_iter().collect())
    }

    fn add(&self, command: AddMember) -> Result<Vec<TeamEvent>, TeamError> {
        let AddMember { user_id, role, size_max } = command;
        if self.people.contains_key(&user_id) {
            return Err(TeamError::AlreadyMember);
        }
        if self.people.len() >= usize::from(size_max) {
            return Err(TeamError::Full);
        }
        Ok(vec![MemberAdded { team_id: self.team_id, user_id, role }.into()])
    }

    fn change_role(&self, user_id: UserId, role: TeamRole) -> Result<Vec<TeamEvent>, TeamError> {
        if self.role(user_id)? == role {
            return Ok(Vec::new());
        }
        self.check_keeps_owner(user_id)?;
        Ok(vec![MemberRoleChanged { team_id: self.team_id, user_id, role }.into()])
    }

    fn remove(&self, user_id: UserId) -> Vec<TeamEvent> {
        vec![MemberRemoved { team_id: self.team_id, user_id }.into()]
    }
}

impl Team {
    /// What somebody is in the team; nothing in one that is not theirs. Whoever was in an archived team still
    /// is, and sees it.
    pub fn role_of(&self, user: UserId) -> Option<TeamRole> {
        self.0.as_ref()?.people.get(&user).copied()
    }

    /// Whether there is such a team, and something of it may still change.
    pub fn is_open(&self) -> bool {
        self.0.as_ref().is_some_and(|team| !team.archived)
    }

    fn known(&self) -> Result<&Created, TeamError> {
        self.0.as_ref().ok_or(TeamError::NotFound)
    }

    fn open(&self) -> Result<&Created, TeamError> {
        let team = self.known()?;
        if team.archived { Err(TeamError::Archived) } else { Ok(team) }
    }

    fn create(&self, command: &CreateTeam) -> Result<Vec<TeamEvent>, TeamError> {
        let CreateTeam { team_id, name, owner_id } = command;
        if self.0.is_some() {
            return Err(TeamError::AlreadyExists);
        }
        check_name(name)?;
        let created = TeamCreated { team_id: *team_id, name: name.clone() };
        let owner = MemberAdded { team_id: *team_id, user_id: *owner_id, role: TeamRole::Owner };
        Ok(vec![created.into(), owner.into()])
    }
}

impl Aggregate for Team {
    const TYPE: &'static str = "team";
    const SHAPE: u16 = 1;

    type Command = TeamCommand;
    type Event = TeamEvent;
    type Error = TeamError;

    fn decide(&self, command: &TeamCommand, _facts: &Facts) -> Result<Vec<TeamEvent>, TeamError> {
        match command {
            TeamCommand::Create(create) => self.create(create),
            TeamCommand::Rename(name) => self.open()?.rename(name),
            TeamCommand::Archive => Ok(vec![TeamArchived { team_id: self.open()?.team_id }.into()]),
            TeamCommand::AddMember(add) => self.open()?.add(*add),
            TeamCommand::ChangeMemberRole(user, role) => self.open()?.change_role(*user, *role),
            TeamCommand::RemoveMember(user) => {
                let team = self.open()?;
                team.role(*user)?;
                team.check_keeps_owner(*user)?;
                Ok(team.remove(*user))
            }
            TeamCommand::ForgetMember(user) => {
                let team = self.known()?;
                Ok(team.role(*user).map_or_else(|_| Vec::new(), |_| team.remove(*user)))
            }
        }
    }

    fn evolve(&mut self, event: &TeamEvent) {
        if let TeamEvent::TeamCreated(created) = event {
            let TeamCreated { team_id, name } = created.clone();
            self.0 = Some(Created { team_id, name, archived: false, people: BTreeMap::new() });
        }
        let Some(team) = &mut self.0 else { return };
        match event {
            TeamEvent::TeamCreated(_) => {}
            TeamEvent::TeamRenamed(renamed) => team.name.clone_from(&renamed.name),
            TeamEvent::TeamArchived(_) => team.archived = true,
            TeamEvent::MemberAdded(added) => drop(team.people.insert(added.user_id, added.role)),
            TeamEvent::MemberRoleChanged(changed) => drop(team.people.insert(changed.user_id, changed.role)),
            TeamEvent::MemberRemoved(removed) => drop(team.people.remove(&removed.user_id)),
        }
    }
}

fn check_name(name: &str) -> Result<(), TeamError> {
    if is_label(name, NAME_MAX_CHARS) { Ok(()) } else { Err(TeamError::NameInvalid) }
}
