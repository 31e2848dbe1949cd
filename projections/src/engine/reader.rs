//! Reading: one transaction under the tenant's row-level security, and what a query may answer.

use super::{
    keys::{KeyError, Opened, PersonalKeys},
    page::{Cursor, Limit, Listing},
};
use chrono::{DateTime, TimeDelta, Utc};
use palmares_domain::kernel::{DataClass, FieldError, OrganizationId, Place, TeamId, Tenant, UserId};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{PgPool, Postgres, Transaction};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// A question to the read models: its fields are the path and query parameters.
///
/// Implementors derive `Deserialize` with `deny_unknown_fields`.
pub trait Query: DeserializeOwned + Send {
    type Output: Serialize + Send + utoipa::ToSchema;

    /// The projections whose checkpoints `min_position` waits for.
    const PROJECTIONS: &'static [&'static str];

    /// How far the answer may travel: reading `Confidential` data and above is recorded (design 5).
    const DATA_CLASS: DataClass = DataClass::Internal;

    /// The user whose data is asked for, where self-service policies apply.
    fn owner(&self) -> Option<UserId> {
        None
    }

    /// The team that is asked about, where policies ask what the caller is in it.
    fn team(&self) -> Option<TeamId> {
        None
    }

    fn run(self, reader: &mut TenantReader<'_>) -> impl Future<Output = Result<Self::Output, ReadError>> + Send;
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("there is no such resource")]
    NotFound,
    #[error("the parameters are not valid: {0:?}")]
    Invalid(Vec<FieldError>),
    #[error("the read side is unavailable: {0}")]
    Unavailable(#[source] anyhow::Error),
}

impl ReadError {
    /// One refused parameter.
    pub fn invalid(field: &str, reason: &str) -> Self {
        ReadError::Invalid(vec![FieldError::new(field, reason)])
    }
}

/// # Errors
/// A stretch of time that ends before it begins: its end, with the name of the field that has it. Nothing is found in
/// one, which would look like nothing done.
pub fn in_order<T: PartialOrd>(from: Option<T>, (field, to): (&str, Option<T>)) -> Result<(), ReadError> {
    match from.zip(to) {
        Some((from, to)) if from > to => Err(ReadError::invalid(field, "ends_before_it_begins")),
        _ => Ok(()),
    }
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        ReadError::Unavailable(error.into())
    }
}

impl From<KeyError> for ReadError {
    fn from(error: KeyError) -> Self {
        ReadError::Unavailable(error.into())
    }
}

/// Opens readers; holds connections of role `palmares_reader` only.
#[derive(Clone)]
pub struct Readers {
    pool: PgPool,
    keys: Arc<dyn PersonalKeys>,
    clearance: DataClass,
    /// By how much the clock of this process is ahead of the system's.
    ahead: TimeDelta,
    /// Whether what cannot be read is left out and said so, rather than nothing be read.
    marking: bool,
    /// Whether the history of events tells who looked at what, and who was refused it.
    accesses: bool,
}

impl Readers {
    pub fn new(pool: PgPool, keys: Arc<dyn PersonalKeys>) -> Self {
        Self { pool, keys, clearance: DataClass::Internal, ahead: TimeDelta::zero(), marking: false, accesses: false }
    }

    /// The same by a clock that is ahead of the system's: what has ended by it is shown as ended.
    #[must_use]
    pub fn ahead_by(self, ahead: TimeDelta) -> Self {
        Self { ahead, ..self }
    }

    /// The same for whoever is cleared for this class; without it nothing above `INTERNAL` is shown
    /// where payloads are.
    pub fn cleared_for(&self, clearance: DataClass) -> Self {
        Self { clearance, ..self.clone() }
    }

    /// The same for what is shown: a value that was altered or moved past the application is left out, and
    /// [`TenantReader::unreadable`] says which it is. Whoever decides on what they read does without, and reads nothing.
    #[must_use]
    pub fn marking_unreadable(&self) -> Self {
        Self { marking: true, ..self.clone() }
    }

    /// The same for whoever may read the audit log, where `may` says so; without it the history of events leaves out who
    /// looked at what, and who was refused it.
    #[must_use]
    pub fn showing_accesses(self, may: bool) -> Self {
        Self { accesses: may, ..self }
    }

