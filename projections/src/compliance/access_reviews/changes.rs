//! What was gained and lost between two moments, from what happened between them: no state of before is
//! needed, because whoever gets something first did not have it, and whoever loses it first did.

use chrono::{DateTime, Utc};
use palmares_domain::kernel::EventId;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Whether something came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Gained,
    Lost,
}

/// When something came or went, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AccessMoment)]
pub struct Moment {
    pub at: DateTime<Utc>,
    /// Who did it; where it ended by its time alone, who said until when.
    pub by: Uuid,
    /// The entry of the audit log that tells so.
    pub event_id: EventId,
}

/// For how long something was held, as far as it began or ended within the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AccessHeld)]
pub struct Held {
    /// Missing where it was held before already.
    pub gained: Option<Moment>,
    /// Missing where it is held after it still.
    pub lost: Option<Moment>,
}

/// Each time that something was held, from changes in the order in which they happened: what came and went
/// again is told with both, and what went and came again is two times. By key, and of each key in order.
pub(super) fn held<K: Ord + Clone>(changes: impl IntoIterator<Item = (K, Direction, Moment)>) -> Vec<(K, Held)> {
    let mut by_key: BTreeMap<K, Vec<Held>> = BTreeMap::new();
    for (key, direction, moment) in changes {
        let times = by_key.entry(key).or_default();
        match (direction, times.last_mut()) {
            // What is given twice is held from the first time on.
            (Direction::Gained, Some(Held { lost: None, .. })) => {}
            (Direction::Gained, _) => times.push(Held { gained: Some(moment), lost: None }),
            (Direction::Lost, Some(open @ Held { lost: None, .. })) => open.lost = Some(moment),
            (Direction::Lost, None) => times.push(Held { gained: None, lost: Some(moment) }),
            // What is taken twice was gone by the first time.
            (Direction::Lost, Some(_)) => {}
        }
    }
    by_key.into_iter().flat_map(|(key, times)| times.into_iter().map(move |held| (key.clone(), held))).collect()
}

#[cfg(test)]
mod tests {
    use super::Direction::{Gained, Lost};
    use super::*;

    fn moment(number: u128) -> Moment {
        Moment { at: DateTime::UNIX_EPOCH, by: Uuid::nil(), event_id: EventId(Uuid::from_u128(number)) }
    }

    /// Each time that something was held: by which changes it began and ended.
    fn told(changes: &[(&'static str, Direction)]) -> Vec<(&'static str, Option<u128>, Option<u128>)> {
        let numbered = changes.iter().zip(1..).map(|((key, direction), number)| (*key, *direction, moment(number)));
        let number = |moment: Option<Moment>| moment.map(|moment| moment.event_id.0.as_u128());
        held(numbered).into_iter().map(|(key, held)| (key, number(held.gained), number(held.lost))).collect()
    }

    // covers: E-195
    #[test]
    fn what_came_and_went_again_is_told_with_both() {
        assert_eq!(told(&[("a", Gained), ("b", Lost)]), [("a", Some(1), None), ("b", None, Some(2))]);
        assert_eq!(told(&[("a", Gained), ("a", Lost)]), [("a", Some(1), Some(2))]);
        assert_eq!(told(&[("a", Lost), ("a", Gained)]), [("a", None, Some(1)), ("a", Some(2), None)]);
        assert_eq!(told(&[("a", Gained), ("a", Lost), ("a", Gained)]), [("a", Some(1), Some(2)), ("a", Some(3), None)]);
    }

    #[test]
    fn what_is_given_or_taken_twice_is_held_once() {
        assert_eq!(told(&[("a", Gained), ("a", Gained), ("a", Lost), ("a", Lost)]), [("a", Some(1), Some(3))]);
    }
}
