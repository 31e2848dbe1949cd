//! The decision point against an oracle: a naive evaluator of organizations, roles, the tree of
//! permissions, what is one's own and what an organization wrote itself, over random worlds. Both have
//! to agree on every question, and the validator has to accept every policy there is.

use super::{
    own_rules::{OwnRule, any_own_rule, live},
    tests::permissions,
    *,
};
use palmares_domain::{identity::RoleRef, kernel::RoleId};
use proptest::prelude::*;
use uuid::Uuid;

/// What everyone may do with what is their own; written out a second time, on purpose.
const OWN: &[&str] = &[
    "identity.user.read",
    "identity.user.delete",
    "identity.user.cancel_deletion",
    "compliance.deletion_request.read",
    "identity.elevation.read",
    "identity.self",
    "identity.session.read",
    "identity.session.revoke",
    "identity.session.revoke_all",
    "identity.decision.check",
    "identity.decision.explain",
    "points.balance.read",
    "points.statement.read",
    "points.transfer.create",
    "challenges.activity.record",
    "challenges.activity.read",
    "compliance.consent.read",
    "compliance.privacy.read",
    "compliance.subject_request.read",
    "compliance.subject_request.receive",
    "compliance.subject_request.withdraw",
    "experts.assignment.read",
    "recognition.membership.read",
];

/// What everyone may ask for; whose it is the aggregate's rules see to.
const ASKED_BY_ALL: &[&str] = &[
    "compliance.consent.give",
    "compliance.consent.revoke",
    "compliance.deletion_request.verify",
    "compliance.legal_document.read",
    "identity.elevation.request",
    "identity.elevation.withdraw",
    "identity.elevation.start",
    "identity.elevation.end",
];

/// What a legal hold is released by: not by whoever administers the organization.
const RELEASE: &str = "compliance.legal_hold.release";

/// What people take out of what is recorded of them.
const TAKEN_OUT: &[&str] = &["compliance.subject_export"];

/// What no program does: somebody other than whom it concerns has to.
const BY_PEOPLE: &[&str] = &[
    "compliance.access_review.attest",
    "compliance.access_review.revoke",
    "compliance.anomaly.acknowledge",
    "compliance.deletion_request.approve",
    "compliance.deletion_request.refuse",
    "compliance.deletion_request.verify",
    "compliance.legal_hold.release",
    "compliance.subject_request.export",
    "compliance.subject_request.extend",
    "compliance.subject_request.fulfil",
    "compliance.subject_request.refuse",
    "compliance.subject_request.take",
    "experts.assignment.create",
    "identity.elevation.approve",
    "identity.elevation.refuse",
    "identity.elevation.request",
    "identity.elevation.review",
    "identity.elevation.start",
    "identity.user.approve_reactivation",
    "identity.user.cancel_deletion",
    "identity.user.reactivate",
];

/// One question of a random world.
#[derive(Clone, Debug)]
struct Asked {
    home: OrganizationId,
    organization: OrganizationId,
    roles: Vec<HeldRole>,
    permission: &'static str,
    owner: Option<UserId>,
    owner_status: Option<UserStatus>,
    /// In which relations whoever asks stands to whose it is.
    relations: Vec<&'static str>,
    /// Whether a program asks.
    program: bool,
    /// What the organization wrote itself.
    own_rules: Vec<OwnRule>,
}

pub(super) const ME: UserId = UserId(Uuid::from_u128(9));

