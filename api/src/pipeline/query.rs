//! The generic handler of queries: gate, position, snapshot, answer.

use super::{
    body,
    call::{Answer, Call, apart},
    gate::{Entered, Terms},
    related::Belonging,
    respond,
    server::Services,
    table::ids_are_ids,
    worded::worded,
};
use crate::problem::Problem;
use palmares_domain::{
    identity::Rights,
    kernel::{Code, Tenant, UserId},
};
use palmares_projections::engine::{Query, ReadError};
use std::{collections::BTreeSet, time::Duration};

/// Serves one query.
pub async fn serve<Q: Query>(call: &mut Call<'_>) -> Answer {
    let services = call.services;
    let Opened { entered, min_position, pairs } = apart(open(call)).await?;
    let query: Q = body::parameters(&call.params, &pairs)?;
    // A query that knows no past has no such field, and has refused it above.
    let as_of = apart(as_of(services, &pairs)).await?;
    let of = Belonging::of_query(&query);
    let admitted = services.gate.admit(call, entered, of, Terms::default(), query).await?;
    let tenant = admitted.tenant();
    let (admission, query) = admitted.into_parts();
    let position = apart(reach(call, Q::PROJECTIONS, min_position)).await?;
    let Answered { body, stale, unreadable, shown } = answer(call, tenant, &admission.rights, query, as_of).await;
    services.gate.record_shown(call, &admission, of.owner, None, shown).await?;
    let mut body = body?;
    if call.route.words_rows {
        body = apart(worded(call, body)).await?;
    }
    if stale && min_position.is_some() {
        return Err(Problem::new(Code::ProjectionBehind, "gate.projection_parked"));
    }
    Ok(respond::read(body, position, stale, unreadable))
}

/// A query whose caller is let in, and whose parameters nobody looked at yet.
struct Opened {
    entered: Entered,
    min_position: Option<i64>,
    pairs: Vec<(String, String)>,
}

async fn open(call: &mut Call<'_>) -> Result<Opened, Problem> {
    let entered = call.services.gate.enter(call).await?;
    require_ids(call)?;
    let mut pairs = call.query();
    Ok(Opened { entered, min_position: take_min_position(&mut pairs)?, pairs })
}

/// The position at which it is asked for, where it is asked for a past one.
async fn as_of(services: &Services, pairs: &[(String, String)]) -> Result<Option<i64>, Problem> {
    match pairs.iter().find(|(name, _)| name == "as_of") {
        Some((_, text)) => services.progress.position_of(text).await.map(Some),
        None => Ok(None),
    }
}

/// Waits as long as the caller prefers until the projections know what was recorded up to a position.
async fn reach(call: &Call<'_>, projections: &[&'static str], min_position: Option<i64>) -> Result<i64, Problem> {
    let patience = call.preferred_wait(call.services.settings.wait_max).unwrap_or(Duration::ZERO);
    call.services.progress.reach(projections, min_position.unwrap_or(0), patience).await
}

/// An id in the path that is no UUID names nothing.
pub(super) fn require_ids(call: &Call<'_>) -> Result<(), Problem> {
    if ids_are_ids(&call.params) { Ok(()) } else { Err(Problem::not_found()) }
}

/// What was found.
struct Answered {
    body: Result<Vec<u8>, Problem>,
    /// Whether it depends on a record that is set aside for repair.
    stale: bool,
    /// How many values are left out that cannot be read.
    unreadable: usize,
    /// Whose personal data it shows.
    shown: BTreeSet<UserId>,
}

async fn answer<Q: Query>(call: &Call<'_>, tenant: Tenant, rights: &Rights, query: Q, as_of: Option<i64>) -> Answered {
    let readers = call.services.readers_for(rights).marking_unreadable();
    let mut reader = match readers.open(tenant, as_of).await {
        Ok(reader) => reader,
        Err(error) => return Answered { body: Err(error.into()), stale: false, unreadable: 0, shown: BTreeSet::new() },
    };
    let output = query.run(&mut reader).await.map_err(Problem::from);
    let body = output.and_then(|output| serde_json::to_vec(&output).map_err(Problem::internal));
    let (body, stale) = match reader.touched_parked(Q::PROJECTIONS).await {
        Ok(stale) => (body, stale),
        Err(error) => (body.and(Err(error.into())), false),
    };
    Answered { body, stale, unreadable: reader.unreadable_count(), shown: reader.shown() }
}

/// Takes `min_position`, which every query knows, out of the query string: the answer must know
/// everything up to there, so that a client reads what it wrote.
fn take_min_position(pairs: &mut Vec<(String, String)>) -> Result<Option<i64>, Problem> {
    let mut given = pairs.extract_if(.., |(name, _)| name == "min_position").map(|(_, value)| value);
    let (first, second) = (given.next(), given.next());
    drop(given);
    let refused = |reason| Problem::invalid_field("min_position", reason);
    match (first, second) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(refused("duplicate_field")),
        (Some(text), None) => match text.parse::<i64>() {
            Ok(position) if position >= 0 => Ok(Some(position)),
            Ok(_) => Err(refused("out_of_range")),
            Err(_) => Err(refused("wrong_type")),
        },
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotFound => Problem::not_found(),
            ReadError::Invalid(errors) => Problem::invalid(errors),
            ReadError::Unavailable(cause) => Problem::unavailable(cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(pairs: &[(&str, &str)]) -> (Result<Option<i64>, String>, Vec<String>) {
        let mut pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let taken = take_min_position(&mut pairs).map_err(|problem| problem.errors[0].reason.clone());
        (taken, pairs.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn min_position_is_taken_out_of_the_query() {
        assert_eq!(take(&[("a", "1"), ("min_position", "7"), ("b", "2")]), (Ok(Some(7)), vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(take(&[]).0, Ok(None));
        for (value, reason) in [("-1", "out_of_range"), ("x", "wrong_type"), ("", "wrong_type")] {
            assert_eq!(take(&[("min_position", value)]).0, Err(reason.to_owned()));
        }
        assert_eq!(take(&[("min_position", "1"), ("min_position", "2")]).0, Err("duplicate_field".to_owned()));
    }
}
