use super::*;
use crate::{compact::Compact, tiles::Tiles};
use ct_merkle::{ConsistencyProof, InclusionProof, mem_backed_tree::MemoryBackedTree};
use sha2::Sha256;
use std::collections::BTreeMap;

/// Sizes up to which everything is tried.
const SIZES: u64 = 300;

/// Every node of a tree of leaves `data(0)..`, straight from RFC 6962.
struct Full(Vec<NodeHash>);

impl Nodes for Full {
    fn node(&self, node: Node) -> Option<NodeHash> {
        let (start, leaves) = ((node.index << node.level) as usize, 1_usize << node.level);
        Some(root(self.0.get(start..start + leaves)?))
    }
}

/// MTH of RFC 6962, section 2.1.
fn root(leaves: &[NodeHash]) -> NodeHash {
    match leaves {
        [] => NodeHash::of_nothing(),
        [leaf] => *leaf,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            NodeHash::of_node(&root(&leaves[..split]), &root(&leaves[split..]))
        }
    }
}

fn data(index: u64) -> Vec<u8> {
    format!("leaf {index}").into_bytes()
}

fn leaves(size: u64) -> Vec<NodeHash> {
    (0..size).map(|index| NodeHash::of_leaf(&data(index))).collect()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hash(text: &str) -> NodeHash {
    NodeHash(hex(text).try_into().unwrap())
}

/// The vectors of the first implementation of RFC 6962, which every other one repeats.
#[test]
fn roots_and_proofs_are_those_of_the_vectors_of_certificate_transparency() {
    let inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    assert_eq!(NodeHash::of_nothing(), hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    let leaves: Vec<_> = inputs.iter().map(|input| NodeHash::of_leaf(&hex(input))).collect();
    let mut compact = Compact::default();
    for (leaf, root) in leaves.iter().zip(roots) {
        compact.append(*leaf);
        assert_eq!(compact.root(), hash(root), "size {}", compact.size());
    }
    let source = Full(leaves.clone());
    let path = |path: Option<Vec<Range>>| hashes(&path.unwrap(), &source).unwrap();
    let (h04, h46) = (
        hash("6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"),
        hash("5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"),
    );
    let h1 = hash("96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7");
    assert_eq!(path(inclusion(0, 8)), [h1, h46, h04]);
    assert!(includes(leaves[0], 0, 8, hash(roots[7]), &[h1, h46, h04]));
    assert_eq!(path(consistency(1, 1)), []);
    assert_eq!(path(consistency(1, 8)), [h1, h46, h04]);
    assert!(extends((1, hash(roots[0])), (8, hash(roots[7])), &[h1, h46, h04]));
}

/// Against another implementation: roots, and every proof in both directions.
#[test]
fn every_tree_up_to_300_leaves_is_the_one_of_ct_merkle_and_each_accepts_the_proofs_of_the_other() {
    let source = Full(leaves(SIZES));
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut their_roots = vec![theirs.root()];
    let mut proofs = 0;
    for size in 1..=SIZES {
        theirs.push(data(size - 1));
        let their_root = theirs.root();
        let mine = Range { start: 0, end: size }.hash(&source).unwrap();
        assert_eq!(mine.0.as_slice(), their_root.as_bytes().as_slice(), "the root of {size}");
        for index in 0..size {
            let (my_proof, their_proof) =
                (hashes(&inclusion(index, size).unwrap(), &source).unwrap(), theirs.prove_inclusion(index as usize));
            assert_eq!(NodeHash::concat(&my_proof), their_proof.as_bytes(), "leaf {index} of {size}");
            assert!(includes(source.0[index as usize], index, size, mine, &my_proof));
            let as_theirs = InclusionProof::<Sha256>::try_from_bytes(NodeHash::concat(&my_proof)).unwrap();
            assert!(their_root.verify_inclusion(&data(index), index, &as_theirs).is_ok());
            proofs += 1;
        }
        for old in 1..size {
            let my_proof = hashes(&consistency(old, size).unwrap(), &source).unwrap();
            let their_proof = theirs.prove_consistency((size - old) as usize);
            assert_eq!(NodeHash::concat(&my_proof), their_proof.as_bytes(), "from {old} to {size}");
            let old_root = NodeHash(their_roots[old as usize].as_bytes().as_slice().try_into().unwrap());
            assert!(extends((old, old_root), (size, mine), &my_proof));
            let as_theirs = ConsistencyProof::<Sha256>::try_from_bytes(NodeHash::concat(&my_proof)).unwrap();
            assert!(their_root.verify_consistency(&their_roots[old as usize], &as_theirs).is_ok());
            proofs += 1;
        }
        their_roots.push(their_root);
    }
    assert_eq!(proofs, SIZES * (SIZES + 1) / 2 + SIZES * (SIZES - 1) / 2);
}

/// No other leaf, place, size, root or proof passes.
#[test]
fn a_proof_shows_what_it_was_made_for_and_nothing_else() {
    let source = Full(leaves(70));
    let tree = |size: u64| (size, Range { start: 0, end: size }.hash(&source).unwrap());
    for size in 1..=70 {
        let (_, whole) = tree(size);
        for index in 0..size {
            let (leaf, proof) = (source.0[index as usize], hashes(&inclusion(index, size).unwrap(), &source).unwrap());
            for other in (0..size).filter(|other| *other != index) {
                assert!(!includes(source.0[other as usize], index, size, whole, &proof));
                assert!(!includes(leaf, other, size, whole, &proof));
            }
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at].0[at % 32] ^= 1;
                assert!(!includes(leaf, index, size, whole, &changed));
                assert!(!includes(leaf, index, size, whole, &proof[..at]));
            }
            assert!(!includes(leaf, index, size, whole, &[proof.clone(), vec![leaf]].concat()));
            assert!(!includes(leaf, size, size, whole, &proof));
        }
        for old in 1..size {
            let proof = hashes(&consistency(old, size).unwrap(), &source).unwrap();
            assert!(!extends(tree(old), (size, leaves(1)[0]), &proof) || size == 1);
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at].0[at % 32] ^= 1;
                assert!(!extends(tree(old), tree(size), &changed));
                assert!(!extends(tree(old), tree(size), &proof[..at]));
            }
            for other in (1..=size).filter(|other| *other != old) {
                assert!(!extends((old, tree(other).1), tree(size), &proof), "{other} passes for {old} of {size}");
            }
            assert!(!extends(tree(old), tree(size), &[proof, vec![whole]].concat()));
        }
    }
    assert!(inclusion(5, 5).is_none() && consistency(6, 5).is_none());
    assert!(!extends(tree(6), tree(5), &[]));
}

