//! An old backup of the database, restored after an erasure, shows nothing of anybody.

use palmares::cli::dev::embedded::{Embedded, EmbeddedOptions, programs::PostgresPrograms};
use palmares::cli::migrate;
use palmares_commands::privacy::data_keys::PostgresDataKeyTable;
use palmares_commands::privacy::data_keys::postgres_life::{PostgresKeyLife, eraser_pool};
use palmares_commands::privacy::key_store::SealedFileKeyStore;
use palmares_commands::privacy::{
    Custody, KeyRing, KeyStoreError, MasterKey, PURPOSES, PostgresSealedRows, PrivacyError, SealRequest, Subject,
};
use palmares_commands::store::postgres::{PostgresStore, PostgresStoreOptions};
use palmares_commands::store::{self, Append, NewEvent, SealedBlob, StreamName, StreamWrite};
use palmares_domain::kernel::{EventId, OrganizationId, Place, Purpose, UserId};
use sqlx::{Connection, PgConnection, PgPool, Row};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use uuid::Uuid;

const PEOPLE: usize = 12;
const FIELDS: [(&str, Purpose); 2] = [("name", Purpose::Profile), ("value", Purpose::Health)];
const STREAM_TYPE: &str = "activity_log";

/// Removed with everything in it.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Node {
    store: PostgresStore,
    ring: Arc<KeyRing>,
    custody: Custody,
}

impl Node {
    /// A node on the database with the key store in a folder.
    async fn open(url: &str, keys: &Path, master: &MasterKey) -> Self {
        let store = PostgresStore::open(PostgresStoreOptions::new(url.parse().unwrap())).await.unwrap();
        let key_store = SealedFileKeyStore::open(keys, master).unwrap();
        let ring = Arc::new(KeyRing::new(Arc::new(key_store), Arc::new(PostgresDataKeyTable::new(store.pool().clone()))));
        let eraser = eraser_pool(store.pool());
        let life = Arc::new(PostgresKeyLife::new(eraser.clone()));
        let custody = Custody::new(ring.clone(), life, Arc::new(PostgresSealedRows::new(eraser)));
        Self { store, ring, custody }
    }

    /// Records one event of a person, each of its personal fields sealed for a purpose of its own.
    async fn record(&self, person: Subject) {
        let id = EventId(Uuid::now_v7());
        let mut sealed = Vec::new();
        for (field, purpose) in FIELDS {
            let place = Place::in_event(person.organization, (STREAM_TYPE, person.id), id, field, person.id, purpose);
            let ciphertext =
                self.ring.seal_many(&[SealRequest { place: &place, clear: b"\"personal\"" }]).await.unwrap().remove(0).ciphertext;
            sealed.push(SealedBlob { field, subject: person.id, purpose, ciphertext });
        }
        let event = NewEvent { id, event_type: "test.happened", schema_version: 1, effective_at: None, payload: b"{}".to_vec(), sealed };
        let stream = StreamName { organization: person.organization, stream_type: STREAM_TYPE, id: person.id };
        let append = Append {
            organization: person.organization,
            actor: UserId(person.id),
            metadata: Arc::from(b"{}".as_slice()),
            writes: vec![StreamWrite { stream, expected_version: 0, handle: None, events: vec![event] }],
            claims: Vec::new(),
            releases: Vec::new(),
            command: None,
        };
        store::append(&self.store, append).await.unwrap();
    }

    /// How many sealed fields can be read, and how many of them are this person's.
    async fn readable(&self, person: Subject) -> (usize, usize) {
        let query = "SELECT l.stream_type, l.stream_id, l.event_id, l.organization_id, s.field, s.subject_id, s.purpose, s.ciphertext
            FROM event_sealed s JOIN log l ON l.position = s.position";
        let rows = sqlx::query(query).fetch_all(self.store.pool()).await.unwrap();
        assert_eq!(rows.len(), PEOPLE * FIELDS.len(), "the ciphertexts are there");
        let (mut all, mut theirs) = (0, 0);
        for row in rows {
            let (stream_type, subject, purpose): (String, Uuid, String) = (row.get(0), row.get(5), row.get(6));
            let stream = (stream_type.as_str(), row.get::<Uuid, _>(1));
            let purpose = Purpose::parse(&purpose).unwrap();
            let place = Place::in_event(OrganizationId(row.get(3)), stream, EventId(row.get(2)), row.get::<&str, _>(4), subject, purpose);
            let opened = match self.ring.open_many(&[(place, row.get::<&[u8], _>(7))]).await {
                Ok(opened) => opened[0].is_some(),
                Err(PrivacyError::KeyStore(KeyStoreError::NoSuchEpoch { .. }) | PrivacyError::WrongEpochKey(..)) => false,
                Err(error) => panic!("{error}"),
            };
            all += usize::from(opened);
            theirs += usize::from(opened && subject == person.id);
        }
        (all, theirs)
    }
}

