//! Experts: who looks after whom.

use crate::pipeline::Route;
use palmares_commands::experts::{AssignExpert, EndAssignment};
use palmares_projections::experts::assignments::UserExperts;

pub const ROUTES: &[Route] = &[
    Route::post::<AssignExpert>("/users/{user_id}/experts"),
    Route::delete::<EndAssignment>("/users/{user_id}/experts/{expert_id}"),
    Route::get::<UserExperts>("/users/{user_id}/experts", "experts.assignment.read"),
    Route::get::<UserExperts>("/me/experts", "experts.assignment.read").alias(),
];
