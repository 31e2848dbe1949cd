//! What became of each row.

use crate::cli::output::{Reporter, print_line};
use chrono::NaiveDate;
use serde_json::{Value, json};

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Accepted,
    Duplicate,
    Refused(String),
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Outcome::Accepted => "accepted",
            Outcome::Duplicate => "duplicate",
            Outcome::Refused(_) => "refused",
        }
    }
}

/// A row of the file, by its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowOutcome {
    pub line: u64,
    pub person: String,
    pub day: Option<NaiveDate>,
    pub outcome: Outcome,
}

impl RowOutcome {
    fn json(&self) -> Value {
        let mut row = json!({ "event": "row", "line": self.line, "person": self.person, "day": self.day, "outcome": self.outcome.name() });
        if let (Outcome::Refused(reason), Some(members)) = (&self.outcome, row.as_object_mut()) {
            members.insert("reason".to_owned(), Value::from(reason.as_str()));
        }
        row
    }
}

/// The rows of an import, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub rows: Vec<RowOutcome>,
    pub people: usize,
    /// The last position that was reached: give it as `min_position` to read what was imported.
    pub position: Option<i64>,
}

impl Report {
    fn count(&self, name: &str) -> usize {
        self.rows.iter().filter(|row| row.outcome.name() == name).count()
    }

    pub fn accepted(&self) -> usize {
        self.count("accepted")
    }

    pub fn duplicate(&self) -> usize {
        self.count("duplicate")
    }

    pub fn refused(&self) -> usize {
        self.count("refused")
    }

    /// One object per row.
    pub fn json_lines(&self) -> String {
        self.rows.iter().map(|row| format!("{}\n", row.json())).collect()
    }

    /// As JSON every row, to a person the refused ones; then the sums.
    pub fn tell(&self, reporter: &Reporter) {
        for row in &self.rows {
            match (reporter, &row.outcome) {
                (Reporter::JsonLines, _) => print_line(&row.json().to_string()),
                (Reporter::Terminal, Outcome::Refused(reason)) => {
                    print_line(&format!("line {} ({}): refused, {reason}", row.line, row.person))
                }
                _ => {}
            }
        }
        let (accepted, duplicate, refused) = (self.accepted(), self.duplicate(), self.refused());
        let sentence =
            format!("{} rows of {} people: {accepted} accepted, {duplicate} duplicate, {refused} refused", self.rows.len(), self.people);
        reporter.say(&sentence, || {
            json!({
                "event": "report", "rows": self.rows.len(), "people": self.people, "accepted": accepted,
                "duplicate": duplicate, "refused": refused, "position": self.position,
            })
        });
    }
}
