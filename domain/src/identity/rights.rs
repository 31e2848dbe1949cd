//! Rights: what all roles of a user grant together, and whether they reach far enough to be given away.

use super::{Grant, Role, RoleRef};
use crate::kernel::DataClass;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

/// To see what is confidential where events are shown.
pub const CONFIDENTIAL_READ: &str = "compliance.confidential.read";
/// To see everything where events are shown.
pub const RESTRICTED_READ: &str = "compliance.restricted.read";

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

    /// How far the name of the role alone reaches.
    fn reach(&self) -> (bool, bool) {
        (self.rules_platform(), self.role.built_in().is_some_and(Role::is_platform))
    }

    /// Whether whoever uses the role has to have shown a second factor: it administers the platform or an
    /// organization (E-113), or shows what is confidential of others.
    pub fn needs_second_factor(&self) -> bool {
        let administers = |role: Role| role.is_platform() || role == Role::OrganizationAdmin;
        self.role.built_in().is_some_and(administers) || [CONFIDENTIAL_READ, RESTRICTED_READ].iter().any(|read| self.grants_all_of(read))
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

    /// These rights and what one more role grants.
    pub fn with(mut self, role: HeldRole) -> Self {
        if !self.0.iter().any(|held| held.role == role.role) {
            self.0.push(role);
        }
        self
    }

    /// Whether one of the roles needs a second factor.
    pub fn need_second_factor(&self) -> bool {
        self.0.iter().any(HeldRole::needs_second_factor)
    }

    /// The roles for which one factor is enough, and those that need a second one.
    pub fn by_factors(self) -> (Self, Self) {
        let (two, one) = self.0.into_iter().partition(HeldRole::needs_second_factor);
        (Self(one), Self(two))
    }

    /// What both grant, and nothing else: whoever acts as another may do no more than either of them (E-33).
    ///
    /// A part is named after the role that reaches less far, since the name of a platform role alone opens doors.
    pub fn lesser_of(&self, other: &Self) -> Self {
        let mut parts: BTreeMap<RoleRef, Option<BTreeSet<Grant>>> = BTreeMap::new();
        for (one, another) in self.0.iter().flat_map(|one| other.0.iter().map(move |another| (one, another))) {
            let common = match (one.grants(), another.grants()) {
                (None, grants) | (grants, None) => grants.cloned(),
                (Some(grants), Some(others)) => {
                    Some(grants.iter().flat_map(|grant| others.iter().filter_map(|other| grant.common(other))).cloned().collect())
                }
            };
            if common.as_ref().is_some_and(BTreeSet::is_empty) {
                continue;
            }
            let name = if one.reach() <= another.reach() { one.role } else { another.role };
            match (parts.entry(name).or_insert_with(|| Some(BTreeSet::new())), common) {
                (Some(grants), Some(common)) => grants.extend(common),
                (all, _) => *all = None,
            }
        }
        Self(parts.into_iter().map(|(role, grants)| HeldRole { role, grants: grants.map(Arc::new) }).collect())
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

    /// How far what is shown to these rights may go. Without a permission of its own it is what stays
    /// within the organization; whoever is to see more is granted it by name.
    pub fn clearance(&self) -> DataClass {
        match (self.permit(RESTRICTED_READ), self.permit(CONFIDENTIAL_READ)) {
            (true, _) => DataClass::Restricted,
            (false, true) => DataClass::Confidential,
            (false, false) => DataClass::Internal,
        }
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
    use proptest::prelude::*;
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

    /// A permission, a group, or everything that the platform keeps.
    fn any_grant() -> impl Strategy<Value = Grant> {
        let parts = || prop::sample::select(vec!["a", "b", "c"]);
        let composed = (prop::collection::vec(parts(), 1..=3)).prop_map(|parts| grant(&parts.join(".")));
        prop_oneof![4 => composed, 1 => prop::sample::select(Role::PLATFORM_ONLY.to_vec()).prop_map(grant)]
    }

    fn any_rights() -> impl Strategy<Value = Rights> {
        let built_in = prop::sample::select(Role::ALL.to_vec()).prop_map(HeldRole::built_in);
        let composed = (1..20_u128, prop::collection::btree_set(any_grant(), 1..6))
            .prop_map(|(id, grants)| HeldRole::custom(RoleId(Uuid::from_u128(id)), grants));
        prop::collection::vec(prop_oneof![1 => built_in, 3 => composed], 0..4)
            .prop_map(|roles| roles.into_iter().fold(Rights::default(), Rights::with))
    }

    proptest! {
        /// covers: E-33
        #[test]
        fn the_lesser_of_both_grants_what_both_grant_and_nothing_else(one in any_rights(), other in any_rights(), wanted in any_grant()) {
            let lesser = one.lesser_of(&other);
            prop_assert_eq!(lesser.cover(&wanted), one.cover(&wanted) && other.cover(&wanted), "{:?} of {:?} and {:?}", wanted, one, other);
            prop_assert_eq!(other.lesser_of(&one).cover(&wanted), lesser.cover(&wanted));
            prop_assert!(!lesser.reach_everywhere() || (one.reach_everywhere() && other.reach_everywhere()));
        }
    }

    #[test]
    fn the_lesser_of_an_administrator_and_a_member_is_the_member() {
        let (admin, member) = (Rights::built_in([Role::PlatformAdmin]), Rights::built_in([Role::Member]));
        assert_eq!(admin.lesser_of(&member), member);
        assert_eq!(member.lesser_of(&admin), member);
        assert!(admin.lesser_of(&Rights::default()).held().is_empty());
        let administrators = admin.lesser_of(&Rights::built_in([Role::OrganizationAdmin]));
        assert!(administrators.permit("points.credit.create") && !administrators.permit("organizations.organization.create"));
    }

    // covers: E-113
    #[test]
    fn who_administers_or_sees_what_is_confidential_needs_a_second_factor() {
        for role in Role::ALL {
            let needs = !matches!(role, Role::Analyst | Role::Expert | Role::Member);
            assert_eq!(HeldRole::built_in(role).needs_second_factor(), needs, "{role:?}");
        }
        for (grant, needs) in [(CONFIDENTIAL_READ, true), (RESTRICTED_READ, true), ("compliance", true), ("identity.user", false)] {
            assert_eq!(custom(&["points", grant]).needs_second_factor(), needs, "{grant}");
        }
        let (one, two) = Rights::built_in([Role::Member, Role::OrganizationAdmin]).by_factors();
        assert_eq!((one, two), (Rights::built_in([Role::Member]), Rights::built_in([Role::OrganizationAdmin])));
    }

    // covers: P-55
    #[test]
    fn clearance_follows_from_what_the_roles_grant() {
        let of = |role| Rights::built_in([role]).clearance();
        for (role, clearance) in [
            (Role::Member, DataClass::Internal),
            (Role::Expert, DataClass::Internal),
            (Role::Analyst, DataClass::Internal),
            (Role::PlatformSupport, DataClass::Internal),
            (Role::ComplianceOfficer, DataClass::Restricted),
            (Role::OrganizationAdmin, DataClass::Restricted),
        ] {
            assert_eq!(of(role), clearance, "{role:?}");
        }
        assert_eq!(Rights::new([custom(&[CONFIDENTIAL_READ, "operations.event.read"])]).clearance(), DataClass::Confidential);
        assert_eq!(Rights::new([]).clearance(), DataClass::Internal);
    }
}
