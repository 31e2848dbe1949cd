//! Wrapped data keys in PostgreSQL.

use super::{DataKeyName, DataKeyTable, KeyChange, StoredKey, Subject, WrappedKey};
use crate::privacy::{Epoch, PURPOSES, PrivacyError};
use async_trait::async_trait;
use palmares_domain::kernel::{OrganizationId, Purpose};
use sqlx::PgPool;
use std::collections::HashSet;
use uuid::Uuid;

/// From the keys that are wanted to the table, whatever the statistics say. Tombstones are no keys.
pub const SELECT_DATA_KEYS: &str = "\
SELECT k.organization_id, k.subject_id, k.purpose, k.epoch, k.wrapped,
    EXISTS (SELECT FROM hidden_subjects h WHERE h.organization_id = k.organization_id AND h.subject_id = k.subject_id) AS hidden
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) u(organization_id, subject_id, purpose),
    LATERAL (SELECT * FROM data_keys k
             WHERE k.organization_id = u.organization_id AND k.subject_id = u.subject_id AND k.purpose = u.purpose OFFSET 0) k
WHERE k.erasure_id IS NULL";

/// In order of the primary key, so that two nodes that insert overlapping sets wait for each other
/// and never in a circle. A tombstone has the primary key of what it stands for, and wins.
pub const INSERT_DATA_KEYS: &str = "\
INSERT INTO data_keys (organization_id, subject_id, purpose, epoch, wrapped, created_at)
SELECT organization_id, subject_id, purpose, epoch, wrapped, now()
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::bytea[]) AS new (organization_id, subject_id, purpose, epoch, wrapped)
ORDER BY organization_id, subject_id, purpose
ON CONFLICT (organization_id, subject_id, purpose) DO NOTHING
RETURNING organization_id, subject_id, purpose, epoch, wrapped,
    EXISTS (SELECT FROM hidden_subjects h WHERE h.organization_id = data_keys.organization_id AND h.subject_id = data_keys.subject_id) AS hidden";

pub const SAMPLE_DATA_KEY: &str =
    "SELECT organization_id, subject_id, purpose, epoch, wrapped, false FROM data_keys WHERE erasure_id IS NULL LIMIT 1";

/// Whatever stands where a key should: what is none does not open.
pub const DATA_KEYS_AFTER: &str = "\
SELECT organization_id, subject_id, purpose, coalesce(epoch, 0), coalesce(wrapped, ''), false FROM data_keys
WHERE erasure_id IS NULL AND purpose = ANY($4) AND (organization_id, subject_id, purpose) > ($1, $2, $3)
ORDER BY organization_id, subject_id, purpose LIMIT $5";

pub const LAST_KEY_CHANGE: &str = "SELECT COALESCE(max(seq), 0) FROM key_changes";

pub const KEY_CHANGES: &str = "SELECT seq, organization_id, subject_id FROM key_changes WHERE seq > $1 ORDER BY seq";

/// What the trigger `epochs_retire` says.
const EPOCH_RETIRED: &str = "PM001";

pub(super) type Row = (Uuid, Uuid, String, i32, Vec<u8>, bool);

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
    async fn get_many(&self, names: &[DataKeyName]) -> Result<Vec<StoredKey>, PrivacyError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let (organizations, subjects, purposes) = columns(names.iter());
        let rows = sqlx::query_as::<_, Row>(SELECT_DATA_KEYS).bind(organizations).bind(subjects).bind(purposes);
        rows.fetch_all(&self.pool).await?.into_iter().map(read).collect()
    }

    async fn insert_many(&self, keys: &[WrappedKey]) -> Result<Vec<StoredKey>, PrivacyError> {
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
        let rows = rows.fetch_all(&self.pool).await.map_err(|error| match error.as_database_error().and_then(|error| error.code()) {
            Some(code) if code == EPOCH_RETIRED => PrivacyError::EpochRetired(keys[0].name.organization),
            _ => error.into(),
        })?;
        let mut stored = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if stored.len() < keys.len() {
            // The winners became visible while the insert waited for them, so only a statement
            // that starts now sees them.
            let mine: HashSet<DataKeyName> = stored.iter().map(|stored| stored.key.name).collect();
            let lost: Vec<DataKeyName> = keys.iter().map(|key| key.name).filter(|name| !mine.contains(name)).collect();
            stored.extend(self.get_many(&lost).await?);
        }
        Ok(stored)
    }

    async fn sample(&self) -> Result<Option<WrappedKey>, PrivacyError> {
        let row = sqlx::query_as::<_, Row>(SAMPLE_DATA_KEY).fetch_optional(&self.pool).await?;
        Ok(row.map(read).transpose()?.map(|stored| stored.key))
    }

    async fn keys_after(&self, after: Option<DataKeyName>, limit: usize) -> Result<Vec<WrappedKey>, PrivacyError> {
        let (organization, subject, purpose) =
            after.map_or_else(Default::default, |name| (name.organization.0, name.subject, name.purpose.name()));
        let rows = sqlx::query_as::<_, Row>(DATA_KEYS_AFTER).bind(organization).bind(subject).bind(purpose);
        let rows = rows.bind(PURPOSES.map(Purpose::name)).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        rows.fetch_all(&self.pool).await?.into_iter().map(|row| Ok(read(row)?.key)).collect()
    }

    async fn last_change(&self) -> Result<i64, PrivacyError> {
        Ok(sqlx::query_scalar(LAST_KEY_CHANGE).fetch_one(&self.pool).await?)
    }

    async fn changes_after(&self, seq: i64) -> Result<Vec<KeyChange>, PrivacyError> {
        let rows: Vec<(i64, Uuid, Uuid)> = sqlx::query_as(KEY_CHANGES).bind(seq).fetch_all(&self.pool).await?;
        let change = |(seq, organization, id)| KeyChange { seq, subject: Subject { organization: OrganizationId(organization), id } };
        Ok(rows.into_iter().map(change).collect())
    }
}

pub(super) fn columns<'a>(names: impl Iterator<Item = &'a DataKeyName>) -> (Vec<Uuid>, Vec<Uuid>, Vec<&'static str>) {
    names.map(|name| (name.organization.0, name.subject, name.purpose.name())).collect()
}

pub(super) fn read((organization, subject, purpose, epoch, wrapped, hidden): Row) -> Result<StoredKey, PrivacyError> {
    let purpose = Purpose::parse(&purpose).ok_or(PrivacyError::UnknownPurpose(purpose))?;
    let name = DataKeyName { organization: OrganizationId(organization), subject, purpose };
    Ok(StoredKey { key: WrappedKey { name, epoch: Epoch(epoch), wrapped }, hidden })
}
