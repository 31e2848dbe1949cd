//! Compliance officers keep watch over administrators and release what the law holds: so administrators, who give
//! roles, do not decide alone who these are (E-46, E-47).
//!
//! Nobody gives a role to themselves, only people make somebody an officer, and who is the last to be one is
//! taken away by the platform alone. The first officer is somebody else than whoever names them.

use super::{aimed_at, escalation, user_stream};
use crate::engine::{Refused, StreamRef, Unit};
use palmares_domain::{
    compliance::access_record::Aim,
    identity::{
        Role, RoleRef,
        api_key::ApiKey,
        user::{Profile, User, UserStatus},
    },
    kernel::{Admission, Code, UserId},
};

const OFFICER: RoleRef = RoleRef::BuiltIn(Role::ComplianceOfficer);

/// What may leave an organization without somebody who keeps watch. Who else does, a read model knows, and the
/// command looks whether it is still so.
pub trait LeavesOfficers {
    /// Whom it takes away, where it is somebody.
    fn user(&self) -> Option<UserId>;
    fn besides(self, others: Vec<UserId>) -> Self;
}

/// [`LeavesOfficers`] of a request with the fields `user_id` and `other_officers`.
macro_rules! leaves_officers {
    ($request:ident) => {
        impl LeavesOfficers for $request {
            fn user(&self) -> Option<UserId> {
                Some(self.user_id)
            }

            fn besides(self, other_officers: Vec<UserId>) -> Self {
                Self { other_officers, ..self }
            }
        }
    };
}
pub(crate) use leaves_officers;

/// Whether a user is a compliance officer, whether they may act or not.
pub fn is_officer(user: &User) -> bool {
    user.profile().is_some_and(|profile| profile.roles.contains(&OFFICER))
}

/// Whether a user is a compliance officer who may act.
fn keeps_watch(user: &User) -> bool {
    is_officer(user) && user.profile().is_some_and(|profile| profile.status == UserStatus::Active)
}

/// Whether a user is a compliance officer who may act, or could until their deletion was asked for.
fn kept_watch(user: &User) -> bool {
    let could = |profile: &Profile| [Some(profile.status), profile.before_deletion].contains(&Some(UserStatus::Active));
    is_officer(user) && user.profile().is_some_and(could)
}

/// The stream of the key by which whoever acts would act, were they a program.
pub(super) fn key_stream(admission: &Admission) -> StreamRef {
    StreamRef::of::<ApiKey>(admission.organization, admission.actor)
}

/// Refuses whoever gives a role to themselves, or makes an officer of somebody by a program: whoever made its key
/// could be the one.
pub(super) fn check_given_by_another(unit: &mut Unit<'_>, user_id: UserId, role: RoleRef) -> Result<(), Refused> {
    let admission = unit.admission();
    let actor = admission.actor;
    if actor == user_id || admission.on_behalf_of == Some(user_id) {
        return Err(attempt("identity.role_of_oneself", "nobody gives a role to themselves", user_id, role));
    }
    if role == OFFICER && unit.state::<ApiKey>(actor)?.issued().is_some() {
        return Err(attempt("identity.officer_by_program", "compliance officers are made by people", user_id, role));
    }
    Ok(())
}

/// Refuses to decide how an officer signs in, unless as an officer or for the platform: whoever does could sign in
/// in their place.
pub(super) fn check_signs_in_unaided(unit: &mut Unit<'_>, user_id: UserId) -> Result<(), Refused> {
    let rights = &unit.admission().rights;
    let may = rights.reach_everywhere() || rights.roles().any(|role| role == OFFICER);
    let is_officer = is_officer(unit.state::<User>(user_id)?);
    if may || !is_officer { Ok(()) } else { Err(aimed_at(escalation("the role"), user_id)) }
}

fn attempt(reason: &'static str, detail: &str, user_id: UserId, role: RoleRef) -> Refused {
    let aim = Some(Box::new(Aim { role: Some(role), ..Aim::default() }));
    aimed_at(Refused { attempt: true, aim, ..Refused::new(Code::AccessDenied, reason, detail) }, user_id)
}

/// The streams of the other officers.
pub(crate) fn streams_of(admission: &Admission, others: &[UserId]) -> Vec<StreamRef> {
    others.iter().map(|other| user_stream(admission, *other)).collect()
}

/// Refuses to take the last officer away. The platform may: an organization may have to begin anew.
pub(crate) fn check_one_stays(unit: &mut Unit<'_>, user_id: UserId, others: &[UserId]) -> Result<(), Refused> {
    let stays_without = !keeps_watch(unit.state::<User>(user_id)?);
    if stays_without { Ok(()) } else { check_another(unit, user_id, others) }
}

/// Refuses to let an officer go, who may act no more since their deletion was asked for, where nobody else is one by
/// now: until it is refused or cancelled, they come back by it.
pub(crate) fn check_one_is_left(unit: &mut Unit<'_>, user_id: UserId, others: &[UserId]) -> Result<(), Refused> {
    let stays_without = !kept_watch(unit.state::<User>(user_id)?);
    if stays_without { Ok(()) } else { check_another(unit, user_id, others) }
}

fn check_another(unit: &mut Unit<'_>, user_id: UserId, others: &[UserId]) -> Result<(), Refused> {
    if unit.admission().rights.reach_everywhere() {
        return Ok(());
    }
    for other in others.iter().filter(|other| **other != user_id) {
        if keeps_watch(unit.state::<User>(*other)?) {
            return Ok(());
        }
    }
    let detail = "the organization would have no compliance officer";
    Err(Refused { attempt: true, ..Refused::new(Code::Conflict, "identity.last_compliance_officer", detail) })
}
