//! Who has which role.

use super::{
    catalogue_stream, check_may_give,
    officers::{LeavesOfficers, check_given_by_another, check_one_stays, key_stream, leaves_officers, streams_of},
    user_stream,
};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    identity::{
        Role, RoleRef,
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

/// Gives a user a role, built in or of the organization's own. Nobody gives one to themselves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignRole {
    pub user_id: UserId,
    /// The name of a built-in role, or the id of one of the organization's own.
    #[schema(value_type = String)]
    pub role: RoleRef,
}

/// Takes a role from a user; what it granted is refused from the next request on. The last compliance officer
/// who may act stays one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnassignRole {
    pub user_id: UserId,
    #[schema(value_type = String)]
    pub role: RoleRef,
    /// Who else is a compliance officer, as the read model knows.
    #[serde(skip)]
    #[schema(ignore)]
    pub other_officers: Vec<UserId>,
}

leaves_officers!(UnassignRole);

impl Operation for AssignRole {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![user_stream(admission, self.user_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission), key_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_give(unit, self.role)?;
        check_given_by_another(unit, self.user_id, self.role)?;
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
        let mut reads = streams_of(admission, &self.other_officers);
        reads.push(catalogue_stream(admission));
        reads
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        check_may_give(unit, self.role)?;
        if self.role == RoleRef::BuiltIn(Role::ComplianceOfficer) {
            check_one_stays(unit, self.user_id, &self.other_officers)?;
        }
        unit.run::<User>(self.user_id, &UserCommand::UnassignRole(self.role))?;
        Ok(Answer::new("id", self.user_id, "UNASSIGNED"))
    }
}
