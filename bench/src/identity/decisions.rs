//! Decisions in process, in an organization with as many policies, roles and users as one may have.

use super::Latencies;
use palmares_domain::kernel::derive_uuid;

/// As many as an organization may have.
pub const POLICIES: usize = 500;

/// What organizations write: forbids, permits about a person, forbids with a condition.
pub fn policy(number: usize, permission: &str) -> String {
    let action = format!(r#"action == Action::"{permission}""#);
    match number % 3 {
        0 => format!(r#"forbid (principal in Role::"expert", {action}, resource);"#),
        1 => {
            let person = derive_uuid("bench-user", &[&number.to_be_bytes()]);
            format!(r#"permit (principal in Role::"expert", {action}, resource in User::"{person}");"#)
        }
        _ => format!(
            r#"forbid (principal in Role::"member", {action}, resource)
               when {{ resource has owner_status && resource.owner_status == "SUSPENDED" }};"#
        ),
    }
}

#[cfg(not(feature = "embedded"))]
pub fn measure() -> anyhow::Result<Vec<Latencies>> {
    anyhow::bail!("decisions are measured with the feature `embedded`, which has them")
}

#[cfg(feature = "embedded")]
pub use organization::measure;

#[cfg(feature = "embedded")]
mod organization {
    use super::{Latencies, POLICIES, policy};
    use crate::load::mix;
    use anyhow::{Context, ensure};
    use palmares::pipeline::decision::{Circumstances, DecisionPoint, OwnPolicies, Question, Verdict};
    use palmares_commands::identity::policy_language::PolicyLanguage;
    use palmares_domain::{
        identity::{
            Grant, HeldRole, Rights, Role,
            policy_store::{LivePolicies, OwnPolicy, is_beyond_policies},
            user::UserStatus,
        },
        kernel::{Digest, OrganizationId, RoleId, UserId, derive_uuid},
    };
    use std::{
        collections::BTreeSet,
        hint::black_box,
        time::{Duration, Instant},
    };

    const ROLES: usize = 200;
    const USERS: usize = 10_000;
    const DECISIONS: usize = 200_000;
    const READINGS: usize = 50;
    /// Numbers for one draw; each draw of a decision has its own.
    const DRAWS: u64 = 16;

    struct User {
        id: UserId,
        rights: Rights,
    }

    struct Organization {
        id: OrganizationId,
        permissions: Vec<&'static str>,
        users: Vec<User>,
    }

    /// One of many, drawn evenly and the same in every run.
    fn drawn<T>(from: &[T], number: u64) -> &T {
        &from[(mix(number) % from.len() as u64) as usize]
    }

    impl Organization {
        fn new() -> anyhow::Result<Self> {
            let permissions: Vec<_> = palmares::routes::permissions().permissions().collect();
            let role = |number: usize| {
                let grants = (0..3 + number as u64 % 10).map(|draw| drawn(&permissions, number as u64 * DRAWS + draw).parse::<Grant>());
                let grants: BTreeSet<_> = grants.collect::<Result<_, _>>()?;
                anyhow::Ok(HeldRole::custom(RoleId(derive_uuid("bench-role", &[&number.to_be_bytes()])), grants))
            };
            let roles = (0..ROLES).map(role).collect::<Result<Vec<_>, _>>()?;
            // Everyone is a member, and has two of the organization's own roles.
            let user = |number: usize| {
                let own = (0..2).map(|draw| drawn(&roles, (USERS + number) as u64 * DRAWS + draw).clone());
                let rights = Rights::new([HeldRole::built_in(Role::Member)].into_iter().chain(own));
                User { id: UserId(derive_uuid("bench-user", &[&number.to_be_bytes()])), rights }
            };
            let id = OrganizationId(derive_uuid("bench-organization", &[]));
            Ok(Self { id, users: (0..USERS).map(user).collect(), permissions })
        }

        /// A decision of somebody about something that is nobody's, their own, or somebody else's.
        fn decide(&self, point: &DecisionPoint, policies: &OwnPolicies, user: &User, permission: &'static str, number: u64) -> Verdict {
            let owner = match mix(number) % 3 {
                0 => None,
                1 => Some(user.id),
                _ => Some(drawn(&self.users, number + 1).id),
            };
            let owner_status = owner.map(|_| if number.is_multiple_of(10) { UserStatus::Suspended } else { UserStatus::Active });
            let circumstances = Circumstances { policies: Some(policies), owner_status, ..Circumstances::default() };
            let (home, organization) = (self.id, self.id);
            point.decide(&Question { principal: user.id, home, rights: &user.rights, permission, organization, owner, circumstances })
        }

        /// Many decisions, timed one by one.
        fn decisions(&self, point: &DecisionPoint, policies: &OwnPolicies, permissions: &[&'static str]) -> Vec<Duration> {
            let (mut took, mut permitted) = (Vec::with_capacity(DECISIONS), 0);
            for number in 0..DECISIONS as u64 {
                let number = number * DRAWS;
                let (user, permission) = (drawn(&self.users, number), drawn(permissions, number + 1));
                let started = Instant::now();
                let verdict = self.decide(point, policies, user, permission, number + 2);
                took.push(started.elapsed());
                permitted += usize::from(matches!(verdict, Verdict::Permit(_)));
            }
            println!("{permitted} of {DECISIONS} were permitted");
            took
        }
    }

    /// The policies of an organization, each checked as if it were written over HTTP.
    fn policies(about: &[&'static str]) -> anyhow::Result<LivePolicies> {
        let language = PolicyLanguage::of(palmares::routes::permissions())?;
        let written = (0..POLICIES).map(|number| {
            let text = policy(number, about[number % about.len()]);
            language.policy(&text)?;
            anyhow::Ok(OwnPolicy { name: format!("bench-{number}"), text, template: None })
        });
        Ok(LivePolicies { version: 1, digest: Digest([0; 32]), policies: written.collect::<Result<_, _>>()? })
    }

    pub fn measure() -> anyhow::Result<Vec<Latencies>> {
        let organization = Organization::new()?;
        let reachable: Vec<_> = organization.permissions.iter().copied().filter(|name| !is_beyond_policies(name)).collect();
        let one = *reachable.iter().find(|name| **name == "points.hold.place").context("holds are placed by a permission")?;
        let (spread, dense) = (policies(&reachable)?, policies(&[one])?);
        let point = DecisionPoint::new(organization.permissions.iter().copied())?;
        let mut rows = Vec::new();

        let mut readings = Vec::new();
        for _ in 0..READINGS {
            let started = Instant::now();
            black_box(OwnPolicies::of(&spread));
            readings.push(started.elapsed());
        }
        rows.push(Latencies::of("reading 500 policies, once for each version of them and node", readings));

        let (spread, dense) = (OwnPolicies::of(&spread), OwnPolicies::of(&dense));
        let first = organization.users.iter().zip(0_u64..).map(|(user, number)| {
            let permission = drawn(&organization.permissions, number);
            let started = Instant::now();
            black_box(organization.decide(&point, &spread, user, permission, number));
            started.elapsed()
        });
        rows.push(Latencies::of("first decision for each user, whose roles are read", first.collect()));

        let took = organization.decisions(&point, &spread, &organization.permissions);
        ensure!(took.len() >= 100_000, "too few decisions to speak of");
        rows.push(Latencies::of("decision, 500 policies over all permissions", took));
        rows.push(Latencies::of("decision, all 500 policies about its permission", organization.decisions(&point, &dense, &[one])));
        Ok(rows)
    }
}