/// The rules in plain words: no Cedar, no sets of grants, prefixes compared as text.
fn oracle(asked: &Asked) -> bool {
    let built_in = |held: &HeldRole| held.role.built_in();
    let platform = asked.roles.iter().filter_map(built_in).any(Role::is_platform);
    if asked.home != asked.organization && !platform {
        return false;
    }
    if platform && asked.home != OrganizationId::PLATFORM {
        return false;
    }
    let rules = asked.roles.iter().filter_map(built_in).any(|role| matches!(role, Role::PlatformAdmin | Role::PlatformSuperuser));
    if Role::PLATFORM_ONLY.contains(&asked.permission) && !rules {
        return false;
    }
    if asked.program && BY_PEOPLE.contains(&asked.permission) {
        return false;
    }
    let releases = |role: Role| role.is_platform() || role == Role::ComplianceOfficer;
    if asked.permission == RELEASE && !asked.roles.iter().filter_map(built_in).any(releases) {
        return false;
    }
    let related = |relation: &str| asked.relations.contains(&relation);
    let mut expert = false;
    if asked.permission == "challenges.activity.read" {
        let has = |wanted: Role| asked.roles.iter().filter_map(built_in).any(|role| role == wanted);
        let looks_after = related("assigned") && !platform && !has(Role::OrganizationAdmin);
        if asked.owner != Some(ME) && !looks_after {
            return false;
        }
        expert = related("assigned") && has(Role::Expert);
    }
    // Whoever has no role at all has what is their own, and programs have nothing.
    let at_home = asked.home == asked.organization && !asked.program;
    let mut within = asked.roles.iter().filter_map(built_in).filter(|role| !role.is_platform());
    let exports = at_home && (!within.clone().any(|role| role == Role::Expert) || within.any(|role| role != Role::Expert));
    let mut allowed = at_home && asked.owner == Some(ME) && OWN.iter().any(|group| covers(group, asked.permission));
    allowed |= expert || (exports && asked.owner == Some(ME) && TAKEN_OUT.iter().any(|group| covers(group, asked.permission)));
    // A team's people see it, and its owners say who is in it.
    let in_team = ["team_member", "team_coach", "team_owner"].into_iter().any(related);
    let sees = in_team && asked.permission == "recognition.team.read";
    let manages = related("team_owner") && covers("recognition.member", asked.permission);
    allowed |= at_home && (sees || manages);
    let beyond = asked.permission.starts_with("identity.policy.") || Role::PLATFORM_ONLY.contains(&asked.permission);
    if asked.home == asked.organization && !platform && !beyond {
        for rule in asked.own_rules.iter().filter(|rule| rule.speaks_of(&asked.roles, asked.permission)) {
            match rule.applies(asked.owner, asked.owner_status, &asked.relations) {
                None => return false,
                Some(true) if !rule.permit => return false,
                Some(applies) => allowed |= applies,
            }
        }
    }
    let granted = asked.roles.iter().any(|held| match held.grants() {
        None => true,
        Some(grants) => grants.iter().any(|grant| covers(grant.name(), asked.permission)),
    });
    allowed || granted || (at_home && ASKED_BY_ALL.contains(&asked.permission))
}

/// Whether a permission or group of permissions covers what is wanted.
fn covers(group: &str, wanted: &str) -> bool {
    wanted == group || wanted.starts_with(&format!("{group}."))
}

/// A permission, or a group of one: what a custom role may grant.
fn any_grant() -> impl Strategy<Value = String> {
    (prop::sample::select(permissions().into_iter().collect::<Vec<_>>()), 1..=3_usize)
        .prop_map(|(permission, parts)| permission.split('.').take(parts).collect::<Vec<_>>().join("."))
}

fn any_role() -> impl Strategy<Value = HeldRole> {
    let built_in = prop::sample::select(Role::ALL.to_vec()).prop_map(HeldRole::built_in);
    let custom = (1..50_u128, prop::collection::btree_set(any_grant(), 1..6)).prop_map(|(id, grants)| {
        let grants = grants.iter().map(|grant| grant.parse().unwrap()).collect();
        HeldRole::custom(RoleRef::Custom(RoleId(Uuid::from_u128(id))), grants)
    });
    prop_oneof![built_in, custom]
}

fn asked() -> impl Strategy<Value = Asked> {
    let organization = || prop_oneof![Just(OrganizationId::PLATFORM), (1..3_u128).prop_map(|id| OrganizationId(Uuid::from_u128(id)))];
    let owner = prop_oneof![Just(None), Just(Some(ME)), Just(Some(UserId(Uuid::from_u128(10))))];
    let roles = prop::collection::vec(any_role(), 0..4).prop_map(|mut roles| {
        roles.sort_by_key(|held| held.role);
        roles.dedup_by_key(|held| held.role);
        roles
    });
    let permission = prop::sample::select(permissions().into_iter().collect::<Vec<_>>());
    let owner_status = prop::option::of(prop::sample::select(UserStatus::ALL.to_vec()));
    let own_rules = prop_oneof![Just(Vec::new()), prop::collection::vec(any_own_rule(), 1..5)];
    // Requests that organizations' own policies decide come from home.
    let at_home = prop_oneof![3 => Just(true), 1 => Just(false)];
    // Somebody is one thing in a team.
    let in_team = prop_oneof![2 => Just(None), 1 => prop::sample::select(vec!["team_member", "team_coach", "team_owner"]).prop_map(Some)];
    let relations =
        (any::<bool>(), in_team).prop_map(|(assigned, in_team)| assigned.then_some("assigned").into_iter().chain(in_team).collect());
    let told = (relations, prop::bool::weighted(0.2));
    (organization(), organization(), at_home, roles, permission, owner, owner_status, told, own_rules).prop_map(
        |(organization, elsewhere, at_home, roles, permission, owner, owner_status, (relations, program), own_rules)| {
            let home = if at_home { organization } else { elsewhere };
            let owner_status = owner.and(owner_status);
            Asked { home, organization, roles, permission, owner, owner_status, relations, program, own_rules }
        },
    )
}

