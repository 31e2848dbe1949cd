use super::*;
use crate::cli::import::fitbit;
use std::collections::{BTreeMap, BTreeSet};

fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 10, 1).expect("a day")
}

#[test]
fn the_same_seed_gives_the_same_month() {
    assert_eq!(month(SEED, first_day()), month(SEED, first_day()));
    assert_ne!(month(SEED, first_day()), month(SEED + 1, first_day()));
}

#[test]
fn the_month_has_the_figures_and_the_flaws_of_the_feed() {
    let deliveries = month(SEED, first_day());
    let days: BTreeMap<(&str, NaiveDate), i64> =
        deliveries.iter().map(|delivery| ((delivery.figures.person.as_str(), delivery.figures.day), delivery.figures.steps)).collect();
    assert_eq!(days.keys().map(|(person, _)| *person).collect::<BTreeSet<_>>().len(), PEOPLE);
    assert!(days.keys().all(|(person, _)| person.starts_with("demo-")));
    assert_eq!(days.len() as u64, TRACKED_DAYS.iter().sum::<u64>());
    let zeroes = days.values().filter(|steps| **steps == 0).count();
    assert!((60..=77).contains(&zeroes), "{zeroes} zero days");
    let mean = days.values().sum::<i64>() / (days.len() - zeroes) as i64;
    assert!((7_500..=9_000).contains(&mean), "the feed has 8,319 steps a day, this one {mean}");
    assert!(days.values().any(|steps| *steps > 15_000), "the daily cap of the program is reached");
    assert!(deliveries.len() > days.len(), "rows repeat");
    assert!(deliveries.iter().any(|delivery| delivery.arrives > delivery.figures.day + Days::new(3)), "days arrive late");
    assert!(deliveries.is_sorted_by_key(|delivery| delivery.arrives));
    assert!(deliveries.iter().all(|delivery| delivery.figures.active_minutes <= 1_440));
}

#[test]
fn the_file_of_a_month_imports_without_a_refusal() {
    let deliveries = month(SEED, first_day());
    let rows = fitbit::read(fitbit_csv(&deliveries).as_bytes()).expect("the format is right");
    let read: Vec<_> = rows.into_iter().map(|row| row.content.expect("every row is right")).collect();
    assert_eq!(read, deliveries.into_iter().map(|delivery| delivery.figures).collect::<Vec<_>>());
}