    /// Starts a transaction that sees this tenant only.
    ///
    /// `as_of` is the last position that the answer may know, already resolved from a time.
    pub async fn open(&self, tenant: Tenant, as_of: Option<i64>) -> Result<TenantReader<'_>, ReadError> {
        let organization = tenant.organization();
        let mut tx = self.pool.begin().await?;
        let (_, incarnation): (String, Uuid) = sqlx::query_as(SET_TENANT).bind(organization.0.to_string()).fetch_one(&mut *tx).await?;
        let (keys, clearance, accesses) = (self.keys.as_ref(), self.clearance, self.accesses);
        let (touched, opened, now) = (Vec::new(), Mutex::default(), Utc::now() + self.ahead);
        let unreadable = self.marking.then(Mutex::default);
        Ok(TenantReader { tx, organization, keys, incarnation, as_of, touched, opened, unreadable, clearance, accesses, now })
    }
}

const SET_TENANT: &str = "SELECT set_config('app.current_org_id', $1, true), (SELECT incarnation FROM log_head)";

/// The fields that could not be read, by the id of the event or other record that has them.
type Unreadable = BTreeMap<Uuid, BTreeSet<String>>;

/// One read transaction of one tenant.
pub struct TenantReader<'a> {
    tx: Transaction<'static, Postgres>,
    organization: OrganizationId,
    keys: &'a dyn PersonalKeys,
    incarnation: Uuid,
    /// Answer as of this position; `None` means now.
    pub as_of: Option<i64>,
    touched: Vec<Uuid>,
    /// Whose personal data was opened to be shown.
    opened: Mutex<BTreeSet<Uuid>>,
    /// What could not be read, where that is marked.
    unreadable: Option<Mutex<Unreadable>>,
    clearance: DataClass,
    accesses: bool,
    now: DateTime<Utc>,
}

impl TenantReader<'_> {
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// The time at which it is asked, which says what has ended by time alone.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// How far what it reads may be shown.
    pub fn clearance(&self) -> DataClass {
        self.clearance
    }

    /// Whether it may be shown who looked at what, and who was refused it.
    pub fn shows_accesses(&self) -> bool {
        self.accesses
    }

    /// The connection, inside the tenant's transaction.
    pub fn connection(&mut self) -> &mut sqlx::PgConnection {
        &mut self.tx
    }

    /// What opens personal data to be shown. It remembers whose, so that a record of the read names them.
    pub fn keys(&self) -> ShownKeys<'_> {
        ShownKeys { keys: self.keys, opened: Some(&self.opened), unreadable: self.unreadable.as_ref() }
    }

    /// What opens personal data to be counted or summed up with that of others, and shown of nobody.
    pub fn keys_for_figures(&self) -> ShownKeys<'_> {
        ShownKeys { opened: None, ..self.keys() }
    }

    /// The fields of a record that are there and could not be read, by name, of those that were to be shown: their
    /// ciphertexts were altered or moved. Nothing tells of what was erased.
    pub fn unreadable(&self, record: Uuid) -> BTreeSet<String> {
        self.unreadable.as_ref().and_then(|marked| lock(marked).get(&record).cloned()).unwrap_or_default()
    }

    /// How many values could not be read so far.
    pub fn unreadable_count(&self) -> usize {
        self.unreadable.as_ref().map_or(0, |marked| lock(marked).values().map(BTreeSet::len).sum())
    }

    /// Whose personal data was opened to be shown, so far.
    pub fn shown(&self) -> BTreeSet<UserId> {
        lock(&self.opened).iter().copied().map(UserId).collect()
    }

    /// The list that the caller asks for.
    pub fn list<Q: Query, K: Clone + Serialize + DeserializeOwned>(
        &self,
        cursor: Option<&Cursor>,
        limit: &Limit,
    ) -> Result<Listing<K>, ReadError> {
        Listing::of(name_of::<Q>(), self.behind::<Q, K>(cursor)?, limit)
    }

    /// The cursor of the list `Q` behind `key`.
    pub fn cursor<Q: Query, K: Serialize>(&self, key: &K) -> Result<String, ReadError> {
        self.cursor_of(name_of::<Q>(), key)
    }

    pub(super) fn cursor_of(&self, list: &str, key: &impl Serialize) -> Result<String, ReadError> {
        Cursor::encode(self.incarnation, list, key)
    }

    /// The key of a cursor, where the caller sent one.
    pub fn behind<Q: Query, K: DeserializeOwned>(&self, cursor: Option<&Cursor>) -> Result<Option<K>, ReadError> {
        cursor.map(|cursor| cursor.decode(self.incarnation, name_of::<Q>())).transpose()
    }

    /// Notes that the answer depends on this sequence key: should it be parked, the answer is
    /// stale and the caller is told (design 4).
    pub fn touches(&mut self, sequence_key: Uuid) {
        self.touched.push(sequence_key);
    }

    /// Whether a key that the answer touched is parked in the serving slot of one of `projections`.
    pub async fn touched_parked(&mut self, projections: &[&str]) -> Result<bool, ReadError> {
        if self.touched.is_empty() {
            return Ok(false);
        }
        let projections: Vec<String> = projections.iter().map(|&name| name.to_owned()).collect();
        Ok(sqlx::query_scalar(TOUCHED_PARKED).bind(projections).bind(&self.touched).fetch_one(&mut *self.tx).await?)
    }
}

