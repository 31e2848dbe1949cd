//! Recognition: teams, and who is what in them.

use crate::pipeline::Route;
use palmares_commands::recognition::{AddMember, ArchiveTeam, ChangeMemberRole, CreateTeam, RemoveMember, RenameTeam};
use palmares_projections::recognition::teams::{GetTeam, ListTeams, UserTeams};

pub const ROUTES: &[Route] = &[
    Route::post::<CreateTeam>("/teams").creating("/teams", "id"),
    Route::get::<ListTeams>("/teams", "recognition.team.list"),
    Route::get::<GetTeam>("/teams/{team_id}", "recognition.team.read"),
    Route::patch::<RenameTeam>("/teams/{team_id}"),
    Route::post::<ArchiveTeam>("/teams/{team_id}/archive"),
    Route::post::<AddMember>("/teams/{team_id}/members"),
    Route::patch::<ChangeMemberRole>("/teams/{team_id}/members/{user_id}"),
    Route::delete::<RemoveMember>("/teams/{team_id}/members/{user_id}"),
    Route::get::<UserTeams>("/users/{user_id}/teams", "recognition.membership.read"),
    Route::get::<UserTeams>("/me/teams", "recognition.membership.read").alias(),
];
