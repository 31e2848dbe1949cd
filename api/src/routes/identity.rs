//! Identity: the users of an organization, their life cycle and their roles.

use crate::pipeline::{Route, api_key::FreshSecret, route::Verb};
use palmares_commands::identity::{
    ApproveReactivation, AssignRole, CancelUserDeletion, ComposeRole, CreateApiKey, CreateUser, DeactivateUser, ReactivateUser, RenameRole,
    RequestUserDeletion, ResumeUser, RetireRole, RevokeApiKey, RevokeSession, RevokeUserSessions, RotateApiKey, SetApiKeyQuota,
    SetRoleGrants, SetUserEmail, SuspendUser, UnassignRole,
};
use palmares_projections::identity::{
    api_keys::ListApiKeys,
    directory::{GetUser, ListUsers},
    roles::ListRoles,
    sessions::UserSessions,
};

pub const ROUTES: &[Route] = &[
    Route::post::<CreateUser>("/users").creating("/users", "id"),
    Route::post::<SuspendUser>("/users/{user_id}/suspend"),
    Route::post::<ResumeUser>("/users/{user_id}/resume"),
    Route::post::<DeactivateUser>("/users/{user_id}/deactivate"),
    Route::post::<ApproveReactivation>("/users/{user_id}/approve-reactivation"),
    Route::post::<ReactivateUser>("/users/{user_id}/reactivate"),
    Route::post::<RequestUserDeletion>("/users/{user_id}/request-deletion"),
    Route::post::<CancelUserDeletion>("/users/{user_id}/cancel-deletion"),
    Route::post::<AssignRole>("/users/{user_id}/roles"),
    Route::post::<UnassignRole>("/users/{user_id}/roles/{role}/unassign"),
    Route::get::<ListUsers>("/users", "identity.user.list"),
    Route::get::<GetUser>("/users/{user_id}", "identity.user.read"),
    Route::post::<SetUserEmail>("/users/{user_id}/email"),
    Route::get::<UserSessions>("/users/{user_id}/sessions", "identity.session.read"),
    Route::post::<RevokeUserSessions>("/users/{user_id}/sessions/revoke"),
    Route::delete::<RevokeSession>("/users/{user_id}/sessions/{session_id}"),
    Route::get::<UserSessions>("/me/sessions", "identity.session.read").alias(),
    Route::post::<RevokeUserSessions>("/me/sessions/revoke").alias(),
    Route::delete::<RevokeSession>("/me/sessions/{session_id}").alias(),
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
];
