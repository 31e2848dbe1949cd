//! Every permission there is, with the groups it stands in (T-24, T-28).

use super::Grant;
use std::collections::BTreeSet;

/// The permissions of all modules. They come from the table that serves, so a permission that
/// nothing asks for cannot be granted by mistake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionTree(BTreeSet<&'static str>);

impl PermissionTree {
    pub fn new(permissions: impl IntoIterator<Item = &'static str>) -> Self {
        Self(permissions.into_iter().collect())
    }

    pub fn permissions(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }

    /// Whether a grant names a permission, or a group with one in it.
    pub fn knows(&self, grant: &Grant) -> bool {
        self.0.iter().any(|permission| grant.covers(permission))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_known_where_something_answers_to_it() {
        let tree = PermissionTree::new(["points.hold.place", "identity.user.read"]);
        let knows = |name: &str| tree.knows(&name.parse().unwrap());
        assert!(knows("points") && knows("points.hold") && knows("points.hold.place"));
        assert!(!knows("points.hold.palce") && !knows("point") && !knows("billing"));
    }
}
