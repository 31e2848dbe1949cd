//! Is this event in the log, does the log still begin as it did, and is this all of it?
//!
//! The sealer keeps a tree per organization (`engine::sealing`). These are the answers that anybody
//! can verify without us: `palmares_proofs` is the verifier, `docs/proofs.md` the formats.

mod asked;
mod export;
mod query;
mod tile;
mod trees;

pub use asked::Asked;
pub use export::export;
pub use query::{GetAuditCheckpoint, GetAuditConsistency, GetAuditProof, ListLogKeys};
pub use tile::GetAuditTile;

pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("compliance.proofs.log", trees::LOG),
    ("compliance.proofs.checkpoint", trees::CHECKPOINT),
    ("compliance.proofs.tiles", trees::TILES),
    ("compliance.proofs.root_tiles", trees::ROOT_TILES),
    ("compliance.proofs.root", trees::ROOT),
    ("compliance.proofs.keys", trees::KEYS),
    ("compliance.proofs.event", query::EVENT),
    ("compliance.proofs.positions", export::POSITIONS),
    ("compliance.proofs.recorded_at", export::RECORDED_AT),
    ("compliance.proofs.events", export::EVENTS),
];
