//! Rights: what all roles of a user grant together, and whether they reach far enough to be given away.

use super::{Grant, Role, RoleRef};
use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

/// One role as its holder has it at some moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeldRole {
    pub role: RoleRef,
    /// `None` is everything that is not the platform's own.
    grants: Option<Arc<BTreeSet<Grant>>>,
}

/// The table of built-in roles, read once: every request asks for some of them.
static BUILT_IN: LazyLock<[HeldRole; 8]> = LazyLock::new(|| Role::ALL.map(HeldRole::of_table));

impl HeldRole {
    pub fn built_in(role: Role) -> Self {
        let known = BUILT_IN.iter().find(|held| held.role == RoleRef::from(role));
        known.cloned().unwrap_or_else(|| Self::of_table(role))
    }

    fn of_table(role: Role) -> Self {
        // The table is checked by a test, so nothing falls through the filter.
        let grants = role.grants().map(|names| Arc::new(names.iter().filter_map(|name| name.parse().ok()).collect()));
        Self { role: role.into(), grants }
    }

    pub fn custom(role: impl Into<RoleRef>, grants: BTreeSet<Grant>) -> Self {
        Self { role: role.into(), grants: Some(Arc::new(grants)) }
    }

    /// What the role grants; `None` is everything that is not the platform's own.
    pub fn grants(&self) -> Option<&BTreeSet<Grant>> {
        self.grants.as_deref()
    }

    fn rules_platform(&self) -> bool {
        self.role.built_in().is_some_and(Role::rules_platform)
    }

    fn grants_all_of(&self, wanted: &str) -> bool {
        self.grants.as_ref().is_none_or(|grants| grants.iter().any(|grant| grant.covers(wanted)))
    }
}

/// What a caller may, as the gate found it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rights(Vec<HeldRole>);

impl Rights {
    pub fn new(roles: impl IntoIterator<Item = HeldRole>) -> Self {
        Self(roles.into_iter().collect())
    }

    /// What these built-in roles grant.
    pub fn built_in(roles: impl IntoIterator<Item = Role>) -> Self {
        Self::new(roles.into_iter().map(HeldRole::built_in))
    }

    pub fn held(&self) -> &[HeldRole] {
        &self.0
    }

    /// What is left where only `roles` may be used: a token may be worth less than its holder.
    pub fn narrowed_to(mut self, roles: &[RoleRef]) -> Self {
        self.0.retain(|held| roles.contains(&held.role));
        self
    }

    /// Whether one of the roles works across organizations.
    pub fn reach_everywhere(&self) -> bool {
        self.0.iter().any(|held| held.role.built_in().is_some_and(Role::is_platform))
    }

    pub fn roles(&self) -> impl Iterator<Item = RoleRef> {
        self.0.iter().map(|held| held.role)
    }

    /// Whether everything that `wanted` names is granted by one role. A group is granted with what
    /// joins it later, so two roles that grant its present halves do not make the whole.
    ///
    /// Rights over what is one's own do not count: they cannot be passed on.
    pub fn cover(&self, wanted: &Grant) -> bool {
        let platforms = Role::PLATFORM_ONLY.iter().any(|kept| wanted.overlaps(kept));
        self.0.iter().any(|held| (!platforms || held.rules_platform()) && held.grants_all_of(wanted.name()))
    }

    /// Whether one permission is granted, apart from what is one's own.
    pub fn permit(&self, permission: &str) -> bool {
        permission.parse().is_ok_and(|permission| self.cover(&permission))
    }

    /// Whether a role may be given away: its grants are covered, or everyone has them anyway (E-46).
    pub fn cover_role(&self, role: &HeldRole) -> bool {
        if role.rules_platform() {
            return self.0.iter().any(HeldRole::rules_platform);
        }
        match &role.grants {
            None => self.0.iter().any(|held| held.grants.is_none()),
            Some(grants) => grants.iter().all(|grant| Role::BASELINE.contains(&grant.name()) || self.cover(grant)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::RoleId;
    use uuid::Uuid;

    fn custom(grants: &[&str]) -> HeldRole {
        HeldRole::custom(RoleId(Uuid::from_u128(7)), grants.iter().map(|name| name.parse().unwrap()).collect())
    }

    fn rights(role: HeldRole) -> Rights {
        Rights::new([role])
    }

    fn grant(name: &str) -> Grant {
        name.parse().unwrap()
    }

    #[test]
    fn the_table_of_built_in_roles_names_permissions_only() {
        for name in Role::ALL.iter().filter_map(|role| role.grants()).flatten().chain(Role::PLATFORM_ONLY) {
            assert!(name.parse::<Grant>().is_ok(), "{name}");
        }
    }

    /// covers: E-46
    #[test]
    fn nobody_gives_away_more_than_they_may() {
        let admin = rights(HeldRole::built_in(Role::OrganizationAdmin));
        assert!(admin.cover_role(&HeldRole::built_in(Role::OrganizationAdmin)));
        assert!(admin.cover_role(&HeldRole::built_in(Role::Analyst)));
        assert!(admin.cover_role(&custom(&["points", "identity.user"])));
        assert!(!admin.cover_role(&HeldRole::built_in(Role::PlatformAdmin)));
        assert!(!admin.cover_role(&HeldRole::built_in(Role::PlatformSuperuser)));

        let recruiter = rights(custom(&["identity.user"]));
        assert!(recruiter.cover_role(&HeldRole::built_in(Role::Member)));
        assert!(recruiter.cover_role(&custom(&["identity.user.create"])));
        assert!(!recruiter.cover_role(&custom(&["identity"])));
        assert!(!recruiter.cover_role(&HeldRole::built_in(Role::OrganizationAdmin)));
    }

    #[test]
    fn what_the_platform_keeps_is_granted_by_its_own_roles_only() {
        let admin = rights(HeldRole::built_in(Role::OrganizationAdmin));
        let platform = rights(HeldRole::built_in(Role::PlatformAdmin));
        for kept in Role::PLATFORM_ONLY {
            assert!(!admin.permit(kept) && !rights(custom(&["organizations", "operations"])).permit(kept), "{kept}");
            assert!(platform.permit(kept), "{kept}");
        }
        // A group that holds one of them cannot be given away by an organization.
        assert!(!admin.cover(&grant("organizations")) && platform.cover(&grant("organizations")));
        assert!(admin.cover(&grant("organizations.organization.read")));
    }

    #[test]
    fn halves_of_a_group_do_not_make_the_whole() {
        let halves = Rights::new([custom(&["points.hold.place"]), custom(&["points.hold.post"])]);
        assert!(halves.permit("points.hold.place") && halves.permit("points.hold.post"));
        assert!(!halves.cover(&grant("points.hold")));
    }
}
