//! The life of keys in PostgreSQL, as role `palmares_eraser`, one tenant at a time.

use super::postgres::{Row, columns, read};
use super::{KeyFate, KeyLife, Subject, SubjectKeys, WrappedKey};
use crate::privacy::{Epoch, PrivacyError};
use async_trait::async_trait;
use palmares_domain::kernel::{OrganizationId, Purpose};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, Postgres, Transaction};
use uuid::Uuid;

/// The channel on which nodes are told to look for changes.
pub const CHANNEL: &str = "palmares_keys";
/// Who destroys takes this lock until it commits, so that numbers become visible in their order.
pub const LOCK_CHANGES: &str = "SELECT pg_advisory_xact_lock(hashtextextended('palmares/key_changes', 0))";
pub const SET_TENANT: &str = "SELECT set_config('app.current_org_id', $1, true), set_config('app.current_erasure_id', $2, true)";
/// Kept for a day, for a node that was away; one that was away for longer than its lease forgets everything.
pub const TELL_CHANGE: &str = "\
WITH told AS (INSERT INTO key_changes (organization_id, subject_id) VALUES ($1, $2)),
     old AS (DELETE FROM key_changes WHERE changed_at < now() - interval '1 day')
SELECT pg_notify('palmares_keys', '')";
pub const HIDE: &str = "INSERT INTO hidden_subjects (organization_id, subject_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
pub const UNHIDE: &str = "DELETE FROM hidden_subjects WHERE organization_id = $1 AND subject_id = $2";
pub const HOLD: &str = "INSERT INTO key_holds (organization_id, subject_id, hold_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
pub const RELEASE: &str = "DELETE FROM key_holds WHERE organization_id = $1 AND subject_id = $2 AND hold_id = $3";
pub const HOLDS: &str = "SELECT hold_id FROM key_holds WHERE organization_id = $1 AND subject_id = $2 ORDER BY hold_id";
pub const IS_HIDDEN: &str = "SELECT EXISTS (SELECT FROM hidden_subjects WHERE organization_id = $1 AND subject_id = $2)";
pub const STANDING: &str =
    "SELECT count(*) FROM data_keys WHERE organization_id = $1 AND subject_id = $2 AND purpose = ANY($3) AND erasure_id IS NULL";
/// A key becomes its own tombstone; where there is none, the tombstone takes its name. What a name
/// waits for, such as a key being made at this moment, becomes one too.
pub const DESTROY: &str = "\
INSERT INTO data_keys (organization_id, subject_id, purpose, epoch, wrapped, erasure_id, destroyed_at)
SELECT $1, $2, purpose, NULL, NULL, $4, now() FROM unnest($3::text[]) purpose ORDER BY purpose
ON CONFLICT (organization_id, subject_id, purpose)
DO UPDATE SET epoch = NULL, wrapped = NULL, erasure_id = excluded.erasure_id, destroyed_at = excluded.destroyed_at
WHERE data_keys.erasure_id IS NULL";
pub const SUBJECT_KEYS: &str = "SELECT purpose, erasure_id FROM data_keys WHERE organization_id = $1 AND subject_id = $2 ORDER BY purpose";
pub const LOCK_EPOCH: &str = "SELECT pg_advisory_xact_lock(epoch_lock($1))";
pub const RETIRE_EPOCHS: &str = "\
INSERT INTO key_epochs (organization_id, retired_to) VALUES ($1, $2)
ON CONFLICT (organization_id) DO UPDATE SET retired_to = excluded.retired_to, retired_at = now()
WHERE key_epochs.retired_to < excluded.retired_to";
pub const KEYS_UP_TO: &str = "\
SELECT organization_id, subject_id, purpose, epoch, wrapped, false FROM data_keys
WHERE organization_id = $1 AND epoch <= $2 AND erasure_id IS NULL LIMIT $3";
pub const REWRAP: &str = "\
UPDATE data_keys k SET epoch = u.epoch, wrapped = u.wrapped
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::bytea[]) u(organization_id, subject_id, purpose, epoch, wrapped)
WHERE k.organization_id = u.organization_id AND k.subject_id = u.subject_id AND k.purpose = u.purpose
  AND k.erasure_id IS NULL AND k.epoch < u.epoch";

