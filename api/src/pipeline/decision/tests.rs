use super::*;
use crate::routes;
use palmares_domain::{identity::RoleRef, kernel::RoleId};
use std::{fmt::Write as _, time::Instant};
use uuid::Uuid;

const HOME: OrganizationId = OrganizationId(Uuid::from_u128(1));
const ELSEWHERE: OrganizationId = OrganizationId(Uuid::from_u128(2));
const ME: UserId = UserId(Uuid::from_u128(3));
const SOMEONE: UserId = UserId(Uuid::from_u128(4));

pub(super) fn permissions() -> BTreeSet<&'static str> {
    routes::all().filter_map(|route| route.permission).collect()
}

fn point() -> DecisionPoint {
    DecisionPoint::new(permissions()).unwrap()
}

fn permits(point: &DecisionPoint, role: Role, permission: &'static str, organization: OrganizationId, owner: Option<UserId>) -> bool {
    let home = if role.is_platform() { OrganizationId::PLATFORM } else { HOME };
    let rights = Rights::built_in([role]);
    matches!(
        point.decide(&Question {
            principal: ME,
            home,
            rights: &rights,
            permission,
            organization,
            owner,
            circumstances: Circumstances::default()
        }),
        Verdict::Permit(_)
    )
}

fn denied(point: &DecisionPoint, policy: &str) -> Verdict {
    Verdict::Deny(vec![format!("{policy}@{}", point.version)])
}

