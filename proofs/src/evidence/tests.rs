use super::*;
use crate::{
    Checkpoint, Entry, LogKey, TlogProof, TrustedKeys,
    entry::Instant,
    keys::{introduce, origin_of, root_origin},
    note::{self, Sign},
    record::{Content, Record},
    tiles::{Edge, TileId, Tiles},
    tree,
};
use ed25519_dalek::SigningKey;
use std::thread;

const LOG: &str = "palmares-log/6a1b2f0e-0000-4000-8000-000000000001";
const ORGANIZATION: Id = Id([7; 16]);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// An organization's log and its root log, in memory.
struct World {
    records: Vec<Record>,
}

fn record(index: u64) -> Record {
    let text = |what: &str| Content::Text(format!(r#"{{"{what}":{index},"note":"d\u00e9j\u00e0 \"vu\""}}"#));
    Record {
        index,
        position: 100 + 3 * index as i64,
        recorded_at: Instant(1_795_255_975_000_000 + 1_000 * index as i64),
        effective_at: index.is_multiple_of(2).then_some(Instant(1_795_255_000_000_000)),
        event_type: "points.hold_placed".to_owned(),
        schema_version: 1,
        event_id: Id([index as u8; 16]),
        stream_type: "account".to_owned(),
        stream_id: Id([200; 16]),
        version: 1 + index as i64,
        actor_id: Id([5; 16]),
        metadata: text("action"),
        payload: if index.is_multiple_of(3) { Content::Sha256(text("points").hash().unwrap()) } else { text("points") },
    }
}

impl World {
    fn new(leaves: u64) -> Self {
        Self { records: (0..leaves).map(record).collect() }
    }

    fn grown(leaves: &[NodeHash]) -> (Edge, Tiles) {
        let (mut edge, mut full) = (Edge::default(), Vec::new());
        leaves.iter().for_each(|leaf| edge.append(*leaf, &mut full));
        let mut tiles: std::collections::BTreeMap<_, _> = full.into_iter().map(|tile| (tile.id, tile.hashes)).collect();
        for (level, hashes) in edge.levels().iter().enumerate() {
            tiles.insert(TileId { level: level as u8, index: edge.size() >> (8 * (level + 1)) }, hashes.clone());
        }
        (edge, Tiles(tiles))
    }

    fn tree(&self, size: u64) -> (Edge, Tiles) {
        let leaves: Vec<_> = self.records[..size as usize].iter().map(|record| record.entry(ORGANIZATION).unwrap().hash()).collect();
        Self::grown(&leaves)
    }

    /// The signed checkpoint of the tree when it had this size.
    fn checkpoint(&self, size: u64, signer: &SigningKey) -> String {
        let origin = origin_of(LOG, ORGANIZATION);
        let text = Checkpoint { origin: origin.clone(), size, root: self.tree(size).0.root() }.text();
        note::sign(&text, &origin, &[signer])
    }

    fn package(&self, plan: Plan, signer: &SigningKey) -> Vec<u8> {
        let checkpoint = self.checkpoint(plan.size, signer);
        let entry = note::Note::parse(&checkpoint).unwrap().text;
        let root_leaves: Vec<_> =
            [b"a".as_slice(), b"b", b"c", entry.as_bytes(), b"d"].iter().map(|data| NodeHash::of_leaf(data)).collect();
        let (root, root_tiles) = Self::grown(&root_leaves);
        let origin = root_origin(LOG);
        let text = Checkpoint { origin: origin.clone(), size: root.size(), root: root.root() }.text();
        let proof = TlogProof {
            extra: None,
            index: 3,
            hashes: tree::hashes(&tree::inclusion(3, root.size()).unwrap(), &root_tiles).unwrap(),
            checkpoint: note::sign(&text, &origin, &[signer]),
        };
        let introductions = vec![introduce(LOG, &key(1), &key(2))];
        let (_, tiles) = self.tree(plan.size);
        let needed = crate::tiles::tiles_of(&plan.ranges().unwrap());
        let tiles = Tiles(tiles.0.into_iter().filter(|(id, _)| needed.contains(id)).collect());
        let head = plan.head(ORGANIZATION, LOG, checkpoint, &proof, introductions, &tiles).unwrap();
        let mut package = line(&head).unwrap();
        for record in &self.records[plan.first as usize..(plan.first + plan.count) as usize] {
            package.extend(line(record).unwrap());
        }
        package
    }
}

/// A whole package, and the key by which it is proved.
pub(crate) fn package_and_key() -> (Vec<u8>, String) {
    let trusted = LogKey { log: LOG.to_owned(), public: key(1).public() };
    (World::new(9).package(plan(2, 5, 9), &key(2)), trusted.to_string())
}

/// One that hides nothing, under the same key.
pub(crate) fn package_that_shows_all() -> Vec<u8> {
    World::new(9).package(plan(7, 2, 9), &key(2))
}

/// The proof of one event that the third key signed, how the first key led to it, and the first key.
pub(crate) fn proof_introductions_and_key() -> (String, [String; 2], String) {
    let (world, size) = (World::new(9), 9);
    let (edge, tiles) = world.tree(size);
    let proof = TlogProof {
        extra: Some(world.records[4].entry(ORGANIZATION).unwrap().leaf()),
        index: 4,
        hashes: tree::hashes(&tree::inclusion(4, edge.size()).unwrap(), &tiles).unwrap(),
        checkpoint: world.checkpoint(size, &key(3)),
    };
    let trusted = LogKey { log: LOG.to_owned(), public: key(1).public() };
    (proof.text(), [introduce(LOG, &key(1), &key(2)), introduce(LOG, &key(2), &key(3))], trusted.to_string())
}

/// Trusts the first key alone.
fn trust() -> Trust {
    Trust { keys: TrustedKeys::new([LogKey { log: LOG.to_owned(), public: key(1).public() }]), ..Trust::default() }
}

fn pinning(checkpoint: &str) -> Trust {
    Trust { pinned: Pinned::parse(checkpoint), ..trust() }
}

fn plan(first: u64, count: u64, size: u64) -> Plan {
    Plan { first, count, size, pinned: None }
}

// covers: E-184
#[test]
fn every_span_of_every_tree_is_proved_whole() {
    let world = World::new(40);
    for size in [1, 2, 7, 8, 9, 31, 32, 40] {
        for first in 0..=size {
            for count in [1, 2, 5, size - first].into_iter().filter(|count| *count > 0 && first + count <= size) {
                let report = verify(world.package(plan(first, count, size), &key(2)).as_slice(), &trust()).unwrap();
                assert_eq!((report.first, report.count, report.tree_size), (first, count, size));
                assert_eq!(report.from.map(|bound| bound.position), Some(100 + 3 * first as i64));
                let hidden = (first..first + count).filter(|index| index.is_multiple_of(3)).count() as u64;
                assert_eq!((report.shown, report.hidden, report.later), (count - hidden, hidden, size - first - count));
            }
        }
    }
}

/// Nothing of a tree proves nothing of it; of an empty one nothing is all.
// covers: E-184
#[test]
fn a_package_without_events_is_refused_unless_the_tree_has_none() {
    let world = World::new(9);
    for first in [0, 4, 9] {
        let failure = verify(world.package(plan(first, 0, 9), &key(2)).as_slice(), &trust()).unwrap_err();
        assert!(matches!(failure, Failure::Nothing { size: 9 }) && failure.is_understood(), "{failure}");
    }
    let report = verify(World::new(0).package(plan(0, 0, 0), &key(2)).as_slice(), &trust()).unwrap();
    assert_eq!((report.count, report.tree_size, report.from, report.shown, report.hidden, report.later), (0, 0, None, 0, 0, 0));
}

/// Hashes in the place of text prove the same leaves, so they are counted.
// covers: E-184
#[test]
fn what_somebody_blanked_on_the_way_is_told() {
    let world = World::new(9);
    let mut blanked = World::new(9);
    for record in &mut blanked.records[4..6] {
        let hash = |content: &Content| Content::Sha256(content.hash().unwrap());
        (record.metadata, record.payload) = (hash(&record.metadata), hash(&record.payload));
    }
    let report = |world: &World| verify(world.package(plan(1, 8, 9), &key(2)).as_slice(), &trust()).unwrap();
    let (before, after) = (report(&world), report(&blanked));
    assert_eq!((before.shown, before.hidden, after.shown, after.hidden), (6, 2, 4, 4));
    assert_eq!(before.root, after.root);
}

/// What is left out, added, moved, changed or cut off shows.
// covers: E-184
#[test]
fn a_span_that_is_not_whole_is_refused() {
    let world = World::new(40);
    let package = String::from_utf8(world.package(plan(10, 12, 40), &key(2))).unwrap();
    let lines: Vec<&str> = package.split_inclusive('\n').collect();
    let refused = |lines: &[&str]| verify(lines.concat().as_bytes(), &trust()).unwrap_err();
    for at in 1..lines.len() {
        let mut without = lines.clone();
        without.remove(at);
        assert!(matches!(refused(&without), Failure::Disorder { .. } | Failure::Missing { .. }), "without line {at}");
        let mut swapped = lines.clone();
        swapped.swap(at, if at == 1 { 2 } else { at - 1 });
        assert!(matches!(refused(&swapped), Failure::Disorder { .. }));
        assert!(matches!(refused(&lines[..at]), Failure::Missing { index } if index == 9 + at as u64));
    }
    assert!(matches!(refused(&[&lines[..], &lines[12..]].concat()), Failure::TooMuch { line: 14 }));
    let changed = package.replacen(r#"\"action\":15"#, r#"\"action\":16"#, 1);
    let failure = verify(changed.as_bytes(), &trust()).unwrap_err();
    assert!(matches!(failure, Failure::OtherEvents { first: 10, count: 12 }));
    assert!(failure.to_string().starts_with("leaves 10 to 21 are not"), "the last one is named: {failure}");
    // The gap closed up, and numbered anew: the tree says that there was one more.
    let closed: String = package
        .replacen(r#""count":12"#, r#""count":11"#, 1)
        .lines()
        .filter(|line| !line.contains("\"index\":21,"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(matches!(verify(closed.as_bytes(), &trust()), Err(Failure::Head(_))));
}

#[test]
fn a_package_that_nobody_trusted_signed_is_refused() {
    let world = World::new(9);
    let package = |signer: u8| world.package(plan(0, 9, 9), &key(signer));
    assert!(verify(package(1).as_slice(), &trust()).is_ok());
    assert!(verify(package(2).as_slice(), &trust()).is_ok(), "the first key introduced the second");
    assert!(matches!(verify(package(3).as_slice(), &trust()), Err(Failure::Untrusted(_))));
    assert!(matches!(verify(package(1).as_slice(), &Trust::default()), Err(Failure::Untrusted(_))));
}

/// "The log extends the one that you pinned on …", or it does not.
// covers: E-184
#[test]
fn a_pinned_checkpoint_shows_whether_history_was_rewritten() {
    let world = World::new(40);
    for (pinned, first, shown) in [(12, 10, None), (40, 10, None), (5, 0, None), (5, 10, Some(5)), (37, 10, Some(37)), (1, 39, Some(1))] {
        let plan = Plan { pinned: shown, ..plan(first, 40 - first, 40) };
        let report = verify(world.package(plan, &key(2)).as_slice(), &pinning(&world.checkpoint(pinned, &key(1)))).unwrap();
        assert_eq!(report.extends, if pinned == 12 { Some(12) } else { Some(pinned) });
    }
    // Another history from leaf 20 on, signed by the right key: whoever pinned 30 leaves sees it.
    let mut other = World::new(40);
    other.records[20].payload = Content::Text("{}".to_owned());
    for (pinned, forked) in [(20, false), (21, true), (30, true), (40, true)] {
        let before = pinning(&world.checkpoint(pinned, &key(1)));
        for plan in [plan(0, 40, 40), Plan { pinned: Some(pinned), ..plan(25, 10, 40) }] {
            let outcome = verify(other.package(plan, &key(2)).as_slice(), &before);
            assert_eq!(matches!(outcome, Err(Failure::Forked { .. })), forked, "{pinned}: {outcome:?}");
        }
    }
    let unknown = verify(world.package(plan(30, 2, 40), &key(2)).as_slice(), &pinning(&world.checkpoint(5, &key(1))));
    assert!(matches!(unknown, Err(Failure::NoConsistency { pinned: 5, size: 40 })));
    let unsigned = pinning(&world.checkpoint(5, &key(9)));
    assert!(matches!(verify(world.package(plan(0, 2, 40), &key(2)).as_slice(), &unsigned), Err(Failure::Untrusted(_))));
    let older = verify(world.package(plan(0, 20, 20), &key(2)).as_slice(), &pinning(&world.checkpoint(40, &key(1))));
    assert!(matches!(older, Err(Failure::NoConsistency { .. })), "a log that was cut off");
}

/// What is done to a package at one byte.
type Way = fn(&[u8], usize) -> Vec<u8>;

/// Every byte of a package is changed in several ways, cut out, doubled and moved: 100,000 mutations
/// and more. Each one is refused, or the report is to the letter the one of the package itself.
// covers: E-184
#[test]
fn no_mutation_of_a_package_passes_for_another_truth() {
    let world = World::new(21);
    let package = world.package(Plan { pinned: Some(9), ..plan(5, 10, 21) }, &key(2));
    let trust = Trust { pinned: Pinned::parse(&world.checkpoint(9, &key(1))), ..trust() };
    let truth = verify(package.as_slice(), &trust).unwrap();
    let ways: [Way; 15] = [
        |package, at| changed(package, at, |byte| byte ^ 0x08),
        |package, at| changed(package, at, |byte| byte ^ 0x01),
        |package, at| changed(package, at, |byte| byte ^ 0x02),
        |package, at| changed(package, at, |byte| byte ^ 0x04),
        |package, at| changed(package, at, |byte| byte ^ 0x10),
        |package, at| changed(package, at, |byte| byte ^ 0x20),
        |package, at| changed(package, at, |byte| byte.wrapping_add(1)),
        |package, at| changed(package, at, |_| b'0'),
        |package, at| changed(package, at, |_| b'\n'),
        |package, at| changed(package, at, |_| b' '),
        |package, at| changed(package, at, |_| 0xff),
        |package, at| [&package[..at], &package[at + 1..]].concat(),
        |package, at| [&package[..=at], &package[at..]].concat(),
        |package, at| package[..at].to_vec(),
        |package, at| {
            let mut swapped = package.to_vec();
            swapped.swap(at, (at + 1 + at % 61) % package.len());
            swapped
        },
    ];
    let (package, trust, truth) = (&package, &trust, &truth);
    let mutants: usize = thread::scope(|scope| {
        let halves = [0, 1].map(|half| {
            scope.spawn(move || {
                let (mut mutants, mut harmless) = (0, 0);
                for at in (half..package.len()).step_by(2) {
                    for (number, way) in ways.iter().enumerate() {
                        let mutant = way(package, at);
                        if mutant == *package {
                            continue;
                        }
                        mutants += 1;
                        if let Ok(report) = verify(mutant.as_slice(), trust) {
                            assert_eq!(report, *truth, "way {number} at byte {at} proves something else");
                            harmless += 1;
                        }
                    }
                }
                assert!(harmless < mutants / 20, "{harmless} of {mutants} are let through");
                mutants
            })
        });
        halves.into_iter().map(|half| half.join().unwrap()).sum()
    });
    assert!(mutants >= 100_000, "only {mutants}");
}

fn changed(package: &[u8], at: usize, to: impl Fn(u8) -> u8) -> Vec<u8> {
    let mut mutant = package.to_vec();
    mutant[at] = to(mutant[at]);
    mutant
}

#[test]
fn content_that_is_not_shown_or_is_no_text_has_the_same_leaf() {
    let shown = record(1);
    let hidden = Record { payload: Content::Sha256(shown.payload.hash().unwrap()), ..shown.clone() };
    assert_eq!(shown.entry(ORGANIZATION), hidden.entry(ORGANIZATION));
    let bytes = Content::of(&[0xff, 0x00, 0x41]);
    assert_eq!((bytes.clone(), bytes.hash()), (Content::Bytes("ff0041".to_owned()), Some(crate::entry::BytesHash::of(&[0xff, 0, 0x41]))));
    for other in ["FF0041", "ff004", "4142", "zz", "ff é"] {
        assert_eq!(Content::Bytes(other.to_owned()).hash(), None, "{other}");
    }
    let leaf = shown.entry(ORGANIZATION).unwrap();
    assert_eq!(Entry::from_leaf(&leaf.leaf()), Some(leaf));
}