/// Every statement above, by name, for the test that prepares them as the eraser.
pub const ALL: &[(&str, &str)] = &[
    ("LOCK_CHANGES", LOCK_CHANGES),
    ("SET_TENANT", SET_TENANT),
    ("TELL_CHANGE", TELL_CHANGE),
    ("HIDE", HIDE),
    ("UNHIDE", UNHIDE),
    ("HOLD", HOLD),
    ("RELEASE", RELEASE),
    ("HOLDS", HOLDS),
    ("IS_HIDDEN", IS_HIDDEN),
    ("STANDING", STANDING),
    ("DESTROY", DESTROY),
    ("SUBJECT_KEYS", SUBJECT_KEYS),
    ("LOCK_EPOCH", LOCK_EPOCH),
    ("RETIRE_EPOCHS", RETIRE_EPOCHS),
    ("KEYS_UP_TO", KEYS_UP_TO),
    ("REWRAP", REWRAP),
];

/// Connections of the eraser: few, made when they are needed.
const CONNECTIONS: u32 = 3;

/// A pool of role `palmares_eraser`, of the login and the database of another pool.
pub fn eraser_pool(like: &PgPool) -> PgPool {
    // Of two settings of one name PostgreSQL takes the later. What it deletes has an index, and it is planned each
    // time: a plan that was made while a table was young would read all of an organization's rows in it.
    let settings = [("role", "palmares_eraser"), ("enable_seqscan", "off"), ("plan_cache_mode", "force_custom_plan")];
    let options = like.connect_options().as_ref().clone().options(settings).application_name("palmares-eraser");
    PgPoolOptions::new().max_connections(CONNECTIONS).connect_lazy_with(options)
}

/// A transaction in which the eraser is one tenant's, and erases under one id.
pub(in crate::privacy) async fn begin(
    pool: &PgPool,
    organization: OrganizationId,
    erasure: Option<Uuid>,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let erasure = erasure.map(|erasure| erasure.to_string()).unwrap_or_default();
    sqlx::query(SET_TENANT).bind(organization.0.to_string()).bind(erasure).execute(&mut *transaction).await?;
    Ok(transaction)
}

/// The life of keys in the table `data_keys` and those beside it.
pub struct PostgresKeyLife {
    pool: PgPool,
}

impl PostgresKeyLife {
    /// Over a pool of [`eraser_pool`].
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Changes what every node has to hear of.
    async fn change(&self, statement: &str, subject: Subject) -> Result<(), PrivacyError> {
        let mut transaction = begin(&self.pool, subject.organization, None).await?;
        sqlx::query(LOCK_CHANGES).execute(&mut *transaction).await?;
        sqlx::query(statement).bind(subject.organization.0).bind(subject.id).execute(&mut *transaction).await?;
        tell(&mut transaction, subject).await?;
        Ok(transaction.commit().await?)
    }

    async fn hold(&self, statement: &str, subject: Subject, hold: Uuid) -> Result<(), PrivacyError> {
        let mut transaction = begin(&self.pool, subject.organization, None).await?;
        // Not between the look at the holds and the destruction.
        sqlx::query(LOCK_CHANGES).execute(&mut *transaction).await?;
        sqlx::query(statement).bind(subject.organization.0).bind(subject.id).bind(hold).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }
}

async fn tell(transaction: &mut Transaction<'static, Postgres>, subject: Subject) -> Result<(), sqlx::Error> {
    sqlx::query(TELL_CHANGE).bind(subject.organization.0).bind(subject.id).execute(&mut **transaction).await.map(drop)
}

#[async_trait]
impl KeyLife for PostgresKeyLife {
    async fn hide(&self, subject: Subject) -> Result<(), PrivacyError> {
        self.change(HIDE, subject).await
    }

    async fn unhide(&self, subject: Subject) -> Result<(), PrivacyError> {
        self.change(UNHIDE, subject).await
    }

    async fn quarantine(&self, subject: Subject, hold: Uuid) -> Result<(), PrivacyError> {
        self.hold(HOLD, subject, hold).await
    }

