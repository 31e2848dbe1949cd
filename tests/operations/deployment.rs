//! What stands in `docker-compose.yml` and `deploy/` exists: no engine runs them here, so they are read.

use clap::{CommandFactory, error::ErrorKind};
use palmares::cli::{self, ENVIRONMENT};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// One service: the lines under its name. The file keeps one fact per line, so that this suffices.
pub fn services() -> BTreeMap<String, Vec<String>> {
    let file = read("docker-compose.yml");
    let mut services: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = None;
    for line in
        file.lines().skip_while(|line| *line != "services:").skip(1).take_while(|line| line.is_empty() || line.starts_with([' ', '#']))
    {
        match line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '#'])).and_then(|rest| rest.strip_suffix(':')) {
            Some(name) => current = Some(name.to_owned()),
            None => services.entry(current.clone().unwrap_or_default()).or_default().push(line.trim_end().to_owned()),
        }
    }
    services
}

/// The value of a line `    key: value` of a service.
pub fn value<'a>(service: &'a [String], key: &str) -> Option<&'a str> {
    service.iter().find_map(|line| line.strip_prefix("    ")?.strip_prefix(key)?.strip_prefix(": "))
}

/// The services that run our image.
pub fn ours() -> BTreeMap<String, Vec<String>> {
    services().into_iter().filter(|(_, lines)| value(lines, "image") == Some("palmares")).collect()
}

/// The lines under `environment:` of a service, where they are written out, as names and values.
pub fn settings(service: &[String]) -> BTreeMap<String, String> {
    let block = service.iter().skip_while(|line| !line.starts_with("    environment:")).skip(1);
    let lines = block.take_while(|line| line.starts_with("      ")).map(|line| line.trim()).filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

#[test]
fn the_compose_file_has_every_part() {
    let services = services();
    let roles = |role: &str| {
        ours().values().filter(|lines| value(lines, "command") == Some(&format!("[\"serve\", \"--role\", \"{role}\"]"))).count()
    };
    assert_eq!((roles("api"), roles("worker")), (2, 2));
    assert_eq!(services.keys().filter(|name| name.starts_with("nats-")).count(), 3);
    for (name, profile) in
        [("prometheus", "observability"), ("grafana", "observability"), ("kurrentdb", "kurrentdb"), ("otel-collector", "otel")]
    {
        assert_eq!(value(&services[name], "profiles"), Some(format!("[\"{profile}\"]").as_str()), "{name}");
    }
}

#[test]
fn every_command_of_the_compose_file_is_understood() {
    for (name, lines) in ours() {
        let command = value(&lines, "command").unwrap_or_else(|| panic!("{name} names its command"));
        let mut arguments: Vec<String> = serde_json::from_str(command).expect("a command is a list of texts");
        arguments.insert(0, "palmares".to_owned());
        match cli::Cli::command().try_get_matches_from(&arguments) {
            Ok(_) => {}
            // What is required comes from the environment, which is looked at below.
            Err(error) => assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument, "{name}: {error}"),
        }
    }
}

#[test]
fn every_variable_of_the_compose_file_is_read_by_palmares() {
    let known: BTreeSet<&str> = ENVIRONMENT.iter().map(|(name, _)| *name).collect();
    let mut written = BTreeSet::new();
    for (name, lines) in ours() {
        for variable in settings(&lines).into_keys() {
            assert!(known.contains(variable.as_str()), "{name} sets {variable}, which nothing reads");
            written.insert(variable);
        }
        let shared = lines.iter().any(|line| line.trim() == "environment: *palmares-environment");
        assert!(shared || name == "migrate" || name == "keys", "{name} has settings");
    }
    for needed in [
        "DATABASE_URL",
        "NATS_URL",
        "PALMARES_MASTER_KEY_FILE",
        "PALMARES_KEY_DIR",
        "PALMARES_JWT_KEY_FILE",
        "PALMARES_ISSUER",
        "PALMARES_AUDIENCE",
    ] {
        assert!(written.contains(needed), "{needed} is not set");
    }
}

#[test]
fn every_password_comes_from_the_surroundings() {
    let file = read("docker-compose.yml");
    let asked: BTreeSet<&str> = file.match_indices("${").filter_map(|(at, _)| file[at + 2..].split([':', '}']).next()).collect();
    let example = read("deploy/environment.example");
    let offered: BTreeSet<&str> =
        example.lines().filter(|line| !line.starts_with('#')).filter_map(|line| Some(line.split_once('=')?.0)).collect();
    assert_eq!(asked, offered);
    assert!(example.lines().all(|line| line.starts_with('#') || line.ends_with('=')), "the example has no value that could stay");
    for line in file.lines().filter(|line| line.contains("PASSWORD") || line.contains("--pass=") || line.contains("://palmares:")) {
        assert!(line.contains("${"), "{line}");
    }
}

#[test]
fn ports_are_published_to_this_machine_only_and_mounts_exist() {
    for (name, lines) in services() {
        let ports = value(&lines, "ports").unwrap_or_default();
        assert!(
            ports.split(',').all(|port| port.is_empty() || port.trim_start_matches(['[', ' ']).starts_with("\"127.0.0.1:")),
            "{name}: {ports}"
        );
        for mount in lines.iter().flat_map(|line| line.split('"')).filter(|part| part.starts_with("./")) {
            let path = mount.split(':').next().unwrap_or_default();
            assert!(root().join(path).exists(), "{name} mounts {path}");
        }
    }
    for path in ["deploy/Dockerfile", ".dockerignore"] {
        assert!(root().join(path).is_file(), "{path}");
    }
}

#[test]
fn the_image_is_built_in_stages_and_runs_unprivileged() {
    let file = read("deploy/Dockerfile");
    assert_eq!(file.lines().filter(|line| line.starts_with("FROM ")).count(), 2);
    let user = file.lines().find_map(|line| line.strip_prefix("USER ")).expect("a user");
    assert!(!user.starts_with('0') && !user.starts_with("root"));
    assert!(file.contains("cargo build --release --locked") && file.contains(r#"ENTRYPOINT ["palmares"]"#));
}

/// Every figure that a dashboard or an alert asks for is recorded somewhere in the sources.
#[test]
fn dashboards_and_alerts_name_figures_that_exist() {
    let mut sources = String::new();
    for folder in ["api/src", "commands/src", "projections/src"] {
        collect(&root().join(folder), &mut sources);
    }
    for path in ["deploy/grafana/dashboards/palmares.json", "deploy/prometheus/alerts.yml"] {
        let text = read(path);
        let names =
            text.match_indices("palmares_").map(|(at, _)| text[at..].split(|end: char| !end.is_ascii_lowercase() && end != '_').next());
        for name in names.flatten() {
            let recorded = name.strip_suffix("_bucket").unwrap_or(name);
            assert!(sources.contains(&format!("\"{recorded}\"")), "{path} asks for {name}, which nothing records");
        }
    }
    serde_json::from_str::<serde_json::Value>(&read("deploy/grafana/dashboards/palmares.json")).expect("the dashboard is JSON");
}

/// Adds every Rust source under `folder`.
fn collect(folder: &Path, sources: &mut String) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(path).unwrap_or_default());
        }
    }
}
