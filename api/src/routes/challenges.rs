//! Challenges: what people did, and who leads.

use crate::pipeline::Route;
use palmares_commands::challenges::RecordActivities;
use palmares_projections::challenges::{
    activities::{UserActivities, UserActivityDays},
    leaderboards::{Leaderboard, LeaderboardPlace},
    participation::ShowParticipation,
};

pub const ROUTES: &[Route] = &[
    Route::post::<RecordActivities>("/activities").wording_rows(),
    Route::get::<UserActivities>("/users/{user_id}/activities", "challenges.activity.read"),
    Route::get::<UserActivityDays>("/users/{user_id}/activities/days", "challenges.activity.read"),
    Route::get::<ShowParticipation>("/wellness/participation", "challenges.participation.read"),
    Route::get::<Leaderboard>("/leaderboards/{metric}", "challenges.leaderboard.read"),
    Route::get::<LeaderboardPlace>("/leaderboards/{metric}/users/{user_id}", "challenges.leaderboard.read"),
];
