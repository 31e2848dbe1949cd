//! Relations at the gate: in which ones a caller stands to the person whose resource it is (E-121).

use super::{
    decision::{Circumstances, OwnPolicies, Verdict},
    gate::{Caller, Gate},
};
use crate::problem::Problem;
use palmares_commands::identity::policy_language::RELATIONS;
use palmares_domain::kernel::{OrganizationId, UserId};
use uuid::Uuid;

/// Nobody: whose resource it is does not matter where only the relation to them is asked about.
const SOMEBODY: UserId = UserId(Uuid::nil());

impl Gate {
    /// Whether the caller would be permitted what is of somebody to whom they stand in every relation.
    pub(super) fn may_permit_related(&self, caller: &Caller, permission: &'static str, organization: OrganizationId) -> bool {
        let circumstances = Circumstances { relations: RELATIONS, ..Circumstances::default() };
        let ask = || self.ask(caller, permission, organization, Some(SOMEBODY), circumstances);
        self.decisions.permits_related(permission) && matches!(ask(), Verdict::Permit(_))
    }

    /// The relations of the caller to the owner; they are looked up only where a policy asks for them.
    ///
    /// Whoever acts as another user stands in none: what one of the two is to the owner the other is not.
    pub(super) async fn relations(
        &self,
        caller: &Caller,
        permission: &'static str,
        organization: OrganizationId,
        owner: Option<UserId>,
        own: Option<&OwnPolicies>,
    ) -> Result<Vec<&'static str>, Problem> {
        let somebody_else = owner.filter(|owner| *owner != caller.user && caller.acted_as.is_none());
        match somebody_else {
            Some(owner) if self.decisions.asks_for_relations(permission, own) => {
                self.standings.relations(organization, caller.user, owner).await.map_err(Problem::unavailable)
            }
            _ => Ok(Vec::new()),
        }
    }
}
