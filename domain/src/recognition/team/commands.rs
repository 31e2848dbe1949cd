//! What may be asked of a team.

use super::TeamRole;
use crate::kernel::{TeamId, UserId};

#[derive(Clone, Debug)]
pub enum TeamCommand {
    Create(CreateTeam),
    Rename(String),
    /// Nothing of it changes any more.
    Archive,
    AddMember(AddMember),
    ChangeMemberRole(UserId, TeamRole),
    RemoveMember(UserId),
    /// Whoever is erased is in no team, be it an archived one or the one that they alone own.
    ForgetMember(UserId),
}

/// Makes a team with its first owner.
#[derive(Clone, Debug)]
pub struct CreateTeam {
    pub team_id: TeamId,
    pub name: String,
    pub owner_id: UserId,
}

/// Takes somebody into the team.
#[derive(Clone, Copy, Debug)]
pub struct AddMember {
    pub user_id: UserId,
    pub role: TeamRole,
    /// How many people the organization lets a team have.
    pub size_max: u16,
}
