//! What stands beside the log and has to fit it: ciphertexts and their keys, where requests came from, answers of
//! commands, claims, timers, and the root log.

use super::{
    SealError, hashes, number,
    session::Session,
    statements::{
        BESIDE_ANSWERS_GONE, BESIDE_CLAIMS, BESIDE_ENTRIES, BESIDE_HIDDEN, BESIDE_KEYS_ENDED, BESIDE_KEYS_GONE, BESIDE_ORIGINS_GONE,
        BESIDE_ROOT_TILES, BESIDE_SEALED_ALTERED, BESIDE_SEALED_GONE, BESIDE_SHOWN,
    },
};
use crate::engine::timetable::{Timetables, Untimely};
use futures::TryStreamExt;
use palmares_proofs::{
    NodeHash,
    note::Note,
    tiles::{Edge, Tile},
};
use serde::Serialize;
use sqlx::{Postgres, Row, Transaction};
use uuid::Uuid;

/// Findings of one kind that are told, at most.
const TOLD: i64 = 100;

/// What is wrong beside the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfit {
    /// A ciphertext is not the one that its event names.
    SealedAltered,
    /// An event names a ciphertext that is not there, and nobody of whom it tells was erased.
    SealedGone,
    /// Something was sealed under a key of which no trace is left; one that an erasure destroys leaves one.
    KeyGone,
    /// A key was ended, and no erasure of its subject is on record.
    KeyEnded,
    /// A key does not open: it was changed, or is of another key store. Only whoever has that can tell.
    KeyAltered,
    /// Somebody's data is hidden, and no deletion that would hide it is on record.
    Hidden,
    /// Somebody's data is shown, and they are deleted.
    Shown,
    /// An event names where its request came from, which is not there, and who asked was not erased.
    OriginGone,
    /// An event names the command that recorded it, whose first answer is not there: repeated, it would be done again.
    AnswerGone,
    /// What an event claimed is not there, and was not let go.
    ClaimGone,
    /// A claim that no event made, or that was let go, is there.
    ClaimAdded,
    /// Something is due by an event, and the timer that has it done is gone.
    TimerGone,
    /// A timer is due by no event, or otherwise than the event says.
    TimerAdded,
    /// An entry of the root log is missing, or is not the one that was signed.
    RootEntry,
    /// A tile of the root log is not made of its entries.
    RootTile,
}

/// Something beside the log that does not fit it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Beside {
    pub unfit: Unfit,
    /// Nobody's where it is of the root log.
    pub organization_id: Option<Uuid>,
    /// The position of the event, or the number in the root log.
    pub at: Option<i64>,
    /// Whose key it is.
    pub subject_id: Option<Uuid>,
}

impl Beside {
    /// A key of a subject that does not open.
    pub fn altered_key(organization_id: Uuid, subject_id: Uuid) -> Self {
        Self { unfit: Unfit::KeyAltered, organization_id: Some(organization_id), at: None, subject_id: Some(subject_id) }
    }
}

/// Looks at everything up to where the log is sealed.
pub(super) async fn look(
    tx: &mut Transaction<'static, Postgres>,
    session: &Session,
    timetables: &Timetables,
) -> Result<Vec<Beside>, SealError> {
    let mut found = Vec::new();
    let of_events = [
        (Unfit::SealedAltered, BESIDE_SEALED_ALTERED),
        (Unfit::SealedGone, BESIDE_SEALED_GONE),
        (Unfit::OriginGone, BESIDE_ORIGINS_GONE),
        (Unfit::AnswerGone, BESIDE_ANSWERS_GONE),
    ];
    for (unfit, statement) in of_events {
        let rows: Vec<(Uuid, i64)> = sqlx::query_as(statement).bind(session.position).bind(TOLD).fetch_all(&mut **tx).await?;
        let beside = |(organization, at)| Beside { unfit, organization_id: Some(organization), at: Some(at), subject_id: None };
        found.extend(rows.into_iter().map(beside));
    }
    let of_subjects = [
        (Unfit::KeyGone, BESIDE_KEYS_GONE),
        (Unfit::KeyEnded, BESIDE_KEYS_ENDED),
        (Unfit::Hidden, BESIDE_HIDDEN),
        (Unfit::Shown, BESIDE_SHOWN),
    ];
    for (unfit, statement) in of_subjects {
        let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(statement).bind(TOLD).fetch_all(&mut **tx).await?;
        let beside = |(organization, subject)| Beside { unfit, organization_id: Some(organization), at: None, subject_id: Some(subject) };
        found.extend(rows.into_iter().map(beside));
    }
    let claims: Vec<(bool, Uuid, i64)> = sqlx::query_as(BESIDE_CLAIMS).bind(session.position).bind(TOLD).fetch_all(&mut **tx).await?;
    found.extend(claims.into_iter().map(|(gone, organization, at)| {
        let unfit = if gone { Unfit::ClaimGone } else { Unfit::ClaimAdded };
        Beside { unfit, organization_id: Some(organization), at: Some(at), subject_id: None }
    }));
    found.extend(timetables.look(tx).await?.into_iter().take(TOLD as usize).map(|untimely| {
        let (unfit, organization, at) = match untimely {
            Untimely::Gone(organization, position) => (Unfit::TimerGone, organization, Some(position)),
            Untimely::Added(organization) => (Unfit::TimerAdded, organization, None),
        };
        Beside { unfit, organization_id: Some(organization.0), at, subject_id: None }
    }));
    found.extend(root_log(tx, session).await?);
    Ok(found)
}

/// The first entry that is not where it should be, and tiles that are not made of the entries.
async fn root_log(tx: &mut Transaction<'static, Postgres>, session: &Session) -> Result<Vec<Beside>, SealError> {
    let wrong = |unfit, at: u64| Beside { unfit, organization_id: None, at: i64::try_from(at).ok(), subject_id: None };
    let (mut edge, mut tiles) = (Edge::default(), Vec::new());
    // One by one: each seal of an organization is an entry.
    let mut entries = sqlx::query_as::<_, (i64, String)>(BESIDE_ENTRIES).fetch(&mut **tx);
    while let Some((index, note)) = entries.try_next().await? {
        let expected = edge.size();
        match Note::parse(&note) {
            Some(note) if u64::try_from(index) == Ok(expected) => edge.append(NodeHash::of_leaf(note.text.as_bytes()), &mut tiles),
            _ => return Ok(vec![wrong(Unfit::RootEntry, expected)]),
        }
    }
    drop(entries);
    if (edge.size(), edge.root()) != (session.root.edge.size(), session.root.edge.root()) {
        return Ok(vec![wrong(Unfit::RootEntry, edge.size().min(session.root.edge.size()))]);
    }
    let mut kept = Vec::new();
    for row in sqlx::query(BESIDE_ROOT_TILES).fetch_all(&mut **tx).await? {
        let (level, index): (i16, i64) = (row.try_get(0)?, row.try_get(1)?);
        kept.push((number::<i16, u8>(level)?, number::<i64, u64>(index)?, hashes(row.try_get(2)?)?));
    }
    tiles.sort_by_key(|tile: &Tile| (tile.id.level, tile.id.index));
    let made: Vec<_> = tiles.into_iter().map(|tile| (tile.id.level, tile.id.index, tile.hashes)).collect();
    let same = made.iter().zip(&kept).take_while(|(made, kept)| made == kept).count();
    let differs = made.get(same).or_else(|| kept.get(same));
    Ok(differs.map(|(_, index, _)| wrong(Unfit::RootTile, *index)).into_iter().collect())
}
