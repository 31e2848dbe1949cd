//! Which teams are there, who is what in them, and in which is this person?

mod fold;
mod query;

pub use fold::Teams;
pub use query::{GetTeam, ListTeams, TeamDetails, TeamMember, TeamOfUser, TeamSummary, UserTeams, teams_of};

pub(super) use fold::STATEMENTS;

/// The projection's public name.
pub const PROJECTION: &str = "teams";

pub(super) const READS: &[(&str, &str)] = &[
    ("recognition.teams.list", query::LIST),
    ("recognition.teams.get", query::GET),
    ("recognition.teams.members", query::MEMBERS),
    ("recognition.teams.of_user", query::OF_USER),
    ("recognition.teams.ids_of_user", query::IDS_OF_USER),
];