/// What a list is called in its cursors. Were it called otherwise one day, lists would be begun anew.
fn name_of<Q: Query>() -> &'static str {
    let path = std::any::type_name::<Q>();
    path.rsplit_once("::").map_or(path, |(_, name)| name)
}

/// Opens personal data that an answer shows, and remembers of whom something was there.
#[derive(Clone, Copy)]
pub struct ShownKeys<'a> {
    keys: &'a dyn PersonalKeys,
    opened: Option<&'a Mutex<BTreeSet<Uuid>>>,
    unreadable: Option<&'a Mutex<Unreadable>>,
}

impl ShownKeys<'_> {
    /// See [`PersonalKeys::open`].
    pub async fn open(self, place: &Place, ciphertext: &[u8]) -> Result<Option<Vec<u8>>, KeyError> {
        let opened = self.open_many(&[(place.clone(), ciphertext)]).await?;
        Ok(opened.into_iter().next().flatten())
    }

    /// See [`PersonalKeys::open_many`].
    pub async fn open_many(self, items: &[(Place, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, KeyError> {
        let clear = match self.unreadable {
            None => self.keys.open_many(items).await?,
            Some(marked) => {
                let opened = items.iter().zip(self.keys.open_each(items).await?);
                opened.map(|((place, _), opened)| readable(marked, place, opened)).collect()
            }
        };
        self.note(items.iter().map(|(place, _)| place).zip(&clear));
        Ok(clear)
    }

    /// See [`PersonalKeys::lookup_hash`].
    pub async fn lookup_hash(self, organization: OrganizationId, kind: &str, value: &str) -> Result<[u8; 32], KeyError> {
        self.keys.lookup_hash(organization, kind, value).await
    }

    fn note<'p>(self, opened: impl Iterator<Item = (&'p Place, &'p Option<Vec<u8>>)>) {
        let of_people = opened.filter(|(place, clear)| place.purpose.is_of_people() && clear.is_some());
        if let Some(noted) = self.opened {
            lock(noted).extend(of_people.map(|(place, _)| place.subject));
        }
    }
}

/// The value, where it can be read. Where it was altered or moved that is marked, told and counted: somebody wrote
/// to the database.
fn readable(marked: &Mutex<Unreadable>, place: &Place, opened: Opened) -> Option<Vec<u8>> {
    match opened {
        Opened::Clear(clear) => Some(clear),
        Opened::Gone => None,
        Opened::Unreadable => {
            let Place { organization, container, id, field, .. } = place;
            tracing::error!(%organization, container, record = %id, field, "a sealed value is not what was sealed there");
            metrics::counter!("palmares_unreadable_values_total").increment(1);
            lock(marked).entry(*id).or_default().insert(field.clone());
            None
        }
    }
}

/// What is noted is whole whatever happened to who held it.
fn lock<T>(noted: &Mutex<T>) -> MutexGuard<'_, T> {
    noted.lock().unwrap_or_else(PoisonError::into_inner)
}

const TOUCHED_PARKED: &str = "
    SELECT EXISTS (
        SELECT FROM parked_events p JOIN checkpoints c USING (name, slot)
        WHERE c.active AND p.name = ANY($1) AND p.sequence_key = ANY($2))";

/// Every statement of this file, by name.
pub(super) const STATEMENTS: &[(&str, &str)] =
    &[("engine.reader.set_tenant", SET_TENANT), ("engine.reader.touched_parked", TOUCHED_PARKED)];