/// `all` across organizations, `own` in the own organization, `self` for what is one's own.
fn cell(point: &DecisionPoint, role: Role, permission: &'static str) -> &'static str {
    let permits = |organization, owner| permits(point, role, permission, organization, owner);
    match (permits(ELSEWHERE, None), permits(HOME, Some(SOMEONE)), permits(HOME, Some(ME))) {
        (true, _, _) => "all",
        (false, true, _) => "own",
        (false, false, true) => "self",
        (false, false, false) => "-",
    }
}

/// Reviewed by people who do not read code: who may do what.
// covers: W-09, E-05, E-19, E-120, H-12, H-13, H-14, H-15, H-16, T-08
#[test]
fn the_permission_matrix_is_the_reviewed_one() {
    let point = point();
    let mut matrix = format!("{:<40}", "permission");
    for role in Role::ALL {
        let _ = write!(matrix, "{:<20}", role.name());
    }
    for permission in permissions() {
        let _ = write!(matrix, "\n{permission:<40}");
        for role in Role::ALL {
            let _ = write!(matrix, "{:<20}", cell(&point, role, permission));
        }
    }
    let matrix: Vec<_> = matrix.lines().map(str::trim_end).collect();
    insta::assert_snapshot!("permission_matrix", matrix.join("\n"));
}

/// Nobody reads what somebody else's sources reported, whatever their roles grant, but experts who are
/// assigned to that person and run nothing.
///
/// covers: E-22, E-69
#[test]
fn what_is_recorded_of_somebody_is_theirs_and_their_experts() {
    let point = point();
    let reads = |roles: &[Role], owner, relations| {
        let platform = roles.iter().any(|role| role.is_platform());
        let rights = Rights::built_in(roles.iter().copied());
        let question = Question {
            principal: ME,
            home: if platform { OrganizationId::PLATFORM } else { HOME },
            rights: &rights,
            permission: "challenges.activity.read",
            organization: HOME,
            owner,
            circumstances: Circumstances { relations, ..Circumstances::default() },
        };
        matches!(point.decide(&question), Verdict::Permit(_))
    };
    for role in Role::ALL {
        let assigned = reads(&[role], Some(SOMEONE), &["assigned"]);
        assert_eq!(assigned, role == Role::Expert, "{role:?}");
        assert!(!reads(&[role], Some(SOMEONE), &[]) && !reads(&[role], None, &[]), "{role:?}");
    }
    assert!(!reads(&[Role::Expert, Role::OrganizationAdmin], Some(SOMEONE), &["assigned"]));
    assert!(reads(&[Role::Member], Some(ME), &[]));
}

/// Each permission about teams, for whoever is what in the team, and for an administrator.
///
/// covers: T-07
#[test]
fn what_somebody_may_in_a_team_follows_from_what_they_are_in_it() {
    let point = point();
    let may = |role: Role, permission, relations| {
        let rights = Rights::built_in([role]);
        let circumstances = Circumstances { relations, ..Circumstances::default() };
        let question = Question { principal: ME, home: HOME, rights: &rights, permission, organization: HOME, owner: None, circumstances };
        matches!(point.decide(&question), Verdict::Permit(_))
    };
    let of_teams: Vec<_> = permissions().into_iter().filter(|permission| permission.starts_with("recognition.")).collect();
    assert!(of_teams.len() >= 8, "{of_teams:?}");
    for permission in of_teams {
        let reads = permission == "recognition.team.read";
        let manages = reads || permission.starts_with("recognition.member.");
        for (relations, expected) in
            [(&[][..], false), (&["assigned"], false), (&["team_member"], reads), (&["team_coach"], reads), (&["team_owner"], manages)]
        {
            for role in [Role::Member, Role::Expert, Role::Analyst, Role::ComplianceOfficer] {
                assert_eq!(may(role, permission, relations), expected, "{role:?} {relations:?} {permission}");
            }
            assert!(may(Role::OrganizationAdmin, permission, relations), "{relations:?} {permission}");
        }
    }
}

/// Without a role, or with one that grants nothing of it, people have what is their own and nothing else;
/// a program has not even that.
///
/// covers: W-24, W-39
#[test]
fn without_a_role_one_has_what_is_ones_own_and_a_program_nothing() {
    let point = point();
    let custom = HeldRole::custom(RoleRef::Custom(RoleId(Uuid::from_u128(7))), ["points.hold".parse().unwrap()].into());
    let may = |rights: &Rights, permission, organization, owner, through| {
        let circumstances = Circumstances { through, ..Circumstances::default() };
        let question = Question { principal: ME, home: HOME, rights, permission, organization, owner: Some(owner), circumstances };
        matches!(point.decide(&question), Verdict::Permit(_))
    };
    for rights in [Rights::default(), Rights::new([custom])] {
        for permission in permissions().into_iter().filter(|permission| !permission.starts_with("points.hold.")) {
            let members = permits(&point, Role::Member, permission, HOME, Some(ME)) && !Role::BASELINE.contains(&permission);
            let may = |organization, owner, through| may(&rights, permission, organization, owner, through);
            assert_eq!(may(HOME, ME, Through::OwnRights), members, "{permission}");
            assert_eq!(may(HOME, SOMEONE, Through::OwnRights), permits_of_another(&point, permission), "{permission}");
            assert!(!may(ELSEWHERE, ME, Through::OwnRights) && !may(HOME, ME, Through::Program), "{permission}");
        }
    }
    assert!(may(&Rights::default(), "compliance.consent.give", HOME, ME, Through::OwnRights));
}

/// What every member may ask whoever it is about, because its own rules see to whose it is.
fn permits_of_another(point: &DecisionPoint, permission: &'static str) -> bool {
    permits(point, Role::Member, permission, HOME, Some(SOMEONE)) && !Role::BASELINE.contains(&permission)
}

#[test]
fn a_forbid_names_itself() {
    let permission = "challenges.leaderboard.read";
    let rights = Rights::built_in([Role::OrganizationAdmin]);
    let point = point();
    let verdict = point.decide(&Question {
        principal: ME,
        home: HOME,
        rights: &rights,
        permission,
        organization: ELSEWHERE,
        owner: None,
        circumstances: Circumstances::default(),
    });
    assert_eq!(verdict, denied(&point, "platform.own_organization_only"));
}

// covers: E-23, E-46
#[test]
fn a_platform_role_outside_the_platform_is_worth_nothing() {
    let (point, rights) = (point(), Rights::built_in([Role::PlatformAdmin, Role::OrganizationAdmin]));
    for permission in permissions() {
        let question = Question {
            principal: ME,
            home: HOME,
            rights: &rights,
            permission,
            organization: HOME,
            owner: Some(ME),
            circumstances: Circumstances::default(),
        };
        assert_eq!(point.decide(&question), denied(&point, "platform.platform_role_at_home_only"));
    }
}

#[test]
fn a_permission_that_no_route_has_is_denied() {
    let rights = Rights::built_in([Role::PlatformAdmin]);
    let question = Question {
        principal: ME,
        home: OrganizationId::PLATFORM,
        rights: &rights,
        permission: "points.mint.freely",
        organization: HOME,
        owner: None,
        circumstances: Circumstances::default(),
    };
    let point = point();
    assert_eq!(point.decide(&question), denied(&point, EVALUATION_ERROR));
}

#[test]
fn another_text_is_another_version_of_every_policy() {
    let permission = "points.hold.place";
    let rights = Rights::default();
    let question = Question {
        principal: ME,
        home: HOME,
        rights: &rights,
        permission,
        organization: HOME,
        owner: None,
        circumstances: Circumstances::default(),
    };
    let decide = |policies: &str| DecisionPoint::with_policies(policies, [permission]).unwrap().decide(&question);
    // The first twelve digits that `sha256sum` gives for the text.
    let open = r#"@id("open") permit (principal, action, resource);"#;
    assert_eq!(decide(open), Verdict::Permit(vec!["open@21a9d4bc32ce".to_owned()]));
    assert_ne!(decide(open), decide(&format!("{open} ")));
}

/// Cedar skips a policy that errs; a forbid that errs must not open the door.
// covers: E-275
#[test]
fn an_evaluation_error_is_a_deny() {
    let policies = r#"
        @id("open") permit (principal, action, resource);
        @id("broken") forbid (principal, action, resource) when { 9223372036854775807 + 1 > 0 };
    "#;
    let point = DecisionPoint::with_policies(policies, ["points.hold.place"]).unwrap();
    let rights = Rights::default();
    let question = Question {
        principal: ME,
        home: HOME,
        rights: &rights,
        permission: "points.hold.place",
        organization: HOME,
        owner: None,
        circumstances: Circumstances::default(),
    };
    assert_eq!(point.decide(&question), denied(&point, EVALUATION_ERROR));
}

// covers: T-68
#[test]
fn policies_that_do_not_fit_do_not_start() {
    let cases = [
        "permit (principal, action, resource)",
        "permit (principal, action, resource);",
        r#"@id("typo") permit (principal, action == Action::"points.hold.palce", resource);"#,
        r#"@id("unknown") permit (principal, action, resource) when { principal.salary > 3 };"#,
        r#"@id("same") permit (principal, action, resource); @id("same") forbid (principal, action, resource);"#,
    ];
    for policies in cases {
        assert!(DecisionPoint::with_policies(policies, ["points.hold.place"]).is_err(), "{policies}");
    }
}

/// Not a timed test: it prints what a decision costs.
#[test]
fn a_decision_is_cheap_enough_to_make_on_every_request() {
    let (point, rights, permission) = (point(), Rights::built_in([Role::OrganizationAdmin]), *permissions().last().unwrap());
    let started = Instant::now();
    for _ in 0..1_000 {
        point.decide(&Question {
            principal: ME,
            home: HOME,
            rights: &rights,
            permission,
            organization: HOME,
            owner: Some(SOMEONE),
            circumstances: Circumstances::default(),
        });
    }
    println!("a decision takes {:?}", started.elapsed() / 1_000);
}

#[test]
fn the_policies_name_the_platform_as_the_domain_does() {
    assert!(POLICIES.contains(&OrganizationId::PLATFORM.to_string()));
}
