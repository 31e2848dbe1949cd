//! Relations at the gate: in which ones a caller stands to the person whose resource it is (E-121), and what
//! they are in the team that it is about (T-07).

use super::{
    decision::{Circumstances, OwnPolicies, Verdict},
    gate::{Caller, Gate},
};
use crate::problem::Problem;
use palmares_commands::{engine::Capability, identity::policy_language::RELATIONS};
use palmares_domain::{
    compliance::access_record::Aim,
    kernel::{OrganizationId, TeamId, UserId},
};
use palmares_projections::engine::Query;
use uuid::Uuid;

/// Nobody: whose resource it is does not matter where only the relation to them is asked about.
const SOMEBODY: UserId = UserId(Uuid::nil());

/// Whose something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Belonging {
    /// The person whose resource it is, where it is one person's.
    pub owner: Option<UserId>,
    /// The team that it is about, where it is about one.
    pub team: Option<TeamId>,
}

impl From<Option<UserId>> for Belonging {
    fn from(owner: Option<UserId>) -> Self {
        Self { owner, team: None }
    }
}

impl Belonging {
    pub fn of_operation(operation: &impl Capability) -> Self {
        Self { owner: operation.owner(), team: operation.team() }
    }

    pub fn of_query(query: &impl Query) -> Self {
        Self { owner: query.owner(), team: query.team() }
    }

    /// Whether it belongs to no person and no team.
    pub(super) fn is_nobodys(self) -> bool {
        self == Self::default()
    }

    /// Whether the caller knows anyway that it is there, so that a refusal has nothing to hide.
    pub(super) fn is_known_to(self, caller: UserId, relations: &[&str]) -> bool {
        self.owner == Some(caller) || (self.owner.is_none() && self.team.is_some() && !relations.is_empty())
    }
}

impl Problem {
    /// The same refusal, with whose it is that was asked for.
    pub(super) fn aimed_at(self, of: Belonging) -> Self {
        let targets = of.team.map(|team| team.0).into_iter().collect();
        Self { aim: Some(Box::new(Aim { subject: of.owner, targets, ..Aim::default() })), ..self }
    }
}

impl Gate {
    /// Whether a decision about this permission may depend on what somebody is to the thing.
    pub fn asks_for_relations(&self, permission: &str, own: Option<&OwnPolicies>) -> bool {
        self.decisions.asks_for_relations(permission, own)
    }

    /// Whether the caller would be permitted what is of somebody to whom they stand in every relation.
    pub(super) fn may_permit_related(&self, caller: &Caller, permission: &'static str, organization: OrganizationId) -> bool {
        let circumstances = Circumstances { relations: RELATIONS, ..Circumstances::default() };
        let ask = || self.ask(caller, permission, organization, Some(SOMEBODY), circumstances);
        self.decisions.permits_related(permission) && matches!(ask(), Verdict::Permit(_))
    }

    /// The relations of the caller to whose it is; they are looked up only where a policy asks for them.
    ///
    /// Whoever acts as another user stands in none: what one of the two is to the owner the other is not.
    pub(super) async fn relations(
        &self,
        caller: &Caller,
        permission: &'static str,
        organization: OrganizationId,
        of: Belonging,
        own: Option<&OwnPolicies>,
    ) -> Result<Vec<&'static str>, Problem> {
        if caller.acted_as.is_some() || !self.decisions.asks_for_relations(permission, own) {
            return Ok(Vec::new());
        }
        let mut relations = match of.owner.filter(|owner| *owner != caller.user) {
            Some(owner) => self.standings.relations(organization, caller.user, owner).await.map_err(Problem::unavailable)?,
            None => Vec::new(),
        };
        if let Some(team) = of.team {
            relations.extend(self.standings.team_relation(organization, caller.user, team).await.map_err(Problem::unavailable)?);
        }
        Ok(relations)
    }
}
