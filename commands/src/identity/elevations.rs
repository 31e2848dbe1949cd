//! Rights for a while: asked for with a reason, decided by somebody else, over by themselves (E-33, E-254).

use super::{catalogue_stream, check_may_give, user_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use crate::ids::new_id;
use palmares_domain::{
    identity::{
        RoleRef,
        elevation::{self, Elevation, ElevationCommand, ElevationStatus, Scope},
        role_catalogue::RoleCatalogue,
        user::User,
    },
    kernel::{Admission, Code, ElevationId, UserId},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// Asks are everyone's own to make; what is asked for decides who may.
const REQUEST: &str = "identity.elevation.request";
/// By a role, this is the right to stop what somebody else has started.
const END: &str = "identity.elevation.end";

crate::capabilities! {
    RequestElevation => permit "identity.elevation.request", throttle Write;
    ApproveElevation => permit "identity.elevation.approve", throttle Write;
    RefuseElevation => permit "identity.elevation.refuse", throttle Write;
    WithdrawElevation => permit "identity.elevation.withdraw", throttle Write;
    StartElevation => permit "identity.elevation.start", throttle Write;
    EndElevation => permit "identity.elevation.end", throttle Write;
    ReviewElevation => permit "identity.elevation.review", throttle Write;
}

/// Asks for a role, or to act as another user, for a while: exactly one of the two. It gives nothing
/// before somebody else approved it and its requester started it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestElevation {
    /// The role: the name of a built-in one, or the id of one of the organization's own.
    #[schema(value_type = Option<String>)]
    pub role: Option<RoleRef>,
    /// The user to act as: never more than both may.
    pub act_as: Option<UserId>,
    /// From its start: at most 8 hours of a role, at most one of acting as another user.
    #[schema(minimum = 1, maximum = 28800)]
    pub duration_seconds: u32,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

impl RequestElevation {
    fn id(admission: &Admission) -> ElevationId {
        ElevationId(new_id(admission, "elevation"))
    }

    fn scope(&self) -> Result<Scope, Refused> {
        match (self.role, self.act_as) {
            (Some(role), None) => Ok(Scope::Role(role)),
            (None, Some(user)) => Ok(Scope::ActingAs(user)),
            (None, None) => Err(Refused::field("role", "required")),
            (Some(_), Some(_)) => Err(Refused::field("act_as", "identity.elevation_of_two_kinds")),
        }
    }

    /// A role is had at home, on top of what one has there.
    fn check_role(unit: &mut Unit<'_>, role: RoleRef) -> Result<(), Refused> {
        let (organization, actor) = (unit.organization(), unit.admission().actor);
        let held = unit.state::<User>(actor)?.profile().map(|profile| profile.roles.contains(&role));
        match held {
            None => Err(Refused::new(Code::AccessDenied, "identity.elevation_elsewhere", "a role is asked for in one's own organization")),
            Some(true) => Err(Refused::new(Code::Conflict, "identity.role_already_assigned", "the user has the role already")),
            Some(false) if unit.state::<RoleCatalogue>(organization)?.held(role).is_none() => {
                Err(Refused::field("role", "identity.role_not_found"))
            }
            Some(false) => Ok(()),
        }
    }

    /// The roles of the user to act as, for whoever may ask that by a role of their own.
    fn roles_of(unit: &mut Unit<'_>, user: UserId) -> Result<Vec<RoleRef>, Refused> {
        if !unit.admission().rights.permit(REQUEST) {
            return Err(Refused::new(
                Code::AccessDenied,
                "identity.elevation_impersonation_denied",
                "acting as another is not yours to ask",
            ));
        }
        let found = unit.state::<User>(user)?;
        match found.profile().filter(|_| found.is_active()) {
            Some(profile) => Ok(profile.roles.iter().copied().collect()),
            None => Err(Refused::field("act_as", "identity.user_not_found")),
        }
    }
}

impl Operation for RequestElevation {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![elevation_stream(admission, Self::id(admission))]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        let users = [admission.actor].into_iter().chain(self.act_as);
        users.map(|user| user_stream(admission, user)).chain([catalogue_stream(admission)]).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let elevation_id = Self::id(unit.admission());
        let scope = self.scope()?;
        let roles = match scope {
            Scope::Role(role) => vec![role],
            Scope::ActingAs(user) => Self::roles_of(unit, user)?,
        };
        let command = ElevationCommand::Request(elevation::RequestElevation {
            elevation_id,
            organization_id: unit.organization(),
            scope,
            roles,
            duration_seconds: self.duration_seconds,
            reason: self.reason.clone(),
        });
        unit.run::<Elevation>(elevation_id, &command)?;
        if let Scope::Role(role) = scope {
            Self::check_role(unit, role)?;
        }
        Ok(Answer::new("id", elevation_id, ElevationStatus::Requested.name()))
    }
}

/// Approves what somebody else asked for. Nobody approves what they could not give themselves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveElevation {
    pub elevation_id: ElevationId,
}

impl Operation for ApproveElevation {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![elevation_stream(admission, self.elevation_id)]
    }

    fn reads(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![catalogue_stream(admission)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<Elevation>(self.elevation_id, &ElevationCommand::Approve)?;
        let roles = unit.state::<Elevation>(self.elevation_id)?.request().map(|request| request.roles.clone());
        roles.into_iter().flatten().try_for_each(|role| check_may_give(unit, role))?;
        Ok(Answer::new("id", self.elevation_id, ElevationStatus::Approved.name()))
    }
}

/// Ends an elevation before its time: one's own, or anyone's by a role that may.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndElevation {
    pub elevation_id: ElevationId,
}

impl Operation for EndElevation {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![elevation_stream(admission, self.elevation_id)]
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let supervising = unit.admission().rights.permit(END);
        unit.run::<Elevation>(self.elevation_id, &ElevationCommand::End { supervising })?;
        Ok(Answer::new("id", self.elevation_id, ElevationStatus::Ended.name()))
    }
}

fn elevation_stream(admission: &Admission, elevation: ElevationId) -> StreamRef {
    StreamRef::of::<Elevation>(admission.organization, elevation)
}

crate::life_cycle::steps! { Elevation, elevation_id: ElevationId, elevation_stream;
    /// Refuses what somebody else asked for.
    RefuseElevation { #[schema(max_length = 500)] reason: Option<String> }
        => |step| ElevationCommand::Refuse { reason: step.reason.clone() }, |_| ElevationStatus::Refused.name();

    /// Takes one's own request back.
    WithdrawElevation => |_| ElevationCommand::Withdraw, |_| ElevationStatus::Withdrawn.name();

    /// Starts one's own elevation: its time runs from here, and a request uses it by naming it.
    StartElevation => |_| ElevationCommand::Start, |_| ElevationStatus::Active.name();

    /// Says that somebody else looked at what was done with it, once it is over.
    ReviewElevation { #[schema(max_length = 500)] note: Option<String> }
        => |step| ElevationCommand::Review { note: step.note.clone() }, |_| ElevationStatus::Reviewed.name();

    /// Records that its time is over, where it is.
    ExpireElevation => |_| ElevationCommand::Expire, |_| ElevationStatus::Expired.name();
}
