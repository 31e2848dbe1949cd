//! Wrapped data keys in PostgreSQL.

use super::{DataKeyName, DataKeyTable, WrappedKey};
use crate::privacy::{Epoch, PrivacyError};
use async_trait::async_trait;
use palmares_domain::kernel::{OrganizationId, Purpose};
use sqlx::PgPool;
use std::collections::HashSet;
use uuid::Uuid;

/// From the keys that are wanted to the table, whatever the statistics say.
pub const SELECT_DATA_KEYS: &str = "\
SELECT k.organization_id, k.subject_id, k.purpose, k.epoch, k.wrapped
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) u(organization_id, subject_id, purpose),
    LATERAL (SELECT * FROM data_keys k
             WHERE k.organization_id = u.organization_id AND k.subject_id = u.subject_id AND k.purpose = u.purpose OFFSET 0) k";

/// In order of the primary key, so that two nodes that insert overlapping sets wait for each other
/// and never in a circle.
pub const INSERT_DATA_KEYS: &str = "\
INSERT INTO data_keys (organization_id, subject_id, purpose, epoch, wrapped, created_at)
SELECT organization_id, subject_id, purpose, epoch, wrapped, now()
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::bytea[]) AS new (organization_id, subject_id, purpose, epoch, wrapped)
ORDER BY organization_id, subject_id, purpose
ON CONFLICT (organization_id, subject_id, purpose) DO NOTHING
RETURNING organization_id, subject_id, purpose, epoch, wrapped";

pub const SAMPLE_DATA_KEY: &str = "SELECT organization_id, subject_id, purpose, epoch, wrapped FROM data_keys LIMIT 1";

type Row = (Uuid, Uuid, String, i32, Vec<u8>);

/// The table `data_keys`. Its role needs SELECT, and INSERT where it seals.
pub struct PostgresDataKeyTable {
    pool: PgPool,
}

impl PostgresDataKeyTable {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl DataKeyTable for PostgresDataKeyTable {
    async fn get_many(&self, names: &[DataKeyName]) -> Result<Vec<WrappedKey>, PrivacyError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let (organizations, subjects, purposes) = columns(names.iter());
        let rows = sqlx::query_as::<_, Row>(SELECT_DATA_KEYS).bind(organizations).bind(subjects).bind(purposes);
        rows.fetch_all(&self.pool).await?.into_iter().map(read).collect()
    }

    async fn insert_many(&self, keys: &[WrappedKey]) -> Result<Vec<WrappedKey>, PrivacyError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let (organizations, subjects, purposes) = columns(keys.iter().map(|key| &key.name));
        let rows = sqlx::query_as::<_, Row>(INSERT_DATA_KEYS)
            .bind(organizations)
            .bind(subjects)
            .bind(purposes)
            .bind(keys.iter().map(|key| key.epoch.0).collect::<Vec<_>>())
            .bind(keys.iter().map(|key| key.wrapped.as_slice()).collect::<Vec<_>>());
        let mut stored = rows.fetch_all(&self.pool).await?.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if stored.len() < keys.len() {
            // The winners became visible while the insert waited for them, so only a statement
            // that starts now sees them.
            let mine: HashSet<DataKeyName> = stored.iter().map(|key| key.name).collect();
            let lost: Vec<DataKeyName> = keys.iter().map(|key| key.name).filter(|name| !mine.contains(name)).collect();
            stored.extend(self.get_many(&lost).await?);
        }
        Ok(stored)
    }

    async fn sample(&self) -> Result<Option<WrappedKey>, PrivacyError> {
        sqlx::query_as::<_, Row>(SAMPLE_DATA_KEY).fetch_optional(&self.pool).await?.map(read).transpose()
    }
}

fn columns<'a>(names: impl Iterator<Item = &'a DataKeyName>) -> (Vec<Uuid>, Vec<Uuid>, Vec<&'static str>) {
    names.map(|name| (name.organization.0, name.subject, name.purpose.name())).collect()
}

fn read((organization, subject, purpose, epoch, wrapped): Row) -> Result<WrappedKey, PrivacyError> {
    let purpose = Purpose::parse(&purpose).ok_or(PrivacyError::UnknownPurpose(purpose))?;
    let name = DataKeyName { organization: OrganizationId(organization), subject, purpose };
    Ok(WrappedKey { name, epoch: Epoch(epoch), wrapped })
}
