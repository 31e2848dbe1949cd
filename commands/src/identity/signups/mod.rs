//! Sign-ups: people ask to join, pass what the organization asks of them, and become users with the last of it.
//!
//! The address is held by the sign-up while it is under way, under a kind of its own, so that nobody keeps
//! a colleague from being invited by typing their address; it is claimed for the user when there is one.

mod ask;
mod decide;
mod prove;
#[cfg(test)]
mod tests;

pub use ask::{AskSignup, SendSignupAgain};
pub use decide::{ApproveSignup, ExpireSignup, RefuseSignup};
pub use prove::{FailSignupCode, ProveSignupEmail, ProveSignupPhone};

use super::{
    Email,
    emails::set_email,
    signup_policy::{closed, policy_stream},
    user_stream,
};
use crate::engine::{Answer, Refused, StreamRef, Unit};
use palmares_domain::{
    identity::{
        EXTERNAL_REF_LOOKUP, Role, SIGNUP_EMAIL_LOOKUP,
        signup::{self, Signup, SignupError, SignupStatus, Terms},
        signup_policy::SignupPolicy,
        user::{self, User, UserCommand},
    },
    kernel::{Admission, Code, UserId},
};

/// The stream of a sign-up, under the id of the user whom it makes.
fn signup_stream(admission: &Admission, user: UserId) -> StreamRef {
    StreamRef::of::<Signup>(admission.organization, user)
}

fn terms(unit: &mut Unit<'_>, user: UserId) -> Result<Terms, Refused> {
    unit.state::<Signup>(user)?.terms().cloned().ok_or_else(|| SignupError::NotFound.into())
}

fn answer(unit: &mut Unit<'_>, user: UserId) -> Result<Answer, Refused> {
    Ok(Answer::new("id", user, terms(unit, user)?.status.name()))
}

/// Lets go of the address that the sign-up holds, where the operation named it in
/// [`Operation::hashed`](crate::engine::Operation::hashed).
fn let_go(unit: &mut Unit<'_>, user: UserId) {
    if let Some(claim) = unit.hashed(SIGNUP_EMAIL_LOOKUP).filter(|claim| unit.holder(*claim) == Some(user.0)) {
        unit.release(claim);
    }
}

/// Who a sign-up makes a user of the organization with its last step.
#[derive(Clone)]
pub struct NewUser {
    email: Email,
    display_name: Option<String>,
    external_ref: String,
}

impl NewUser {
    pub fn of(user_id: UserId, person: &signup::Person) -> Self {
        let signup::Person { email, display_name, .. } = person.clone();
        Self { email: email.into(), display_name, external_ref: format!("signup:{user_id}") }
    }

    /// What the operation answers for [`Operation::hashed`].
    fn lookups(&self) -> Vec<(&'static str, &str)> {
        vec![self.email.lookup(), self.email.signup_lookup(), (EXTERNAL_REF_LOOKUP, self.external_ref.as_str())]
    }

    /// Makes the user where every hook was passed.
    fn join(&self, unit: &mut Unit<'_>, user_id: UserId) -> Result<(), Refused> {
        if terms(unit, user_id)?.status != SignupStatus::Active {
            return Ok(());
        }
        let create = UserCommand::Create(user::CreateUser {
            user_id,
            organization_id: unit.organization(),
            external_ref: self.external_ref.clone(),
            display_name: self.display_name.clone(),
            role: Role::Member.into(),
        });
        unit.run::<User>(user_id, &create)?;
        set_email(unit, user_id, &self.email, None)?;
        let claim = unit.claim_of(EXTERNAL_REF_LOOKUP)?;
        if unit.holder(claim).is_some() {
            return Err(Refused::new(Code::Conflict, "identity.external_ref_taken", "another user has this external reference"));
        }
        unit.claim(claim, user_id);
        let_go(unit, user_id);
        Ok(())
    }
}

/// An organization that closed its door lets nobody take a further step through it.
fn check_open(unit: &mut Unit<'_>) -> Result<(), Refused> {
    let organization = unit.organization();
    if unit.state::<SignupPolicy>(organization)?.is_open() { Ok(()) } else { Err(closed()) }
}
