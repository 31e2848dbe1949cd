//! Identity: the users of an organization.

use crate::pipeline::Route;
use palmares_commands::identity::{CreateUser, ResumeUser, SuspendUser};
use palmares_projections::identity::directory::{GetUser, ListUsers};

pub const ROUTES: &[Route] = &[
    Route::post::<CreateUser>("/users").creating("/users", "id"),
    Route::post::<SuspendUser>("/users/{user_id}/suspend"),
    Route::post::<ResumeUser>("/users/{user_id}/resume"),
    Route::get::<ListUsers>("/users", "identity.user.list"),
    Route::get::<GetUser>("/users/{user_id}", "identity.user.read"),
];
