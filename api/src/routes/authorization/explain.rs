//! Everything a user may do: everywhere in the organization, with what is their own, in the teams that they are
//! in, and with what is of the people to whom they are assigned.

use super::{Basis, Moment};
use crate::{
    pipeline::{Services, action::Action, decision::Verdict, related::Belonging},
    problem::Problem,
};
use palmares_domain::{
    identity::RoleRef,
    kernel::{Admitted, TeamId, Tenant, UserId},
};
use palmares_projections::compliance::audit_trail::{self, streams_naming};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, time::Duration};
use utoipa::ToSchema;

/// What takes somebody into a team, and what assigns an expert to somebody, each with the field that names them.
const JOINED: (&str, &str) = ("recognition.member_added", "user_id");
const ASSIGNED: (&str, &str) = ("experts.expert_assigned", "expert_id");

/// How long the index of the log may take to come up to the moment that is asked about.
const PATIENCE: Duration = Duration::from_secs(5);

/// The platform's policies of these names permit what people may with what is their own, whether a policy or the
/// rules of the thing itself see to whose it is.
const OF_ONES_OWN: &str = "self.";

/// Everything a user may do, and by which roles and policies, now or at a moment of the past.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainRights {
    pub user_id: UserId,
    /// A position or an RFC 3339 time; now where it is missing.
    pub as_of: Option<String>,
}

/// What a user may do, and why.
#[derive(Serialize, ToSchema)]
pub struct RightsExplained {
    pub user_id: UserId,
    #[serde(flatten)]
    pub basis: Basis,
    pub held_roles: Vec<HeldRoleExplained>,
    pub permissions: Vec<Right>,
    /// What they may beside that, by what they are in a team or to somebody.
    pub related: Vec<RelatedRights>,
}

/// A role as its holder had it then.
#[derive(Serialize, ToSchema)]
pub struct HeldRoleExplained {
    #[schema(value_type = String)]
    pub role: RoleRef,
    pub name: String,
    /// `null` is everything that is not the platform's own.
    pub grants: Option<Vec<String>>,
}

/// One permission that a user has.
#[derive(Serialize, ToSchema)]
pub struct Right {
    pub permission: &'static str,
    pub over: Over,
    pub policies: Vec<String>,
}

/// How far a right reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// Everything in the organization.
    Organization,
    /// What is the user's own.
    Own,
    /// The team.
    Team,
    /// What is the person's.
    Person,
}

/// What a user may in one team, or with what is one person's.
#[derive(Serialize, ToSchema)]
pub struct RelatedRights {
    #[schema(value_type = Option<Uuid>)]
    pub team_id: Option<TeamId>,
    /// Whose it is.
    pub owner_id: Option<UserId>,
    /// What they are to it: `team_owner`, `team_coach`, `team_member` or `assigned`.
    pub relations: Vec<&'static str>,
    pub permissions: Vec<Right>,
}

impl Right {
    fn of(verdict: Verdict, permission: &'static str, over: Over) -> Option<Self> {
        match verdict {
            Verdict::Permit(policies) => Some(Self { permission, over, policies }),
            Verdict::Deny(_) => None,
        }
    }
}

impl Moment {
    fn held_roles(&self) -> Vec<HeldRoleExplained> {
        let explained = |role: &RoleRef| {
            let held = self.catalogue.held(*role)?;
            let name = match role {
                RoleRef::BuiltIn(role) => role.name().to_owned(),
                RoleRef::Custom(id) => self.catalogue.role(*id)?.name.clone(),
            };
            let grants = held.grants().map(|grants| grants.iter().map(ToString::to_string).collect());
            Some(HeldRoleExplained { role: *role, name, grants })
        };
        self.basis.roles.iter().filter_map(explained).collect()
    }

    fn permissions(&self, services: &Services) -> Vec<Right> {
        let right = |permission| {
            let decided = |owner: Option<UserId>, over| Right::of(self.decide(services, permission, owner.into()), permission, over);
            let everywhere = decided(None, Over::Organization).map(|right| {
                let own = right.policies.iter().all(|policy| policy.starts_with(OF_ONES_OWN));
                if own { Right { over: Over::Own, ..right } } else { right }
            });
            everywhere.or_else(|| decided(Some(self.user_id), Over::Own))
        };
        super::super::permissions().permissions().filter_map(right).collect()
    }

    /// What the user may by what they are to each of these, and not anyway.
    fn related(&self, services: &Services, of: &[Belonging], permissions: &[Right]) -> Vec<RelatedRights> {
        let anyway: BTreeSet<_> =
            permissions.iter().filter(|right| right.over == Over::Organization).map(|right| right.permission).collect();
        let asking = super::super::permissions().permissions().filter(|permission| !anyway.contains(permission));
        let asking: Vec<_> = asking.filter(|permission| services.gate.asks_for_relations(permission, self.policies.as_ref())).collect();
        let rights = |of: &Belonging| {
            let relations = self.relations.get(of).filter(|relations| !relations.is_empty())?.clone();
            let over = if of.team.is_some() { Over::Team } else { Over::Person };
            let right = |permission: &&'static str| Right::of(self.decide(services, permission, *of), permission, over);
            let permissions: Vec<_> = asking.iter().filter_map(right).collect();
            let related = RelatedRights { team_id: of.team, owner_id: of.owner, relations, permissions };
            (!related.permissions.is_empty()).then_some(related)
        };
        of.iter().filter_map(rights).collect()
    }
}

/// Every team that took the user in, and everybody to whom they were assigned, up to a moment. What the user is
/// there at that moment the streams say.
async fn belongings(services: &Services, tenant: Tenant, user: UserId, until: i64) -> Result<Vec<Belonging>, Problem> {
    services.progress.reach(&[audit_trail::PROJECTION], until, PATIENCE).await?;
    let mut reader = services.readers.open(tenant, None).await?;
    let teams = streams_naming(&mut reader, JOINED, user, until).await?;
    let people = streams_naming(&mut reader, ASSIGNED, user, until).await?;
    let teams = teams.into_iter().map(|team| Belonging { owner: None, team: Some(TeamId(team)) });
    Ok(teams.chain(people.into_iter().map(|person| Some(UserId(person)).into())).collect())
}

impl Action for ExplainRights {
    type Output = RightsExplained;

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    async fn perform(admitted: Admitted<Self>, services: &Services) -> Result<RightsExplained, Problem> {
        let tenant = admitted.tenant();
        let (admission, Self { user_id, as_of }) = admitted.into_parts();
        let at = Moment::named(services, as_of.as_deref()).await?;
        let of = belongings(services, tenant, user_id, at.0).await?;
        let moment = Moment::of(services, admission.organization, user_id, at, of.iter().copied()).await?;
        let (held_roles, permissions) = (moment.held_roles(), moment.permissions(services));
        let related = moment.related(services, &of, &permissions);
        Ok(RightsExplained { user_id, basis: moment.basis, held_roles, permissions, related })
    }
}
