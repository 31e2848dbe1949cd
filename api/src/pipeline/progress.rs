//! Positions as readers speak of them: how far the read models are, and where a past time lies.

use crate::problem::Problem;
use chrono::{DateTime, Utc};
use palmares_domain::kernel::Code;
use palmares_projections::engine::{
    Cursor, Limit, Page,
    log::Log,
    parked::{ParkedEvent, parked},
    sealing::status::{SealStatus, status as sealing},
    status::{ProjectionStatus, status},
    watermarks::{WaitError, Watermarks},
};
use std::time::Duration;

/// Knows the log's positions and the projections' checkpoints.
#[derive(Clone)]
pub struct Progress {
    log: Log,
    watermarks: Watermarks,
}

impl Progress {
    pub fn new(log: Log, watermarks: Watermarks) -> Self {
        Self { log, watermarks }
    }

    /// The lowest checkpoint of these projections, once all of them have reached `wanted`.
    ///
    /// # Errors
    /// `PROJECTION_BEHIND` where that takes longer than `patience`.
    pub async fn reach(&self, projections: &[&'static str], wanted: i64, patience: Duration) -> Result<i64, Problem> {
        match self.watermarks.wait_for(projections, wanted, patience).await {
            Ok(position) => Ok(position),
            Err(WaitError::Behind { .. }) => {
                Err(Problem::new(Code::ProjectionBehind, "gate.projection_behind").retry_after(Duration::from_secs(1)))
            }
            Err(error) => Err(Problem::unavailable(error)),
        }
    }

    /// The last position that an answer as of `text`, a position or an RFC 3339 time, may know.
    pub async fn position_of(&self, text: &str) -> Result<i64, Problem> {
        match parse_as_of(text).ok_or_else(|| Problem::invalid_field("as_of", "as_of"))? {
            AsOf::Position(position) => Ok(position),
            AsOf::Time(time) => self.log.position_at(time).await.map_err(Problem::unavailable),
        }
    }

    /// The moment that `text` names, whose position is `position`: now, where nothing is recorded there yet.
    pub async fn time_of(&self, text: &str, position: i64) -> Result<DateTime<Utc>, Problem> {
        match parse_as_of(text) {
            Some(AsOf::Time(time)) => Ok(time),
            _ => Ok(self.log.recorded_at(position).await.map_err(Problem::unavailable)?.unwrap_or_else(Utc::now)),
        }
    }

    /// Where every projection and reactor stands: one page, since there are as many as this build has.
    pub async fn projections(&self) -> Result<Page<ProjectionStatus>, Problem> {
        let items = status(&self.log).await.map_err(Problem::unavailable)?;
        Ok(Page { items, next_cursor: None })
    }

    /// What a projection or reactor set aside.
    pub async fn parked(&self, name: &str, cursor: Option<&Cursor>, limit: &Limit) -> Result<Page<ParkedEvent>, Problem> {
        Ok(parked(&self.log, name, cursor, limit).await?)
    }

    /// How far the log is sealed.
    pub async fn sealing(&self) -> Result<SealStatus, Problem> {
        sealing(&self.log).await.map_err(Problem::unavailable)
    }

    /// Whether the database answers.
    pub async fn database_answers(&self) -> bool {
        self.log.head().await.is_ok()
    }

    /// Whether every projection and reactor is at work.
    pub async fn warm(&self) -> bool {
        status(&self.log).await.is_ok_and(|status| !status.is_empty() && status.iter().all(|one| one.status == "running"))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum AsOf {
    Position(i64),
    Time(DateTime<Utc>),
}

fn parse_as_of(text: &str) -> Option<AsOf> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(AsOf::Position);
    }
    // The plus of an offset reads as a space where the client did not encode it.
    let time = DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok()?;
    Some(AsOf::Time(time.with_timezone(&Utc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_past_state_is_named_by_position_or_time() {
        let noon = AsOf::Time("2026-03-01T12:00:00Z".parse().unwrap());
        assert_eq!(parse_as_of("0"), Some(AsOf::Position(0)));
        assert_eq!(parse_as_of("42"), Some(AsOf::Position(42)));
        assert_eq!(parse_as_of("2026-03-01T12:00:00Z").as_ref(), Some(&noon));
        assert_eq!(parse_as_of("2026-03-01T14:00:00+02:00").as_ref(), Some(&noon));
        assert_eq!(parse_as_of("2026-03-01T14:00:00 02:00").as_ref(), Some(&noon));
        for text in ["", "-1", "yesterday", "2026-03-01", "99999999999999999999"] {
            assert_eq!(parse_as_of(text), None, "{text}");
        }
    }
}
