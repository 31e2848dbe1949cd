//! Sealed rows in PostgreSQL, deleted as role `palmares_eraser`: row security shows it none but those
//! whose keys the erasure has destroyed.

use super::{Redacted, SealedRows, sealed_streams};
use crate::privacy::data_keys::postgres_life::begin;
use crate::privacy::{PrivacyError, Subject};
use async_trait::async_trait;
use palmares_domain::kernel::Purpose;
use sqlx::PgPool;
use uuid::Uuid;

/// Found by blocks of pages: an index of rows by subject would cost every append, for what few ever ask.
pub const REDACT_FIELDS: &str = "DELETE FROM event_sealed WHERE organization_id = $1 AND subject_id = $2 AND purpose = ANY($3)";
pub const REDACT_CLIENT_CONTEXTS: &str = "DELETE FROM client_contexts WHERE organization_id = $1 AND subject_id = $2";
pub const REDACT_SNAPSHOTS: &str = "\
DELETE FROM snapshots WHERE stream_key IN (SELECT key FROM streams WHERE organization_id = $1 AND id = $2 AND type = ANY($3))";

/// Every statement above, by name, for the test that prepares them as the eraser.
pub const ALL: &[(&str, &str)] =
    &[("REDACT_FIELDS", REDACT_FIELDS), ("REDACT_CLIENT_CONTEXTS", REDACT_CLIENT_CONTEXTS), ("REDACT_SNAPSHOTS", REDACT_SNAPSHOTS)];

/// The tables `event_sealed`, `client_contexts` and `snapshots`.
pub struct PostgresSealedRows {
    pool: PgPool,
}

impl PostgresSealedRows {
    /// Over a pool of [`eraser_pool`](crate::privacy::data_keys::postgres_life::eraser_pool).
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl SealedRows for PostgresSealedRows {
    async fn redact(&self, subject: Subject, purposes: &[Purpose], erasure: Uuid) -> Result<Redacted, PrivacyError> {
        let (organization, id) = (subject.organization.0, subject.id);
        let names: Vec<&str> = purposes.iter().map(|purpose| purpose.name()).collect();
        let mut transaction = begin(&self.pool, subject.organization, Some(erasure)).await?;
        let fields = sqlx::query(REDACT_FIELDS).bind(organization).bind(id).bind(&names).execute(&mut *transaction).await?;
        let mut redacted = Redacted { fields: fields.rows_affected(), ..Redacted::default() };
        if purposes.contains(&Purpose::Security) {
            let contexts = sqlx::query(REDACT_CLIENT_CONTEXTS).bind(organization).bind(id).execute(&mut *transaction).await?;
            redacted.client_contexts = contexts.rows_affected();
        }
        let streams = sealed_streams(purposes);
        let snapshots = sqlx::query(REDACT_SNAPSHOTS).bind(organization).bind(id).bind(streams).execute(&mut *transaction).await?;
        redacted.snapshots = snapshots.rows_affected();
        transaction.commit().await?;
        Ok(redacted)
    }
}