fn copy_folder(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

fn give(path: &Path, owner: (u32, u32)) {
    chown(path, Some(owner.0), Some(owner.1)).unwrap();
    if path.is_dir() {
        std::fs::read_dir(path).unwrap().for_each(|entry| give(&entry.unwrap().path(), owner));
    }
}

fn base_backup(url: &str, to: &Path) {
    let program = PostgresPrograms::find(None).unwrap().program("pg_basebackup");
    let output =
        Command::new(program).args(["--wal-method=stream", "--checkpoint=fast", "--dbname", url, "--pgdata"]).arg(to).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Every data key as it stands now, as rows of text.
async fn keys_of_today(pool: &PgPool) -> Vec<(Uuid, Uuid, String, i32, Vec<u8>)> {
    let query = "SELECT organization_id, subject_id, purpose, epoch, wrapped FROM data_keys WHERE erasure_id IS NULL";
    sqlx::query_as(query).fetch_all(pool).await.unwrap()
}

// covers: P-53
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_base_backup_from_before_an_erasure_restored_after_the_rotation_shows_0_readable_fields() {
    let scratch = Scratch(std::env::temp_dir().join(format!("palmares-backup-{}", Uuid::now_v7())));
    let (data, backup, keys, old_keys) =
        (scratch.0.join("data"), scratch.0.join("base"), scratch.0.join("keys"), scratch.0.join("keys-before"));
    std::fs::create_dir_all(&scratch.0).unwrap();
    let master = MasterKey::create(&scratch.0.join("master.key")).unwrap();
    let embedded = Embedded::start(EmbeddedOptions::at(&data)).await.unwrap();
    migrate::apply(&embedded.database_url()).await.unwrap();
    let node = Node::open(&embedded.database_url(), &keys, &master).await;
    let organization = OrganizationId(Uuid::now_v7());
    let people: Vec<Subject> = (0..PEOPLE).map(|_| Subject { organization, id: Uuid::now_v7() }).collect();
    for person in &people {
        node.record(*person).await;
    }
    let erased = people[0];
    assert_eq!(node.readable(erased).await, (PEOPLE * FIELDS.len(), FIELDS.len()));
    base_backup(&embedded.superuser_url_of("postgres"), &backup);
    copy_folder(&keys, &old_keys);

    node.custody.destroy_keys(erased, &PURPOSES, Uuid::now_v7()).await.unwrap();
    let rotated = node.custody.rotate_epoch(organization).await.unwrap();
    assert_eq!(rotated.rewrapped, (PEOPLE - 1) * FIELDS.len());
    let others = (PEOPLE - 1) * FIELDS.len();
    assert_eq!(node.readable(erased).await, (others, 0), "everybody else goes on");
    let today = keys_of_today(node.store.pool()).await;
    drop(node);
    embedded.stop().await;

    // The restore: the cluster of then in the place of today's.
    let cluster = data.join("postgres");
    let owner = std::fs::metadata(&cluster).map(|meta| (meta.uid(), meta.gid())).unwrap();
    std::fs::rename(&cluster, data.join("postgres-of-today")).unwrap();
    copy_folder(&backup, &cluster);
    give(&cluster, owner);
    let restored = Embedded::start(EmbeddedOptions::at(&data)).await.unwrap();
    let url = restored.database_url();

    // With the keys of then everything opens: the backup is whole, and it is the keys that are gone.
    assert_eq!(Node::open(&url, &old_keys, &master).await.readable(erased).await, (PEOPLE * FIELDS.len(), FIELDS.len()));
    assert_eq!(Node::open(&url, &keys, &master).await.readable(erased).await, (0, 0), "with today's key store nothing opens");

    // Even who puts every data key of today into the backup opens nothing of who was erased.
    let mut superuser = PgConnection::connect(&restored.superuser_url_of("palmares")).await.unwrap();
    sqlx::query("UPDATE data_keys SET epoch = $1").bind(rotated.epoch.0).execute(&mut superuser).await.unwrap();
    for (organization, subject, purpose, epoch, wrapped) in today {
        sqlx::query("UPDATE data_keys SET epoch = $4, wrapped = $5 WHERE organization_id = $1 AND subject_id = $2 AND purpose = $3")
            .bind(organization)
            .bind(subject)
            .bind(purpose)
            .bind(epoch)
            .bind(wrapped)
            .execute(&mut superuser)
            .await
            .unwrap();
    }
    assert_eq!(Node::open(&url, &keys, &master).await.readable(erased).await, (others, 0), "the erased person's 0");
    restored.stop().await;
}
