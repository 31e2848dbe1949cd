//! `GET audit-logs/checkpoint`, `GET audit-logs/{position}/proof`, `GET audit-logs/consistency` and `GET audit-logs/keys`.

use super::trees::{self, head, index_of, name, root_proof};
use crate::engine::{Page, Query, ReadError, TenantReader, sealing::entry};
use chrono::{DateTime, Utc};
use palmares_domain::kernel::DataClass;
use palmares_proofs::{LogKey, TlogProof, tree};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use utoipa::ToSchema;

/// In the columns that the sealer reads.
pub(super) const LEAF: &str = "
    SELECT position, organization_id, stream_type, stream_id, version, event_id, event_type, schema_version, actor_id,
           recorded_at, effective_at, sha256(metadata), sha256(payload)
    FROM log WHERE organization_id = $1 AND position = $2";

/// A number in a path or a query string, where it is text.
pub(super) fn number<'de, D: Deserializer<'de>, T: std::str::FromStr>(deserializer: D) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom("expected a number"))
}

pub(super) fn optional_number<'de, D: Deserializer<'de>, T: std::str::FromStr>(deserializer: D) -> Result<Option<T>, D::Error> {
    number(deserializer).map(Some)
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

/// That an event is in the organization's log. An event that was recorded a moment ago is not sealed yet.
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
    const DATA_CLASS: DataClass = DataClass::Internal;

    async fn run(self, reader: &mut TenantReader<'_>) -> Result<AuditProof, ReadError> {
        let position = self.position.parse().map_err(|_| ReadError::NotFound)?;
        let head = head(reader).await?;
        let index = index_of(reader, position).await?.filter(|index| *index < head.size).ok_or(ReadError::NotFound)?;
        let organization = reader.organization().0;
        let row = sqlx::query(LEAF).bind(organization).bind(position).fetch_optional(reader.connection()).await?;
        let leaf = entry(&row.ok_or(ReadError::NotFound)?)?.1.leaf();
        let path = tree::inclusion(index, head.size).ok_or(ReadError::NotFound)?;
        let hashes = trees::hashes(reader, &path).await?;
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &leaf);
        let proof = TlogProof { extra: Some(leaf), index, hashes, checkpoint: head.note };
        Ok(AuditProof { index, leaf: encoded, proof: proof.text() })
    }
}

/// That the organization's log begins with what it had when it was smaller.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAuditConsistency {
    /// The size of the checkpoint that was kept.
    #[serde(deserialize_with = "number")]
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
