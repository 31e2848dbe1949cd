//! Days of activity as records of `POST /api/v1/activities`, in batches.

use super::{Outcome, people::People};
use crate::cli::client::{ApiClient, ApiError};
use chrono::NaiveDate;
use palmares_domain::kernel::UserId;
use serde::Deserialize;
use serde_json::{Value, json};

/// A batch may have 1,000 records; a day makes three, which stay together so that its answer is one.
pub const DAYS_PER_BATCH: usize = 300;

/// One person's day as a tracker counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayFigures {
    /// How the source calls the person.
    pub person: String,
    pub day: NaiveDate,
    pub steps: i64,
    pub active_minutes: i64,
    pub calories_kcal: i64,
}

impl DayFigures {
    /// The records of the day. The id of the steps is `<person>:<day>`; the other measures of the
    /// same row are records of their own and add their name.
    fn records(&self, source: &str, user: UserId) -> [Value; 3] {
        let id = format!("{}:{}", self.person, self.day);
        let record = |id: String, metric: &str, value: i64| {
            json!({
                "source": source, "source_record_id": id, "user_id": user, "metric": metric, "value": value,
                "local_day": self.day, "time_zone": "UTC",
            })
        };
        [
            record(id.clone(), "steps", self.steps),
            record(format!("{id}:active_minutes"), "active_minutes", self.active_minutes),
            record(format!("{id}:calories"), "calories", self.calories_kcal),
        ]
    }
}

/// How the server answered one record.
#[derive(Deserialize)]
struct ItemAnswer {
    #[serde(alias = "outcome")]
    status: String,
    #[serde(default)]
    reason: Option<String>,
}

/// Sends days of people who are known.
pub struct Sender<'a> {
    pub api: &'a ApiClient,
    pub source: &'a str,
    pub people: &'a People,
}

impl Sender<'_> {
    /// Sends up to [`DAYS_PER_BATCH`] days and says what became of each, with the position reached.
    ///
    /// # Errors
    /// What would refuse every batch.
    pub async fn send(&self, days: &[&DayFigures]) -> Result<(Vec<Outcome>, Option<i64>), ApiError> {
        let mut items = Vec::with_capacity(days.len() * 3);
        for day in days {
            if let Some(Ok(user)) = self.people.get(&day.person) {
                items.extend(day.records(self.source, *user));
            }
        }
        if items.is_empty() {
            return Ok((days.iter().map(|day| self.without_user(day)).collect(), None));
        }
        let sent = items.len();
        let answer = match self.api.post("activities", &json!({ "items": items }), None).await {
            Ok(answer) => answer,
            Err(error) if error.is_final() => return Err(error),
            Err(error) => return Ok((days.iter().map(|_| Outcome::Refused(error.to_string())).collect(), None)),
        };
        let items = answer.body.get("items").cloned().unwrap_or_default();
        let answers: Vec<ItemAnswer> = serde_json::from_value(items).unwrap_or_default();
        if answers.len() != sent {
            return Err(ApiError::Incomplete { path: "activities".to_owned(), member: "items" });
        }
        let mut answers = answers.chunks_exact(3);
        let outcome = |day: &&DayFigures| match self.people.get(&day.person) {
            Some(Ok(_)) => answers.next().map_or_else(|| Outcome::Refused("no answer".to_owned()), of_day),
            _ => self.without_user(day),
        };
        Ok((days.iter().map(outcome).collect(), answer.position))
    }

    fn without_user(&self, day: &DayFigures) -> Outcome {
        let reason = self.people.get(&day.person).and_then(|person| person.as_ref().err());
        Outcome::Refused(format!("the person could not be created: {}", reason.map_or("not looked for", String::as_str)))
    }
}

/// A day is refused if one of its records is, else accepted if one brought something new.
fn of_day(records: &[ItemAnswer]) -> Outcome {
    let refused: Vec<&str> = records
        .iter()
        .filter(|record| record.status == "refused")
        .map(|record| record.reason.as_deref().unwrap_or("without a reason"))
        .collect();
    match (refused.is_empty(), records.iter().all(|record| record.status == "duplicate")) {
        (false, _) => Outcome::Refused(refused.join(", ")),
        (true, true) => Outcome::Duplicate,
        (true, false) => Outcome::Accepted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(statuses: &[&str]) -> Vec<ItemAnswer> {
        statuses.iter().map(|status| ItemAnswer { status: (*status).to_owned(), reason: Some("why".to_owned()) }).collect()
    }

    #[test]
    fn a_day_is_as_good_as_its_records() {
        assert_eq!(of_day(&answers(&["accepted", "duplicate", "accepted"])), Outcome::Accepted);
        assert_eq!(of_day(&answers(&["duplicate", "duplicate", "duplicate"])), Outcome::Duplicate);
        assert_eq!(of_day(&answers(&["accepted", "refused", "duplicate"])), Outcome::Refused("why".to_owned()));
    }

    #[test]
    fn the_records_of_a_day_have_ids_of_their_own() {
        let day = NaiveDate::from_ymd_opt(2016, 4, 12).expect("a day");
        let figures = DayFigures { person: "1503960366".to_owned(), day, steps: 13162, active_minutes: 366, calories_kcal: 1985 };
        let records = figures.records("fitbit", UserId(uuid::Uuid::nil()));
        let ids: Vec<&str> = records.iter().filter_map(|record| record["source_record_id"].as_str()).collect();
        assert_eq!(ids, ["1503960366:2016-04-12", "1503960366:2016-04-12:active_minutes", "1503960366:2016-04-12:calories"]);
        assert_eq!(records[0]["local_day"], "2016-04-12");
    }
}
