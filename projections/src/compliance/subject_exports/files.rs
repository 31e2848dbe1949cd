//! The sealed files: written by who builds them, deleted with the event that their time is over,
//! or that the keys of whose they are were destroyed.

use crate::engine::{ReadError, TenantReader};
use palmares_domain::kernel::{ExportId, OrganizationId};
use sqlx::{PgConnection, PgPool};

const STORE: &str = "
    INSERT INTO compliance_export_files (organization_id, export_id, content) VALUES ($1, $2, $3)";

const DELETE: &str = "DELETE FROM compliance_export_files WHERE organization_id = $1 AND export_id = $2";

/// The files of whoever is erased.
pub(super) const FORGET: &str = "
    DELETE FROM compliance_export_files f USING {compliance_subject_exports} e
    WHERE f.organization_id = $1 AND e.organization_id = f.organization_id AND e.export_id = f.export_id
      AND ($2::uuid IS NULL OR e.user_id = $2)";

pub(super) const READ: &str = "SELECT content FROM compliance_export_files WHERE organization_id = $1 AND export_id = $2";

/// What runs as the projector.
pub const STATEMENTS: &[(&str, &str)] = &[("compliance.export_files.store", STORE), ("compliance.export_files.delete", DELETE)];

/// Where files are stored; its connections act as `palmares_projector`.
#[derive(Clone)]
pub struct ExportFiles(PgPool);

impl ExportFiles {
    pub fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Stores a file, in place of one that an attempt before this one left.
    pub async fn store(&self, organization: OrganizationId, export: ExportId, content: &[u8]) -> Result<(), sqlx::Error> {
        let mut tx = self.0.begin().await?;
        delete(&mut tx, organization, export).await?;
        sqlx::query(STORE).bind(organization.0).bind(export.0).bind(content).execute(&mut *tx).await?;
        tx.commit().await
    }
}

/// Deletes a file; one that is not there is deleted already.
pub(super) async fn delete(tx: &mut PgConnection, organization: OrganizationId, export: ExportId) -> Result<(), sqlx::Error> {
    sqlx::query(DELETE).bind(organization.0).bind(export.0).execute(tx).await?;
    Ok(())
}

/// The file of an export, while it is there.
pub async fn export_file(reader: &mut TenantReader<'_>, export: ExportId) -> Result<Option<Vec<u8>>, ReadError> {
    let query = sqlx::query_scalar(READ).bind(reader.organization().0).bind(export.0);
    Ok(query.fetch_optional(reader.connection()).await?)
}
