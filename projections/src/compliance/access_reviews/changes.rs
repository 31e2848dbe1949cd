//! What changed between two moments, from what happened between them: no state of before is needed,
//! because whoever gets something first did not have it, and whoever loses it first did.

use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Whether something came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = AccessDirection)]
pub enum Direction {
    Gained,
    Lost,
}

/// What is left of changes in the order in which they happened: of each thing that somebody has after
/// all and did not have before, or the other way round, the last change. What came and went again, or
/// went and came again, is no change.
pub(super) fn net<K: Ord + Clone, T>(changes: impl IntoIterator<Item = (K, Direction, T)>) -> Vec<(K, Direction, T)> {
    let mut by_key: BTreeMap<K, (Direction, Direction, T)> = BTreeMap::new();
    for (key, direction, told) in changes {
        let first = by_key.get(&key).map_or(direction, |(first, ..)| *first);
        by_key.insert(key, (first, direction, told));
    }
    let left = by_key.into_iter().filter(|(_, (first, last, _))| first == last);
    left.map(|(key, (_, last, told))| (key, last, told)).collect()
}

#[cfg(test)]
mod tests {
    use super::Direction::{Gained, Lost};
    use super::*;

    fn left(changes: &[(&'static str, Direction)]) -> Vec<(&'static str, Direction)> {
        let numbered = changes.iter().enumerate().map(|(number, (key, direction))| (*key, *direction, number));
        net(numbered).into_iter().map(|(key, direction, _)| (key, direction)).collect()
    }

    #[test]
    fn what_came_and_went_again_is_no_change() {
        assert_eq!(left(&[("a", Gained), ("b", Lost)]), [("a", Gained), ("b", Lost)]);
        assert!(left(&[("a", Gained), ("a", Lost)]).is_empty());
        assert!(left(&[("a", Lost), ("a", Gained)]).is_empty());
        assert_eq!(left(&[("a", Gained), ("a", Lost), ("a", Gained)]), [("a", Gained)]);
    }

    #[test]
    fn the_last_change_is_told() {
        let changes = [("a", Gained, 1), ("a", Lost, 2), ("a", Gained, 3)];
        assert_eq!(net(changes), [("a", Gained, 3)]);
    }
}
