//! Identity: the users of an organization.

use crate::pipeline::Route;
use palmares_projections::identity::directory::{GetUser, ListUsers};

pub const ROUTES: &[Route] =
    &[Route::get::<ListUsers>("/users", "identity.user.list"), Route::get::<GetUser>("/users/{user_id}", "identity.user.read")];
