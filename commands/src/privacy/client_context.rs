//! Where requests came from: one sealed row per distinct context and person, which events name by id.
//!
//! The write side only records them. The audit trail opens them, under the reader's role.

pub mod memory;
pub mod postgres;

pub use memory::MemoryClientContextTable;
pub use postgres::PostgresClientContextTable;

use super::{KeyRing, PrivacyError, SealRequest};
use async_trait::async_trait;
use moka::sync::Cache;
use palmares_domain::kernel::{ClientContext, OrganizationId, Place, UserId};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use zeroize::Zeroizing;

/// How many contexts a node remembers to be stored; an id takes about 100 bytes.
const CONTEXTS_KNOWN: u64 = 65_536;
/// A row deleted by erasure or retention is written again after at most this time.
const CONTEXT_KNOWN_FOR: Duration = Duration::from_secs(3_600);

/// A client context as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedClientContext {
    pub organization: OrganizationId,
    pub id: Uuid,
    pub subject: Uuid,
    pub ciphertext: Vec<u8>,
}

/// Where sealed client contexts stand.
#[async_trait]
pub trait ClientContextTable: Send + Sync + 'static {
    /// Stores a context with the keyed hash of its address, by which it is found, unless its id is
    /// there: the same id is the same context.
    async fn insert(&self, context: &SealedClientContext, ip_hash: &[u8; 32]) -> Result<(), PrivacyError>;

    /// The contexts of one organization that exist among `ids`, in any order.
    async fn get_many(&self, organization: OrganizationId, ids: &[Uuid]) -> Result<Vec<SealedClientContext>, PrivacyError>;
}

/// Turns client contexts into ids.
pub struct ClientContexts {
    ring: Arc<KeyRing>,
    table: Arc<dyn ClientContextTable>,
    known: Cache<(OrganizationId, Uuid), ()>,
}

impl ClientContexts {
    pub fn new(ring: Arc<KeyRing>, table: Arc<dyn ClientContextTable>) -> Self {
        let known = Cache::builder().max_capacity(CONTEXTS_KNOWN).time_to_live(CONTEXT_KNOWN_FOR).build();
        Self { ring, table, known }
    }

    /// The id of a user's context, stored when this returns; none where their key is destroyed.
    pub async fn record(&self, organization: OrganizationId, user: UserId, context: &ClientContext) -> Result<Option<Uuid>, PrivacyError> {
        let id = self.id(organization, user, context).await?;
        if self.known.contains_key(&(organization, id)) {
            return Ok(Some(id));
        }
        let clear = Zeroizing::new(serde_json::to_vec(context).map_err(|_| PrivacyError::NotSerialisable("client_context"))?);
        let request = SealRequest { place: &Place::of_client_context(organization, user.0, id), clear: &clear };
        let sealed = match self.ring.seal_many(&[request]).await {
            Err(PrivacyError::KeyRefused(_)) => return Ok(None),
            sealed => sealed?,
        };
        let ip = ClientContext::ip_key(&context.ip).unwrap_or_else(|| context.ip.clone());
        let ip_hash = self.ring.lookup_hash(organization, ClientContext::IP_LOOKUP, &ip).await?;
        for sealed in sealed {
            let sealed = SealedClientContext { organization, id, subject: user.0, ciphertext: sealed.ciphertext };
            self.table.insert(&sealed, &ip_hash).await?;
        }
        self.known.insert((organization, id), ());
        Ok(Some(id))
    }

