//! What an organization's own policies do, and what they cannot.

use super::*;
use palmares_domain::{
    identity::policy_store::{LivePolicies, OwnPolicy},
    kernel::Digest,
};
use uuid::Uuid;

const HOME: OrganizationId = OrganizationId(Uuid::from_u128(1));
const ME: UserId = UserId(Uuid::from_u128(3));
const ANN: UserId = UserId(Uuid::from_u128(4));

fn own(policies: &[(&str, &str)]) -> OwnPolicies {
    let policy = |(name, text): &(&str, &str)| OwnPolicy { name: (*name).to_owned(), text: (*text).to_owned(), template: None };
    OwnPolicies::of(&LivePolicies { version: 2, digest: Digest([0; 32]), policies: policies.iter().map(policy).collect() })
}

struct Asked<'a> {
    role: Role,
    permission: &'static str,
    owner: Option<UserId>,
    relations: &'a [&'a str],
}

impl Default for Asked<'_> {
    fn default() -> Self {
        Self { role: Role::OrganizationAdmin, permission: "points.program.read", owner: None, relations: &[] }
    }
}

fn asks(policies: &OwnPolicies, asked: &Asked<'_>) -> Verdict {
    let point = DecisionPoint::new(super::tests::permissions()).unwrap();
    let home = if asked.role.is_platform() { OrganizationId::PLATFORM } else { HOME };
    let (rights, permission) = (Rights::built_in([asked.role]), asked.permission);
    let circumstances =
        Circumstances { policies: Some(policies), owner_status: None, relations: asked.relations, through: Through::OwnRights };
    point.decide(&Question { principal: ME, home, rights: &rights, permission, organization: HOME, owner: asked.owner, circumstances })
}

fn denied(verdict: &Verdict, by: &str) -> bool {
    matches!(verdict, Verdict::Deny(policies) if policies.iter().any(|policy| policy.starts_with(by)))
}

/// covers: P-37, H-07, E-275
#[test]
fn a_forbid_of_the_organization_stands_above_its_roles_and_names_itself() {
    let policies = own(&[("closed", r#"forbid (principal, action in Action::"points", resource);"#)]);
    assert_eq!(asks(&policies, &Asked::default()), Verdict::Deny(vec!["org.closed@v2".to_owned()]));
    let elsewhere = Asked { permission: "identity.user.list", ..Asked::default() };
    assert!(matches!(asks(&policies, &elsewhere), Verdict::Permit(_)));
}

/// covers: H-08, E-121
#[test]
fn a_permit_of_the_organization_gives_what_no_role_does_to_whom_it_names() {
    let text = format!(r#"permit (principal in Role::"expert", action == Action::"points.balance.read", resource in User::"{ANN}");"#);
    let policies = own(&[("coach-of-ann", &text)]);
    let asked = |role, owner| asks(&policies, &Asked { role, permission: "points.balance.read", owner, ..Asked::default() });
    assert_eq!(asked(Role::Expert, Some(ANN)), Verdict::Permit(vec!["org.coach-of-ann@v2".to_owned()]));
    assert!(matches!(asked(Role::Expert, Some(UserId(Uuid::from_u128(5)))), Verdict::Deny(_)));
    assert!(matches!(asked(Role::Expert, None), Verdict::Deny(_)));
    assert!(matches!(asked(Role::Member, Some(ANN)), Verdict::Deny(_)));
    assert!(policies.may_permit("points.balance.read") && !policies.may_permit("points.statement.read"));
}

/// The place where the relation engine hands in what it knows.
#[test]
fn a_relation_that_is_handed_in_is_a_parent_of_the_resource() {
    let text = r#"permit (principal, action == Action::"points.balance.read", resource in Relation::"assigned");"#;
    let policies = own(&[("assigned", text)]);
    let asked = |relations| Asked { role: Role::Expert, permission: "points.balance.read", owner: Some(ANN), relations };
    assert!(matches!(asks(&policies, &asked(&["assigned"])), Verdict::Permit(_)));
    assert!(matches!(asks(&policies, &asked(&["invited", "knows"])), Verdict::Deny(_)));
    assert!(matches!(asks(&policies, &asked(&[])), Verdict::Deny(_)));
}

/// Cedar skips a policy that errs; a forbid that errs must not open the door.
#[test]
fn an_organizations_forbid_that_errs_denies() {
    let errs = r#"forbid (principal, action in Action::"points", resource) when { 9223372036854775807 + 1 > 0 };"#;
    assert!(denied(&asks(&own(&[("errs", errs)]), &Asked::default()), EVALUATION_ERROR));
    let absent = r#"forbid (principal, action in Action::"points", resource) when { resource.owner == principal };"#;
    assert!(denied(&asks(&own(&[("absent", absent)]), &Asked::default()), EVALUATION_ERROR));
    // So does a text that a later release does not read any more.
    let unreadable = own(&[("old", "forbid (principal, action, everything);")]);
    assert!(denied(&asks(&unreadable, &Asked::default()), EVALUATION_ERROR));
    assert!(!unreadable.may_permit("points.program.read"));
}

#[test]
fn an_organization_that_forbids_everything_can_take_it_back() {
    for policies in [own(&[("nothing", "forbid (principal, action, resource);")]), own(&[("broken", "nonsense")])] {
        assert!(matches!(asks(&policies, &Asked::default()), Verdict::Deny(_)));
        for permission in ["identity.policy.read", "identity.policy.write", "identity.policy.activate"] {
            assert!(matches!(asks(&policies, &Asked { permission, ..Asked::default() }), Verdict::Permit(_)), "{permission}");
        }
        let platform = Asked { role: Role::PlatformAdmin, ..Asked::default() };
        assert!(matches!(asks(&policies, &platform), Verdict::Permit(_)), "the platform helps");
    }
}

/// covers: E-46
#[test]
fn an_organizations_permit_reaches_neither_the_store_nor_what_is_the_platforms() {
    let policies = own(&[("all", "permit (principal, action, resource);")]);
    let asked = |permission| asks(&policies, &Asked { role: Role::Member, permission, ..Asked::default() });
    assert!(matches!(asked("points.credit.create"), Verdict::Permit(_)));
    for permission in ["identity.policy.write", "organizations.organization.suspend", "operations.projection.rebuild"] {
        assert!(matches!(asked(permission), Verdict::Deny(_)), "{permission}");
        assert!(!policies.may_permit(permission), "{permission}");
    }
}

#[test]
fn an_organizations_policies_say_nothing_elsewhere() {
    let point = DecisionPoint::new(super::tests::permissions()).unwrap();
    let policies = own(&[("all", "permit (principal, action, resource);")]);
    let circumstances = Circumstances { policies: Some(&policies), ..Circumstances::default() };
    let (rights, permission, home) = (Rights::built_in([Role::Member]), "points.credit.create", OrganizationId(Uuid::from_u128(2)));
    let question = Question { principal: ME, home, rights: &rights, permission, organization: HOME, owner: None, circumstances };
    assert!(denied(&point.decide(&question), "platform.own_organization_only"));
}
