//! Identity: users, their life cycle, and the roles that say what they may.

mod assignments;
mod enter;
mod lifecycle;
mod roles;
mod temporary_passwords;
mod users;

pub use assignments::{AssignRole, UnassignRole};
pub use enter::{EndSession, Enter, RotateRefresh};
pub use lifecycle::{
    ApproveReactivation, CancelUserDeletion, DeactivateUser, ReactivateUser, RequestUserDeletion, ResumeUser, SuspendUser,
};
pub use roles::{ComposeRole, RenameRole, RetireRole, SetRoleGrants};
pub use temporary_passwords::SetTemporaryPassword;
pub use users::CreateUser;

pub(crate) use users::user_stream;

use crate::engine::{Refused, StreamRef, Unit};
use palmares_domain::{
    identity::{HeldRole, RoleRef, role_catalogue::RoleCatalogue},
    kernel::{Admission, Code},
};

/// The stream of the organization's own roles.
fn catalogue_stream(admission: &Admission) -> StreamRef {
    StreamRef::of::<RoleCatalogue>(admission.organization, admission.organization)
}

/// Refuses to give or take a role that reaches further than the caller's own rights (E-46).
fn check_may_give(unit: &mut Unit<'_>, role: RoleRef) -> Result<(), Refused> {
    let held = match role {
        RoleRef::BuiltIn(role) => HeldRole::built_in(role),
        custom => {
            let organization = unit.organization();
            let held = unit.state::<RoleCatalogue>(organization)?.held(custom);
            held.ok_or_else(|| Refused::field("role", "identity.role_not_found"))?
        }
    };
    check_covers(unit, &held)
}

/// Refuses a role that reaches further than the caller's own rights (E-46).
fn check_covers(unit: &Unit<'_>, role: &HeldRole) -> Result<(), Refused> {
    if unit.admission().rights.cover_role(role) {
        return Ok(());
    }
    Err(Refused::new(Code::AccessDenied, "identity.permission_escalation_attempt", "the role reaches further than your own rights"))
}