    /// A keyed hash, so that nobody without the index key can test an address against an id.
    async fn id(&self, organization: OrganizationId, user: UserId, context: &ClientContext) -> Result<Uuid, PrivacyError> {
        let agent = context.user_agent.as_ref();
        let parts: [&[u8]; 4] =
            [user.0.as_bytes(), context.ip.as_bytes(), &[u8::from(agent.is_some())], agent.map_or(&[], |agent| agent.as_bytes())];
        let hash = self.ring.keyed_hash(organization, "palmares/client_context", &parts).await?;
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Ok(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::data_keys::MemoryDataKeyTable;
    use crate::privacy::key_store::MemoryKeyStore;
    use crate::privacy::{DataKeyName, KeyLife, Subject, contract};
    use palmares_domain::kernel::Purpose;

    struct World {
        organization: OrganizationId,
        user: UserId,
        keys: Arc<MemoryDataKeyTable>,
        rows: Arc<MemoryClientContextTable>,
        ring: Arc<KeyRing>,
        contexts: ClientContexts,
    }

    fn world() -> World {
        let (keys, rows) = (Arc::new(MemoryDataKeyTable::default()), Arc::new(MemoryClientContextTable::default()));
        let ring = Arc::new(KeyRing::new(Arc::new(MemoryKeyStore::default()), keys.clone()));
        let contexts = ClientContexts::new(ring.clone(), rows.clone());
        World { organization: OrganizationId(Uuid::now_v7()), user: UserId(Uuid::now_v7()), keys, rows, ring, contexts }
    }

    impl World {
        /// The contexts of these ids that can still be read, opened as the audit trail does.
        async fn open(&self, ids: &[Uuid]) -> Result<Vec<ClientContext>, PrivacyError> {
            let rows = self.rows.get_many(self.organization, ids).await?;
            let place = |row: &SealedClientContext| Place::of_client_context(row.organization, row.subject, row.id);
            let items: Vec<_> = rows.iter().map(|row| (place(row), row.ciphertext.as_slice())).collect();
            let opened = self.ring.open_many(&items).await?;
            Ok(opened.into_iter().flatten().map(|clear| serde_json::from_slice(&clear).unwrap()).collect())
        }
    }

    fn context(ip: &str, user_agent: Option<&str>) -> ClientContext {
        ClientContext { ip: ip.to_owned(), user_agent: user_agent.map(str::to_owned) }
    }

    #[tokio::test]
    async fn a_context_is_stored_once_per_person_and_opens_again() {
        let world = world();
        let home = context("192.0.2.7", Some("curl/8"));
        let first = world.contexts.record(world.organization, world.user, &home).await.unwrap().unwrap();
        let again = ClientContexts::new(world.ring.clone(), world.rows.clone());
        assert_eq!(again.record(world.organization, world.user, &home).await.unwrap().unwrap(), first, "another node derives the same id");
        assert_eq!(world.rows.count(), 1);
        assert!(world.open(&[first]).await.unwrap() == [home.clone()]);

        let mut ids = vec![first];
        for (user, other) in [
            (world.user, context("192.0.2.8", Some("curl/8"))),
            (world.user, context("192.0.2.7", None)),
            (world.user, context("192.0.2.7", Some(""))),
            (world.user, context("192.0.2.7curl/8", Some(""))),
            (UserId(Uuid::now_v7()), home.clone()),
        ] {
            ids.push(world.contexts.record(world.organization, user, &other).await.unwrap().unwrap());
        }
        ids.push(world.contexts.record(OrganizationId(Uuid::now_v7()), world.user, &home).await.unwrap().unwrap());
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        assert_eq!(world.open(&ids).await.unwrap().len(), ids.len() - 1, "one is another tenant's");
    }

    #[tokio::test]
    async fn no_address_stands_in_clear() {
        let world = world();
        let id = world.contexts.record(world.organization, world.user, &context("192.0.2.7", None)).await.unwrap().unwrap();
        let row = world.rows.get_many(world.organization, &[id]).await.unwrap().remove(0);
        assert!(!row.ciphertext.windows(9).any(|window| window == b"192.0.2.7"));
    }

    #[tokio::test]
    async fn a_context_without_its_key_is_not_readable() {
        let world = world();
        let id = world.contexts.record(world.organization, world.user, &context("192.0.2.7", None)).await.unwrap().unwrap();
        assert_eq!(world.open(&[id]).await.unwrap().len(), 1);
        world.keys.lose(DataKeyName { organization: world.organization, subject: world.user.0, purpose: Purpose::Security });
        world.ring.evict(world.organization, world.user.0);
        assert!(world.open(&[id]).await.unwrap().is_empty());
    }

    /// Whoever acts in an organization whose keys are destroyed, for the platform, leaves no address there.
    #[tokio::test]
    async fn who_has_no_key_any_more_has_no_context_and_may_go_on() {
        let world = world();
        let subject = Subject { organization: world.organization, id: world.user.0 };
        world.keys.destroy(subject, &[Purpose::Security], Uuid::now_v7()).await.unwrap();
        assert_eq!(world.contexts.record(world.organization, world.user, &context("192.0.2.7", None)).await.unwrap(), None);
        assert_eq!(world.rows.count(), 0);
    }

    #[tokio::test]
    async fn a_row_of_another_person_is_refused() {
        let world = world();
        let other = UserId(Uuid::now_v7());
        let mine = world.contexts.record(world.organization, world.user, &context("192.0.2.7", None)).await.unwrap().unwrap();
        let theirs = world.contexts.record(world.organization, other, &context("192.0.2.8", None)).await.unwrap().unwrap();
        let mut row = world.rows.get_many(world.organization, &[mine]).await.unwrap().remove(0);
        row.ciphertext = world.rows.get_many(world.organization, &[theirs]).await.unwrap().remove(0).ciphertext;
        world.rows.replace(row);
        assert!(matches!(world.open(&[mine]).await, Err(PrivacyError::NotAuthentic(_))));
    }

    #[tokio::test]
    async fn the_memory_adapter_keeps_the_contract() {
        contract::client_context_table(&MemoryClientContextTable::default()).await.unwrap();
    }
}