    async fn release(&self, subject: Subject, hold: Uuid) -> Result<(), PrivacyError> {
        self.hold(RELEASE, subject, hold).await
    }

    async fn destroy(&self, subject: Subject, purposes: &[Purpose], erasure: Uuid) -> Result<usize, PrivacyError> {
        let names: Vec<&str> = purposes.iter().map(|purpose| purpose.name()).collect();
        let mut transaction = begin(&self.pool, subject.organization, Some(erasure)).await?;
        sqlx::query(LOCK_CHANGES).execute(&mut *transaction).await?;
        // Looked at behind the lock, by a statement of its own.
        let (organization, id) = (subject.organization.0, subject.id);
        let holds: Vec<Uuid> = sqlx::query_scalar(HOLDS).bind(organization).bind(id).fetch_all(&mut *transaction).await?;
        let destroyed: i64 = sqlx::query_scalar(STANDING).bind(organization).bind(id).bind(&names).fetch_one(&mut *transaction).await?;
        if destroyed > 0 && !holds.is_empty() {
            return Err(PrivacyError::UnderLegalHold(subject));
        }
        sqlx::query(DESTROY).bind(organization).bind(id).bind(&names).bind(erasure).execute(&mut *transaction).await?;
        tell(&mut transaction, subject).await?;
        transaction.commit().await?;
        Ok(usize::try_from(destroyed).unwrap_or_default())
    }

    async fn subject_keys(&self, subject: Subject) -> Result<SubjectKeys, PrivacyError> {
        let (organization, id) = (subject.organization.0, subject.id);
        let mut transaction = begin(&self.pool, subject.organization, None).await?;
        let rows: Vec<(String, Option<Uuid>)> =
            sqlx::query_as(SUBJECT_KEYS).bind(organization).bind(id).fetch_all(&mut *transaction).await?;
        let fate = |(purpose, erasure): (String, Option<Uuid>)| {
            let purpose = Purpose::parse(&purpose).ok_or(PrivacyError::UnknownPurpose(purpose))?;
            Ok(erasure.map_or(KeyFate::Standing(purpose), |erasure| KeyFate::Destroyed(purpose, erasure)))
        };
        let mut keys = rows.into_iter().map(fate).collect::<Result<Vec<_>, PrivacyError>>()?;
        keys.sort_by_key(|fate| match fate {
            KeyFate::Standing(purpose) | KeyFate::Destroyed(purpose, _) => *purpose,
        });
        let hidden = sqlx::query_scalar(IS_HIDDEN).bind(organization).bind(id).fetch_one(&mut *transaction).await?;
        let holds = sqlx::query_scalar(HOLDS).bind(organization).bind(id).fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(SubjectKeys { keys, hidden, holds })
    }

    async fn retire_epochs(&self, organization: OrganizationId, epoch: Epoch) -> Result<(), PrivacyError> {
        let mut transaction = begin(&self.pool, organization, None).await?;
        sqlx::query(LOCK_EPOCH).bind(organization.0).execute(&mut *transaction).await?;
        sqlx::query(RETIRE_EPOCHS).bind(organization.0).bind(epoch.0).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    async fn keys_up_to(&self, organization: OrganizationId, epoch: Epoch, limit: usize) -> Result<Vec<WrappedKey>, PrivacyError> {
        let mut transaction = begin(&self.pool, organization, None).await?;
        let rows = sqlx::query_as::<_, Row>(KEYS_UP_TO).bind(organization.0).bind(epoch.0).bind(limit as i64);
        let rows = rows.fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        rows.into_iter().map(|row| Ok(read(row)?.key)).collect()
    }

    async fn rewrap(&self, organization: OrganizationId, keys: &[WrappedKey]) -> Result<(), PrivacyError> {
        let mut transaction = begin(&self.pool, organization, None).await?;
        let (organizations, subjects, purposes) = columns(keys.iter().map(|key| &key.name));
        sqlx::query(REWRAP)
            .bind(organizations)
            .bind(subjects)
            .bind(purposes)
            .bind(keys.iter().map(|key| key.epoch.0).collect::<Vec<_>>())
            .bind(keys.iter().map(|key| key.wrapped.as_slice()).collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }
}
