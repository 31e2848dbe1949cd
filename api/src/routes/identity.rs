//! Identity: the users of an organization, their life cycle and their roles.

use super::officers::BesideOthers;
use crate::{
    pipeline::{Route, Services, api_key::FreshSecret, command::Prepare, route::Verb},
    problem::Problem,
};
use palmares_commands::identity::{
    ApproveElevation, ApproveReactivation, AssignRole, ChangeProfile, ComposeRole, CreateApiKey, CreateUser, DeactivateUser, EndElevation,
    OnRecord, ReactivateUser, RefuseElevation, RenameRole, RequestElevation, ResetSecondFactor, ResumeUser, RetireRole, ReviewElevation,
    RevokeApiKey, RevokeSession, RevokeUserSessions, RotateApiKey, SetApiKeyQuota, SetRoleGrants, SetUserEmail, StartElevation,
    SuspendUser, UnassignRole, WithdrawElevation,
};
use palmares_domain::kernel::Tenant;
use palmares_projections::identity::{
    api_keys::ListApiKeys,
    directory::{GetUser, ListUsers},
    elevations::ListElevations,
    roles::ListRoles,
    sessions::UserSessions,
};

pub const ROUTES: &[Route] = &[
    Route::post::<CreateUser>("/users").creating("/users", "id"),
    Route::prepared::<SuspendUser, BesideOthers>(Verb::Post, "/users/{user_id}/suspend"),
    Route::post::<ResumeUser>("/users/{user_id}/resume"),
    Route::prepared::<DeactivateUser, BesideOthers>(Verb::Post, "/users/{user_id}/deactivate"),
    Route::post::<ApproveReactivation>("/users/{user_id}/approve-reactivation"),
    Route::post::<ReactivateUser>("/users/{user_id}/reactivate"),
    Route::post::<AssignRole>("/users/{user_id}/roles"),
    Route::prepared::<UnassignRole, BesideOthers>(Verb::Post, "/users/{user_id}/roles/{role}/unassign"),
    Route::get::<ListUsers>("/users", "identity.user.list"),
    Route::get::<GetUser>("/users/{user_id}", "identity.user.read"),
    Route::prepared::<SetUserEmail, AddressBefore>(Verb::Post, "/users/{user_id}/email"),
    Route::get::<UserSessions>("/users/{user_id}/sessions", "identity.session.read"),
    Route::post::<RevokeUserSessions>("/users/{user_id}/sessions/revoke"),
    Route::delete::<RevokeSession>("/users/{user_id}/sessions/{session_id}"),
    Route::post::<ResetSecondFactor>("/users/{user_id}/second-factor/reset"),
    Route::patch::<ChangeProfile>("/me"),
    Route::get::<UserSessions>("/me/sessions", "identity.session.read").alias().before_consent(),
    Route::post::<RevokeUserSessions>("/me/sessions/revoke").alias().before_consent(),
    Route::delete::<RevokeSession>("/me/sessions/{session_id}").alias().before_consent(),
    Route::post::<ComposeRole>("/roles").creating("/roles", "id"),
    Route::post::<SetRoleGrants>("/roles/{role_id}/grants"),
    Route::post::<RenameRole>("/roles/{role_id}/rename"),
    Route::post::<RetireRole>("/roles/{role_id}/retire"),
    Route::get::<ListRoles>("/roles", "identity.role.read"),
    Route::prepared::<CreateApiKey, FreshSecret>(Verb::Post, "/api-keys").creating("/api-keys", "id"),
    Route::prepared::<RotateApiKey, FreshSecret>(Verb::Post, "/api-keys/{key_id}/rotate"),
    Route::post::<RevokeApiKey>("/api-keys/{key_id}/revoke"),
    Route::post::<SetApiKeyQuota>("/api-keys/{key_id}/quota"),
    Route::get::<ListApiKeys>("/api-keys", "identity.api_key.list"),
    Route::post::<RequestElevation>("/elevations").creating("/elevations", "id"),
    Route::post::<ApproveElevation>("/elevations/{elevation_id}/approve"),
    Route::post::<RefuseElevation>("/elevations/{elevation_id}/refuse"),
    Route::post::<WithdrawElevation>("/elevations/{elevation_id}/withdraw"),
    Route::post::<StartElevation>("/elevations/{elevation_id}/start"),
    Route::post::<EndElevation>("/elevations/{elevation_id}/end"),
    Route::post::<ReviewElevation>("/elevations/{elevation_id}/review"),
    Route::get::<ListElevations>("/elevations", "identity.elevation.read"),
];

/// Looks up the address that a user has, because the log keeps that sealed and the claim of it has to be let go.
struct AddressBefore;

impl Prepare<SetUserEmail> for AddressBefore {
    type Shown = ();

    async fn prepare(operation: SetUserEmail, tenant: Tenant, services: &Services) -> Result<(SetUserEmail, ()), Problem> {
        let before = OnRecord::of(&services.engine, tenant.organization(), operation.user_id).await?;
        Ok((SetUserEmail { before, ..operation }, ()))
    }
}
