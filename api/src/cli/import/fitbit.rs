//! Fitbit's daily activity file: `Id, ActivityDate (US style), TotalSteps, …`, one row per person and day.

use super::{DayFigures, Outcome, Report, RowOutcome, Sender, activities::DAYS_PER_BATCH, people};
use crate::cli::{
    client::{ApiClient, ApiError},
    output::Reporter,
};
use chrono::{Datelike, NaiveDate};
use csv::StringRecord;
use std::{
    collections::{BTreeSet, HashMap},
    io::Read,
};

/// The source of the records.
pub const SOURCE: &str = "fitbit";
/// The kind of file, in the keys under which people are created.
const FILE_KIND: &str = "fitbit-daily-activity";

/// The columns that are read; the file has more.
const COLUMNS: [&str; 7] =
    ["Id", "ActivityDate", "TotalSteps", "VeryActiveMinutes", "FairlyActiveMinutes", "LightlyActiveMinutes", "Calories"];
/// A record id holds the person, the day and the metric, and may have 128 characters.
const PERSON_MAX_CHARS: usize = 80;

/// A row of the file: a day, or why it is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub line: u64,
    pub person: String,
    pub content: Result<DayFigures, String>,
}

/// Why a file is refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("the first line has no column `{0}`")]
    Column(&'static str),
    #[error(transparent)]
    Csv(#[from] csv::Error),
}

/// Reads the file. A row that makes no sense is kept with its reason.
///
/// # Errors
/// A file that cannot be read or lacks a column.
pub fn read(file: impl Read) -> Result<Vec<Row>, FileError> {
    // Flexible, so that a row with a field too many is refused alone.
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let header = reader.headers()?.clone();
    let mut places = [0; COLUMNS.len()];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let name = |name: &str| name.trim_start_matches('\u{feff}').trim() == column;
        *place = header.iter().position(name).ok_or(FileError::Column(column))?;
    }
    let mut seen = HashMap::new();
    let mut rows = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let (line, person, content) = match record {
            Ok(record) => {
                let line = record.position().map_or(index as u64 + 2, csv::Position::line);
                let person = record.get(places[0]).unwrap_or_default().trim().to_owned();
                let content = figures(&record, header.len(), &places, &person);
                (line, person, content.and_then(|day| refuse_contradiction(&mut seen, line, day)))
            }
            Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => {
                (error.position().map_or(index as u64 + 2, csv::Position::line), String::new(), Err("the row is not UTF-8".to_owned()))
            }
            Err(error) => return Err(error.into()),
        };
        rows.push(Row { line, person, content });
    }
    Ok(rows)
}

fn figures(record: &StringRecord, width: usize, places: &[usize; 7], person: &str) -> Result<DayFigures, String> {
    if record.len() != width {
        return Err(format!("the row has {} fields and the first line {width}", record.len()));
    }
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if person.is_empty() || person.len() > PERSON_MAX_CHARS || !person.bytes().all(is_id) {
        return Err(format!("Id `{person}` is not 1 to {PERSON_MAX_CHARS} letters, digits, `.`, `_` or `-`"));
    }
    let number = |column: usize| {
        let text = record.get(places[column]).unwrap_or_default().trim();
        let value = text.parse::<i64>().ok().filter(|value| *value >= 0);
        value.ok_or_else(|| format!("{} `{text}` is not a whole number of 0 or more", COLUMNS[column]))
    };
    let active_minutes = [number(3)?, number(4)?, number(5)?].into_iter().fold(0i64, i64::saturating_add);
    let day = us_date(record.get(places[1]).unwrap_or_default().trim())?;
    Ok(DayFigures { person: person.to_owned(), day, steps: number(2)?, active_minutes, calories_kcal: number(6)? })
}

fn us_date(text: &str) -> Result<NaiveDate, String> {
    let day = NaiveDate::parse_from_str(text, "%m/%d/%Y").ok().filter(|day| day.year() >= 2000);
    day.ok_or_else(|| format!("ActivityDate `{text}` is not a date such as 4/12/2016"))
}

/// The same day twice is a repeat, which the server knows as a duplicate; with other figures nobody
/// can tell which is true, and taking both would make the result depend on how often the import runs.
fn refuse_contradiction(
    seen: &mut HashMap<(String, NaiveDate), (u64, DayFigures)>,
    line: u64,
    day: DayFigures,
) -> Result<DayFigures, String> {
    let (first_line, first) = seen.entry((day.person.clone(), day.day)).or_insert_with(|| (line, day.clone()));
    if *first == day { Ok(day) } else { Err(format!("line {first_line} says something else of the same person and day")) }
}

/// Creates the people and sends the days.
///
/// # Errors
/// What stops the whole import: no such server, no right. What was sent before stays, and running
/// again goes on from there.
pub async fn import(api: &ApiClient, rows: Vec<Row>, reporter: &Reporter) -> Result<Report, ApiError> {
    let good: Vec<(usize, &DayFigures)> =
        rows.iter().enumerate().filter_map(|(index, row)| Some((index, row.content.as_ref().ok()?))).collect();
    let refs: BTreeSet<&str> = good.iter().map(|(_, day)| day.person.as_str()).collect();
    let people = people::ensure_members(api, FILE_KIND, refs.into_iter().map(str::to_owned).collect(), reporter).await?;
    let sender = Sender { api, source: SOURCE, people: &people };

    let mut outcomes: Vec<Option<Outcome>> = rows.iter().map(|row| row.content.as_ref().err().cloned().map(Outcome::Refused)).collect();
    let mut position = None;
    let progress = reporter.progress("days", good.len() as u64);
    for batch in good.chunks(DAYS_PER_BATCH) {
        let days: Vec<&DayFigures> = batch.iter().map(|(_, day)| *day).collect();
        let (answers, reached) = sender.send(&days).await?;
        position = position.max(reached);
        for ((index, _), answer) in batch.iter().zip(answers) {
            outcomes[*index] = Some(answer);
        }
        progress.advance(batch.len() as u64);
    }
    let people = people.values().filter(|person| person.is_ok()).count();
    let rows = rows.into_iter().zip(outcomes).map(|(row, outcome)| RowOutcome {
        line: row.line,
        person: row.person,
        day: row.content.ok().map(|day| day.day),
        outcome: outcome.unwrap_or_else(|| Outcome::Refused("it was not sent".to_owned())),
    });
    Ok(Report { rows: rows.collect(), people, position })
}

#[cfg(test)]
#[path = "fitbit_tests.rs"]
mod tests;
