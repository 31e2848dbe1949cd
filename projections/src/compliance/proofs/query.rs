//! `GET audit-logs/checkpoint`, `GET audit-logs/{position}/proof`, `GET audit-logs/consistency` and `GET audit-logs/keys`.

use super::trees::{self, head, name, root_proof};
use crate::engine::{
    Page, Query, ReadError, TenantReader,
    sealing::{entry, number, positions},
};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::DataClass;
use palmares_proofs::{LogKey, TlogProof, tiles::WIDTH, tree};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use sqlx::{Row, postgres::PgRow};
use utoipa::ToSchema;

/// An event in the columns of its leaf, with the newest head, and the tiles of leaves in which it may
/// be. At one moment, so that the head knows what the tiles hold.
pub(super) const EVENT: &str = "
    SELECT l.position, l.organization_id, l.stream_type, l.stream_id, l.version, l.event_id, l.event_type, l.schema_version, l.actor_id,
           l.recorded_at, l.effective_at, sha256(l.metadata), sha256(l.payload), head.note, head.size, tile.index, tile.positions
    FROM log l,
        (SELECT note, size FROM proof_checkpoints WHERE organization_id = $1 ORDER BY size DESC LIMIT 1) head,
        ((SELECT index, positions FROM proof_tiles WHERE organization_id = $1 AND level = 0 AND first_position <= $2
          ORDER BY first_position DESC LIMIT 1)
         UNION ALL SELECT index, positions FROM proof_edges WHERE organization_id = $1 AND level = 0) tile
    WHERE l.organization_id = $1 AND l.position = $2";

/// A number in a path or a query string, where it is text.
pub(super) fn parsed<'de, D: Deserializer<'de>, T: std::str::FromStr>(deserializer: D) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom("expected a number"))
}

pub(super) fn optional_number<'de, D: Deserializer<'de>, T: std::str::FromStr>(deserializer: D) -> Result<Option<T>, D::Error> {
    parsed(deserializer).map(Some)
}

/// The signed head of the organization's log, to be kept: whoever has it notices when history is rewritten.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAuditCheckpoint {}

/// The signed head of the organization's log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditCheckpoint {
    /// Events in the tree.
    pub size: u64,
    /// The checkpoint as a signed note (c2sp.org/tlog-checkpoint).
    pub checkpoint: String,
    /// That the checkpoint is in the root log (c2sp.org/tlog-proof).
    pub root_proof: String,
}

impl Query for GetAuditCheckpoint {
    type Output = AuditCheckpoint;

    const PROJECTIONS: &'static [&'static str] = &[];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<AuditCheckpoint, ReadError> {
        let head = head(reader).await?;
        let root_proof = root_proof(reader, head.root_index).await?.text();
        Ok(AuditCheckpoint { size: head.size, checkpoint: head.note, root_proof })
    }
}

/// That an event is in the organization's log. An event that was recorded a moment ago is not sealed yet. It tells
/// what happened, when and by whom, and is recorded as a look at the audit log.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAuditProof {
    /// The position of the event. What is no number names nothing.
    pub position: String,
}

/// That an event is in the organization's log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditProof {
    /// The number of its leaf.
    pub index: u64,
    /// The leaf that `proof` is about, in base64: everything of the event, payload and metadata by SHA-256.
    pub leaf: String,
    /// The proof (c2sp.org/tlog-proof), with the leaf as its extra data: to be saved and verified with `palmares verify`.
    pub proof: String,
}

impl Query for GetAuditProof {
    type Output = AuditProof;

    const PROJECTIONS: &'static [&'static str] = &[];
    const DATA_CLASS: DataClass = DataClass::Confidential;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<AuditProof, ReadError> {
        let position = self.position.parse().map_err(|_| ReadError::NotFound)?;
        let organization = reader.organization().0;
        let rows = sqlx::query(EVENT).bind(organization).bind(position).fetch_all(reader.connection()).await?;
        let (row, index) = sealed_at(&rows, position)?.ok_or(ReadError::NotFound)?;
        let (checkpoint, size): (String, i64) = (row.try_get(13)?, row.try_get(14)?);
        let size = number::<i64, u64>(size)?;
        let leaf = entry(row)?.1.leaf();
        let path = tree::inclusion(index, size).ok_or(ReadError::NotFound)?;
        let hashes = trees::hashes(reader, &path).await?;
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &leaf);
        let proof = TlogProof { extra: Some(leaf), index, hashes, checkpoint };
        Ok(AuditProof { index, leaf: encoded, proof: proof.text() })
    }
}

/// The row whose tile holds a position, and the number of its leaf; none where it is not sealed yet.
fn sealed_at(rows: &[PgRow], position: i64) -> Result<Option<(&PgRow, u64)>, ReadError> {
    for row in rows {
        let (tile, of_leaves): (i64, &[u8]) = (row.try_get(15)?, row.try_get(16)?);
        if let Ok(at) = positions(of_leaves).binary_search(&position) {
            return Ok(Some((row, number::<i64, u64>(tile)? * WIDTH as u64 + at as u64)));
        }
    }
    Ok(None)
}

/// That the organization's log begins with what it had when it was smaller.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAuditConsistency {
    /// The size of the checkpoint that was kept.
    #[serde(deserialize_with = "parsed")]
    #[schema(value_type = u64)]
    pub from: u64,
}

/// That the organization's log begins with what it had when it was smaller.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditConsistency {
    pub from: u64,
    pub size: u64,
    /// The proof (RFC 6962, section 2.1.2), in base64.
    pub proof: Vec<String>,
    /// The newer checkpoint as a signed note.
    pub checkpoint: String,
}

impl Query for GetAuditConsistency {
    type Output = AuditConsistency;

    const PROJECTIONS: &'static [&'static str] = &[];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<AuditConsistency, ReadError> {
        let head = head(reader).await?;
        let path = tree::consistency(self.from, head.size).ok_or_else(|| ReadError::invalid("from", "out_of_range"))?;
        let proof = trees::hashes(reader, &path).await?.iter().map(ToString::to_string).collect();
        Ok(AuditConsistency { from: self.from, size: head.size, proof, checkpoint: head.note })
    }
}

/// The keys of the log: the first one is to be trusted, the others are introduced by the one before.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListLogKeys {}

/// A key of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogKeyEntry {
    /// As `palmares verify --key` takes it.
    pub key: String,
    /// What the key before it said of it: a note that both signed, and a leaf of the root log.
    pub introduction: Option<String>,
    pub introduced_at: DateTime<Utc>,
}

impl Query for ListLogKeys {
    type Output = Page<LogKeyEntry>;

    const PROJECTIONS: &'static [&'static str] = &[];

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<Page<LogKeyEntry>, ReadError> {
        let log = name(reader).await?;
        let rows: Vec<(Vec<u8>, Option<String>, DateTime<Utc>)> = sqlx::query_as(trees::KEYS).fetch_all(reader.connection()).await?;
        let entry = |(public, introduction, introduced_at): (Vec<u8>, _, _)| {
            let key = LogKey { log: log.clone(), public: public.try_into().ok()? }.to_string();
            Some(LogKeyEntry { key, introduction, introduced_at })
        };
        Ok(Page { items: rows.into_iter().filter_map(entry).collect(), next_cursor: None })
    }
}
