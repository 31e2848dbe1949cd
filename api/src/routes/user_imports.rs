//! Imports of people: a table is uploaded, looked at, confirmed, and taken back if need be.

use crate::{
    pipeline::{Route, Services, command::Prepare, route::Verb},
    problem::Problem,
};
use palmares_commands::identity::{CancelImport, ConfirmImport, RetryImport, RollBackImport, UploadImport};
use palmares_domain::{identity::user_import::CSV_MAX_BYTES, kernel::Tenant};
use palmares_projections::identity::user_imports::{GetImport, ListImports};

/// A table as a text of JSON, in which line ends and quotes take two bytes.
const BODY_MAX_BYTES: usize = 2 * CSV_MAX_BYTES;

pub const ROUTES: &[Route] = &[
    Route::prepared::<UploadImport, TableRead>(Verb::Post, "/users/imports").body_up_to(BODY_MAX_BYTES).creating("/users/imports", "id"),
    Route::post::<ConfirmImport>("/users/imports/{import_id}/confirm").starting("/users/imports", "id"),
    Route::post::<RetryImport>("/users/imports/{import_id}/retry").starting("/users/imports", "id"),
    Route::post::<RollBackImport>("/users/imports/{import_id}/roll-back").starting("/users/imports", "id"),
    Route::post::<CancelImport>("/users/imports/{import_id}/cancel"),
    Route::get::<ListImports>("/users/imports", "identity.user_import.read"),
    Route::get::<GetImport>("/users/imports/{import_id}", "identity.user_import.read").wording_rows(),
];

/// Reads the table and looks up who has which address, because a decision waits for nothing.
struct TableRead;

impl Prepare<UploadImport> for TableRead {
    type Shown = ();

    async fn prepare(mut upload: UploadImport, tenant: Tenant, services: &Services) -> Result<(UploadImport, ()), Problem> {
        upload.read(&services.engine, tenant.organization()).await?;
        Ok((upload, ()))
    }
}
