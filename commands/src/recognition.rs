//! Recognition: teams, and who is what in them.

use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::identity::user_stream;
use crate::ids::new_id;
use palmares_domain::{
    identity::user::User,
    kernel::{Admission, TeamId, UserId},
    organizations::organization::Organization,
    recognition::{
        TeamRole,
        team::{self, Team, TeamCommand},
    },
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    CreateTeam => permit "recognition.team.create", throttle Write;
    RenameTeam => permit "recognition.team.rename", throttle Write, team |rename| Some(rename.team_id);
    ArchiveTeam => permit "recognition.team.archive", throttle Write, team |archive| Some(archive.team_id);
    AddMember => permit "recognition.member.add", throttle Write, team |add| Some(add.team_id);
    ChangeMemberRole => permit "recognition.member.change_role", throttle Write, team |change| Some(change.team_id);
    RemoveMember => permit "recognition.member.remove", throttle Write, team |remove| Some(remove.team_id);
}

/// Creates a team, with whoever owns it first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTeam {
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// An active user of the organization.
    pub owner_id: UserId,
}

/// Calls a team something else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameTeam {
    #[schema(value_type = Uuid)]
    pub team_id: TeamId,
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// Archives a team for good: it stays to be read, and nothing of it changes any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveTeam {
    #[schema(value_type = Uuid)]
    pub team_id: TeamId,
}

/// Takes a user of the organization into a team, as long as there is room: the organization's setting
/// `max_team_size` says for how many.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddMember {
    #[schema(value_type = Uuid)]
    pub team_id: TeamId,
    /// An active user of the organization.
    pub user_id: UserId,
    pub role: TeamRole,
}

/// Makes somebody something else in their team. A team keeps its last owner.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeMemberRole {
    #[schema(value_type = Uuid)]
    pub team_id: TeamId,
    pub user_id: UserId,
    pub role: TeamRole,
}

/// Takes somebody out of a team. A team keeps its last owner.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveMember {
    #[schema(value_type = Uuid)]
    pub team_id: TeamId,
    pub user_id: UserId,
}

/// Takes somebody who is being erased out of a team, whatever they are in it. A reactor asks for it, no route does.
#[derive(Clone, Copy, Debug)]
pub struct ForgetMember {
    pub team_id: TeamId,
    pub user_id: UserId,
}

pub(crate) fn team_stream(admission: &Admission, team: TeamId) -> StreamRef {
    StreamRef::of::<Team>(admission.organization, team)
}

/// Refuses whoever is no active user of the organization; another's looks like none.
fn check_active(unit: &mut Unit<'_>, user: UserId, field: &'static str) -> Result<(), Refused> {
    if unit.state::<User>(user)?.is_active() { Ok(()) } else { Err(Refused::field(field, "recognition.no_active_user")) }
}

impl CreateTeam {
    fn id(admission: &Admission) -> TeamId {
        TeamId(new_id(admission, "team"))
    }
}

impl Operation for CreateTeam {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![team_stream(admission, Self::id(admission))]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.owner_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let team_id = Self::id(unit.admission());
        check_active(unit, self.owner_id, "owner_id")?;
        let create = team::CreateTeam { team_id, name: self.name.clone(), owner_id: self.owner_id };
        unit.run::<Team>(team_id, &TeamCommand::Create(create))?;
        Ok(Answer::new("id", team_id, "ACTIVE"))
    }
}

impl Operation for RenameTeam {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![team_stream(admission, self.team_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<Team>(self.team_id, &TeamCommand::Rename(self.name.clone()))?;
        Ok(Answer::new("id", self.team_id, "ACTIVE"))
    }
}

impl Operation for ArchiveTeam {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![team_stream(admission, self.team_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<Team>(self.team_id, &TeamCommand::Archive)?;
        Ok(Answer::new("id", self.team_id, "ARCHIVED"))
    }
}

impl Operation for AddMember {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![team_stream(admission, self.team_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id), StreamRef::of::<Organization>(admission.organization, admission.organization)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { team_id, user_id, role } = *self;
        check_active(unit, user_id, "user_id")?;
        let organization = unit.organization();
        let size_max = unit.state::<Organization>(organization)?.settings().max_team_size();
        unit.run::<Team>(team_id, &TeamCommand::AddMember(team::AddMember { user_id, role, size_max }))?;
        Ok(Answer::new("team_id", team_id, "ADDED").with("user_id", user_id.to_string()).with("role", role.name()))
    }
}

impl Operation for ChangeMemberRole {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![team_stream(admission, self.team_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { team_id, user_id, role } = *self;
        unit.run::<Team>(team_id, &TeamCommand::ChangeMemberRole(user_id, role))?;
        Ok(Answer::new("team_id", team_id, "CHANGED").with("user_id", user_id.to_string()).with("role", role.name()))
    }
}

impl Operation for RemoveMember {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![team_stream(admission, self.team_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let Self { team_id, user_id } = *self;
        unit.run::<Team>(team_id, &TeamCommand::RemoveMember(user_id))?;
        Ok(Answer::new("team_id", team_id, "REMOVED").with("user_id", user_id.to_string()))
    }
}

impl Operation for ForgetMember {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![team_stream(admission, self.team_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<Team>(self.team_id, &TeamCommand::ForgetMember(self.user_id))?;
        Ok(Answer::new("team_id", self.team_id, "REMOVED"))
    }
}
