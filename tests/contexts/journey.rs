//! The journey of a whole file: from the command line through commands, events and read models back
//! to HTTP, compared with the file person by person.

use crate::support::running::{Organization, PALMARES, fresh_organization, mint, running};
use chrono::NaiveDate;
use palmares::cli::{
    demo::generator::{SEED, fitbit_csv, month},
    import::{DayFigures, fitbit},
};
use palmares_domain::identity::Role;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Output,
};

/// The real file, where its folder lies next to the repository; it is not a part of it.
fn file() -> PathBuf {
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/fitbit/dailyActivity_merged.csv");
    if real.is_file() {
        return real;
    }
    println!("the real data is not at {}: the journey takes the generator's month instead", real.display());
    let generated = Path::new(env!("CARGO_TARGET_TMPDIR")).join("journey.csv");
    let first_day = NaiveDate::from_ymd_opt(2016, 4, 12).expect("a day");
    std::fs::write(&generated, fitbit_csv(&month(SEED, first_day))).expect("the generated file is written");
    generated
}

/// What a person should have.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Sums {
    steps: i64,
    points: i64,
}

/// The sums of the file: a day that it repeats counts once.
fn expected(file: &Path) -> (usize, BTreeMap<String, Sums>) {
    let rows = fitbit::read(std::fs::File::open(file).expect("the file")).expect("a file of daily activity");
    let days: Vec<DayFigures> = rows.into_iter().map(|row| row.content.expect("a good row")).collect();
    let (count, mut seen, mut sums) = (days.len(), BTreeSet::new(), BTreeMap::<_, Sums>::new());
    for day in days {
        if seen.insert((day.person.clone(), day.day)) {
            let person = sums.entry(day.person).or_default();
            person.steps += day.steps;
            person.points += (day.steps / 100).min(150);
        }
    }
    (count, sums)
}

/// Runs the command as a user would, and reads its last line.
async fn import(organization: &Organization, file: &Path) -> Value {
    let mut command = std::process::Command::new(PALMARES);
    command.args(["import", "fitbit"]).arg(file);
    command.args(["--url", &running().descriptor.base_url, "--token", organization.admin.token()]);
    let run = move || command.output().expect("the import runs");
    let Output { status, stdout, stderr } = tokio::task::spawn_blocking(run).await.expect("the import ends");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let stdout = String::from_utf8(stdout).expect("UTF-8");
    let report = stdout.lines().last().expect("a report");
    serde_json::from_str(report).expect("a report in JSON")
}

/// What everyone has, through HTTP: steps as the board of steps says, points as the balances say.
async fn told(organization: &Organization, position: i64) -> BTreeMap<String, Sums> {
    organization.admin.get_at("/leaderboards/steps?limit=1", position).await.expect(200);
    let board = organization.admin.all("/leaderboards/steps").await;
    let steps: BTreeMap<_, _> = board.iter().map(|row| (row["user_id"].as_str(), row["score"].as_i64().unwrap_or(0))).collect();
    let mut told = BTreeMap::new();
    for user in organization.admin.all("/users?role=member").await {
        let reference = user["external_ref"].as_str().expect("a reference").to_owned();
        if reference.starts_with("test-") {
            continue;
        }
        let id = user["id"].as_str().expect("an id");
        let points = organization.admin.get_at(&format!("/users/{id}/points"), position).await.expect(200);
        let points = points.body["totals"][0]["posted"].as_i64().unwrap_or(0);
        let steps = steps.get(&Some(id)).copied().unwrap_or(0);
        // What someone did is theirs to read, and no administrator's.
        let own = organization.admin.with_token(&mint(id, organization.id, Role::Member));
        let days = own.all(&format!("/users/{id}/activities/days?metric=steps")).await;
        assert_eq!(days.iter().filter_map(|day| day["total"].as_i64()).sum::<i64>(), steps, "days and board of {reference}");
        told.insert(reference, Sums { steps, points });
    }
    told
}

