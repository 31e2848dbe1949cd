//! Who owns what (E-82): what the registry declares of each kind of stream, and what the decision point makes
//! of it. Expert profiles and messages come with their own contexts, and say theirs there.

use crate::{
    pipeline::decision::{Circumstances, DecisionPoint, Question, Verdict},
    routes::permissions,
};
use palmares_domain::{
    identity::{Rights, Role},
    kernel::{OrganizationId, Purpose, UserId},
    registry::{AGGREGATES, AggregateSpec, Owner, aggregate},
};
use std::collections::BTreeSet;
use uuid::Uuid;

const HOME: OrganizationId = OrganizationId(Uuid::from_u128(1));
const ELSEWHERE: OrganizationId = OrganizationId(Uuid::from_u128(2));
const ME: UserId = UserId(Uuid::from_u128(3));
const SOMEONE: UserId = UserId(Uuid::from_u128(4));

fn owners(stream_type: &str) -> &'static [Owner] {
    aggregate(stream_type).unwrap_or_else(|| panic!("no {stream_type}")).owners
}

/// Whether somebody with this role, at home in `HOME` or on the platform, may do that in `organization`.
fn may(point: &DecisionPoint, role: Role, permission: &'static str, organization: OrganizationId, owner: Option<UserId>) -> bool {
    let home = if role.is_platform() { OrganizationId::PLATFORM } else { HOME };
    let (rights, circumstances) = (Rights::built_in([role]), Circumstances::default());
    let question = Question { principal: ME, home, rights: &rights, permission, organization, owner, circumstances };
    matches!(point.decide(&question), Verdict::Permit(_))
}

fn under(group: &'static str) -> impl Iterator<Item = &'static str> {
    permissions().permissions().filter(move |permission| permission.strip_prefix(group).is_some_and(|rest| rest.starts_with('.')))
}

fn holds_health(aggregate: &AggregateSpec) -> bool {
    let fields = aggregate.catalogue.iter().flat_map(|event| event.fields);
    fields.filter_map(|field| field.personal).any(|(_, purpose)| purpose == Purpose::Health)
}

/// Roles that an organization gives its people.
fn of_organizations() -> impl Iterator<Item = Role> {
    Role::ALL.into_iter().filter(|role| !role.is_platform())
}

// covers: E-82
#[test]
fn whoever_owns_what_is_recorded_decides_about_it() {
    let point = DecisionPoint::new(permissions().permissions()).unwrap();

    // Organization -> Platform: nobody of an organization makes one, stops it, lets it go on or names it; they
    // read their own, and ask for its end.
    assert_eq!(owners("organization"), [Owner::Platform]);
    let theirs = ["organizations.organization.read", "organizations.organization.delete"];
    let platforms: Vec<_> = under("organizations.organization").filter(|permission| !theirs.contains(permission)).collect();
    assert!(platforms.contains(&"organizations.organization.create") && platforms.len() >= 5, "{platforms:?}");
    for permission in platforms {
        assert!(may(&point, Role::PlatformAdmin, permission, HOME, None), "{permission}");
        assert!(of_organizations().all(|role| !may(&point, role, permission, HOME, None)), "{permission}");
    }

    // Users -> Organization: its administrators do with users whatever can be done, and with no others.
    assert_eq!(owners("user"), [Owner::Organization]);
    assert!(under("identity.user").count() >= 8);
    for permission in under("identity.user") {
        assert!(may(&point, Role::OrganizationAdmin, permission, HOME, Some(SOMEONE)), "{permission}");
        assert!(of_organizations().all(|role| !may(&point, role, permission, ELSEWHERE, Some(SOMEONE))), "{permission}");
    }

    // Wellness records -> Organization + User: the person reads them and nobody by their role; the organization
    // has them recorded, and reads what they come to.
    let wellness: Vec<_> = AGGREGATES.iter().filter(|aggregate| holds_health(aggregate)).collect();
    assert!(wellness.iter().any(|aggregate| aggregate.stream_type == "activity_log"));
    for aggregate in wellness {
        assert_eq!(aggregate.owners, [Owner::Organization, Owner::User], "{}", aggregate.stream_type);
    }
    let read = "challenges.activity.read";
    assert!(of_organizations().all(|role| may(&point, role, read, HOME, Some(ME))));
    assert!(Role::ALL.into_iter().all(|role| !may(&point, role, read, HOME, Some(SOMEONE))));
    assert!(may(&point, Role::OrganizationAdmin, "challenges.participation.read", HOME, None));
    assert!(may(&point, Role::Member, "challenges.activity.record", HOME, Some(ME)));

    // Audit logs -> Platform: it writes them, and what there is to do with them is to look. An organization looks
    // at its own, the platform at all.
    assert_eq!(owners("access_record"), [Owner::Platform]);
    let looks: BTreeSet<_> = under("compliance.audit_log").collect();
    assert_eq!(
        looks,
        ["export", "explain", "read"].map(|verb| format!("compliance.audit_log.{verb}")).iter().map(String::as_str).collect()
    );
    assert_eq!(under("compliance.access_record").count(), 0, "nobody is permitted to write or change what was recorded");
    for permission in looks {
        assert!(may(&point, Role::PlatformAdmin, permission, HOME, None) && may(&point, Role::PlatformAdmin, permission, ELSEWHERE, None));
        assert!(may(&point, Role::OrganizationAdmin, permission, HOME, None));
        assert!(of_organizations().all(|role| !may(&point, role, permission, ELSEWHERE, None)), "{permission}");
    }
}

#[test]
fn what_people_own_or_share_names_them_in_each_event() {
    for aggregate in AGGREGATES.iter().filter(|aggregate| aggregate.owners.contains(&Owner::User)) {
        for event in aggregate.catalogue {
            let names = |of_type: &str| ["UserId", "AccountKey"].contains(&of_type);
            assert!(event.fields.iter().any(|field| names(field.rust_type)), "{} of a {}", event.name, aggregate.stream_type);
        }
    }
}

#[test]
fn nothing_has_the_same_owner_twice_and_the_platform_shares_with_nobody() {
    for aggregate in AGGREGATES {
        let owners: BTreeSet<_> = aggregate.owners.iter().collect();
        assert_eq!(owners.len(), aggregate.owners.len(), "{}", aggregate.stream_type);
        assert!(!owners.contains(&Owner::Platform) || owners.len() == 1, "{}", aggregate.stream_type);
    }
}
