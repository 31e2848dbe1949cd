//! What a role grants: one permission, or a group of them with whatever joins it later (T-24, T-27).

use serde::{Deserialize, Deserializer, Serialize, de};
use std::{fmt, str::FromStr};

/// Longest name of a permission, in bytes.
const MAX_BYTES: usize = 100;

/// `points.hold.place`, or the group `points.hold`, or the group `points`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Grant(String);

/// A text that no permission and no group is named by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a permission is one to three names of lower-case letters, digits and underscores, with dots between")]
pub struct MalformedGrant;

impl Grant {
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether everything that `other` names is granted.
    pub fn covers(&self, other: &str) -> bool {
        other.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// What both name, which is one of them or nothing.
    pub fn common<'a>(&'a self, other: &'a Self) -> Option<&'a Self> {
        if self.covers(other.name()) { Some(other) } else { other.covers(self.name()).then_some(self) }
    }

    /// Whether the two name a permission in common, now or later.
    pub fn overlaps(&self, other: &str) -> bool {
        self.covers(other) || self.0.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'))
    }
}

impl FromStr for Grant {
    type Err = MalformedGrant;

    fn from_str(name: &str) -> Result<Self, MalformedGrant> {
        let is_name = |part: &str| {
            part.starts_with(|first: char| first.is_ascii_lowercase())
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        let fits = name.len() <= MAX_BYTES && name.split('.').count() <= 3 && name.split('.').all(is_name);
        if fits { Ok(Self(name.to_owned())) } else { Err(MalformedGrant) }
    }
}

impl<'de> Deserialize<'de> for Grant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grant({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(name: &str) -> Grant {
        name.parse().unwrap()
    }

    /// covers: T-24, T-27
    #[test]
    fn a_group_covers_its_permissions_and_later_ones_and_no_namesake() {
        for covered in ["points", "points.hold", "points.hold.place", "points.anything.later"] {
            assert!(grant("points").covers(covered), "{covered}");
        }
        for foreign in ["point", "points_archive.read", "pointsx", "identity.user.read"] {
            assert!(!grant("points").covers(foreign), "{foreign}");
        }
        assert!(!grant("points.hold.place").covers("points.hold"));
    }

    #[test]
    fn two_grants_overlap_where_one_stands_in_the_other() {
        assert!(grant("points.hold").overlaps("points"));
        assert!(grant("points").overlaps("points.hold"));
        assert!(!grant("points.hold").overlaps("points.holding"));
        assert!(!grant("points.hold").overlaps("points.credit"));
    }

    #[test]
    fn what_is_no_name_of_a_permission_is_refused() {
        for bad in ["", ".", "points.", ".hold", "a.b.c.d", "Points", "points hold", "points.*", "1points", "pö", &"x".repeat(101)] {
            assert_eq!(bad.parse::<Grant>(), Err(MalformedGrant), "{bad:?}");
        }
    }
}
