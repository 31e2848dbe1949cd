//! Who has which role.

use super::{catalogue_stream, check_may_give, user_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    identity::{
        RoleRef,
        user::{User, UserCommand},
    },
    kernel::{Admission, UserId},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    AssignRole => permit "identity.assignment.create", throttle Write;
    UnassignRole => permit "identity.assignment.remove", throttle Write;
}

/// Gives a user a role, built in or of the organization's own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignRole {
    pub user_id: UserId,
    /// The name of a built-in role, or the id of one of the organization's own.
    #[schema(value_type = String)]
    pub role: RoleRef,
}

/// Takes a role from a user; what it granted is refused from the next request on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnassignRole {
    pub user_id: UserId,
    #[schema(value_type = String)]
    pub role: RoleRef,
}

impl Operation for AssignRole {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_give(unit, self.role)?;
        let organization_id = unit.organization();
        unit.run::<User>(self.user_id, &UserCommand::AssignRole { role: self.role, organization_id })?;
        Ok(Answer::new("id", self.user_id, "ASSIGNED"))
    }
}

impl Operation for UnassignRole {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_give(unit, self.role)?;
        unit.run::<User>(self.user_id, &UserCommand::UnassignRole(self.role))?;
        Ok(Answer::new("id", self.user_id, "UNASSIGNED"))
    }
}
