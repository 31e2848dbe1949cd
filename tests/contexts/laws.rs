//! The page about laws names routes that there are, and tests that run.

use crate::{
    contracts::domain_purity::{root, sources},
    support::running::Client,
};
use reqwest::Method;
use serde_json::Value;
use std::{collections::BTreeSet, fs};

/// What stands between backticks in the rows of the page's table.
fn named() -> Vec<String> {
    let page = fs::read_to_string(root().join("docs/compliance.md")).expect("the page");
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Rule"));
    rows.flat_map(|row| row.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// The names of all functions behind `#[test]` or `#[tokio::test]` of a source.
fn tests_in(source: &str) -> Vec<String> {
    let (mut found, mut behind_mark) = (Vec::new(), false);
    for line in source.lines().map(str::trim) {
        let name = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "));
        found.extend(name.filter(|_| behind_mark).and_then(|name| name.split('(').next()).map(str::to_owned));
        behind_mark = line.starts_with("#[test]") || line.starts_with("#[tokio::test");
    }
    found
}

// covers: E-174
#[tokio::test]
async fn every_rule_is_met_at_a_route_that_there_is_and_shown_by_a_test_that_runs() {
    let openapi = Client::anonymous().request_at(Method::GET, "/openapi.json").send().await.expect("the server answers");
    let openapi: Value = openapi.json().await.expect("JSON");
    let routes: BTreeSet<String> = openapi["paths"].as_object().expect("paths").keys().cloned().collect();
    let looked_at = |path: &str| path.starts_with("commands/src/") || path.starts_with("tests/");
    let sources = sources().into_iter().filter(|(path, _)| looked_at(path));
    let tests: BTreeSet<String> = sources.flat_map(|(_, source)| tests_in(&source)).collect();
    let (paths, shown): (Vec<String>, Vec<String>) = named().into_iter().partition(|name| name.starts_with('/'));
    assert!(paths.len() > 20 && shown.len() > 15, "the page is read: {} routes, {} tests", paths.len(), shown.len());
    for path in paths {
        assert!(routes.contains(&format!("/api/v1{path}")), "{path} is no route");
    }
    for test in shown {
        assert!(tests.contains(&test), "{test} is no test");
    }
}
