use super::*;
use tlog_tiles::{Hash, TileHashReader, TileReader, tlog};

fn leaf(index: u64) -> NodeHash {
    NodeHash::of_leaf(&index.to_be_bytes())
}

/// Our tiles as the reader of another implementation asks for them.
struct Reader(Tiles);

impl TileReader for Reader {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::tlog::Error> {
        let bytes = tiles.iter().map(|tile| {
            let hashes = &self.0.0[&TileId { level: tile.level(), index: tile.level_index() }];
            NodeHash::concat(&hashes[..tile.width() as usize])
        });
        Ok(bytes.collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

fn grown(size: u64) -> (Edge, Tiles) {
    let (mut edge, mut full) = (Edge::default(), Vec::new());
    (0..size).for_each(|index| edge.append(leaf(index), &mut full));
    let mut tiles: BTreeMap<_, _> = full.into_iter().map(|tile| (tile.id, tile.hashes)).collect();
    for (level, hashes) in edge.levels().iter().enumerate() {
        tiles.insert(TileId { level: level as u8, index: size >> (8 * (level + 1)) }, hashes.clone());
    }
    (edge, Tiles(tiles))
}

/// `tlog_tiles` checks each tile against the root, and makes the same proofs of them.
#[test]
fn another_implementation_reads_our_tiles_and_comes_to_our_proofs() {
    for size in [1, 2, 255, 256, 257, 511, 512, 66_000] {
        let (edge, tiles) = grown(size);
        let (root, reader) = (Hash(edge.root().0), Reader(tiles));
        let hashes = TileHashReader::new(size, root, &reader);
        for index in [0, size / 2, size - 1] {
            let theirs = tlog::prove_record(size, index, &hashes).unwrap();
            let mine = crate::tree::hashes(&crate::tree::inclusion(index, size).unwrap(), &reader.0).unwrap();
            assert_eq!(theirs.iter().map(|hash| NodeHash(hash.0)).collect::<Vec<_>>(), mine, "leaf {index} of {size}");
            assert!(tlog::check_record(&theirs, size, root, index, Hash(leaf(index).0)).is_ok());
        }
        for old in [1, size / 2 + 1, size] {
            let theirs = tlog::prove_tree(size, old, &hashes).unwrap();
            let mine = crate::tree::hashes(&crate::tree::consistency(old, size).unwrap(), &reader.0).unwrap();
            assert_eq!(theirs.iter().map(|hash| NodeHash(hash.0)).collect::<Vec<_>>(), mine, "{old} to {size}");
        }
    }
}

#[test]
fn an_edge_goes_on_from_what_was_kept_of_it() {
    let (mut whole, _) = grown(0);
    let mut full = Vec::new();
    for size in 0..700 {
        let mut kept = Edge::new(size, whole.levels().to_vec()).unwrap();
        let mut of_kept = Vec::new();
        full.clear();
        whole.append(leaf(size), &mut full);
        kept.append(leaf(size), &mut of_kept);
        assert_eq!((kept.root(), &of_kept, kept.levels()), (whole.root(), &full, whole.levels()));
    }
    assert!(Edge::new(701, whole.levels().to_vec()).is_none(), "hashes that are another size");
    assert!(Edge::new(256, vec![vec![leaf(0); 256]]).is_none(), "a whole tile is no edge");
}
