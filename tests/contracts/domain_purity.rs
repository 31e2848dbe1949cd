//! What may know what, and what no source may hold.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Nothing that reads a clock, a network, a file or a database.
const DOMAIN_DEPENDENCIES: &[&str] = &["chrono", "chrono-tz", "idna", "proptest", "serde", "serde_json", "thiserror", "utoipa", "uuid"];

/// Who may say that something was admitted: the gate, the doors, what acts for the system itself, and
/// measurements and tests of the engine, which have no gate.
const MAY_GRANT: &[&str] = &[
    "api/src/pipeline/door.rs",
    "api/src/pipeline/gate.rs",
    "api/src/reactors/mod.rs",
    "api/src/wiring/internal.rs",
    "bench/src/erasure/process.rs",
    "bench/src/palmares_system.rs",
    "commands/src/challenges/tests.rs",
    "commands/src/compliance/siem_streams_tests.rs",
    "commands/src/compliance/tests.rs",
    "commands/src/engine/forgetting_tests.rs",
    "commands/src/identity/invitations_tests.rs",
    "commands/src/identity/signups/tests.rs",
    "commands/src/identity/tests.rs",
    "commands/src/identity/user_imports/tests.rs",
    "commands/src/points/tests.rs",
];

/// Who may say in which tenant a reader is opened without holding what was admitted there.
const MAY_LET_IN: &[&str] = &[
    "api/src/pipeline/gate.rs",
    "api/src/reactors/mod.rs",
    "api/src/routes/deletions/checks_tests.rs",
    "bench/src/audit/mod.rs",
    "bench/src/proofs.rs",
];

const LONGEST_FILE_LINES: usize = 400;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust source with its path from the root.
pub fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["proofs", "domain", "commands", "projections", "api", "bench", "tests"] {
        collect(&root().join(folder), folder, &mut found);
    }
    assert!(found.len() > 200, "the sources are found");
    found
}

fn collect(folder: &Path, name: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let name = format!("{name}/{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            collect(&path, &name, found);
        } else if name.ends_with(".rs") {
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The names under every section of dependencies of a crate.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join(manifest)).unwrap();
    let mut in_dependencies = false;
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.contains("dependencies");
        } else if in_dependencies && let Some(name) = line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty()) {
            names.insert(name.to_owned());
        }
    }
    assert!(!names.is_empty());
    names
}

#[test]
fn the_domain_depends_on_nothing_that_acts() {
    let names = dependencies("domain/Cargo.toml");
    let further: Vec<_> = names.iter().filter(|name| !DOMAIN_DEPENDENCIES.contains(&name.as_str())).collect();
    assert!(further.is_empty(), "{further:?}");
    for (path, source) in sources().into_iter().filter(|(path, _)| path.starts_with("domain/src/")) {
        for banned in ["Utc::now", "SystemTime", "Instant::now", "new_v4", "now_v7", "std::fs", "std::net", "std::env::", "async fn"] {
            assert!(path.contains("tests") || !source.contains(banned), "{path} has {banned}");
        }
    }
}

#[test]
fn the_write_side_and_the_read_side_do_not_know_each_other() {
    for (manifest, stranger) in
        [("projections/Cargo.toml", ["palmares-commands", "palmares"]), ("commands/Cargo.toml", ["palmares-projections", "palmares"])]
    {
        let names = dependencies(manifest);
        assert!(stranger.iter().all(|stranger| !names.contains(*stranger)), "{manifest}: {names:?}");
    }
}

#[test]
fn only_the_gate_and_the_system_itself_admit() {
    assert_callers(concat!("Admitted::", "grant("), MAY_GRANT);
}

#[test]
fn only_the_gate_and_the_reactors_name_the_tenant_that_is_read() {
    assert_callers(concat!("Tenant::", "grant("), MAY_LET_IN);
}

fn assert_callers(call: &str, expected: &[&str]) {
    // Tests on real parts call the engine directly where the gate is not what they are about.
    let product = sources().into_iter().filter(|(path, _)| !path.starts_with("tests/"));
    let callers: BTreeSet<String> = product.filter(|(_, source)| source.contains(call)).map(|(path, _)| path).collect();
    assert_eq!(callers, expected.iter().map(|&path| path.to_owned()).collect());
}

#[test]
fn no_source_silences_a_lint_or_leaves_work_undone() {
    for (path, source) in sources() {
        for banned in [
            concat!("#[", "allow("),
            concat!("#![", "allow("),
            concat!("todo", "!("),
            concat!("unimplemented", "!("),
            concat!("#[", "ignore"),
        ] {
            assert!(!source.contains(banned), "{path} has {banned}");
        }
    }
}

#[test]
fn no_file_is_long() {
    for (path, source) in sources() {
        let lines = source.lines().count();
        assert!(lines <= LONGEST_FILE_LINES, "{path} has {lines} lines: split it");
    }
}