/// covers: W-23, W-24, W-38, P-37, T-07, T-27, T-29, E-20, E-21, E-22, E-121, E-122, E-275
#[test]
fn the_decision_point_agrees_with_the_oracle_on_random_worlds() {
    let point = DecisionPoint::new(permissions()).unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(5_000));
    let (permits, denies) = (std::cell::Cell::new(0_u32), std::cell::Cell::new(0_u32));
    let checked = runner.run(&asked(), |asked| {
        let rights = Rights::new(asked.roles.iter().cloned());
        let Asked { home, organization, permission, owner, owner_status, .. } = asked;
        let own = (!asked.own_rules.is_empty()).then(|| OwnPolicies::of(&live(&asked.own_rules)));
        let through = if asked.program { Through::Program } else { Through::OwnRights };
        let circumstances = Circumstances { policies: own.as_ref(), owner_status, relations: &asked.relations, through };
        let verdict = point.decide(&Question { principal: ME, home, rights: &rights, permission, organization, owner, circumstances });
        let permitted = matches!(verdict, Verdict::Permit(_));
        prop_assert_eq!(permitted, oracle(&asked), "{:?} said {:?}", asked, verdict);
        let count = if permitted { &permits } else { &denies };
        count.set(count.get() + 1);
        // What the rights say without Cedar is the same, apart from what is one's own and who asks from where.
        let by_rights = owner.is_none()
            && asked.relations.is_empty()
            && own.is_none()
            && !ASKED_BY_ALL.contains(&permission)
            && !["challenges.activity.read", RELEASE].contains(&permission);
        if home == organization && by_rights && !asked.program && !rights.reach_everywhere() {
            prop_assert_eq!(rights.permit(permission), permitted);
        }
        Ok(())
    });
    checked.unwrap();
    // Worlds in which everything is denied would prove nothing.
    assert!(permits.get() > 500 && denies.get() > 500, "{} permits, {} denies", permits.get(), denies.get());
}

/// covers: E-46, E-254
#[test]
fn what_somebody_else_has_to_decide_no_program_decides() {
    let (point, home) = (DecisionPoint::new(permissions()).unwrap(), OrganizationId(Uuid::from_u128(1)));
    let ask = |permission, through| {
        let role =
            HeldRole::custom(RoleRef::Custom(RoleId(Uuid::from_u128(1))), [permission].map(|name: &str| name.parse().unwrap()).into());
        let (rights, circumstances) = (Rights::new([role]), Circumstances { through, ..Circumstances::default() });
        point.decide(&Question { principal: ME, home, rights: &rights, permission, organization: home, owner: None, circumstances })
    };
    for permission in BY_PEOPLE {
        // Holds are released by few roles, which a composed one is not among.
        assert_eq!(matches!(ask(permission, Through::OwnRights), Verdict::Permit(_)), *permission != RELEASE, "{permission}");
        let Verdict::Deny(policies) = ask(permission, Through::Program) else { panic!("a program may {permission}") };
        assert!(policies.iter().any(|policy| policy.starts_with("platform.decided_by_people@")), "{permission}: {policies:?}");
    }
    assert!(matches!(ask("compliance.access_review.read", Through::Program), Verdict::Permit(_)));
}

/// covers: H-31
#[test]
fn the_validator_accepts_every_policy_that_a_role_becomes() {
    let point = DecisionPoint::new(permissions()).unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(200));
    let checked = runner.run(&any_role(), |role| {
        let combined = Combined::of(&point.platform, [role]).unwrap();
        prop_assert!(point.language.check(&combined.policies).is_ok());
        Ok(())
    });
    checked.unwrap();
}

/// covers: H-31
#[test]
fn the_validator_accepts_every_policy_that_an_organization_could_write_so() {
    let point = DecisionPoint::new(permissions()).unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(500));
    let checked = runner.run(&any_own_rule(), |rule| {
        let policy = Policy::parse(None, rule.text()).unwrap();
        let checked = point.language.check(&PolicySet::from_policies([policy]).unwrap());
        prop_assert!(checked.is_ok(), "{}: {:?}", rule.text(), checked);
        Ok(())
    });
    checked.unwrap();
}

/// covers: T-27
#[test]
fn a_group_grants_permissions_that_join_it_later() {
    let held = HeldRole::custom(RoleRef::Custom(RoleId(Uuid::from_u128(1))), ["points.hold".parse().unwrap()].into());
    let (rights, home) = (Rights::new([held]), OrganizationId(Uuid::from_u128(1)));
    let asks = |permissions: &[&'static str], permission| {
        let policies = DecisionPoint::with_policies("", permissions.iter().copied()).unwrap();
        let question = Question {
            principal: ME,
            home,
            rights: &rights,
            permission,
            organization: home,
            owner: None,
            circumstances: Circumstances::default(),
        };
        matches!(policies.decide(&question), Verdict::Permit(_))
    };
    assert!(asks(&["points.hold.place"], "points.hold.place"));
    assert!(asks(&["points.hold.place", "points.hold.extend"], "points.hold.extend"));
    assert!(!asks(&["points.hold.place", "points.holding.extend"], "points.holding.extend"));
}