/// Two logs that begin alike and then differ: no proof joins them.
#[test]
fn of_two_logs_with_a_common_beginning_neither_extends_the_other() {
    let (mut one, mut other) = (leaves(120), leaves(150));
    one[100] = NodeHash::of_leaf(b"what was recorded");
    other[100] = NodeHash::of_leaf(b"what should have been");
    let (one, other) = (Full(one), Full(other));
    let tree = |source: &Full, size: u64| (size, Range { start: 0, end: size }.hash(source).unwrap());
    for old in 1..=120 {
        for new in old..=150 {
            let proof = hashes(&consistency(old, new).unwrap(), &other).unwrap();
            assert_eq!(extends(tree(&one, old), tree(&other, new), &proof), old <= 100, "{old} to {new}");
        }
    }
}

/// The same nodes, whether they come from every leaf or from tiles.
#[test]
fn tiles_hold_what_proofs_need() {
    let source = Full(leaves(600));
    let (mut edge, mut full) = (crate::tiles::Edge::default(), Vec::new());
    source.0.iter().for_each(|leaf| edge.append(*leaf, &mut full));
    let mut tiles: BTreeMap<_, _> = full.into_iter().map(|tile| (tile.id, tile.hashes)).collect();
    for (level, hashes) in edge.levels().iter().enumerate() {
        let index = (600 >> (8 * (level + 1))) as u64;
        tiles.insert(crate::tiles::TileId { level: level as u8, index }, hashes.clone());
    }
    let tiles = Tiles(tiles);
    for (index, size) in [(0, 600), (255, 256), (256, 600), (511, 512), (599, 600), (300, 301)] {
        let path = inclusion(index, size).unwrap();
        assert!(crate::tiles::tiles_of(&path).iter().all(|id| tiles.0.contains_key(id)));
        assert_eq!(hashes(&path, &tiles), hashes(&path, &source));
    }
    for old in 1..600 {
        let path = consistency(old, 600).unwrap();
        assert_eq!(hashes(&path, &tiles), hashes(&path, &source));
    }
}