/// The position at which nothing is left to do: the reactors have answered everything up to the head.
async fn settled(organization: &Organization) -> i64 {
    crate::support::running::eventually("every activity is settled", || async {
        let head = organization.domain_events().await.last().and_then(|event| event["position"].as_i64())?;
        let listed = organization.analyst.get("/projections").await.expect(200);
        let done = listed.items().iter().all(|row| row["position"].as_i64().is_some_and(|position| position >= head));
        let after = organization.domain_events().await.last().and_then(|event| event["position"].as_i64())?;
        (done && after == head).then_some(head)
    })
    .await
}

// covers: W-05, W-17, W-28, W-30, W-31, W-35, W-37
#[tokio::test]
async fn a_file_of_real_activity_comes_out_right_to_the_last_point() {
    let organization = fresh_organization().await;
    organization.wellness().await;
    let before = organization.domain_events().await.last().and_then(|event| event["position"].as_i64()).expect("a position");
    let file = file();
    let (rows, expected) = expected(&file);

    let report = import(&organization, &file).await;
    assert_eq!((&report["rows"], &report["people"], &report["refused"]), (&json!(rows), &json!(expected.len()), &json!(0)));
    let position = settled(&organization).await;
    assert_eq!(told(&organization, position).await, expected);

    assert_board_is_in_order(&organization, &expected).await;
    assert_past_is_empty(&organization, before).await;
    assert_books_agree(&organization, &expected).await;
    let trail = organization.officer.all("/audit-logs?event_type=identity.user_created").await;
    assert_eq!(trail.len(), expected.len() + 4, "everyone who was created is in the audit trail");

    let known = organization.domain_events().await;
    let again = import(&organization, &file).await;
    assert_eq!((&again["accepted"], &again["duplicate"], &again["refused"]), (&json!(0), &json!(rows), &json!(0)));
    settled(&organization).await;
    assert_eq!(organization.domain_events().await, known, "a second run changes nothing");
    assert_eq!(told(&organization, position).await, expected);
}

async fn assert_board_is_in_order(organization: &Organization, expected: &BTreeMap<String, Sums>) {
    for (metric, score) in [("steps", (|sums: &Sums| sums.steps) as fn(&Sums) -> i64), ("points", |sums: &Sums| sums.points)] {
        let board = organization.admin.all(&format!("/leaderboards/{metric}?window=all")).await;
        let scores: Vec<_> = board.iter().filter_map(|row| row["score"].as_i64()).collect();
        // Whoever has nothing is on no board.
        let mut wanted: Vec<_> = expected.values().map(score).filter(|score| *score > 0).collect();
        wanted.sort_unstable_by(|one, other| other.cmp(one));
        assert_eq!(scores, wanted, "the board of {metric}");
        for (rank, row) in (1..).zip(&board) {
            let reference = row["external_ref"].as_str().expect("a reference");
            assert_eq!((row["rank"].as_i64(), row["score"].as_i64()), (Some(rank), expected.get(reference).map(score)), "{reference}");
        }
    }
}

async fn assert_past_is_empty(organization: &Organization, before: i64) {
    let board = organization.admin.get(&format!("/leaderboards/steps?as_of={before}")).await.expect(200);
    assert_eq!(board.body["items"], json!([]));
    let liability = organization.admin.get(&format!("/points/liability?as_of={before}")).await.expect(200);
    assert_eq!(liability.body["total"], 0);
    for user in organization.admin.all("/users?role=member").await.iter().take(3) {
        let id = user["id"].as_str().expect("an id");
        let points = organization.admin.get(&format!("/users/{id}/points?as_of={before}")).await.expect(200);
        assert_eq!(points.body["items"], json!([]));
    }
}

async fn assert_books_agree(organization: &Organization, expected: &BTreeMap<String, Sums>) {
    let books = organization.admin.get("/points/trial-balance").await.expect(200);
    assert_eq!(books.body["total"], 0);
    let points: i64 = expected.values().map(|sums| sums.points).sum();
    let liability = organization.admin.get("/points/liability").await.expect(200);
    assert_eq!(liability.body["total"], points);
    let reconciled = organization.admin.get("/points/reconciliations").await.expect(200);
    assert_eq!(reconciled.body["mismatches"], json!([]));
    let earners = expected.values().filter(|sums| sums.points > 0).count();
    assert_eq!(reconciled.body["accounts"], earners);
}
