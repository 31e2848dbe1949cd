//! Sealed client contexts in PostgreSQL.

use super::{ClientContextTable, SealedClientContext};
use crate::privacy::PrivacyError;
use async_trait::async_trait;
use palmares_domain::kernel::OrganizationId;
use sqlx::PgPool;
use uuid::Uuid;

pub const INSERT_CLIENT_CONTEXT: &str = "\
INSERT INTO client_contexts (organization_id, id, subject_id, ciphertext, ip_hash, created_at)
VALUES ($1, $2, $3, $4, $5, now())
ON CONFLICT (organization_id, id) DO NOTHING";

pub const SELECT_CLIENT_CONTEXTS: &str = "\
SELECT id, subject_id, ciphertext FROM client_contexts WHERE organization_id = $1 AND id = ANY ($2::uuid[])";

/// The table `client_contexts`. Its role needs SELECT, and INSERT where it records.
pub struct PostgresClientContextTable {
    pool: PgPool,
}

impl PostgresClientContextTable {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl ClientContextTable for PostgresClientContextTable {
    async fn insert(&self, context: &SealedClientContext, ip_hash: &[u8; 32]) -> Result<(), PrivacyError> {
        sqlx::query(INSERT_CLIENT_CONTEXT)
            .bind(context.organization.0)
            .bind(context.id)
            .bind(context.subject)
            .bind(&context.ciphertext)
            .bind(ip_hash.as_slice())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn get_many(&self, organization: OrganizationId, ids: &[Uuid]) -> Result<Vec<SealedClientContext>, PrivacyError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query_as::<_, (Uuid, Uuid, Vec<u8>)>(SELECT_CLIENT_CONTEXTS).bind(organization.0).bind(ids);
        let rows = rows.fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(id, subject, ciphertext)| SealedClientContext { organization, id, subject, ciphertext }).collect())
    }
}
