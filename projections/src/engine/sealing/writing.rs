//! One seal as one transaction.

use super::{
    SealError,
    statements::{ADVANCE, INSERT_CHECKPOINTS, INSERT_KEY, INSERT_ROOT, INSERT_ROOT_TILES, INSERT_TILES, UPSERT_EDGES, UPSERT_ROOT_EDGES},
    tree::{EdgeTile, Tree, WholeTile, bytes},
};
use palmares_proofs::NodeHash;
use sqlx::PgPool;
use uuid::Uuid;

/// What a seal adds.
#[derive(Default)]
pub(super) struct Seal {
    pub tiles: Vec<(Uuid, WholeTile)>,
    pub edges: Vec<(Uuid, EdgeTile)>,
    /// Number in the root log, organization, size and signed note.
    pub checkpoints: Vec<(i64, Uuid, i64, String)>,
    /// A key that signs from the first checkpoint on, or one that is introduced at this number of the root log.
    pub keys: Vec<TakenUp>,
    pub root_tiles: Vec<WholeTile>,
    pub root_note: String,
    /// Where the log was and is sealed, and how many leaves the root log had.
    pub from: i64,
    pub to: i64,
    pub root_size_before: i64,
}

/// A key, with its introduction and the number of that, where it is not the first one.
pub(super) type TakenUp = ([u8; 32], Option<(String, i64)>);

impl Seal {
    pub async fn commit(self, pool: &PgPool, root: &Tree) -> Result<(), SealError> {
        let root_size = root.edge.size() as i64;
        let mut tx = pool.begin().await?;
        let advance = sqlx::query(ADVANCE).bind(self.to).bind(root_size).bind(self.from).bind(self.root_size_before);
        if advance.execute(&mut *tx).await?.rows_affected() != 1 {
            return Err(SealError::Overtaken);
        }
        for (public, introduced) in self.keys {
            let (introduction, index) = introduced.unzip();
            sqlx::query(INSERT_KEY).bind(public.to_vec()).bind(introduction).bind(index).execute(&mut *tx).await?;
        }
        if !self.tiles.is_empty() {
            let organizations: Vec<Uuid> = self.tiles.iter().map(|(id, _)| *id).collect();
            let (levels, indexes, hashes) = columns(self.tiles.iter().map(|(_, tile)| tile));
            let positions = || self.tiles.iter().map(|(_, tile)| tile.positions.as_deref());
            let first: Vec<Option<i64>> = positions().map(|positions| positions?.first().copied()).collect();
            let positions: Vec<Option<Vec<u8>>> = positions().map(|positions| positions.map(bytes)).collect();
            let query = sqlx::query(INSERT_TILES).bind(organizations).bind(levels).bind(indexes).bind(hashes).bind(first).bind(positions);
            query.execute(&mut *tx).await?;
        }
        let organizations: Vec<Uuid> = self.edges.iter().map(|(id, _)| *id).collect();
        let (levels, indexes, hashes, positions) = edge_columns(self.edges.into_iter().map(|(_, edge)| edge));
        let query = sqlx::query(UPSERT_EDGES).bind(organizations).bind(levels).bind(indexes).bind(hashes).bind(positions);
        query.execute(&mut *tx).await?;

        let (mut numbers, mut of, mut sizes, mut notes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (number, organization, size, note) in self.checkpoints {
            numbers.push(number);
            of.push(organization);
            sizes.push(size);
            notes.push(note);
        }
        sqlx::query(INSERT_CHECKPOINTS).bind(numbers).bind(of).bind(sizes).bind(notes).execute(&mut *tx).await?;
        if !self.root_tiles.is_empty() {
            let (levels, indexes, hashes) = columns(self.root_tiles.iter());
            sqlx::query(INSERT_ROOT_TILES).bind(levels).bind(indexes).bind(hashes).execute(&mut *tx).await?;
        }
        let (levels, indexes, hashes, _) = edge_columns(root.edges());
        sqlx::query(UPSERT_ROOT_EDGES).bind(levels).bind(indexes).bind(hashes).execute(&mut *tx).await?;
        sqlx::query(INSERT_ROOT).bind(root_size).bind(&self.root_note).bind(self.to).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}

type EdgeColumns = (Vec<i16>, Vec<i64>, Vec<Vec<u8>>, Vec<Vec<u8>>);
type Columns = (Vec<i16>, Vec<i64>, Vec<Vec<u8>>);

fn columns<'a>(tiles: impl Iterator<Item = &'a WholeTile>) -> Columns {
    let mut columns = Columns::default();
    for WholeTile { tile, .. } in tiles {
        columns.0.push(i16::from(tile.id.level));
        columns.1.push(tile.id.index as i64);
        columns.2.push(NodeHash::concat(&tile.hashes));
    }
    columns
}

fn edge_columns(edges: impl Iterator<Item = EdgeTile>) -> EdgeColumns {
    let mut columns = EdgeColumns::default();
    for edge in edges {
        columns.0.push(edge.level);
        columns.1.push(edge.index);
        columns.2.push(edge.hashes);
        columns.3.push(edge.positions);
    }
    columns
}
