//! Somebody who may says yes or no, or nobody does in time.

use super::{Email, NewUser, answer, let_go, signup_stream, terms, user_stream};
use crate::engine::{Answer, Operation, Refused, StreamRef, Unit};
use palmares_domain::{
    identity::signup::{Signup, SignupCommand, SignupError},
    kernel::{Admission, UserId},
};
use serde::Deserialize;
use utoipa::ToSchema;

crate::capabilities! {
    ApproveSignup => permit "identity.signup.approve", throttle Write;
    RefuseSignup => permit "identity.signup.refuse", throttle Write;
}

/// Says yes to somebody who signs up. They are a user where that was the last thing asked, and a letter
/// tells them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveSignup {
    /// The sign-up, under the id of the user whom it makes.
    pub user_id: UserId,
    /// Looked up before the command is executed; nobody knows it once the person was erased.
    #[serde(skip)]
    #[schema(ignore)]
    pub person: Option<NewUser>,
}

impl Operation for ApproveSignup {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![signup_stream(admission, self.user_id), user_stream(admission, self.user_id)]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        self.person.iter().flat_map(NewUser::lookups).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<Signup>(self.user_id, &SignupCommand::Approve)?;
        self.person.as_ref().ok_or(SignupError::Erased)?.join(unit, self.user_id)?;
        answer(unit, self.user_id)
    }
}

/// Says no to somebody who signs up; a letter tells them. Where the address was theirs, nobody signs up
/// with it again: an invitation lets them in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseSignup {
    /// The sign-up, under the id of the user whom it would make.
    pub user_id: UserId,
    /// What the person is told.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
    /// Looked up before the command is executed; nobody knows it once the person was erased.
    #[serde(skip)]
    #[schema(ignore)]
    pub email: Option<Email>,
}

impl Operation for RefuseSignup {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![signup_stream(admission, self.user_id)]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        self.email.iter().map(Email::signup_lookup).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        unit.run::<Signup>(self.user_id, &SignupCommand::Refuse { reason: self.reason.clone() })?;
        // Anyone could have typed an address that nobody proved; its owner may still sign up.
        if !terms(unit, self.user_id)?.is_email_proven() {
            let_go(unit, self.user_id);
        }
        answer(unit, self.user_id)
    }
}

/// Records that the time of a sign-up has run out, where it has.
pub struct ExpireSignup {
    pub user_id: UserId,
    /// Nobody knows it once the person was erased; then nothing is claimed any more.
    pub email: Option<Email>,
}

impl Operation for ExpireSignup {
    fn streams(&self, admission: &Admission) -> Vec<StreamRef> {
        vec![signup_stream(admission, self.user_id)]
    }

    fn hashed(&self) -> Vec<(&'static str, &str)> {
        self.email.iter().map(Email::signup_lookup).collect()
    }

    fn decide(&self, unit: &mut Unit<'_>) -> Result<Answer, Refused> {
        let now = unit.facts().now;
        if unit.state::<Signup>(self.user_id)?.is_due(now) {
            unit.run::<Signup>(self.user_id, &SignupCommand::Expire)?;
            let_go(unit, self.user_id);
        }
        let status = unit.state::<Signup>(self.user_id)?.terms().map_or("", |terms| terms.status.name());
        Ok(Answer::new("id", self.user_id, status))
    }
}
